/* route spool cat: the lines of a spool, of all files from a number or a time on. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/num.h"
#include "line/envelope.h"
#include "route/again.h"
#include "route/decide.h"
#include "route/parse.h"
#include "route/pieces.h"
#include "route/tool/spool.h"
#include "route/walk.h"

struct cat {
	const struct spool_tool *t;
	struct pred *where;
	int64_t since;		/* wall ns; 0: not given */
};

/* RFC 3339, or how long ago. */
static int read_time(const char *text, int64_t *at)
{
	const char *why;
	int64_t ago;

	if (clock_parse(text, strlen(text), at) == 0)
		return 0;
	if (num_duration(text, 0, 36500 * (86400 * CLOCK_S), &ago, &why) < 0)
		return -1;
	*at = clock_wall() - ago;
	return 0;
}

/* An event that has no time is as old as its file. */
static bool is_older(const struct envelope *e, int64_t since)
{
	char text[CLOCK_RFC3339_MAX * 2];
	int64_t at;
	int n = e->a[LA_TIME].p ? scan_cstr(e->a[LA_TIME], text, sizeof(text)) : 0;

	return n > 0 && clock_parse(text, (size_t)n, &at) == 0 && at < since;
}

static void print_line(const struct cat *c, uint64_t seq, const char *p, size_t n)
{
	struct envelope e;
	struct again a;

	if (seq < c->t->from || again_open(p, n, &a) < 0)
		return;
	if (c->since && scan_lazy(a.p, a.n, &e) == 0 && is_older(&e, c->since))
		return;
	if (c->where && !decide_where(c->where, p, n))
		return;
	fwrite(a.p, 1, a.n, stdout);
	putchar('\n');
}

static void print_group(const struct cat *c, const struct commit *k, const char *p, uint64_t limit)
{
	for (uint32_t i = 0; i < k->n; i++) {
		const char *lf = rawmemchr(p, '\n');
		if (k->seq + i < limit)
			print_line(c, k->seq + i, p, (size_t)(lf + 1 - p));
		p = lf + 1;
	}
}

/* Whole groups with a line from t->from on. */
static void print_raw(const struct cat *c, const struct commit *k, const char *p, size_t len)
{
	char line[SEGMENT_COMMIT_MAX];

	if (k->n && k->seq + k->n <= c->t->from)
		return;
	fwrite(p, 1, len, stdout);
	fwrite(line, 1, commit_write(line, k), stdout);
}

static void print_piece(const struct cat *c, int fd, const struct piece *v, uint64_t limit)
{
	struct commit k;
	struct walk w;
	const char *p;
	size_t n;

	walk_init(&w, fd, v->first);
	w.off = v->off;
	while (!ferror(stdout) && w.off < v->end && walk_next(&w, &k, &p, &n) == WALK_GROUP) {
		if (k.seq >= limit)
			break;
		if (c->t->commits) {
			/* crc is continued over the commit line when it is written: what is read has both. */
			k.crc = hash_crc32c(0, p, n);
			print_raw(c, &k, p, n);
		} else {
			print_group(c, &k, p, limit);
		}
	}
	walk_release(&w);
}

static int print_file(const struct cat *c, uint64_t first, uint64_t limit, bool last)
{
	struct pieces p;
	int fd = shelf_open(c->t->dir, first);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || pieces_scan(&p, fd, first, limit) < 0) {
		log_error("%s: segment %" PRIu64 ": %s", c->t->dir, first, strerror(errno));
		if (fd >= 0)
			close(fd);
		return 1;
	}
	int r = 0;
	for (size_t i = 0; i < p.nfaults; i++) {
		const struct fault *f = &p.faults[i];
		if (f->from >= limit || (last && f->torn))
			continue;
		log_warn("%s: segment %" PRIu64 ", bytes %lld to %lld: %s", c->t->dir, first, (long long)f->off, (long long)f->end - 1, f->why);
		r = 1;
	}
	for (size_t i = 0; i < p.n && p.v[i].first < limit; i++)
		if (p.v[i].next > c->t->from || c->t->commits)
			print_piece(c, fd, &p.v[i], limit);
	pieces_release(&p);
	close(fd);
	return r;
}

int spool_cat(const struct spool_tool *t)
{
	struct cat c = { .t = t };
	struct parse_error err;
	int code = 0;
	size_t n;

	if (t->since && read_time(t->since, &c.since) < 0) {
		log_error("--since %s: neither a time (2026-11-20T10:00:00Z) nor a duration (10m, 2h, 1d)", t->since);
		return 2;
	}
	if (t->where && !(c.where = parse_expr(t->where, strlen(t->where), &err))) {
		log_error("-w: %u:%u: %s", err.line, err.column, err.text);
		return 2;
	}
	struct shelf *v = shelf_read(t->dir, &n);
	if (!v) {
		pred_free(c.where);
		return 1;
	}
	for (size_t i = 0; i < n && !ferror(stdout); i++) {
		uint64_t limit = i + 1 < n ? v[i + 1].first : UINT64_MAX;
		if (limit > t->from && v[i].written >= c.since)
			code |= print_file(&c, v[i].first, limit, i + 1 == n);
	}
	free(v);
	pred_free(c.where);
	decide_release();
	if (fflush(stdout) < 0 || ferror(stdout)) {
		if (errno != EPIPE)
			log_error("standard output: %s", strerror(errno));
		return errno == EPIPE ? code : 1;
	}
	return code;
}
