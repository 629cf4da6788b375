#include "stage/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#define PIPE_BYTES (1 << 20)	/* a pipe of 64 KiB halves the rate */

int spawn_user(struct spawn *s)
{
	const struct passwd *pw = getpwnam(s->user);
	int n = NGROUPS_MAX;

	if (!pw) {
		log_error("--user %s: no such user", s->user);
		return -1;
	}
	s->uid = pw->pw_uid;
	s->gid = pw->pw_gid;
	if (geteuid() == s->uid)
		return 0;
	if (geteuid() != 0) {
		log_error("--user %s: only root can start a program as another user", s->user);
		return -1;
	}
	s->groups = malloc((size_t)n * sizeof *s->groups);
	if (!s->groups || getgrouplist(s->user, s->gid, s->groups, &n) < 0) {
		log_error("--user %s: its groups: %s", s->user, s->groups ? "too many" : strerror(errno));
		return -1;
	}
	s->ngroups = (size_t)n;
	return 0;
}

/* As execvp looks for it. */
int spawn_find(const struct spawn *s)
{
	const char *name = s->argv[0], *path = getenv("PATH"), *end;
	char full[4096];

	if (strchr(name, '/')) {
		if (access(name, X_OK) == 0)
			return 0;
		log_error("%s cannot be started: %s", name, strerror(errno));
		return -1;
	}
	for (path = path ? path : "/bin:/usr/bin"; ; path = end + 1) {
		end = strchrnul(path, ':');
		snprintf(full, sizeof full, "%.*s/%s", (int)(end - path), path, name);
		if (access(full, X_OK) == 0)
			return 0;
		if (!*end)
			break;
	}
	log_error("%s cannot be started: there is no such program in $PATH", name);
	return -1;
}

/* Lower than now, never higher: that is not ours to give. */
static void limit(int which, uint64_t value, uint64_t hard)
{
	struct rlimit r;

	if (getrlimit(which, &r))
		return;
	r.rlim_max = hard < r.rlim_max ? hard : r.rlim_max;
	r.rlim_cur = value < r.rlim_max ? value : r.rlim_max;
	setrlimit(which, &r);
}

/*
 * In the child. It has no memory of its own yet, it uses its parent's, which stands still until this one is the program (a copy of the
 * page tables would cost more than all the rest). So nothing here allocates, locks, or changes what is the parent's. Returns the step that
 * failed, errno says why.
 */
static const char *become(const struct spawn *s, const int fd[3], pid_t parent)
{
	uint64_t seconds = (uint64_t)((s->cpu + CLOCK_S - 1) / CLOCK_S);
	sigset_t none;

	setpgid(0, 0);
	/* Numbers below 3 would be overwritten by the others' dup2: log_init has taken those. */
	if (dup2(fd[0], 0) < 0 || dup2(fd[1], 1) < 0 || dup2(fd[2], 2) < 0)
		return "its descriptors";
	if (s->files)
		limit(RLIMIT_NOFILE, s->files, s->files);
	/* First a signal that tells what it died of, and only then KILL. */
	if (s->cpu)
		limit(RLIMIT_CPU, seconds, seconds + 1);
	if (s->groups && (setgroups(s->ngroups, s->groups) || setgid(s->gid) || setuid(s->uid)))
		return "becoming the user";
	/* Behind setuid, which would take it back. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return "dying with stage";
	if (getppid() != parent)
		_exit(127);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Last: until here it is this process' memory that would count. */
	if (s->memory)
		limit(RLIMIT_AS, s->memory, s->memory);
	execvp(s->argv[0], s->argv);
	return "";
}

/* A process that is the program, or -1: *what is the step that failed, errno says why. Not inline: nothing of the caller's is in its registers. */
static __attribute__((noinline)) pid_t start(const struct spawn *s, const int fd[3], const char **what)
{
	static volatile struct { const char *step; int error; } failed;	/* what the child says */
	pid_t parent = getpid(), pid;

	failed.step = NULL;
	pid = vfork();
	if (pid == 0) {
		failed.step = become(s, fd, parent);
		failed.error = errno;
		_exit(126);
	}
	if (pid > 0 && !failed.step)
		return pid;
	*what = "fork";
	if (pid > 0) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		*what = failed.step;
		errno = failed.error;
	}
	return -1;
}

static int open_terminal(int fd[2])
{
	char name[64];
	struct termios raw;

	fd[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd[0] < 0)
		return -1;
	if (grantpt(fd[0]) || unlockpt(fd[0]) || ptsname_r(fd[0], name, sizeof name))
		return -1;
	fd[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd[1] < 0 || tcgetattr(fd[1], &raw))
		return -1;
	cfmakeraw(&raw);
	return tcsetattr(fd[1], TCSANOW, &raw);
}

static void close_pair(int fd[2])
{
	for (int i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

int spawn_start(const struct spawn *s, bool terminal, struct spawned *to, const char **what)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 }, e;
	pid_t pid;

	*what = "pipes";
	if (pipe2(in, O_CLOEXEC) || (terminal ? open_terminal(out) : pipe2(out, O_CLOEXEC)) || pipe2(err, O_CLOEXEC) ||
	    fd_nonblock(in[1]) || fd_nonblock(out[0]) || fd_nonblock(err[0]))
		goto fail;
	fcntl(in[1], F_SETPIPE_SZ, PIPE_BYTES);		/* refused beyond the user's share of pipe memory: no harm */
	if (!terminal)
		fcntl(out[0], F_SETPIPE_SZ, PIPE_BYTES);
	pid = start(s, (int[]){ in[0], out[1], err[1] }, what);
	if (pid < 0)
		goto fail;
	*what = "pidfd_open";
	to->pidfd = pidfd_open(pid, 0);
	if (to->pidfd < 0) {
		e = errno;
		kill(-pid, SIGKILL);
		waitpid(pid, NULL, 0);
		errno = e;
		goto fail;
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	to->pid = pid;
	to->in = in[1];
	to->out = out[0];
	to->err = err[0];
	return 0;
fail:
	e = errno;
	close_pair(in);
	close_pair(out);
	close_pair(err);
	errno = e;
	return -1;
}
