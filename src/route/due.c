#include "route/due.h"

#include <stdlib.h>

void due_release(struct due_heap *h)
{
	free(h->v);
	h->v = NULL;
	h->n = h->cap = 0;
}

int due_add(struct due_heap *h, const struct due *d)
{
	if (h->n == h->cap) {
		size_t cap = h->cap ? h->cap * 2 : 16;
		struct due *v = realloc(h->v, cap * sizeof(*v));
		if (!v)
			return -1;
		h->v = v;
		h->cap = cap;
	}
	size_t i = h->n++;
	while (i && h->v[(i - 1) / 2].at > d->at) {
		h->v[i] = h->v[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->v[i] = *d;
	return 0;
}

const struct due *due_first(const struct due_heap *h)
{
	return h->n ? &h->v[0] : NULL;
}

void due_drop(struct due_heap *h)
{
	struct due last = h->v[--h->n];
	size_t i = 0;

	for (;;) {
		size_t kid = 2 * i + 1;
		if (kid >= h->n)
			break;
		if (kid + 1 < h->n && h->v[kid + 1].at < h->v[kid].at)
			kid++;
		if (h->v[kid].at >= last.at)
			break;
		h->v[i] = h->v[kid];
		i = kid;
	}
	if (h->n)
		h->v[i] = last;
}
