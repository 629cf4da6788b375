/* Where the other programs are, and how to ask a program something. */
#include "penstock/penstock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/place.h"

/* A folder counts when the two programs that every tree needs are in it: a stranger's `route` or `supervise` alone is not ours. */
static bool has_programs(const char *folder)
{
	char *route = text_of("%s/route", folder), *supervise = text_of("%s/supervise", folder);

	return access(route, X_OK) == 0 && access(supervise, X_OK) == 0;
}

char *program_folder(void)
{
	char *beside = text_of("%s/../libexec/penstock", place_folder());

	if (has_programs(beside))
		return beside;
	if (has_programs(place_folder()))
		return text_of("%s", place_folder());
	return text_of("%s", LIBEXEC);
}

char *program_path(const char *name)
{
	char *folder = program_folder(), *path = text_of("%s/%s", folder, name);

	if (access(path, X_OK) < 0)
		die(1, "%s/%s: %s: is penstock installed whole?", folder, name, strerror(errno));
	return path;
}

static int collect(int fd, struct buf *out)
{
	for (;;) {
		ssize_t n;

		if (buf_reserve(out, out->max - out->len < 65536 ? out->max - out->len : 65536) < 0)
			return -1;
		if (out->len == out->max) {
			errno = EMSGSIZE;
			return -1;
		}
		n = read(fd, out->p + out->len, out->cap - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		out->len += (size_t)n;
	}
}

int program_read(char *const argv[], struct buf *out)
{
	posix_spawn_file_actions_t fa;
	int p[2], e, status = 0;
	pid_t pid;

	if (pipe2(p, O_CLOEXEC) < 0) {
		log_error("pipe: %s", strerror(errno));
		return -1;
	}
	e = posix_spawn_file_actions_init(&fa);
	if (!e) {
		e = posix_spawn_file_actions_adddup2(&fa, p[1], 1);
		if (!e)
			e = posix_spawn(&pid, argv[0], &fa, NULL, argv, environ);
		posix_spawn_file_actions_destroy(&fa);
	}
	close(p[1]);
	if (e) {
		close(p[0]);
		log_error("%s: %s", argv[0], strerror(e));
		return -1;
	}
	e = collect(p[0], out) < 0 ? errno : 0;
	close(p[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (e) {
		log_error("%s: what it says: %s", argv[0], strerror(e));
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
