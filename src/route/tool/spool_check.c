/* route spool check: reads all of a spool and says what is wrong with it. Changes nothing. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "route/cursor_file.h"
#include "route/gap.h"
#include "route/parse.h"
#include "route/pieces.h"
#include "route/rules.h"
#include "route/segment.h"
#include "route/tool/offline.h"
#include "route/tool/spool.h"

struct check {
	const struct spool_tool *t;
	bool in_use;		/* a hub writes to it */
	struct gaps gaps;	/* known ones */
	unsigned found;
	uint64_t oldest, end;	/* numbers: of the first line, behind the last */
	uint64_t lines;
	uint64_t gen;		/* rules that were looked at last */
};

__attribute__((format(printf, 2, 3))) static void find(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	c->found++;
}

/* Lines that are missing: no fault if that was said in-band. */
static void missing(struct check *c, const char *name, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < c->gaps.n; i++) {
		const struct gap *g = &c->gaps.v[i];
		if (g->from > from || g->to < from)
			continue;
		printf("%s: lines %" PRIu64 " to %" PRIu64 " are gone, which is known%s: %s\n", name, from, g->to < to ? g->to : to,
			g->said ? " and was said" : "", g->reason);
		if (g->to < to)
			missing(c, name, g->to + 1, to);
		return;
	}
	find(c, "%s: lines %" PRIu64 " to %" PRIu64 " are missing", name, from, to);
}

/* The rules that its lines were decided by. */
static void check_rules(struct check *c, const char *name, uint64_t gen)
{
	char path[4096], why[RULES_WHY];
	struct rules *r = NULL;
	struct buf text;

	if (gen == c->gen)
		return;
	c->gen = gen;
	snprintf(path, sizeof(path), "%s/rules/%" PRIu64, c->t->dir, gen);
	buf_init(&text, RULES_TEXT_MAX + RULES_FLAGS_MAX);
	if (fd_read_file(path, &text) < 0)
		find(c, "%s: %s: its rules %s: %s", name, path, errno == ENOENT ? "are not there" : "cannot be read", strerror(errno));
	else if (!(r = rules_parse(path, text.p, text.len, why)))
		find(c, "%s: its rules cannot be read: %s", name, why);
	rules_free(r);
	buf_release(&text);
}

/* `until`: the number of the next file; `prev`: where the file before ended, 0: there is none. Returns where this one does. */
static uint64_t check_file(struct check *c, uint64_t first, uint64_t until, uint64_t prev, bool last)
{
	char name[SEGMENT_NAME_MAX];
	uint64_t at = first;
	struct pieces p;
	int fd = shelf_open(c->t->dir, first);

	segment_name(name, first);
	if (fd < 0 && errno == ENOENT && c->in_use)
		return first;
	if (fd < 0 || pieces_scan(&p, fd, first, until) < 0) {
		find(c, "%s: %s", name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return first;
	}
	close(fd);
	for (size_t i = 0; i < p.nfaults; i++) {
		const struct fault *f = &p.faults[i];
		if (f->from >= until)
			continue;
		if (last && f->torn && c->in_use)
			break;
		if (last && f->torn)
			printf("%s: %lld bytes at its end are a write that did not end; they are cut off at the next start\n", name,
				(long long)(f->end - f->off));
		else
			find(c, "%s: bytes %lld to %lld: %s", name, (long long)f->off, (long long)f->end - 1, f->why);
	}
	if (p.n && !p.head && p.v[0].off == 0)
		printf("%s: says nothing of the segment before it (an older version wrote it)\n", name);
	if (prev && p.head && p.prev > prev)
		missing(c, name, prev, p.prev - 1);
	else if (prev && !p.head && first > prev)
		missing(c, name, prev, first - 1);
	for (size_t i = 0; i < p.n && p.v[i].first < until; i++) {
		if (p.v[i].first > at)
			missing(c, name, at, p.v[i].first - 1);
		at = p.v[i].next < until ? p.v[i].next : until;
		c->lines += at - p.v[i].first;
	}
	if (p.n)
		check_rules(c, name, p.v[0].gen);
	pieces_release(&p);
	return at;
}

static void check_cursor(struct check *c, const char *name)
{
	struct cursor_file f;
	struct cursor k;
	char dir[4096];

	snprintf(dir, sizeof(dir), "%s/cursor", c->t->dir);
	cursor_init(&k, 0);
	int how = cursor_file_open(&f, dir, name, &k);
	if (how != CURSOR_READ) {
		find(c, "cursor/%s: cannot be read; delivery would start at the oldest line", name);
	} else {
		if (k.low < c->oldest && !k.mirror)
			missing(c, name, k.low, c->oldest - 1);
		/* While lines come the cursor may be ahead of what was read above. */
		if (cursor_top(&k) > c->end && !c->in_use)
			find(c, "cursor/%s: is at %" PRIu64 ", and the last line is %" PRIu64, name, cursor_top(&k), c->end - 1);
	}
	if (how >= 0)
		cursor_file_close(&f);
	cursor_release(&k);
}

static void check_cursors(struct check *c)
{
	char path[4096];
	DIR *d;

	snprintf(path, sizeof(path), "%s/cursor", c->t->dir);
	if (!(d = opendir(path))) {
		find(c, "cursor: %s", strerror(errno));
		return;
	}
	for (const struct dirent *e; (e = readdir(d)); )
		if (rules_dest_name(e->d_name, strlen(e->d_name)))
			check_cursor(c, e->d_name);
	closedir(d);
}

int spool_check(const struct spool_tool *t)
{
	struct check c = { .t = t, .in_use = offline_in_use(t->dir), .gaps = { .dir = t->dir } };
	uint64_t prev = 0;
	size_t n;
	struct shelf *v = shelf_read(t->dir, &n);

	if (!v || gaps_load(&c.gaps) < 0) {
		free(v);
		return 1;
	}
	for (size_t i = 0; i < n; i++)
		prev = c.end = check_file(&c, v[i].first, i + 1 < n ? v[i + 1].first : UINT64_MAX, prev, i + 1 == n);
	c.oldest = n ? v[0].first : 0;
	if (n)
		check_cursors(&c);
	printf("%zu segment%s, %" PRIu64 " line%s", n, num_s(n), c.lines, num_s(c.lines));
	if (n)
		printf(" from %" PRIu64 " to %" PRIu64, c.oldest, c.end - 1);
	printf(": %s\n", c.found ? "damaged" : "good");
	free(v);
	gaps_release(&c.gaps);
	if (fflush(stdout) < 0 || ferror(stdout)) {
		log_error("standard output: %s", strerror(errno));
		return 1;
	}
	return c.found > 0;
}
