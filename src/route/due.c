#include "route/due.h"

#include <stdbool.h>
#include <stdlib.h>

static bool before(const struct due *a, const struct due *b)
{
	return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

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
	while (i && before(d, &h->v[(i - 1) / 2])) {
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
		if (kid + 1 < h->n && before(&h->v[kid + 1], &h->v[kid]))
			kid++;
		if (!before(&h->v[kid], &last))
			break;
		h->v[i] = h->v[kid];
		i = kid;
	}
	if (h->n)
		h->v[i] = last;
}
