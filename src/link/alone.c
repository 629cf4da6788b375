#include "link/alone.h"

#include "base/clock.h"
#include "base/log.h"

#define LOOK (100 * CLOCK_MS)
#define PATIENCE (3 * CLOCK_S)

static void look(void *arg)
{
	struct alone *a = arg;

	if (a->connected(a->arg)) {
		a->since = 0;
	} else if (!a->since) {
		a->since = loop_now(a->loop);
	} else if (loop_now(a->loop) - a->since >= PATIENCE) {
		log_warn("the other side is gone: stopped with lines that could not be reported; they will be given out again");
		a->gone(a->arg);
		return;
	}
	loop_timer_in(a->loop, &a->look, LOOK);
}

void alone_watch(struct alone *a, struct loop *l)
{
	a->loop = l;
	a->look = (struct loop_timer){ .fn = look, .arg = a };
	loop_timer_in(l, &a->look, 0);
}

void alone_end(struct alone *a)
{
	if (a->loop)
		loop_timer_del(a->loop, &a->look);
}
