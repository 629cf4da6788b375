#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "gatewayd/upstream/ledger.h"

#define FILE_MAX_BYTES (8u << 20)
#define COMPACT_BYTES (256u << 10)	/* a file of this size is written anew without what is older than a day */
#define BUSY (20 * CLOCK_MS)
#define PATIENCE (1 * CLOCK_S)		/* for another process that has the file: a sync of a few bytes */

/* The file, locked; -1 with errno (EWOULDBLOCK: another process has it). A file that was replaced meanwhile is opened again. */
static int open_locked(const char *path)
{
	for (;;) {
		struct stat here, there;
		int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600), e;

		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX | LOCK_NB)) {
			e = errno;
			close(fd);
			if (e == EINTR)
				continue;
			errno = e;
			return -1;
		}
		if (fstat(fd, &here) == 0 && stat(path, &there) == 0 && here.st_ino == there.st_ino && here.st_dev == there.st_dev)
			return fd;
		close(fd);
	}
}

/* The same, with some patience, and a message. A process that was stopped while it has the file must not stop this one. */
static int open_waiting(const char *path, int64_t patience)
{
	int64_t end = clock_mono() + patience;
	int fd;

	while ((fd = open_locked(path)) < 0 && errno == EWOULDBLOCK && clock_mono() < end)
		poll(NULL, 0, 1);
	if (fd < 0 && errno == EWOULDBLOCK)
		log_error("%s: another process holds its lock and does not go on", path);
	else if (fd < 0)
		log_error("%s: %m", path);
	return fd;
}

static int read_all(int fd, const char *path, struct ledger *l, struct buf *text, int64_t now)
{
	ssize_t n;

	buf_init(text, FILE_MAX_BYTES);
	do {
		if (buf_reserve(text, 65536))
			goto fail;
		n = pread(fd, text->p + text->len, text->cap - text->len, (off_t)text->len);
		if (n > 0)
			text->len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0 || ledger_read(l, text->p, text->len, now))
		goto fail;
	return 0;
fail:
	log_error("%s: %s", path, errno == EMSGSIZE ? "larger than 8 MiB" : strerror(errno));
	buf_release(text);
	return -1;
}

/* Appends a record; a torn one before it (a full disk, a crash) is ended first. */
static int append(int fd, const char *path, const struct buf *text, bool sync, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
static int append(int fd, const char *path, const struct buf *text, bool sync, const char *fmt, ...)
{
	char line[200];
	size_t n = 0;
	va_list ap;

	if (!text || (text->len && text->p[text->len - 1] != '\n'))
		line[n++] = '\n';	/* an empty line is passed over */
	va_start(ap, fmt);
	n += (size_t)vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	if (fd_write_all(fd, line, n) || (sync && fdatasync(fd))) {
		log_error("%s: %m", path);
		return -1;
	}
	return 0;
}

static int write_budget(struct buf *b, const struct ledger *l)
{
	return !l->has_budget ? 0 : buf_printf(b, "budget %lld %u %lld %llu %llu %lld\n", (long long)l->said, l->keys, (long long)l->every,
		(unsigned long long)l->total, (unsigned long long)l->remaining, (long long)l->reset);
}

static int write_ledger(struct buf *b, const struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_entry *e = &l->v[i];

		if (buf_printf(b, "identify %lld %u %u 0\n", (long long)e->at, e->key, e->conn) ||
		    (e->sent && buf_printf(b, "sent %lld %u\n", (long long)e->sent, e->conn)))
			return -1;
	}
	return write_budget(b, l);
}

/* Writes the file anew, if that is worth it; the lock on the old one means nothing then. A failure leaves the old one, which only grows. */
static bool compact(const char *path, const struct ledger *l, size_t size)
{
	struct buf b;
	bool done;

	if (size <= COMPACT_BYTES && !l->ahead)
		return false;

	buf_init(&b, FILE_MAX_BYTES);
	done = write_ledger(&b, l) == 0 && b.len && (l->ahead || b.len < size / 2);
	if (done && fd_replace(path, b.p, b.len, 0600)) {
		log_warn("%s: %m", path);
		done = false;
	}
	buf_release(&b);
	return done;
}

/* 1: the file was written anew, and is to be opened once more. */
static int reserve(int fd, const char *path, unsigned key, unsigned conn, int64_t *wait)
{
	int64_t now = clock_wall();
	struct ledger l;
	struct buf text;
	int rc = 1;

	if (read_all(fd, path, &l, &text, now))
		return -1;
	if (!compact(path, &l, text.len)) {
		*wait = ledger_wait(&l, key, conn, now);
		rc = *wait ? 0 : append(fd, path, &text, true, "identify %lld %u %u %ld\n", (long long)now, key, conn, (long)getpid());
	}
	buf_release(&text);
	ledger_release(&l);
	return rc;
}

int ledger_reserve(const char *path, unsigned key, unsigned conn, int64_t *wait)
{
	int fd = open_locked(path), rc;

	*wait = 0;
	if (fd < 0 && errno == EWOULDBLOCK) {
		*wait = BUSY;
		return 0;
	}
	if (fd < 0) {
		log_error("%s: %m", path);
		return -1;
	}
	rc = reserve(fd, path, key, conn, wait);
	close(fd);
	if (rc > 0)
		*wait = BUSY;
	return rc < 0 ? -1 : 0;
}

static int note(const char *path, const char *what, unsigned conn)
{
	int fd = open_waiting(path, PATIENCE), rc;

	if (fd < 0)
		return -1;
	rc = append(fd, path, NULL, false, "%s %lld %u\n", what, (long long)clock_wall(), conn);
	close(fd);
	return rc;
}

int ledger_sent(const char *path, unsigned conn)
{
	return note(path, "sent", conn);
}

int ledger_refund(const char *path, unsigned conn)
{
	return note(path, "refund", conn);
}

/* Few identifies and many connects: the file must not grow for ever all the same. */
int ledger_connect(const char *path, unsigned conn)
{
	int fd = open_waiting(path, BUSY), rc = -1;
	struct ledger l;
	struct buf text;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_size > COMPACT_BYTES && read_all(fd, path, &l, &text, clock_wall()) == 0) {
		if (compact(path, &l, text.len)) {
			close(fd);
			fd = open_waiting(path, BUSY);
		}
		buf_release(&text);
		ledger_release(&l);
	}
	if (fd >= 0) {
		rc = append(fd, path, NULL, false, "connect %lld %u %ld\n", (long long)clock_wall(), conn, (long)getpid());
		close(fd);
	}
	return rc;
}

int ledger_budget(const char *path, unsigned keys, int64_t every, uint64_t total, uint64_t remaining, int64_t reset_in)
{
	int64_t now = clock_wall();
	struct ledger l = {.has_budget = true, .keys = keys, .every = every, .total = total, .remaining = remaining, .said = now,
		.reset = now + (reset_in > LEDGER_DAY ? LEDGER_DAY : reset_in)};
	struct buf b;
	int fd = open_waiting(path, PATIENCE), rc;

	if (fd < 0)
		return -1;
	buf_init(&b, 512);
	rc = write_budget(&b, &l) == 0 ? append(fd, path, NULL, true, "%.*s", (int)b.len, b.p) : -1;
	buf_release(&b);
	close(fd);
	return rc;
}

/* Both are locked. The new file has all of it before the old one goes. */
static int absorb(int fd, const char *path, int old_fd, const char *old)
{
	int64_t now = clock_wall();
	struct ledger l = {0}, more = {0};
	struct buf text = {0}, old_text = {0}, b;
	int rc = -1;

	buf_init(&b, FILE_MAX_BYTES);
	if (read_all(fd, path, &l, &text, now) || read_all(old_fd, old, &more, &old_text, now))
		goto out;
	if (more.n || more.has_budget) {
		if (ledger_merge(&l, &more) || write_ledger(&b, &l) || fd_replace(path, b.p, b.len, 0600)) {
			log_error("%s: %m", path);
			goto out;
		}
		log_info("%s: what %s had is in it now", path, old);
	}
	rc = unlink(old);
	if (rc)
		log_error("%s: %m", old);
out:
	buf_release(&b);
	buf_release(&text);
	buf_release(&old_text);
	ledger_release(&l);
	ledger_release(&more);
	return rc;
}

int ledger_absorb(const char *path, const char *old)
{
	const char *at = old;
	int fd = -1, old_fd = -1, rc = -1;

	if (access(old, F_OK) && errno == ENOENT)
		return 0;
	old_fd = open_locked(old);
	if (old_fd >= 0) {
		at = path;
		fd = open_locked(path);
	}
	if (fd >= 0)
		rc = absorb(fd, path, old_fd, old);
	else if (errno == EWOULDBLOCK)
		rc = 1;
	else
		log_error("%s: %m", at);
	if (fd >= 0)
		close(fd);
	if (old_fd >= 0)
		close(old_fd);
	return rc;
}

int ledger_load(const char *path, struct ledger *l)
{
	struct buf b;
	int rc;

	*l = (struct ledger){0};
	buf_init(&b, FILE_MAX_BYTES);
	rc = fd_read_file(path, &b) && errno != ENOENT ? -1 : ledger_read(l, b.p ? b.p : "", b.len, clock_wall());
	if (rc)
		log_error("%s: %m", path);
	buf_release(&b);
	return rc;
}
