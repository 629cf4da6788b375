/*
 * sv_bare DIR: the limit for a supervisor: fork, exec and wait, nothing else. Runs DIR/N/run for N from 0 on, each again when it dies; at
 * TERM it sends TERM to all, waits for all, and exits. Linked statically.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVICES_MAX 20000

static pid_t pid[SERVICES_MAX];
static sigset_t mine;

static void start(int i)
{
	char name[16];

	pid[i] = fork();
	if (pid[i] != 0)
		return;
	sigprocmask(SIG_UNBLOCK, &mine, NULL);
	snprintf(name, sizeof name, "%d", i);
	if (chdir(name) == 0)
		execl("./run", "./run", (char *)NULL);
	_exit(111);
}

int main(int argc, char **argv)
{
	int n = 0, left, i, sig = 0;
	char name[16];
	pid_t died;

	if (argc != 2 || chdir(argv[1]) < 0)
		return fprintf(stderr, "usage: sv_bare DIR\n"), 2;
	sigemptyset(&mine);
	sigaddset(&mine, SIGCHLD);
	sigaddset(&mine, SIGTERM);
	sigprocmask(SIG_BLOCK, &mine, NULL);
	for (; snprintf(name, sizeof name, "%d", n), n < SERVICES_MAX && access(name, X_OK) == 0; n++)
		start(n);
	while (sig != SIGTERM) {
		sigwait(&mine, &sig);
		while (sig == SIGCHLD && (died = waitpid(-1, NULL, WNOHANG)) > 0) {
			for (i = 0; i < n && pid[i] != died; i++)
				;
			if (i < n)
				start(i);
		}
	}
	for (i = 0; i < n; i++)
		kill(pid[i], SIGTERM);
	for (left = n; left > 0 && wait(NULL) > 0; left--)
		;
	return 0;
}
