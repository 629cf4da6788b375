#include "stage/halve.h"

#define GROW 4u

/* What is given next while nothing is wrong. */
static void all(struct halve *h)
{
	uint32_t left = h->n - h->from, most = h->one_by_one ? 1 : h->room ? h->room : left;

	h->hunting = false;
	h->strikes = 0;
	h->end = h->n;
	h->to = h->from + (most < left ? most : left);
}

void halve_init(struct halve *h, uint32_t n, bool one_by_one)
{
	*h = (struct halve){ .n = n, .limit = HALVE_STRIKES, .one_by_one = one_by_one };
	all(h);
}

void halve_pass(struct halve *h)
{
	uint32_t size = h->to - h->from;

	h->from = h->to;
	if (!h->hunting && h->room)
		h->room = h->room < h->n ? h->room * GROW : 0;
	if (!h->hunting || h->from == h->end) {
		all(h);		/* the hunt found nobody: it was not the lines */
		return;
	}
	/* The bad line is in what is left of the hunt: as much again at most, and not all of it unless it is one line. */
	h->to = h->from + size;
	if (h->to >= h->end && h->end - h->from > 1)
		h->to = h->from + (h->end - h->from) / 2;
	if (h->to > h->end)
		h->to = h->end;
}

void halve_answer(struct halve *h)
{
	h->from++;
	h->strikes = 0;
	if (h->hunting && h->from == h->end)
		all(h);
}

bool halve_fail(struct halve *h, bool sure, bool single)
{
	uint32_t size = h->to - h->from;

	h->strikes++;
	if (!h->hunting) {
		if (!sure && h->strikes < h->limit)
			return false;
		h->hunting = true;
	}
	h->end = h->to;
	if (size == 1)
		return sure || h->strikes >= HALVE_STRIKES;
	h->to = h->from + (single ? 1 : size / 2);
	return false;
}

void halve_skip(struct halve *h)
{
	h->from++;
	h->limit = 1;
	h->room = 1;
	all(h);
}

void halve_singly(struct halve *h)
{
	h->one_by_one = true;
	all(h);
}
