#include "stage/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

static int to_guard = -1;	/* the guard waits for its end, which comes with the end of this process */
static pid_t guard = -1;
static pid_t (*groups)[GUARD_GROUPS];	/* shared with the guard, so that it need not run when one comes or goes; 0: free */

static void watch(int fd)
{
	char c;

	while (read(fd, &c, 1) < 0 && errno == EINTR)
		;
	for (unsigned i = 0; i < GUARD_GROUPS; i++)
		if ((*groups)[i])
			kill(-(*groups)[i], SIGKILL);
	_exit(0);
}

void guard_start(void)
{
	int p[2] = { -1, -1 };
	void *shared = mmap(NULL, sizeof *groups, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED || pipe2(p, O_CLOEXEC)) {
		log_warn("no guard against programs that are left over: %s", strerror(errno));
		return;
	}
	groups = shared;
	guard = fork();
	if (guard < 0) {
		log_warn("no guard against programs that are left over: %s", strerror(errno));
		close(p[0]);
		close(p[1]);
		return;
	}
	if (guard == 0) {
		setpgid(0, 0);		/* ^C is for the others */
		prctl(PR_SET_NAME, "stage-guard");
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		if (dup2(p[0], 0) < 0)
			_exit(1);
		close_range(1, ~0u, 0);
		watch(0);
	}
	close(p[0]);
	to_guard = p[1];
}

pid_t guard_pid(void)
{
	return guard;
}

/* The first slot with `from` in it becomes `to`. One store: a kill finds the one or the other. */
static void replace(pid_t from, pid_t to)
{
	for (unsigned i = 0; groups && i < GUARD_GROUPS; i++) {
		if ((*groups)[i] != from)
			continue;
		__atomic_store_n(&(*groups)[i], to, __ATOMIC_RELEASE);
		return;
	}
}

void guard_add(pid_t group)
{
	replace(0, group);
}

void guard_remove(pid_t group)
{
	replace(group, 0);
}

void guard_stop(void)
{
	if (to_guard >= 0)
		close(to_guard);
	to_guard = -1;
	if (guard > 0)
		while (waitpid(guard, NULL, 0) < 0 && errno == EINTR)
			;
	guard = -1;
}
