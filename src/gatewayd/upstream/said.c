#include "gatewayd/upstream/said.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/utf8.h"
#include "line/envelope.h"

#define FILE_MAX_BYTES (8u << 20)
#define KEY_HEX 32u
#define LINE_BYTES (8u + KEY_HEX + SAID_CAUSE + SAID_TEXT + 8u)

struct row {
	struct hash128 key;
	enum said_state state;
	char *text;			/* "CAUSE WHY" or ID; NULL: none */
};

struct said {
	char *path;
	struct row *v;			/* the newest SAID_KEEP, a ring when it is full */
	size_t n, oldest;
	unsigned here;			/* of them SAID_HERE */
	size_t lines;			/* in the file */
	ino_t ino;			/* the file as it was read, or left by us; 0: none */
	off_t size;
	char cause[SAID_CAUSE + 1];
};

static const char *const words[] = {[SAID_NEW] = "not", [SAID_HERE] = "begun", [SAID_YES] = "said", [SAID_FAILED] = "failed"};

struct said *said_open(const char *dir)
{
	struct said *s = calloc(1, sizeof(*s));

	if (!s || asprintf(&s->path, "%s/said", dir) < 0) {
		log_error("out of memory");
		free(s);
		return NULL;
	}
	return s;
}

static void forget(struct said *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].text);
	s->n = s->oldest = s->lines = s->here = 0;
	s->ino = 0;
	s->size = 0;
}

void said_close(struct said *s)
{
	if (!s)
		return;
	forget(s);
	free(s->v);
	free(s->path);
	free(s);
}

void said_key(const struct envelope *e, const char *tenant, struct hash128 *key)
{
	static const uint64_t zero[2];
	struct sip h;

	sip_init(&h, zero);
	sip_add(&h, tenant, strlen(tenant) + 1);
	sip_add(&h, e->a[LA_SOURCE].p, e->a[LA_SOURCE].n);
	sip_add(&h, "\n", 1);
	sip_add(&h, e->a[LA_ID].p, e->a[LA_ID].n);
	*key = sip_end(&h);
}

/* ---- the table ---- */

static struct row *find(const struct said *s, const struct hash128 *key)
{
	for (size_t i = s->n; i-- > 0; )
		if (s->v[i].key.a == key->a && s->v[i].key.b == key->b)
			return &s->v[i];
	return NULL;
}

/* A new row, in the place of the oldest when there are enough. NULL: no memory. */
static struct row *add(struct said *s, const struct hash128 *key)
{
	struct row *r;

	if (s->n < SAID_KEEP && (s->n & (s->n - 1)) == 0) {
		struct row *more = reallocarray(s->v, s->n ? 2 * s->n : 8, sizeof(*more));

		if (!more)
			return NULL;
		s->v = more;
	}
	if (s->n < SAID_KEEP) {
		r = &s->v[s->n++];
	} else {
		r = &s->v[s->oldest];
		s->oldest = (s->oldest + 1) % SAID_KEEP;
		s->here -= r->state == SAID_HERE;
		free(r->text);
	}
	*r = (struct row){.key = *key};
	return r;
}

static int set(struct said *s, const struct hash128 *key, enum said_state state, const char *text, size_t n)
{
	struct row *r = find(s, key);
	char *copy = n ? strndup(text, n) : NULL;

	if ((n && !copy) || (!r && !(r = add(s, key)))) {
		free(copy);
		return -1;
	}
	s->here += (state == SAID_HERE) - (r->state == SAID_HERE);
	free(r->text);
	r->state = state;
	r->text = copy;
	return 0;
}

/* ---- the file ---- */

static bool hex(const char *p, uint64_t *v)
{
	*v = 0;
	for (int i = 0; i < 16; i++) {
		const char *digits = "0123456789abcdef", *at = p[i] ? strchr(digits, p[i]) : NULL;

		if (!at)
			return false;
		*v = *v << 4 | (uint64_t)(at - digits);
	}
	return true;
}

/* One record, without its LF. What was begun by whom we do not know is perhaps said. */
static int one(struct said *s, const char *p, size_t n)
{
	const char *blank = memchr(p, ' ', n);
	struct hash128 key;
	size_t word = blank ? (size_t)(blank - p) : 0, rest;

	if (!word || n < word + 1 + KEY_HEX || !hex(p + word + 1, &key.a) || !hex(p + word + 17, &key.b))
		return 0;
	rest = word + 1 + KEY_HEX;
	rest += rest < n;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i] && strlen(words[i]) == word && memcmp(p, words[i], word) == 0)
			return set(s, &key, i == SAID_HERE ? SAID_PERHAPS : (enum said_state)i, p + rest, n - rest);
	return 0;
}

static int read_file(struct said *s)
{
	struct stat st;
	struct buf b;
	int rc = 0;

	if (stat(s->path, &st)) {
		if (errno != ENOENT)
			goto fail;
		st.st_ino = 0;
		st.st_size = 0;
	}
	/* Nobody else writes while something of ours is under way. */
	if (s->here || (st.st_ino == s->ino && st.st_size == s->size))
		return 0;
	forget(s);
	buf_init(&b, FILE_MAX_BYTES);
	if (st.st_ino && fd_read_file(s->path, &b)) {
		buf_release(&b);
		goto fail;
	}
	for (const char *p = b.p, *end = p + b.len, *lf; p < end && (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1) {
		rc |= one(s, p, (size_t)(lf - p));
		s->lines++;
	}
	s->ino = st.st_ino;
	s->size = (off_t)b.len;
	buf_release(&b);
	if (rc == 0)
		return 0;
	errno = ENOMEM;
	s->ino = 0;
fail:
	log_error("%s: what was said cannot be read: %m", s->path);
	return -1;
}

int said_find(struct said *s, const struct hash128 *key, struct said_answer *a)
{
	const struct row *r;
	const char *blank;

	*a = (struct said_answer){.state = SAID_NEW, .text = "", .cause = ""};
	if (read_file(s))
		return -1;
	r = find(s, key);
	if (!r)
		return 0;
	a->state = r->state;
	a->text = r->text ? r->text : "";
	if (r->state != SAID_FAILED)
		return 0;
	blank = strchr(a->text, ' ');
	if (blank && (size_t)(blank - a->text) <= SAID_CAUSE) {
		snprintf(s->cause, sizeof(s->cause), "%.*s", (int)(blank - a->text), a->text);
		a->cause = s->cause;
		a->text = blank + 1;
	}
	return 0;
}

/* ---- writing ---- */

static void write_row(struct buf *b, const struct hash128 *key, enum said_state state, const char *text)
{
	buf_printf(b, "%s %016" PRIx64 "%016" PRIx64 "%s%s\n", words[state == SAID_PERHAPS ? SAID_HERE : state], key->a, key->b,
		text && *text ? " " : "", text ? text : "");
}

/* Without what is too old to be asked for again. A failure leaves the old file, which only grows. */
static void compact(struct said *s)
{
	struct stat st;
	struct buf b;

	buf_init(&b, FILE_MAX_BYTES);
	for (size_t i = 0; i < s->n; i++) {
		const struct row *r = &s->v[(s->oldest + i) % s->n];

		if (r->state != SAID_NEW)
			write_row(&b, &r->key, r->state, r->text);
	}
	if (fd_replace(s->path, b.p, b.len, 0600) || stat(s->path, &st)) {
		log_warn("%s: %m", s->path);
	} else {
		s->ino = st.st_ino;
		s->size = st.st_size;
	}
	s->lines = s->n;
	buf_release(&b);
}

/* Appends; a torn record before it (a full disk, a crash) is ended first, and one that fails is taken back. */
static int append(struct said *s, const struct hash128 *key, enum said_state state, const char *text, bool sync)
{
	int fd = open(s->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	struct buf b;
	char last = '\n';

	buf_init(&b, LINE_BYTES);
	if (fd < 0 || fstat(fd, &st))
		goto fail;
	if (st.st_size && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
		buf_addc(&b, '\n');
	write_row(&b, key, state, text);
	if (fd_write_all(fd, b.p, b.len) || (sync && fdatasync(fd)) || (sync && st.st_size == 0 && fd_sync_dir(s->path))) {
		int e = errno;

		if (ftruncate(fd, st.st_size))
			log_warn("%s: %m", s->path);
		errno = e;
		goto fail;
	}
	s->ino = st.st_ino;
	s->size = st.st_size + (off_t)b.len;
	close(fd);
	buf_release(&b);
	if (++s->lines > 4 * SAID_KEEP)
		compact(s);
	return 0;
fail:
	log_error("%s: %m", s->path);
	if (fd >= 0)
		close(fd);
	buf_release(&b);
	return -1;
}

int said_begin(struct said *s, const struct hash128 *key)
{
	if (set(s, key, SAID_HERE, "", 0)) {
		log_error("out of memory");
		return -1;
	}
	if (append(s, key, SAID_HERE, NULL, true)) {
		set(s, key, SAID_NEW, "", 0);
		return -1;
	}
	return 0;
}

void said_end(struct said *s, const struct hash128 *key, enum said_state what, const char *cause, const char *text)
{
	char line[SAID_CAUSE + SAID_TEXT + 2], *bad;

	/* A row is left that says begun: whoever finds it in another process takes it for perhaps said, as here. */
	if (what == SAID_PERHAPS) {
		set(s, key, what, "", 0);
		return;
	}
	if (what == SAID_FAILED)
		snprintf(line, sizeof(line), "%.*s %.*s", (int)SAID_CAUSE, cause, (int)SAID_TEXT, text);
	else
		snprintf(line, sizeof(line), "%.*s", (int)SAID_TEXT, what == SAID_YES ? text : "");
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	bad = (char *)utf8_bad(line, line + strlen(line));
	if (bad)
		*bad = '\0';
	if (set(s, key, what, line, strlen(line)))
		log_error("out of memory");
	append(s, key, what, line, false);
}
