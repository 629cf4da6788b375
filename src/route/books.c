#include "route/books.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "route/decide.h"

void books_row(const struct spool *s, const struct cursor *c, struct book_row *row)
{
	*row = (struct book_row){ .accepted = spool_lines(s, c->seen) - c->base + c->again, .delivered = c->delivered,
		.filtered = c->filtered, .dead = c->dead, .pending = c->pending, .shed = c->shed };
}

void books_lost(const struct spool *s, struct cursor *c, uint64_t seen)
{
	uint64_t missing = spool_lines(s, c->seen) - c->base + c->again - cursor_sum(c);

	bool gone = spool_is_gone(s, seen, c->seen) || (c->mirror && seen < spool_oldest(s));

	if (gone && c->base != CURSOR_NO_BASE && (int64_t)missing > 0)
		c->shed += missing;
}

bool books_add_up(const struct book_row *r)
{
	return r->accepted == r->delivered + r->filtered + r->dead + r->pending + r->shed && (!r->counted || r->found == r->pending);
}

int books_json(struct buf *out, const char *name, const struct book_row *r)
{
	int bad = buf_printf(out, "{\"name\":\"%s\",\"accepted\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"filtered\":%" PRIu64
		",\"dead\":%" PRIu64 ",\"pending\":%" PRIu64 ",\"shed\":%" PRIu64, name, r->accepted, r->delivered, r->filtered, r->dead,
		r->pending, r->shed);

	if (r->counted)
		bad |= buf_printf(out, ",\"found\":%" PRIu64, r->found);
	return bad | buf_printf(out, ",\"adds_up\":%s}", books_add_up(r) ? "true" : "false");
}

/* ---- reading lines ---- */

struct reader {
	struct rules_book *rules;
	bool (*each)(struct reader *r, uint64_t seq, const struct spool_line *line);	/* false: enough */
	void *arg;
	bool failed;
};

static bool on_line(void *arg, const struct spool_view *v)
{
	struct reader *r = arg;
	struct spool_line line = { .mask = 0 };
	const struct rules *rules = rules_book_get(r->rules, v->gen);
	int what = rules ? decide_again(rules, v->p, v->n, &line) : DECIDE_LATER;

	if (what == DECIDE_LATER) {
		log_error("where line %" PRIu64 " goes cannot be told: %s", v->seq, rules ? decide_trouble() : "its rules are gone");
		r->failed = true;
		return false;
	}
	return r->each(r, v->seq, &line);
}

static int read_from(struct spool *s, struct reader *r, uint64_t seq)
{
	struct spool_pos pos;
	enum spool_read got;

	spool_seek(&pos, seq);
	while ((got = spool_read(s, &pos, on_line, r)) == SPOOL_MORE)
		;
	return r->failed || got == SPOOL_ERROR ? -1 : 0;
}

struct all { struct book *v; size_t n; };

static bool count(struct reader *r, uint64_t seq, const struct spool_line *line)
{
	struct all *all = r->arg;

	for (size_t i = 0; i < all->n; i++) {
		struct book *b = &all->v[i];
		bool ours = line->mask >> b->place & 1, open = ours && !cursor_is_done(b->cursor, seq, line->tenant, line->lane);
		b->found += open;
		if (seq < b->cursor->seen)
			continue;
		b->cursor->filtered += !ours;
		b->cursor->pending += open;
	}
	return true;
}

int books_read(struct spool *s, struct rules_book *rules, struct book *v, size_t n)
{
	struct all all = { v, n };
	struct reader r = { .rules = rules, .each = count, .arg = &all };
	uint64_t from = spool_end(s);

	for (size_t i = 0; i < n; i++) {
		v[i].found = 0;
		if (v[i].cursor->low < from)
			from = v[i].cursor->low;
	}
	if (read_from(s, &r, from) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct cursor *c = v[i].cursor;
		uint64_t seen = c->seen;
		c->seen = spool_end(s);
		cursor_recount(c, v[i].found);
		/* What is gone, with a damaged file or before a mirror read it, can never be delivered. */
		if (c->pending > v[i].found && (c->gone || spool_is_gone(s, c->from, c->seen) || (c->mirror && c->low < spool_oldest(s)))) {
			c->shed += c->pending - v[i].found;
			c->pending = v[i].found;
		}
		c->gone = false;
		books_lost(s, c, seen);
		if (c->base == CURSOR_NO_BASE)
			c->base = spool_lines(s, c->seen) + c->again - cursor_sum(c);
	}
	return 0;
}

/* ---- setting a cursor ---- */

struct move { struct cursor *c; unsigned place; uint64_t from, end; bool forward; struct books_moved m; };

static bool pass(struct reader *r, uint64_t seq, const struct spool_line *line)
{
	struct move *v = r->arg;

	if (seq >= v->end)
		return false;
	if (seq < v->from || !(line->mask >> v->place & 1))
		return true;
	bool done = cursor_is_done(v->c, seq, line->tenant, line->lane);
	v->m.shed += v->forward && !done;
	v->m.again += !v->forward && done;
	return true;
}

int books_move(struct spool *s, struct rules_book *rules, unsigned place, struct cursor *c, uint64_t seq, struct books_moved *m)
{
	struct move v = { .c = c, .place = place, .forward = seq > c->low };
	struct book rest = { .cursor = c, .place = place };
	uint64_t shed = c->shed;
	struct reader r = { .rules = rules, .each = pass, .arg = &v };

	v.from = v.forward ? c->low : seq;
	v.end = v.forward ? seq : cursor_top(c);
	if (read_from(s, &r, v.from) < 0)
		return -1;
	if (v.forward) {
		c->shed += v.m.shed;
		c->pending -= v.m.shed < c->pending ? v.m.shed : c->pending;
		cursor_done(c, c->low, seq - 1, true);
		for (size_t i = 0; i < c->behind.n; i++)
			if (c->behind.v[i].from < seq)
				behind_move(&c->behind, &c->behind.v[i], seq);
		cursor_update(c);
		/* Those that were gone already are pending, too, and nobody would look for them any more. */
		if ((c->gone || spool_is_gone(s, c->from, seq)) && books_read(s, rules, &rest, 1) < 0)
			return -1;
		v.m.shed = c->shed - shed;
	} else {
		c->again += v.m.again;
		c->pending += v.m.again;
		c->low = c->solid = seq;
		c->at = c->n = 0;
		behind_clear(&c->behind);
	}
	*m = v.m;
	return 0;
}
