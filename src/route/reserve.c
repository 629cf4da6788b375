#include "route/reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

static int open_it(const struct reserve *r)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/reserve", r->dir);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* Zeros where the file system has no fallocate. A hole would hold nothing back. */
static int fill(int fd, off_t from, off_t to)
{
	static const char zeros[65536];

	if (fallocate(fd, 0, 0, to) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	while (from < to) {
		ssize_t got = pwrite(fd, zeros, to - from < (off_t)sizeof(zeros) ? (size_t)(to - from) : sizeof(zeros), from);
		if (got < 0 && errno != EINTR)
			return -1;
		from += got > 0 ? got : 0;
	}
	return 0;
}

bool reserve_fill(struct reserve *r)
{
	struct stat st;
	int fd, err;

	if (reserve_whole(r))
		return true;
	fd = open_it(r);
	if (fd < 0 || fstat(fd, &st) < 0)
		goto fail;
	/* What an earlier process left of it. */
	if ((uint64_t)st.st_size > r->held)
		r->held = (uint64_t)st.st_size < r->size ? (uint64_t)st.st_size : r->size;
	/* Larger than wanted: an earlier process had other options. */
	if ((uint64_t)st.st_size > r->size && ftruncate(fd, (off_t)r->size) < 0)
		goto fail;
	if (fill(fd, st.st_size, (off_t)r->size) < 0) {
		err = errno;
		/* Not half of it: others need that more. */
		if (ftruncate(fd, (off_t)r->held) < 0)
			log_warn("%s/reserve: %s", r->dir, strerror(errno));
		errno = err;
		goto fail;
	}
	close(fd);
	r->held = r->size;
	return true;
fail:
	err = errno;
	if (fd >= 0)
		close(fd);
	errno = err;
	return false;
}

bool reserve_give(struct reserve *r, uint64_t n)
{
	int fd;

	if (r->held == 0)
		return false;
	n = n < r->held ? n : r->held;
	fd = open_it(r);
	if (fd < 0)
		return false;
	bool ok = ftruncate(fd, (off_t)(r->held - n)) == 0;
	close(fd);
	if (ok)
		r->held -= n;
	return ok;
}
