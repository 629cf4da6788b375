#include "route/dead.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "line/scan.h"

#define LETTERS_MAX (64u << 20)
#define CHUNK (1u << 20)
#define PACK_LEAST (1u << 20)	/* a smaller file is not packed while a letter in it is alive, */
#define PACK_MOST (64 << 20)	/* a larger one only at start, where nobody waits */

int dead_init(struct dead *d, const char *spool, const char *dest)
{
	memset(d, 0, sizeof(*d));
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

static int fail(const struct dead *d, const char *what)
{
	log_error("%s: %s%s", d->path, what, strerror(errno));
	return -1;
}

/* ---- reading ---- */

/* Gives the whole lines of b; the rest moves to the front. false: fn wants no more. */
static bool give_lines(struct buf *b, off_t *off, bool *passing, bool (*fn)(void *arg, off_t off, const char *p, size_t n), void *arg)
{
	const char *p = b->p, *end = b->p + b->len, *lf;

	for (; p < end && (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1) {
		if (!*passing && !fn(arg, *off + (p - b->p), p, (size_t)(lf - p)))
			return false;
		*passing = false;
	}
	/* A line longer than any letter: it is read on to its end, and forgotten. */
	if ((size_t)(end - p) > LETTER_MAX) {
		*passing = true;
		p = end;
	}
	*off += p - b->p;
	buf_drop(b, (size_t)(p - b->p));
	return true;
}

int dead_each(const char *path, bool (*fn)(void *arg, off_t off, const char *p, size_t n), void *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = -1;
	bool passing = false;
	struct buf b;
	off_t off = 0;
	ssize_t n = 0;

	if (fd < 0 && errno == ENOENT)
		return 0;
	buf_init(&b, LETTER_MAX + 2 * CHUNK);
	while (fd >= 0 && buf_reserve(&b, CHUNK) == 0) {
		while ((n = read(fd, b.p + b.len, CHUNK)) < 0 && errno == EINTR)
			;
		if (n <= 0) {
			r = (int)n;
			break;
		}
		b.len += (size_t)n;
		if (!give_lines(&b, &off, &passing, fn, arg)) {
			r = 0;
			break;
		}
	}
	if (r < 0)
		log_error("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_release(&b);
	return r;
}

int dead_get(const struct dead *d, const struct dead_ref *ref, struct buf *text, struct letter *l)
{
	int fd = open(d->path, O_RDONLY | O_CLOEXEC), r = 0;
	const char *lf = NULL;

	if (fd < 0)
		return errno == ENOENT ? 0 : fail(d, "");
	buf_clear(text);
	for (size_t want = 16384; !lf && want <= 2 * LETTER_MAX; want *= 4) {
		ssize_t got;
		buf_clear(text);
		if (buf_reserve(text, want) < 0 || (got = pread(fd, text->p, want, ref->off)) < 0) {
			r = fail(d, "");
			break;
		}
		text->len = (size_t)got;
		lf = memchr(text->p, '\n', text->len);
		if (!lf && text->len < want)
			break;
	}
	close(fd);
	if (r < 0 || !lf)
		return r;
	text->len = (size_t)(lf - text->p);
	return letter_parse(text->p, text->len, l) == 0 && l->alive && l->seq == ref->seq;
}

/* ---- collecting and keeping ---- */

int dead_add(struct dead *d, uint64_t seq, unsigned attempts, const char *error, const char *detail, const char *line, size_t n)
{
	char at[CLOCK_RFC3339_MAX];
	struct letter_text t = { .dest = d->dest, .seq = seq, .attempts = attempts, .error = error, .at = at, .detail = detail, .line = line, .n = n };

	clock_rfc3339(at, clock_wall());
	if (letter_write(&d->letters, &t) < 0)
		return -1;
	d->collected++;
	return 0;
}

/* A kill in the middle of a write leaves that. */
static bool ends_in_half_a_letter(int fd, off_t size)
{
	char last = '\n';

	return pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* -1 with errno: the file is as it was. */
static int append(const struct dead *d)
{
	struct stat st;
	int fd = open(d->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600), r = -1, err;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (!st.st_size || !ends_in_half_a_letter(fd, st.st_size) || fd_write_all(fd, "\n", 1) == 0)) {
		r = fd_write_all(fd, d->letters.p, d->letters.len) < 0 || fdatasync(fd) < 0 ||
			(st.st_size == 0 && fd_sync_dir(d->path) < 0) ? -1 : 0;
		err = errno;
		/* Half a letter at the end (a full disk, a lost fdatasync) would swallow the next one. */
		if (r < 0 && ftruncate(fd, st.st_size) < 0)
			log_error("%s: cannot be cut back: %s", d->path, strerror(errno));
		errno = err;
	}
	err = errno;
	close(fd);
	errno = err;
	return r;
}

int dead_keep(struct dead *d)
{
	int r;

	if (d->letters.len == 0)
		return 0;
	r = append(d);
	if (r < 0 && errno == ENOSPC && d->room && d->room(d->arg, d->letters.len))
		r = append(d);
	if (r < 0)
		log_error("%s: %s; the lines stay with their destination", d->path, strerror(errno));
	else
		d->alive += d->collected;
	buf_clear(&d->letters);
	d->collected = 0;
	return r;
}

/* ---- marking ---- */

/* Copies the living letters; -1 with errno. */
struct packing { int fd; struct buf out; bool failed; };

static bool pack_one(void *arg, off_t off, const char *p, size_t n)
{
	struct packing *k = arg;
	uint64_t seq;
	bool alive;

	(void)off;
	if (letter_head(p, n, &alive, &seq) < 0 || !alive)
		return true;
	k->failed = buf_add(&k->out, p, n) < 0 || buf_addc(&k->out, '\n') < 0;
	if (!k->failed && k->out.len >= CHUNK) {
		k->failed = fd_write_all(k->fd, k->out.p, k->out.len) < 0;
		buf_clear(&k->out);
	}
	return !k->failed;
}

/* Not being able to is no fault: the file is only larger than it must be. */
static void pack(struct dead *d, off_t most)
{
	struct packing k = { .fd = -1 };
	struct stat st;
	char *path;

	if (d->gone <= d->alive || stat(d->path, &st) < 0 || (d->alive && st.st_size < PACK_LEAST) || st.st_size > most ||
	    asprintf(&path, "%s.new", d->path) < 0)
		return;
	buf_init(&k.out, LETTER_MAX + CHUNK + 1);
	k.fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (k.fd < 0 || dead_each(d->path, pack_one, &k) < 0 || k.failed || fd_write_all(k.fd, k.out.p, k.out.len) < 0 ||
	    fdatasync(k.fd) < 0 || rename(path, d->path) < 0) {
		log_warn("%s: cannot be packed: %s", d->path, strerror(errno));
		unlink(path);
	} else {
		d->gone = 0;
		if (fd_sync_dir(d->path) < 0)
			fail(d, "its folder: ");
	}
	if (k.fd >= 0)
		close(k.fd);
	buf_release(&k.out);
	free(path);
}

/* 1: it was alive; 0: there is none; -1 with errno. */
static int mark_one(int fd, const struct dead_ref *ref)
{
	char head[128];
	ssize_t got = pread(fd, head, sizeof(head), ref->off);
	uint64_t seq;
	bool alive;

	if (got < 0)
		return -1;
	if (letter_head(head, (size_t)got, &alive, &seq) < 0 || !alive || seq != ref->seq)
		return 0;
	return pwrite(fd, LETTER_GONE, 4, ref->off + LETTER_MARK) == 4 ? 1 : -1;
}

static int mark_all(int fd, const struct dead_ref *refs, size_t n, uint64_t *marked)
{
	for (size_t i = 0; i < n; i++) {
		int r = mark_one(fd, &refs[i]);
		if (r < 0)
			return -1;
		*marked += r > 0;
	}
	return fdatasync(fd);
}

int dead_mark(struct dead *d, const struct dead_ref *refs, size_t n, uint64_t *marked)
{
	int fd = open(d->path, O_RDWR | O_CLOEXEC), r;

	*marked = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : fail(d, "");
	r = mark_all(fd, refs, n, marked);
	if (r < 0)
		fail(d, "letters cannot be marked: ");
	close(fd);
	d->alive -= *marked < d->alive ? *marked : d->alive;
	d->gone += *marked;
	if (r == 0)
		pack(d, PACK_MOST);
	return r;
}

int dead_edit(struct dead *d, const struct dead_ref *ref, const char *line, size_t n)
{
	struct buf text, error, detail, at;
	struct letter l;
	uint64_t marked;
	int r;

	buf_init(&text, 2 * LETTER_MAX);
	buf_init(&error, LETTER_MAX);
	buf_init(&detail, LETTER_MAX);
	buf_init(&at, LETTER_MAX);
	r = dead_get(d, ref, &text, &l);
	if (r > 0) {
		struct letter_text t = { .dest = d->dest, .seq = l.seq, .attempts = (unsigned)l.attempts, .line = line, .n = n, .edited = true };
		if (scan_string(l.error, &error) < 0 || scan_string(l.at, &at) < 0 || (l.detail.p && scan_string(l.detail, &detail) < 0) ||
		    !(t.error = buf_cstr(&error)) || !(t.at = buf_cstr(&at)) || !(t.detail = buf_cstr(&detail)) ||
		    letter_write(&d->letters, &t) < 0) {
			errno = ENOMEM;
			r = fail(d, "");
		} else {
			d->collected = 1;
			/* The new one first: a kill in between leaves two of that number, and dead_scan takes the later. */
			r = dead_keep(d) < 0 || dead_mark(d, ref, 1, &marked) < 0 ? -1 : 1;
		}
	}
	buf_release(&text);
	buf_release(&error);
	buf_release(&detail);
	buf_release(&at);
	return r;
}

/* ---- at start ---- */

struct scan {
	struct dead *d;
	void (*fn)(void *arg, const struct dead_ref *ref, bool alive);
	void *arg;
	struct dead_ref last;		/* the last living one */
	struct dead_ref old[16];	/* others of its number */
	unsigned nold;
};

static bool scan_one(void *arg, off_t off, const char *p, size_t n)
{
	struct scan *s = arg;
	struct dead_ref ref = { .off = off };
	bool alive;

	if (letter_head(p, n, &alive, &ref.seq) < 0)
		return true;
	s->d->alive += alive;
	s->d->gone += !alive;
	if (alive)
		s->last = ref;
	if (s->fn)
		s->fn(s->arg, &ref, alive);
	return true;
}

static bool same_number(void *arg, off_t off, const char *p, size_t n)
{
	struct scan *s = arg;
	uint64_t seq;
	bool alive;

	if (off < s->last.off && letter_head(p, n, &alive, &seq) == 0 && alive && seq == s->last.seq && s->nold < 16)
		s->old[s->nold++] = (struct dead_ref){ seq, off };
	return off < s->last.off;
}

int dead_scan(struct dead *d, void (*fn)(void *arg, const struct dead_ref *ref, bool alive), void *arg)
{
	struct scan s = { .d = d, .fn = fn, .arg = arg };
	struct buf text;
	struct letter l;
	uint64_t marked;
	int r;

	d->alive = d->gone = 0;
	if (dead_each(d->path, scan_one, &s) < 0)
		return -1;
	buf_init(&text, 2 * LETTER_MAX);
	r = s.last.seq ? dead_get(d, &s.last, &text, &l) : 0;
	buf_release(&text);
	/* Only the last letter can be of an edit that was not finished. */
	if (r > 0 && l.edited)
		r = dead_each(d->path, same_number, &s) < 0 || dead_mark(d, s.old, s.nold, &marked) < 0 ? -1 : 0;
	if (r >= 0)
		pack(d, INT64_MAX);
	return r < 0 ? -1 : 0;
}
