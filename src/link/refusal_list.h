/*
 * refusal_list: a list of refused lines that owns its texts, in the order in which they were added. Pure.
 *
 * Zeroed = empty. The texts of v are the list's until refusal_list_cut or refusal_list_release.
 */
#ifndef LINK_REFUSAL_LIST_H
#define LINK_REFUSAL_LIST_H

#include <stddef.h>

#include "link/link.h"

struct refusal_list { struct refusal *v; size_t n, cap; };

int refusal_list_add(struct refusal_list *l, const struct refusal *r);	/* copies its texts; -1: no memory, nothing was added */
void refusal_list_cut(struct refusal_list *l, size_t n);		/* the first n stay */
void refusal_list_release(struct refusal_list *l);

#endif
