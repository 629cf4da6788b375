#include "penstock/penstock.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

/* All texts of one run; they are few. */
struct text { struct text *next; char s[]; };
static struct text *texts;

char *text_of(const char *fmt, ...)
{
	struct text *t;
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	t = n < 0 ? NULL : malloc(sizeof *t + (size_t)n + 1);
	if (!t)
		die(1, "no memory");
	vsnprintf(t->s, (size_t)n + 1, fmt, again);
	va_end(again);
	va_end(ap);
	t->next = texts;
	texts = t;
	return t->s;
}

char *text_plain(const char *s)
{
	char *copy = text_of("%s", s);

	for (unsigned char *p = (unsigned char *)copy; *p; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
	return copy;
}

static bool is_dir(const char *dir, const char *rel)
{
	char path[PATH_MAX];
	struct stat st;

	return snprintf(path, sizeof path, "%s/%s", dir, rel) < (int)sizeof path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

void tree_open(struct tree *t)
{
	const char *dir = t->asked ? t->asked : getenv("PENSTOCK_DIR");
	const char *said = t->asked ? "-C" : "PENSTOCK_DIR";
	char *real;

	if (dir && !*dir)
		dir = NULL;
	if (!dir) {
		dir = ".";
		said = "the current directory";
	}
	if (!is_dir(dir, "etc") || !is_dir(dir, "service")) {
		if (strcmp(dir, ".") == 0)
			die(1, "%s holds no tree: name one with -C DIR or PENSTOCK_DIR, or make one with penstock new DIR", said);
		die(1, "%s: %s holds no tree (no etc and service in it): make one with penstock new %s", said, dir, dir);
	}
	real = realpath(dir, NULL);
	if (!real)
		die(1, "%s: %s", dir, strerror(errno));
	t->dir = text_of("%s", real);
	free(real);
}

char *tree_path(const struct tree *t, const char *rel)
{
	return text_of("%s/%s", t->dir, rel);
}

char *tree_url(const struct tree *t, const char *socket)
{
	return text_of("ipc://%s/run/%s", t->dir, socket);
}

int tree_folders(const struct tree *t)
{
	static const char *const folders[] = { "run", "run/metrics", "spool", "history", "log" };

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		char *path = tree_path(t, folders[i]);
		int rc = mkdir(path, 0700);

		if (rc < 0 && errno != EEXIST) {
			log_error("%s: %s", path, strerror(errno));
			return -1;
		}
	}
	return 0;
}

int64_t tree_supervise(const struct tree *t)
{
	char *path = tree_path(t, "service/.supervise/lock");
	pid_t pid = fd_lock_owner(path);

	if (pid < 0 && errno == ENOENT)
		pid = 0;
	if (pid < 0)
		log_error("%s: %s", path, strerror(errno));
	return pid;
}
