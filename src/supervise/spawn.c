#include "supervise/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK (64 << 10)	/* the child's, until it execs */
#define SLOTS 4			/* in, out, err, notify */
#define FD_LOOK 1024		/* inherited descriptors are looked for below */

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE 2u
#endif

static struct rlimit inherited;
static bool is_raised;
static int slot[SLOTS] = { -1, -1, -1, -1 };	/* low descriptors of our own, on nothing */
static int nothing = -1;
static unsigned top;		/* above all that is inherited, and the slots; 0: the table is copied whole */

static void raise_limit(void)
{
	struct rlimit raised;

	if (getrlimit(RLIMIT_NOFILE, &inherited) < 0)
		return;
	raised = inherited;
	raised.rlim_cur = raised.rlim_max;
	is_raised = raised.rlim_cur != inherited.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0;
}

void spawn_init(void)
{
	int highest = 2;

	raise_limit();
	if (syscall(SYS_close_range, ~0u, ~0u, 0) < 0)	/* kernels before 5.9, and sandboxes */
		return;
	nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 3; fd < FD_LOOK; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			highest = fd;
	}
	for (int i = 0; i < SLOTS; i++) {
		slot[i] = nothing < 0 ? -1 : fcntl(nothing, F_DUPFD_CLOEXEC, highest + 1);
		if (slot[i] < 0)
			return;
	}
	for (int i = 0; i < SLOTS; i++)
		if ((unsigned)slot[i] >= top)
			top = (unsigned)slot[i] + 1;
}

bool spawn_last_fd(int fd)
{
	struct rlimit now;

	return getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur > SPAWN_RESERVE && (rlim_t)fd >= now.rlim_cur - SPAWN_RESERVE;
}

struct birth {
	const struct spawn *s;
	int fd[SLOTS];		/* in, out, err, notify, as the child finds them */
	int error;		/* errno of the child, 0: it is another program now */
};

/* Signals are all blocked when the child begins. Dispositions are its own (no CLONE_SIGHAND). */
static int reset_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &dfl, NULL);	/* the C library keeps two, refuses them, and never ignores them */
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

static int move_fd(int fd, int to)
{
	if (fd < 0)
		return 0;
	if (fd == to)
		return fcntl(fd, F_SETFD, 0);
	return dup2(fd, to) < 0 ? -1 : 0;
}

/* The C library's own functions would tell other threads of this process to follow: the system's calls, for the child alone. */
static int become(const struct spawn_limits *l)
{
	if (syscall(SYS_setgroups, l->ngroups, l->groups) < 0 || syscall(SYS_setresgid, l->gid, l->gid, l->gid) < 0)
		return -1;
	return (int)syscall(SYS_setresuid, l->uid, l->uid, l->uid);
}

static int limit(const struct spawn_limits *l)
{
	for (unsigned i = 0; i < l->n; i++)
		if (setrlimit(l->v[i].resource, &l->v[i].value) < 0)
			return -1;
	errno = 0;
	if (l->nice && nice(l->nice) == -1 && errno)
		return -1;
	return l->user ? become(l) : 0;
}

/* In the child: shared memory, own descriptors and limits. Order matters: fchdir while dirfd is what it was; 0 to 2 before
 * notify_to may overwrite their sources. When the table of descriptors is shared, nothing of it is touched
 * before close_range has made one of our own, of its low end. Only calls of the system; no lock can be held by another thread that these need. */
static int child(void *arg)
{
	struct birth *b = arg;
	const struct spawn *s = b->s;

	if (s->told)
		__atomic_store_n(s->told, (uint32_t)syscall(SYS_getpid), __ATOMIC_RELEASE);
	if (setsid() < 0 || fchdir(s->dirfd) < 0)
		goto fail;
	if (top && syscall(SYS_close_range, top, ~0u, CLOSE_RANGE_UNSHARE) < 0)
		goto fail;
	if (move_fd(b->fd[0], 0) < 0 || move_fd(b->fd[1], 1) < 0 || move_fd(b->fd[2], 2) < 0 || move_fd(b->fd[3], s->notify_to) < 0)
		goto fail;
	if (is_raised && setrlimit(RLIMIT_NOFILE, &inherited) < 0)
		goto fail;
	if ((s->limits && limit(s->limits) < 0) || reset_signals() < 0)
		goto fail;
	execve(s->path ? s->path : s->argv[0], (char *const *)s->argv, s->envp ? s->envp : environ);
fail:
	b->error = errno;
	_exit(127);
}

/* Puts what the child is to have where its part of the table is. */
static int fill_slots(struct birth *b)
{
	const struct spawn *s = b->s;
	const int fd[SLOTS] = { s->in, s->out, s->err > 0 ? s->err : -1, s->notify };

	for (int i = 0; i < SLOTS; i++) {
		b->fd[i] = fd[i];
		if (fd[i] < 0 || !top)
			continue;
		b->fd[i] = slot[i];
		if (dup3(fd[i], slot[i], O_CLOEXEC) < 0)
			return -1;
	}
	return 0;
}

/* A pipe must not stay open because of these. */
static void empty_slots(const struct birth *b)
{
	for (int i = 0; i < SLOTS && top; i++)
		if (b->fd[i] >= 0)
			dup3(nothing, slot[i], O_CLOEXEC);
}

pid_t spawn(const struct spawn *s)
{
	static char stack[STACK] __attribute__((aligned(16)));
	struct birth b = { .s = s, .fd = { -1, -1, -1, -1 } };
	sigset_t all, before;
	pid_t pid = -1;

	if (fill_slots(&b) < 0) {
		b.error = errno;
		goto out;
	}
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = clone(child, stack + STACK, CLONE_VM | CLONE_VFORK | (top ? CLONE_FILES : 0) | SIGCHLD, &b);
	if (pid < 0)
		b.error = errno;
	else if (b.error)
		waitpid(pid, NULL, 0);
	/* A change of user in the child took this from the memory that it shared. */
	if (s->limits && s->limits->user)
		prctl(PR_SET_DUMPABLE, 1);
	sigprocmask(SIG_SETMASK, &before, NULL);
out:
	empty_slots(&b);
	if (b.error) {
		errno = b.error;
		return -1;
	}
	return pid;
}
