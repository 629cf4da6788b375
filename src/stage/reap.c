#include "stage/reap.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

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

void reap(pid_t pid, int *status)
{
	kill(-pid, SIGKILL);
	guard_remove(pid);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	replace(pid, 0);
	kill_strays();
}
