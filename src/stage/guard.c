#include "stage/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"

#define GROUPS 512u	/* more copies than there can be */

static int to_guard = -1;
static pid_t guard = -1;

/* A positive number is a group that is there, a negative one a group that is over. */
static void watch(int fd)
{
	pid_t group[GROUPS], p;
	unsigned n = 0;

	while (read(fd, &p, sizeof p) == sizeof p) {
		if (p > 0 && n < GROUPS)
			group[n++] = p;
		for (unsigned i = 0; p < 0 && i < n; i++)
			if (group[i] == -p)
				group[i--] = group[--n];
	}
	while (n > 0)
		kill(-group[--n], SIGKILL);
	_exit(0);
}

void guard_start(void)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) || (guard = fork()) < 0) {
		log_warn("no guard against programs that are left over: %s", strerror(errno));
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

static void tell(pid_t p)
{
	if (to_guard >= 0 && write(to_guard, &p, sizeof p) != sizeof p) {
		log_warn("the guard against programs that are left over is gone: %s", strerror(errno));
		close(to_guard);
		to_guard = -1;
	}
}

void guard_add(pid_t group)
{
	tell(group);
}

void guard_remove(pid_t group)
{
	tell(-group);
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
