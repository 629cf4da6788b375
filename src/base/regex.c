/* regex: from the tree to steps, which are written from the end to the start: each knows what follows it. */
#include "base/regex_impl.h"

#include <stdlib.h>
#include <string.h>

#define WORK_MAX 100000u	/* nodes visited while writing steps: repetitions of nothing write none */

static unsigned step(struct maker *m, enum step_kind kind, unsigned x, unsigned y)
{
	struct regex *re = m->re;

	if (!m->failed && re->n == REGEX_STEPS)
		regex_fail(m, "too large once its repetitions are written out");
	if (m->failed)
		return 0;
	re->steps[re->n] = (struct step){ .kind = (uint8_t)kind, .x = (uint16_t)x, .y = (uint16_t)y };
	return re->n++;
}

/* A byte step; one that is there already since `from` serves again. */
static unsigned byte_step(struct maker *m, unsigned from, unsigned lo, unsigned hi, unsigned next)
{
	struct regex *re = m->re;

	for (unsigned i = from; i < re->n; i++) {
		const struct step *s = &re->steps[i];
		if (s->kind == STEP_BYTE && s->lo == lo && s->hi == hi && s->x == next)
			return i;
	}
	unsigned i = step(m, STEP_BYTE, next, 0);
	if (!m->failed) {
		re->steps[i].lo = (uint8_t)lo;
		re->steps[i].hi = (uint8_t)hi;
	}
	return i;
}

/* A set under way: what was written for it begins at `from`, and `all` is where it is entered, if `any`. */
struct set { unsigned from, next, all; bool any; };

static void enter(struct maker *m, struct set *s, unsigned at)
{
	s->all = s->any ? step(m, STEP_SPLIT, s->all, at) : at;
	s->any = true;
}

/* Sequences of bytes for lo to hi, whose characters have the same length; split until each byte's range does not depend on the others. */
static void sequences(struct maker *m, struct set *s, uint32_t lo, uint32_t hi, unsigned len)
{
	static const unsigned char LEAD[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (unsigned i = 1; i < len; i++) {
		uint32_t mask = (1u << 6 * i) - 1;
		if ((lo & ~mask) == (hi & ~mask))
			break;
		if (lo & mask) {
			sequences(m, s, lo, lo | mask, len);
			sequences(m, s, (lo | mask) + 1, hi, len);
			return;
		}
		if ((hi & mask) != mask) {
			sequences(m, s, lo, (hi & ~mask) - 1, len);
			sequences(m, s, hi & ~mask, hi, len);
			return;
		}
	}
	unsigned at = s->next;
	for (unsigned i = 0; i + 1 < len; i++)
		at = byte_step(m, s->from, 0x80 | (lo >> 6 * i & 0x3f), 0x80 | (hi >> 6 * i & 0x3f), at);
	enter(m, s, byte_step(m, s->from, LEAD[len] | lo >> 6 * (len - 1), LEAD[len] | hi >> 6 * (len - 1), at));
}

static unsigned write_set(struct maker *m, const struct node *n, unsigned next)
{
	static const struct range LENGTHS[] = { { 0, 0 }, { 0, 0x7f }, { 0x80, 0x7ff }, { 0x800, 0xffff }, { 0x10000, 0x1fffff } };
	struct set s = { .from = m->re->n, .next = next };

	for (unsigned i = n->a; i < n->a + n->b; i++) {
		struct range r = m->ranges[i];
		/* Text is valid UTF-8: whoever wants any character need not tell the valid from the others. */
		if (r.lo == 0 && r.hi == REGEX_POINT_MAX)
			r.hi = 0x1fffff;
		for (unsigned len = 1; len <= 4; len++) {
			uint32_t lo = r.lo > LENGTHS[len].lo ? r.lo : LENGTHS[len].lo, hi = r.hi < LENGTHS[len].hi ? r.hi : LENGTHS[len].hi;
			if (r.hi == 0x1fffff && len > 1)
				lo = 0, hi = (1u << (len == 2 ? 11 : len == 3 ? 16 : 21)) - 1;
			if (lo <= hi)
				sequences(m, &s, lo, hi, len);
		}
	}
	/* An empty set matches nothing: a byte that never comes. */
	if (!s.any && !m->failed) {
		s.all = step(m, STEP_BYTE, next, 0);
		m->re->steps[s.all].lo = 0xff;
		m->re->steps[s.all].hi = 0xff;
	}
	return s.all;
}

/* Writes node i so that it goes on at `next`; where it is entered. */
static unsigned write_node(struct maker *m, unsigned i, unsigned next)
{
	const struct node *n;
	unsigned at = next, b;

	if (m->failed)
		return 0;
	n = &m->nodes[i];
	if (++m->work > WORK_MAX)
		return regex_fail(m, "too large once its repetitions are written out");
	switch (n->kind) {
	case NODE_EMPTY: return next;
	case NODE_SET: return write_set(m, n, next);
	case NODE_BEGIN: return step(m, STEP_BEGIN, next, 0);
	case NODE_END: return step(m, STEP_END, next, 0);
	case NODE_BOTH: return write_node(m, n->a, write_node(m, n->b, next));
	case NODE_EITHER:
		b = write_node(m, n->b, next);
		return step(m, STEP_SPLIT, write_node(m, n->a, next), b);
	case NODE_REPEAT:
		break;
	}
	if (n->max == REGEX_NO_END) {
		at = step(m, STEP_SPLIT, 0, next);
		b = write_node(m, n->a, at);
		if (!m->failed)
			m->re->steps[at].x = (uint16_t)b;
	}
	for (unsigned k = n->min; !m->failed && n->max != REGEX_NO_END && k < n->max; k++)
		at = step(m, STEP_SPLIT, write_node(m, n->a, at), next);
	for (unsigned k = 0; !m->failed && k < n->min; k++)
		at = write_node(m, n->a, at);
	return at;
}

struct regex *regex_new(const char *p, size_t n, struct regex_error *err)
{
	struct regex *re = calloc(1, sizeof(*re));
	struct maker m = { .start = p, .p = p, .end = p + n, .err = err, .re = re };

	*err = (struct regex_error){ 0, "no memory" };
	if (!re)
		return NULL;
	re->steps = malloc(REGEX_STEPS * sizeof(*re->steps));
	m.failed = !re->steps;
	if (re->steps) {
		unsigned root = regex_tree(&m);
		re->start = write_node(&m, root, step(&m, STEP_MATCH, 0, 0));
	}
	free(m.nodes);
	free(m.ranges);
	if (!m.failed && regex_run_init(re) == 0)
		return re;
	if (!m.failed)
		*err = (struct regex_error){ 0, "no memory" };
	regex_free(re);
	return NULL;
}

void regex_free(struct regex *re)
{
	if (!re)
		return;
	regex_run_release(re);
	free(re->steps);
	free(re);
}
