#include "stage/reap.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "stage/guard.h"
#include "stage/proc.h"

static pid_t programs[GUARD_GROUPS];	/* 0: free */

static void replace(pid_t from, pid_t to)
{
	for (unsigned i = 0; i < GUARD_GROUPS; i++)
		if (programs[i] == from) {
			programs[i] = to;
			return;
		}
}

static bool ours(pid_t pid)
{
	for (unsigned i = 0; i < GUARD_GROUPS; i++)
		if (programs[i] == pid)
			return true;
	return pid == guard_pid();
}

static void kill_strays(void)
{
	pid_t list[PROC_MAX];
	size_t n = proc_children(getpid(), list, 0);

	for (size_t i = 0; i < n; i++) {
		if (ours(list[i]))
			continue;
		kill(list[i], SIGKILL);
		waitpid(list[i], NULL, 0);
	}
}

void reap_add(pid_t pid)
{
	replace(0, pid);
	guard_add(pid);
}

static int64_t ns(struct timeval t)
{
	return t.tv_sec * CLOCK_S + t.tv_usec * (CLOCK_MS / 1000);
}

void reap(pid_t pid, int *status, int64_t *cpu)
{
	struct rusage used = { 0 };

	kill(-pid, SIGKILL);
	guard_remove(pid);
	while (wait4(pid, status, 0, &used) < 0 && errno == EINTR)
		;
	*cpu = ns(used.ru_utime) + ns(used.ru_stime);
	replace(pid, 0);
	kill_strays();
}
