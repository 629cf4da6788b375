/*
 * timer: a heap of due times with cancel. Pure: it never looks at a clock.
 *
 * The timers belong to the caller (struct loop_timer, intrusive); the heap holds pointers to those that are
 * armed. Setting, moving and removing cost O(log n). Timers due at the same instant come in no particular order.
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include <stddef.h>

#include "base/loop.h"

struct timer_heap { struct loop_timer **v; size_t n, cap; };	/* zeroed = empty */

int timer_set(struct timer_heap *h, struct loop_timer *t, int64_t due);	/* arms or moves; -1 ENOMEM */
void timer_del(struct timer_heap *h, struct loop_timer *t);		/* harmless if not armed */
struct loop_timer *timer_first(const struct timer_heap *h);		/* the next one due; NULL when none is armed */
void timer_release(struct timer_heap *h);				/* disarms all and gives the memory back */

#endif
