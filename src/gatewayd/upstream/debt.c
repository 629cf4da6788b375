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

#include "base/fd.h"
#include "base/hash.h"

#define SUFFIX ".debt"
#define NEW SUFFIX ".new"		/* until it is whole: one that nobody holds is rubbish */

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
	int n = snprintf(text, sizeof(text), "%s\n%s\n%s\n", t->from, t->to, t->why);

	return hold(fd) || fd_write_all(fd, text, (size_t)n) || rename(new, path) ? -1 : 0;
}

struct debt *debt_begin(const char *dir, const char *name, const struct debt_text *t)
{
	char path[PATH_MAX], new[PATH_MAX + 8];
	struct debt *d = NULL;
	int fd, e;

	if (snprintf(path, sizeof(path), "%s/%s-%016llx" SUFFIX, dir, name, (unsigned long long)hash_random()) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	snprintf(new, sizeof(new), "%.*s" NEW, (int)(strlen(path) - strlen(SUFFIX)), path);
	fd = open(new, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return NULL;
	if (put(fd, new, path, t) == 0) {
		d = debt_new(fd, path);
		if (!d)
			unlink(path);
	}
	if (d)
		return d;
	e = errno;
	unlink(new);
	close(fd);
	errno = e;
	return NULL;
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

static void read_text(int fd, struct debt_text *t)
{
	struct { char *to; size_t size; } line[] = {{t->from, sizeof(t->from)}, {t->to, sizeof(t->to)}, {t->why, sizeof(t->why)}};
	char text[sizeof(*t) + 4];
	ssize_t len = pread(fd, text, sizeof(text), 0), at = 0;

	memset(t, 0, sizeof(*t));
	/* What cannot be read is a debt all the same. */
	for (size_t i = 0; i < sizeof(line) / sizeof(*line) && at < len; i++) {
		const char *end = memchr(text + at, '\n', (size_t)(len - at));
		size_t n = (size_t)((end ? end - text : len) - at);

		copy(line[i].to, line[i].size, text + at, n);
		at += (ssize_t)n + 1;
	}
}

/* The debt, held now; NULL: it has gone, or another holds it or it cannot be looked at (*held). */
static struct debt *take(const char *path, bool *held)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct debt *d = NULL;
	struct stat st;
	bool gone = fd < 0 && errno == ENOENT;

	if (fd >= 0 && hold(fd) == 0 && fstat(fd, &st) == 0) {
		gone = !st.st_nlink;
		d = gone ? NULL : debt_new(fd, path);
	}
	*held |= !d && !gone;
	if (fd >= 0 && !d)
		close(fd);
	return d;
}

/* Is it that file's name, but for its end? How long it is without that, 0: it is not. */
static size_t is(const char *file, const char *suffix)
{
	size_t n = strlen(file), k = strlen(suffix);

	return n > k && n - k < DEBT_NAME && strcmp(file + n - k, suffix) == 0 ? n - k : 0;
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
		size_t k = is(e->d_name, SUFFIX), rubbish = is(e->d_name, NEW);

		if ((!k && !rubbish) || snprintf(path, sizeof(path), "%s/%s", dir, e->d_name) >= (int)sizeof(path) || !(d = take(path, held)))
			continue;
		if (rubbish) {
			debt_paid(d);
			continue;
		}
		memcpy(name, e->d_name, k);
		name[k] = '\0';
		read_text(d->fd, &t);
		found(arg, d, name, &t);
	}
	closedir(all);
	return 0;
}
