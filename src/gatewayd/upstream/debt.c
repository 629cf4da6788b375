#include "gatewayd/upstream/debt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

#define SUFFIX ".debt"

struct debt { int fd; char *path; };

static int hold(int fd)
{
	struct flock f = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_SETLK, &f);
}

static struct debt *debt_new(int fd, const char *path)
{
	struct debt *d = malloc(sizeof(*d));
	char *copy = strdup(path);

	if (!d || !copy) {
		free(d);
		free(copy);
		errno = ENOMEM;
		return NULL;
	}
	*d = (struct debt){fd, copy};
	return d;
}

/* Under another name until it is whole and held: nobody finds it before. -1 errno. */
static int put(int fd, const char *new, const char *path, const struct debt_text *t)
{
	char text[sizeof(*t) + 4];
	int n = snprintf(text, sizeof(text), "%s\n%s\n%s\n", t->from, t->to, t->why), rc;

	rc = hold(fd) || fd_write_all(fd, text, (size_t)n) || link(new, path);
	return rc ? -1 : 0;
}

struct debt *debt_begin(const char *dir, const char *name, const struct debt_text *t)
{
	char path[PATH_MAX], new[PATH_MAX + 8];
	struct debt *d = NULL;
	int fd, e;

	if (snprintf(path, sizeof(path), "%s/%s" SUFFIX, dir, name) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	snprintf(new, sizeof(new), "%s.XXXXXX", path);
	fd = mkostemp(new, O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (put(fd, new, path, t) == 0) {
		d = debt_new(fd, path);
		if (!d)
			unlink(path);
	}
	e = errno;
	unlink(new);
	if (!d)
		close(fd);
	errno = e;
	return d;
}

static void end(struct debt *d)
{
	close(d->fd);
	free(d->path);
	free(d);
}

void debt_paid(struct debt *d)
{
	if (!d)
		return;
	unlink(d->path);	/* while it is held: whoever has opened it sees that it has gone */
	end(d);
}

void debt_leave(struct debt *d)
{
	if (d)
		end(d);
}

/* ---- what others left ---- */

static void copy(char *to, size_t size, const char *from, size_t n)
{
	snprintf(to, size, "%.*s", (int)(n < size ? n : size - 1), from);
}

static void read_text(const char *path, struct debt_text *t)
{
	struct { char *to; size_t size; } line[] = {{t->from, sizeof(t->from)}, {t->to, sizeof(t->to)}, {t->why, sizeof(t->why)}};
	struct buf b;
	size_t at = 0;

	memset(t, 0, sizeof(*t));
	buf_init(&b, sizeof(*t) + 4);
	/* What cannot be read is a debt all the same. */
	if (fd_read_file(path, &b) == 0)
		for (size_t i = 0; i < sizeof(line) / sizeof(*line) && at < b.len; i++) {
			const char *end = memchr(b.p + at, '\n', b.len - at);
			size_t n = end ? (size_t)(end - b.p) - at : b.len - at;

			copy(line[i].to, line[i].size, b.p + at, n);
			at += n + 1;
		}
	buf_release(&b);
}

/* The debt, held now; NULL: another holds it (*held), or it has gone. */
static struct debt *take(const char *path, bool *held)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	struct debt *d;

	if (fd < 0)
		return NULL;
	if (hold(fd) == 0 && fstat(fd, &st) == 0 && st.st_nlink && (d = debt_new(fd, path)))
		return d;
	*held |= errno == EAGAIN || errno == EACCES;
	close(fd);
	return NULL;
}

int debts_find(const char *dir, void (*found)(void *arg, struct debt *d, const char *name, const struct debt_text *t), void *arg, bool *held)
{
	DIR *all = opendir(dir);
	char path[PATH_MAX], name[DEBT_NAME];
	struct debt_text t;
	struct dirent *e;
	struct debt *d;

	*held = false;
	if (!all)
		return -1;
	while ((e = readdir(all))) {
		size_t n = strlen(e->d_name), k = n > strlen(SUFFIX) ? n - strlen(SUFFIX) : 0;

		if (!k || k >= sizeof(name) || strcmp(e->d_name + k, SUFFIX) != 0 ||
		    snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= (int)sizeof(path) || !(d = take(path, held)))
			continue;
		memcpy(name, e->d_name, k);
		name[k] = '\0';
		read_text(path, &t);
		found(arg, d, name, &t);
	}
	closedir(all);
	return 0;
}
