#include "logd/folder.h"

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
#include "base/log.h"
#include "base/tai.h"

#define NAME_LEN (TAI_LABEL + 2)	/* @LABEL.s */

static int path_of(const struct folder *f, const char *file, char out[PATH_MAX])
{
	if (snprintf(out, PATH_MAX, "%s/%s", f->path, file) < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* ---- config ---- */

static void bad_line(void *arg, unsigned line, const char *text, const char *why)
{
	const struct folder *f = arg;

	log_warn("%s/config: line %u: %s: %s", f->path, line, text, why);
}

void folder_configure(struct folder *f)
{
	char path[PATH_MAX];
	struct buf b;

	conf_init(&f->conf);
	buf_init(&b, CONF_TEXT_MAX);
	if (path_of(f, "config", path) < 0 || fd_read_file(path, &b) < 0) {
		if (errno != ENOENT)
			log_warn("%s/config: %s: passed over", f->path, strerror(errno));
	} else if (b.len) {
		conf_parse(b.p, b.len, &f->conf, bad_line, f);
	}
	buf_release(&b);
}

/* ---- rotated files ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_rotated(const char *name)
{
	int64_t wall;

	return strlen(name) == NAME_LEN && tai_parse(name, NAME_LEN, &wall) == 0 &&
		(strcmp(name + TAI_LABEL, ".s") == 0 || strcmp(name + TAI_LABEL, ".u") == 0);
}

/* The names, oldest first, in one piece of memory with the list: free() it. */
static char **rotated(const struct folder *f, size_t *n)
{
	DIR *d = opendir(f->path);
	struct dirent *e;
	char **v = NULL;
	size_t cap = 0;

	*n = 0;
	if (!d)
		return NULL;
	while ((e = readdir(d)) != NULL) {
		if (!is_rotated(e->d_name))
			continue;
		if (*n == cap) {
			char **more = realloc(v, (cap ? 2 * cap : 16) * sizeof *v);

			if (!more)
				break;
			v = more;
			cap = cap ? 2 * cap : 16;
		}
		v[*n] = strdup(e->d_name);
		if (!v[*n])
			break;
		++*n;
	}
	closedir(d);
	if (*n)
		qsort(v, *n, sizeof *v, by_name);
	return v;
}

static void free_names(char **v, size_t n)
{
	while (n > 0)
		free(v[--n]);
	free(v);
}

int folder_prune(struct folder *f, bool full)
{
	size_t n, gone = 0;
	char **v = rotated(f, &n), path[PATH_MAX];
	unsigned keep = full && (f->conf.keep == 0 || f->conf.keep_full < f->conf.keep) ? f->conf.keep_full : f->conf.keep;
	int64_t now = clock_wall(), wall;

	f->oldest = 0;
	for (size_t i = 0; i < n; i++) {
		bool surplus = (full || keep > 0) && n - i > keep;
		bool old = tai_parse(v[i], NAME_LEN, &wall) == 0 && f->conf.expire && now - wall >= f->conf.expire;

		if (!surplus && !old) {
			f->oldest = wall;
			break;
		}
		if (path_of(f, v[i], path) == 0 && unlink(path) == 0)
			gone++;
		else
			log_warn("%s/%s: cannot be removed: %s", f->path, v[i], strerror(errno));
	}
	free_names(v, n);
	return (int)gone;
}

int folder_rotate(struct folder *f)
{
	char from[PATH_MAX], to[PATH_MAX], label[TAI_LABEL + 4];
	int64_t now = clock_wall();
	struct stat st;
	int fd;

	if (f->size == 0)
		return 0;
	/* The clock may have been set back; a name that is taken must not be lost. */
	do {
		tai_label(label, now++);
		strcat(label, ".s");
		if (path_of(f, "current", from) < 0 || path_of(f, label, to) < 0)
			return -1;
	} while (lstat(to, &st) == 0);
	if (fdatasync(f->cur) < 0 || fchmod(f->cur, 0744) < 0 || rename(from, to) < 0)
		return -1;
	fd = open(from, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0) {
		int e = errno;

		rename(to, from);	/* as it was */
		errno = e;
		return -1;
	}
	close(f->cur);
	f->cur = fd;
	f->size = 0;
	f->since = 0;
	f->unsynced = false;
	if (fd_sync_dir(to) < 0)
		log_warn("%s: %s: after a power loss a name may be missing", f->path, strerror(errno));
	folder_prune(f, false);
	return 0;
}

/* ---- current ---- */

/* What a power loss may leave at the end: zeros are cut off; torn: the last line is not whole. */
static int mend(struct folder *f, const char *path)
{
	char block[4096];
	off_t end = (off_t)f->size;
	ssize_t n = 0;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (end > 0) {
		size_t want = (size_t)((end - 1) % (off_t)sizeof block) + 1;

		n = pread(fd, block, want, end - (off_t)want);
		if (n != (ssize_t)want)
			break;
		while (n > 0 && block[n - 1] == 0) {
			n--;
			end--;
		}
		if (n > 0)
			break;
	}
	if (end < (off_t)f->size && ftruncate(fd, end) == 0) {
		log_warn("%s: %llu zero bytes at its end are cut off: the machine lost power", path, (unsigned long long)f->size - (unsigned long long)end);
		f->size = (uint64_t)end;
	}
	f->torn = f->size > 0 && n > 0 && block[n - 1] != '\n';
	close(fd);
	return n < 0 ? -1 : 0;
}

static int open_current(struct folder *f)
{
	char path[PATH_MAX];
	struct stat st;

	if (path_of(f, "current", path) < 0)
		return -1;
	f->cur = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (f->cur < 0 || fstat(f->cur, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	f->size = (uint64_t)st.st_size;
	f->since = f->size ? clock_wall() : 0;
	f->torn = false;
	if (f->size && mend(f, path) < 0)
		return -1;
	return fchmod(f->cur, 0644);
}

int folder_open(struct folder *f, const char *path)
{
	char lock[PATH_MAX];
	int e;

	*f = (struct folder){ .path = path, .cur = -1, .lock = -1 };
	if (path_of(f, "lock", lock) < 0 || fd_mkdirs(path, 0755) < 0)
		return -1;
	f->lock = fd_lock(lock);
	if (f->lock < 0)
		return -1;
	folder_configure(f);
	if (open_current(f) == 0) {
		folder_prune(f, false);
		return 0;
	}
	e = errno;
	if (f->cur >= 0)
		close(f->cur);
	close(f->lock);
	f->cur = f->lock = -1;
	errno = e;
	return -1;
}

void folder_close(struct folder *f)
{
	if (f->cur >= 0) {
		if ((f->unsynced && fdatasync(f->cur) < 0) || fchmod(f->cur, 0744) < 0)
			log_warn("%s/current: %s: its end may be lost with the power", f->path, strerror(errno));
		close(f->cur);
	}
	if (f->lock >= 0)
		close(f->lock);
	f->cur = f->lock = -1;
}

int folder_write(struct folder *f, const char *p, size_t n)
{
	if (fd_write_all(f->cur, p, n) < 0) {
		int e = errno;

		if (ftruncate(f->cur, (off_t)f->size) < 0)
			log_error("%s/current: %s: part of a line is in it twice", f->path, strerror(errno));
		errno = e;
		return -1;
	}
	if (f->size == 0)
		f->since = clock_wall();
	f->size += n;
	f->unsynced = true;
	return 0;
}

/* ---- age ---- */

int64_t folder_due(const struct folder *f)
{
	int64_t rotate = f->conf.age && f->since ? f->since + f->conf.age : 0;
	int64_t expire = f->conf.expire && f->oldest ? f->oldest + f->conf.expire : 0;

	if (!rotate || !expire)
		return rotate + expire;
	return rotate < expire ? rotate : expire;
}

void folder_age(struct folder *f)
{
	int64_t now = clock_wall();

	if (f->conf.age && f->since && now - f->since >= f->conf.age && folder_rotate(f) < 0) {
		log_warn("%s: not rotated: %s", f->path, strerror(errno));
		f->since = now;		/* again after as long */
	}
	if (f->conf.expire && f->oldest && now - f->oldest >= f->conf.expire)
		folder_prune(f, false);
}
