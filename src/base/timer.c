#include "base/timer.h"

#include <errno.h>
#include <stdlib.h>

static void place(struct timer_heap *h, size_t i, struct loop_timer *t)
{
	h->v[i] = t;
	t->at = (unsigned)i;
}

static void up(struct timer_heap *h, size_t i, struct loop_timer *t)
{
	for (; i > 0 && h->v[(i - 1) / 2]->due > t->due; i = (i - 1) / 2)
		place(h, i, h->v[(i - 1) / 2]);
	place(h, i, t);
}

static void down(struct timer_heap *h, size_t i, struct loop_timer *t)
{
	size_t child;

	while ((child = 2 * i + 1) < h->n) {
		if (child + 1 < h->n && h->v[child + 1]->due < h->v[child]->due)
			child++;
		if (h->v[child]->due >= t->due)
			break;
		place(h, i, h->v[child]);
		i = child;
	}
	place(h, i, t);
}

static void settle(struct timer_heap *h, size_t i, struct loop_timer *t)
{
	if (i > 0 && h->v[(i - 1) / 2]->due > t->due)
		up(h, i, t);
	else
		down(h, i, t);
}

int timer_set(struct timer_heap *h, struct loop_timer *t, int64_t due)
{
	if (due <= 0)
		due = 1;	/* 0 means not armed; the monotonic clock is past 1 */
	if (t->due) {
		t->due = due;
		settle(h, t->at, t);
		return 0;
	}
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 16;
		struct loop_timer **v = reallocarray(h->v, cap, sizeof(*v));

		if (!v) {
			errno = ENOMEM;
			return -1;
		}
		h->v = v;
		h->cap = cap;
	}
	t->due = due;
	up(h, h->n++, t);
	return 0;
}

void timer_del(struct timer_heap *h, struct loop_timer *t)
{
	struct loop_timer *last;

	if (!t->due)
		return;
	t->due = 0;
	last = h->v[--h->n];
	if (last != t)
		settle(h, t->at, last);
}

struct loop_timer *timer_first(const struct timer_heap *h)
{
	return h->n ? h->v[0] : NULL;
}

void timer_release(struct timer_heap *h)
{
	for (size_t i = 0; i < h->n; i++)
		h->v[i]->due = 0;
	free(h->v);
	*h = (struct timer_heap){0};
}
