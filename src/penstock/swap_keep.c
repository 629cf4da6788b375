/* What a shadow says: its logger keeps it in run/shadow/NAME, in two files of SWAP_SHADOW_BYTES at most. */
#include "penstock/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"

#define FOLDER "run/shadow"
#define LINE_BYTES ((1u << 20) + 1)

char *swap_shadow_file(const struct tree *t, const char *name, const char *which)
{
	return text_of("%s/" FOLDER "/%s/%s.ndjson", t->dir, name, which);
}

int swap_shadow_clear(const struct tree *t, const char *name)
{
	static const char *const files[] = { "old", "new" };

	for (int i = 0; i < 2; i++) {
		char *path = swap_shadow_file(t, name, files[i]);

		if (unlink(path) < 0 && errno != ENOENT) {
			log_error("%s: %s", path, strerror(errno));
			return -1;
		}
	}
	return 0;
}

/* ---- keeping ---- */

static int open_new(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		log_error("%s: %s", path, strerror(errno));
	return fd;
}

/* Whole lines of b, at most a file's worth; -1 with a message. */
static int keep_lines(struct buf *b, int *fd, const char *path, const char *old)
{
	const char *lf = memrchr(b->p, '\n', b->len);
	struct stat st;
	size_t n;

	if (!lf) {
		if (b->len == b->max)
			buf_clear(b);	/* no line of ours is so long */
		return 0;
	}
	n = (size_t)(lf + 1 - b->p);
	if (fstat(*fd, &st) == 0 && st.st_size + (off_t)n > SWAP_SHADOW_BYTES) {
		close(*fd);
		if (rename(path, old) < 0 || (*fd = open_new(path)) < 0)
			return -1;
	}
	if (fd_write_all(*fd, b->p, n) < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	buf_drop(b, n);
	return 0;
}

int swap_keep(const struct tree *t, const char *name)
{
	char *folder = text_of("%s/" FOLDER "/%s", t->dir, name), *path = swap_shadow_file(t, name, "new"), *old = swap_shadow_file(t, name, "old");
	struct buf b;
	ssize_t n = 1;
	int fd, rc = 0;

	if (fd_mkdirs(folder, 0700) < 0) {
		log_error("%s: %s", folder, strerror(errno));
		return 1;
	}
	fd = open_new(path);
	buf_init(&b, 2 * LINE_BYTES);
	while (fd >= 0 && rc == 0 && n != 0) {
		if (buf_reserve(&b, b.max - b.len) < 0)
			die(1, "no memory");
		n = read(0, b.p + b.len, b.max - b.len);
		if (n < 0 && errno != EINTR) {
			log_error("stdin: %s", strerror(errno));
			rc = -1;
		} else if (n > 0) {
			b.len += (size_t)n;
			rc = keep_lines(&b, &fd, path, old);
		}
	}
	buf_release(&b);
	return fd < 0 || rc < 0 ? 1 : 0;
}
