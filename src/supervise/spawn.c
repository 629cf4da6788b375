#include "supervise/spawn.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rlimit inherited, raised;
static bool is_raised;

void spawn_raise_limit(void)
{
	if (getrlimit(RLIMIT_NOFILE, &inherited) < 0)
		return;
	raised = inherited;
	raised.rlim_cur = raised.rlim_max;
	is_raised = raised.rlim_cur != inherited.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0;
}

/* Order matters: fchdir while dirfd is what it was; 0 and 1 before notify_to may overwrite their sources. */
static int actions_fill(posix_spawn_file_actions_t *fa, const struct spawn *s)
{
	int e = posix_spawn_file_actions_addfchdir_np(fa, s->dirfd);

	if (!e && s->in >= 0)
		e = posix_spawn_file_actions_adddup2(fa, s->in, 0);
	if (!e && s->out >= 0)
		e = posix_spawn_file_actions_adddup2(fa, s->out, 1);
	if (!e && s->notify >= 0)
		e = posix_spawn_file_actions_adddup2(fa, s->notify, s->notify_to);
	return e;
}

static int attr_fill(posix_spawnattr_t *at)
{
	sigset_t all, none;
	int e;

	sigfillset(&all);
	sigemptyset(&none);
	e = posix_spawnattr_setflags(at,
		POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if (!e)
		e = posix_spawnattr_setsigdefault(at, &all);
	if (!e)
		e = posix_spawnattr_setsigmask(at, &none);
	return e;
}

pid_t spawn(const struct spawn *s)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	pid_t pid = -1;
	int e;

	e = posix_spawn_file_actions_init(&fa);
	if (e)
		goto out;
	e = posix_spawnattr_init(&at);
	if (e)
		goto actions;
	e = actions_fill(&fa, s);
	if (!e)
		e = attr_fill(&at);
	if (e)
		goto attr;
	if (is_raised)
		setrlimit(RLIMIT_NOFILE, &inherited);
	e = posix_spawn(&pid, s->argv[0], &fa, &at, (char *const *)s->argv, environ);
	if (is_raised)
		setrlimit(RLIMIT_NOFILE, &raised);
attr:
	posix_spawnattr_destroy(&at);
actions:
	posix_spawn_file_actions_destroy(&fa);
out:
	if (e) {
		errno = e;
		return -1;
	}
	return pid;
}
