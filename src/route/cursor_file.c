#include "route/cursor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

static int set_slot(struct cursor_file *f, size_t slot)
{
	char *text = realloc(f->text, slot);

	if (!text) {
		log_error("%s: no memory", f->path);
		return -1;
	}
	f->text = text;
	f->slot = slot;
	return 0;
}

static int pwrite_all(int fd, const char *p, size_t n, off_t off)
{
	while (n) {
		ssize_t got = pwrite(fd, p, n, off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		p += got;
		off += got;
		n -= (size_t)got;
	}
	return 0;
}

/* Reads both slots; 1 if one was good. */
static int read_slots(struct cursor_file *f, struct cursor *c)
{
	struct cursor best, one;
	int found = 0;

	cursor_init(&best, 0);
	for (int i = 0; i < 2; i++) {
		ssize_t got = pread(f->fd, f->text, f->slot, (off_t)((size_t)i * f->slot));
		cursor_init(&one, 0);
		if (got != (ssize_t)f->slot || cursor_read(&one, f->text, f->slot) < 0)
			continue;
		if (!found || one.turn > best.turn) {
			cursor_release(&best);
			best = one;
		} else {
			cursor_release(&one);
		}
		found = 1;
	}
	if (found) {
		cursor_release(c);
		*c = best;
	}
	return found;
}

/* The whole file, new or in place of one with other slots; both slots say the same. It is on disk then: a destination whose cursor
 * is lost would begin with the next line. */
static int replace(struct cursor_file *f, const struct cursor *c, size_t slot)
{
	char *both = malloc(slot * 2);
	int fd = -1;

	if (!both) {
		errno = ENOMEM;
		return -1;
	}
	cursor_write(c, both, slot);
	memcpy(both + slot, both, slot);
	/* Whether it failed before or after the rename: what stands there now is what must be written to. */
	int r = fd_replace(f->path, both, slot * 2, 0600), err = errno;
	struct stat st;
	fd = open(f->path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || (size_t)st.st_size != slot * 2) {
		if (fd >= 0)
			close(fd);
		free(both);
		errno = r < 0 ? err : errno;
		return -1;
	}
	if (f->fd >= 0)
		close(f->fd);
	f->fd = fd;
	free(f->text);
	f->text = both;
	f->slot = slot;
	errno = err;
	return r;
}

int cursor_file_make(struct cursor_file *f, struct cursor *c)
{
	c->turn++;
	if (replace(f, c, cursor_slot_size(c)) == 0)
		return 0;
	log_error("%s: %s", f->path, strerror(errno));
	return -1;
}

int cursor_file_open(struct cursor_file *f, const char *dir, const char *name, struct cursor *c)
{
	struct stat st;

	memset(f, 0, sizeof(*f));
	f->fd = -1;
	if (asprintf(&f->path, "%s/%s", dir, name) < 0) {
		f->path = NULL;
		log_error("cursor %s: no memory", name);
		return -1;
	}
	f->fd = open(f->path, O_RDWR | O_CLOEXEC);
	if (f->fd < 0 && errno == ENOENT)
		return CURSOR_NEW;
	if (f->fd < 0 || fstat(f->fd, &st) < 0) {
		log_error("%s: %s", f->path, strerror(errno));
		goto fail;
	}
	size_t slot = (size_t)st.st_size / 2;
	bool sane = st.st_size % (2 * CURSOR_SLOT) == 0 && slot <= CURSOR_SLOT_MAX && slot;
	if (sane && set_slot(f, slot) < 0)
		goto fail;
	if (sane && read_slots(f, c))
		return CURSOR_READ;
	log_warn("%s: holds no valid slot; delivery starts at the oldest line of the spool", f->path);
	return CURSOR_DAMAGED;
fail:
	cursor_file_close(f);
	return -1;
}

int cursor_file_save(struct cursor_file *f, struct cursor *c)
{
	size_t want = cursor_slot_size(c);

	c->turn++;
	/* Where it cannot grow (a full disk), the lowest ranges are kept. */
	if (want > f->slot && replace(f, c, want) == 0)
		return 0;
	cursor_write(c, f->text, f->slot);
	if (pwrite_all(f->fd, f->text, f->slot, c->turn % 2 ? (off_t)f->slot : 0) < 0) {
		log_error("%s: %s", f->path, strerror(errno));
		return -1;
	}
	return 0;
}

int cursor_file_sync(struct cursor_file *f)
{
	if (fdatasync(f->fd) < 0) {
		log_error("%s: fdatasync: %s", f->path, strerror(errno));
		return -1;
	}
	return 0;
}

void cursor_file_close(struct cursor_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	free(f->path);
	free(f->text);
	f->path = f->text = NULL;
}

int cursor_file_remove(struct cursor_file *f)
{
	int r = unlink(f->path);

	if (r < 0)
		log_error("%s: %s", f->path, strerror(errno));
	cursor_file_close(f);
	return r;
}
