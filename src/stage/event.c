#include "stage/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line/envelope.h"
#include "line/err.h"
#include "line/id.h"
#include "line/why.h"
#include "stage/mode/mode.h"
#include "stage/plain.h"

#define MISSES 64u	/* after so many lines that are none of the input's, only their ids are looked for */

struct event_slot {
	uint64_t whole;		/* hash of source and id */
	uint64_t id;		/* hash of the id alone */
	uint32_t line;		/* from 1; 0: free */
};

#define SHOWN 120u	/* bytes of the output in a reason */
#define SHOWN_BEFORE 40u	/* so many of them before what is wrong */

void events_init(struct events *v, const char *lines, const uint32_t *at, uint32_t n, const char *stage, size_t max, bool strict,
	const uint64_t key[2])
{
	*v = (struct events){ .lines = lines, .at = at, .n = n, .stage = stage, .max = max, .strict = strict, .key = { key[0], key[1] } };
}

void events_release(struct events *v)
{
	free(v->made);
	free(v->slots);
	v->made = NULL;
	v->slots = NULL;
}

void events_again(struct events *v, uint32_t from)
{
	if (v->made && from < v->n)
		memset(v->made + from, 0, (v->n - from) * sizeof *v->made);
	v->next = from;
	v->misses = 0;
}

static struct span line_at(const struct events *v, uint32_t i)
{
	return (struct span){ v->lines + v->at[i], v->at[i + 1] - v->at[i] - 1 };
}

static int line_open(const struct events *v, uint32_t i, struct envelope *e)
{
	struct span l = line_at(v, i);
	struct line_err err;

	return v->strict ? envelope_check(l.p, l.n, v->max, e, &err) : scan_lazy(l.p, l.n, e);
}

/* ---- lines passed on ---- */

static bool same(const struct events *v, uint32_t i, const char *p, size_t n)
{
	return v->at[i + 1] - v->at[i] == n + 1 && memcmp(v->lines + v->at[i], p, n) == 0;
}

bool event_next(struct events *v, uint32_t from, uint32_t to, const char *p, size_t n)
{
	if (v->next < from || v->next >= to || !same(v, v->next, p, n))
		return false;
	v->next++;
	return true;
}

static bool find_same(struct events *v, uint32_t from, uint32_t to, const char *p, size_t n, uint32_t *cause)
{
	uint32_t i, start = v->next >= from && v->next < to ? v->next : from;

	if (v->misses >= MISSES)
		return same(v, start, p, n) ? (*cause = start + 1, v->next = start + 1, true) : false;
	for (i = start; i < to; i++)
		if (same(v, i, p, n))
			goto found;
	for (i = from; i < start; i++)
		if (same(v, i, p, n))
			goto found;
	v->misses++;
	return false;
found:
	*cause = i + 1;
	v->next = i + 1;
	return true;
}

/* ---- lines by their ids ---- */

static uint64_t id_hash(const struct events *v, struct span id)
{
	struct envelope e = { 0 };

	e.a[LA_ID] = id;
	return id_key(&e, v->key).b;
}

/* -1: no memory, and nothing is found. */
static int index_lines(struct events *v)
{
	uint32_t size = 16;

	if (v->slots)
		return 0;
	while (size < v->n * 2)
		size *= 2;
	v->slots = calloc(size, sizeof *v->slots);
	if (!v->slots)
		return -1;
	v->nslots = size;
	for (uint32_t i = 0; i < v->n; i++) {
		struct envelope e;
		struct event_slot s = { .line = i + 1 };
		uint32_t at;
		if (line_open(v, i, &e) || !e.a[LA_ID].p)
			continue;
		s.whole = id_key(&e, v->key).a;
		s.id = id_hash(v, e.a[LA_ID]);
		for (at = (uint32_t)s.id & (size - 1); v->slots[at].line; at = (at + 1) & (size - 1))
			;
		v->slots[at] = s;
	}
	return 0;
}

/* The first line from `from` to `to` with this id, and this source unless any will do. 0: none. */
static uint32_t find_id(struct events *v, uint32_t from, uint32_t to, struct span id, const uint64_t *whole)
{
	uint64_t hash = id_hash(v, id);
	uint32_t best = 0;

	if (index_lines(v))
		return 0;
	for (uint32_t at = (uint32_t)hash & (v->nslots - 1); v->slots[at].line; at = (at + 1) & (v->nslots - 1)) {
		const struct event_slot *s = &v->slots[at];
		if (s->id == hash && s->line > from && s->line <= to && (!whole || *whole == s->whole) && (!best || s->line < best))
			best = s->line;
	}
	return best;
}

/* ---- completing ---- */

static bool is(const struct line_err *err, const char *why)
{
	return strcmp(err->why, why) == 0;
}

static bool wants_more(const struct envelope *e, const struct envelope *cause)
{
	for (enum line_attr a = LA_SPECVERSION; a <= LA_SOURCE; a++)
		if (!e->a[a].p)
			return true;
	return (!e->a[LA_TENANT].p && cause->a[LA_TENANT].p) || (!e->a[LA_PARTITIONKEY].p && cause->a[LA_PARTITIONKEY].p) ||
		(!e->a[LA_TRACEPARENT].p && cause->a[LA_TRACEPARENT].p) || !e->a[LA_CAUSATIONID].p;
}

/* Writes what e lacks and cause has. */
static const char *inherit(struct events *v, struct writer *w, const struct envelope *e, const struct envelope *cause, unsigned nth)
{
	struct envelope c = *cause;

	if (!e->a[LA_SPECVERSION].p)
		writer_attr(w, "specversion", "1.0");
	if (e->a[LA_ID].p) {
		if (!e->a[LA_SOURCE].p)
			writer_attr_raw(w, "source", c.a[LA_SOURCE]);
	} else {
		if (e->a[LA_SOURCE].p)
			c.a[LA_SOURCE].p = NULL;
		id_derive(w, &c, v->stage, nth);
	}
	c = *cause;
	for (enum line_attr a = LA_TENANT; a <= LA_TRACESTATE; a++)
		if (e->a[a].p)
			c.a[a].p = NULL;
	if (e->a[LA_TRACEPARENT].p)
		c.a[LA_TRACESTATE].p = NULL;
	if (e->a[LA_CAUSATIONID].p)
		c.a[LA_ID].p = NULL;
	id_inherit(w, &c, v->stage, nth);
	return w->why;
}

/* Adds what the program wrote, as far as it is near byte `at`. */
static void show(char *why, const char *p, size_t n, size_t at)
{
	size_t from = n > SHOWN && at < n && at > SHOWN_BEFORE ? at - SHOWN_BEFORE : 0, len = n - from < SHOWN ? n - from : SHOWN, used = strlen(why);
	char text[SHOWN + 8];

	plain_shown(text, sizeof text, p + from, len);
	snprintf(why + used, EVENT_WHY - used, ": %s%s%s", from ? "..." : "", text, from + len < n ? "..." : "");
}

static enum event_is bad(char *why, const struct line_err *err, const char *p, size_t n)
{
	char text[LINE_ERR_TEXT];

	snprintf(why, EVENT_WHY, "the program's output is no event: %s", line_err_text(err, text));
	show(why, p, n, err->at);
	return EVENT_BAD;
}

/* Which derived event of its cause is it? Counted only for those whose id stage makes. */
static unsigned nth_of(struct events *v, uint32_t line, bool count)
{
	if (!count)
		return 0;
	if (!v->made && !(v->made = calloc(v->n, sizeof *v->made)))
		return 0;
	return v->made[line] < UINT16_MAX ? v->made[line]++ : UINT16_MAX;
}

static enum event_is complete(struct events *v, uint32_t line, const struct envelope *e, const struct envelope *cause, const char *p,
	size_t n, struct buf *out, char *why)
{
	size_t start = out->len, rest, before;
	struct envelope made;
	struct writer w;
	struct line_err err = { .at = 0 };

	writer_begin(&w, out, v->max);
	err.why = inherit(v, &w, e, cause, nth_of(v, line, !e->a[LA_ID].p));
	if (err.why)
		goto fail;
	/* p begins with '{' behind white space, and has at least one member: a type. */
	rest = (size_t)((const char *)memchr(p, '{', n) + 1 - p);
	if ((w.members && buf_addc(out, ',')) || buf_add(out, p + rest, n - rest) || buf_addc(out, '\n')) {
		err.why = WHY_MEMORY;
		goto fail;
	}
	if (envelope_check(out->p + start, out->len - start - 1, v->max, &made, &err) == 0)
		return EVENT_NEW;
	/* Its place in what the program wrote. */
	before = out->len - start - 1 - (n - rest);
	err.at = err.at > before ? err.at - before + rest : 0;
fail:
	out->len = start;
	if (!is(&err, WHY_REPEATED))
		return bad(why, &err, p, n);
	snprintf(why, EVENT_WHY, "the program's output lacks an attribute that stage would add, but names it with null: leave it out");
	show(why, p, n, 0);
	return EVENT_BAD;
}

/* ---- the whole ---- */

static bool misses_some(const struct line_err *err)
{
	return is(err, WHY_NO_SPECVERSION) || is(err, WHY_NO_ID) || is(err, WHY_NO_SOURCE) || is(err, WHY_NO_TYPE);
}

static bool lacks_only(const struct line_err *err, const struct envelope *e)
{
	return misses_some(err) && e->a[LA_TYPE].p;
}

static enum event_is has_no_type(char *why, const char *p, size_t n)
{
	snprintf(why, EVENT_WHY, "the program's output has no type: print \"type\", as in {\"type\":\"message.send\",\"data\":{...}}");
	show(why, p, n, 0);
	return EVENT_BAD;
}

static enum event_is is_alone(const struct envelope *e, const char *what, char *why)
{
	if (e->a[LA_CAUSATIONID].p)
		snprintf(why, EVENT_WHY, "the program's output has no %s, and its causationid names none of the lines it was given", what);
	else
		snprintf(why, EVENT_WHY, "the program's output has no %s, and it is not known which line caused it: print "
			"\"causationid\" with that line's id, or answer each line in order (-a line)", what);
	return EVENT_ALONE;
}

static bool same_event(const struct events *v, const struct envelope *a, const struct envelope *b)
{
	struct hash128 x = id_key(a, v->key), y = id_key(b, v->key);

	return a->a[LA_ID].p && a->a[LA_SOURCE].p && x.a == y.a && x.b == y.b;
}

/* The line with its id and source, from 1; 0: there is none. */
static uint32_t find_event(struct events *v, uint32_t from, uint32_t to, const struct envelope *e)
{
	uint64_t key;

	if (!e->a[LA_ID].p || !e->a[LA_SOURCE].p || from >= to)
		return 0;
	key = id_key(e, v->key).a;
	return find_id(v, from, to, e->a[LA_ID], &key);
}

enum event_is event_look(struct events *v, uint32_t from, uint32_t to, bool answers, const char *p, size_t n, struct buf *out,
	uint32_t *cause, char *why)
{
	struct line_err err = { .why = NULL };
	struct envelope e, c;
	bool whole;

	*cause = 0;
	if (answers ? same(v, from, p, n) && (*cause = from + 1) : from < to && find_same(v, from, to, p, n, cause))
		return EVENT_SAME;
	if (answers && from > 0 && same(v, from - 1, p, n))
		return EVENT_TWICE;
	*cause = answers ? from + 1 : 0;
	if (n > 0 && p[0] != '{' && p[0] != ' ' && p[0] != '\t')
		return EVENT_STRAY;
	whole = envelope_check(p, n, v->max, &e, &err) == 0;
	if (!whole && !mode_means_event(p, n))
		return EVENT_STRAY;
	if (!whole && !e.a[LA_TYPE].p && misses_some(&err))
		return has_no_type(why, p, n);
	if (!whole && !lacks_only(&err, &e))
		return bad(why, &err, p, n);

	/* The line it answers, or the one it names; for what can't do without, the only one. */
	if (!*cause && (*cause = find_event(v, from, to, &e)))
		return EVENT_CHANGED;
	if (!*cause && e.a[LA_CAUSATIONID].p && from < to)
		*cause = find_id(v, from, to, e.a[LA_CAUSATIONID], NULL);
	if (!*cause && !whole && to - from == 1)
		*cause = from + 1;
	if (!*cause && whole)
		return EVENT_NEW;
	if (!*cause)
		return is_alone(&e, !e.a[LA_ID].p ? "id" : !e.a[LA_SOURCE].p ? "source" : "specversion", why);

	if (line_open(v, *cause - 1, &c)) {
		if (whole)
			return EVENT_NEW;
		snprintf(why, EVENT_WHY, "the program's output lacks attributes, and the line that caused it is no event it could take them from");
		return EVENT_BAD;
	}
	if (answers && same_event(v, &e, &c))
		return EVENT_CHANGED;
	/* A filter that drops lines or sorts them: from here on each of its lines would be taken for the answer to another one. */
	if (answers && find_event(v, from + 1, to, &e))
		return EVENT_OTHER;
	return wants_more(&e, &c) ? complete(v, *cause - 1, &e, &c, p, n, out, why) : EVENT_NEW;
}
