#include "route/jq_failed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "route/jq.h"

#define DIGITS 32u
#define TABLE (JQ_FAILED * 2)

static struct hash128 *table;		/* open addressing; {0,0} is free */
static struct hash128 order[JQ_FAILED];	/* as they came */
static unsigned n_failed;
static char *path;			/* NULL: memory only */

/* Known to everybody: whoever finds a line with the hash of one that failed gains an answer that he can have by failing. */
static struct hash128 hash_of(const char *program, const char *p, size_t n)
{
	static const uint64_t KEY[2] = { 0, 0 };
	struct sip s;

	sip_init(&s, KEY);
	sip_add(&s, program, strlen(program) + 1);
	sip_add(&s, p, n);
	return sip_end(&s);
}

static struct hash128 *slot(struct hash128 h)
{
	unsigned i = (unsigned)(h.a % TABLE);

	while ((table[i].a || table[i].b) && (table[i].a != h.a || table[i].b != h.b))
		i = (i + 1) % TABLE;
	return &table[i];
}

bool jq_failed_has(const char *program, const char *p, size_t n)
{
	if (!n_failed)
		return false;
	struct hash128 h = hash_of(program, p, n), *at = slot(h);
	return at->a || at->b;
}

static int text_of(struct buf *out, struct hash128 h)
{
	return buf_printf(out, "%016" PRIx64 "%016" PRIx64 "\n", h.a, h.b);
}

static bool enter(struct hash128 h)
{
	if (!table && !(table = calloc(TABLE, sizeof(*table)))) {
		log_error("no memory to remember lines that jq failed on");
		return false;
	}
	struct hash128 *at = slot(h);
	if (at->a || at->b || n_failed == JQ_FAILED)
		return false;
	*at = h;
	order[n_failed++] = h;
	return true;
}

/* The older half goes. */
static void make_room(void)
{
	unsigned keep = JQ_FAILED / 2, n = n_failed;
	struct buf text;

	log_warn("%u lines that jq failed on are remembered; the older half is forgotten", n);
	memset(table, 0, TABLE * sizeof(*table));
	n_failed = 0;
	buf_init(&text, JQ_FAILED * (DIGITS + 1));
	for (unsigned i = n - keep; i < n; i++) {
		enter(order[i]);
		if (text_of(&text, order[i]) < 0)
			break;
	}
	if (path && fd_replace(path, text.p, text.len, 0600) < 0)
		log_error("%s: %s", path, strerror(errno));
	buf_release(&text);
}

void jq_failed_add(const char *program, const char *p, size_t n)
{
	struct hash128 h = hash_of(program, p, n);
	struct buf text;
	int fd;

	if (n_failed == JQ_FAILED)
		make_room();
	if (!enter(h) || !path)
		return;
	buf_init(&text, DIGITS + 1);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || text_of(&text, h) < 0 || fd_write_all(fd, text.p, text.len) < 0 || fdatasync(fd) < 0 || fd_sync_dir(path) < 0)
		log_error("%s: %s; after a restart the line may be decided otherwise", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_release(&text);
}

int jq_remember(const char *dir)
{
	struct buf text;
	int r = 0;

	if (asprintf(&path, "%s/failed", dir) < 0) {
		log_error("no memory");
		path = NULL;
		return -1;
	}
	buf_init(&text, JQ_FAILED * (DIGITS + 1));
	if (fd_read_file(path, &text) < 0 && errno != ENOENT) {
		log_error("%s: %s", path, strerror(errno));
		r = -1;
	}
	/* A line cut short by a loss of power is none. */
	for (size_t at = 0; r == 0 && at + DIGITS < text.len; at += DIGITS + 1) {
		struct hash128 h;
		char digits[DIGITS + 1];
		memcpy(digits, text.p + at, DIGITS);
		digits[DIGITS] = '\0';
		if (sscanf(digits, "%16" SCNx64 "%16" SCNx64, &h.a, &h.b) == 2)
			enter(h);
	}
	buf_release(&text);
	return r;
}

void jq_forget(void)
{
	free(table);
	free(path);
	table = NULL;
	path = NULL;
	n_failed = 0;
}
