#include "link/refusal_list.h"

#include <stdlib.h>
#include <string.h>

static void release(struct refusal *r)
{
	free((void *)(uintptr_t)r->error);
	free((void *)(uintptr_t)r->detail);
}

int refusal_list_add(struct refusal_list *l, const struct refusal *r)
{
	struct refusal own = *r;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 8;
		struct refusal *v = realloc(l->v, cap * sizeof *v);
		if (!v)
			return -1;
		l->v = v;
		l->cap = cap;
	}
	own.error = r->error ? strdup(r->error) : NULL;
	own.detail = r->detail ? strdup(r->detail) : NULL;
	if ((r->error && !own.error) || (r->detail && !own.detail)) {
		release(&own);
		return -1;
	}
	l->v[l->n++] = own;
	return 0;
}

void refusal_list_cut(struct refusal_list *l, size_t n)
{
	while (l->n > n)
		release(&l->v[--l->n]);
}

void refusal_list_release(struct refusal_list *l)
{
	refusal_list_cut(l, 0);
	free(l->v);
	*l = (struct refusal_list){ .v = NULL };
}
