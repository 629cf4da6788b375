#include "route/dead.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

#define LETTERS_MAX (64u << 20)

int dead_init(struct dead *d, const char *spool, const char *dest)
{
	d->dest = dest;
	buf_init(&d->letters, LETTERS_MAX);
	if (asprintf(&d->path, "%s/dead/%s.ndjson", spool, dest) < 0) {
		d->path = NULL;
		log_error("dead letters of %s: no memory", dest);
		return -1;
	}
	return 0;
}

void dead_release(struct dead *d)
{
	buf_release(&d->letters);
	free(d->path);
	d->path = NULL;
}

int dead_add(struct dead *d, uint64_t seq, unsigned attempts, const char *error, const char *line, size_t n)
{
	char at[CLOCK_RFC3339_MAX];
	size_t start = d->letters.len;
	int r;

	clock_rfc3339(at, clock_wall());
	r = buf_printf(&d->letters, "{\"dead\":{\"dest\":\"%s\",\"seq\":%" PRIu64 ",\"attempts\":%u,\"error\":", d->dest, seq, attempts);
	r |= buf_add_json(&d->letters, error, strlen(error));
	r |= buf_printf(&d->letters, ",\"at\":\"%s\"},\"line\":", at);
	r |= buf_add_json(&d->letters, line, n);
	r |= buf_adds(&d->letters, "}\n");
	if (r)
		d->letters.len = start;
	return r ? -1 : 0;
}

/* A kill in the middle of a write leaves that. */
static bool ends_in_half_a_letter(int fd, off_t size)
{
	char last = '\n';

	return pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

int dead_keep(struct dead *d)
{
	struct stat st;
	int fd, r = -1;

	if (d->letters.len == 0)
		return 0;
	fd = open(d->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0)
		goto say;
	if (st.st_size && ends_in_half_a_letter(fd, st.st_size) && fd_write_all(fd, "\n", 1) < 0)
		goto say;
	/* Half a letter at the end (a full disk, a lost fdatasync) would swallow the next one. */
	if (fd_write_all(fd, d->letters.p, d->letters.len) < 0 || fdatasync(fd) < 0 || (st.st_size == 0 && fd_sync_dir(d->path) < 0)) {
		int err = errno;
		if (ftruncate(fd, st.st_size) < 0)
			log_error("%s: cannot be cut back: %s", d->path, strerror(errno));
		errno = err;
		goto say;
	}
	r = 0;
say:
	if (r < 0)
		log_error("%s: %s; the lines stay with their destination", d->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_clear(&d->letters);
	return r;
}
