/* All copies of the program. */
#include "stage/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

struct copy *copy_for(struct run *r, const struct load *l)
{
	struct copy *best = NULL;

	for (unsigned i = 0; i < r->set->copies; i++)
		if (copy_has_room(&r->copies[i], l) && (!best || r->copies[i].n < best->n))
			best = &r->copies[i];
	return best;
}

int copies_open(struct run *r)
{
	bool lives = r->set->mode->lives;

	if (spawn_find(&r->set->spawn))
		return -1;
	r->copies = calloc(r->set->copies, sizeof *r->copies);
	if (!r->copies) {
		log_error("%s", strerror(errno));
		return -1;
	}
	for (unsigned i = 0; i < r->set->copies; i++) {
		struct copy *c = &r->copies[i];
		copy_init(c, r);
		if (!lives)
			continue;
		copy_start(c);
		if (!c->child)
			return -1;
	}
	return 0;
}

void copies_close(struct run *r)
{
	for (unsigned i = 0; r->copies && i < r->set->copies; i++) {
		struct copy *c = &r->copies[i];
		if (c->child)
			child_free(c->child);
		loop_timer_del(r->loop, &c->watch);
		loop_timer_del(r->loop, &c->again);
	}
	free(r->copies);
	r->copies = NULL;
}

static void close_idle(struct copy *c)
{
	if (!c->child || c->n || child_closed(c->child))
		return;
	c->flushed = loop_now(c->run->loop);
	child_close(c->child);
	copy_watch(c);
}

void copies_renew(struct run *r)
{
	for (unsigned i = 0; i < r->set->copies; i++) {
		struct copy *c = &r->copies[i];
		if (!r->set->mode->lives || !c->child)
			continue;
		c->renew = true;
		c->flushed = loop_now(c->run->loop);
		child_close(c->child);	/* behind what was given */
		copy_watch(c);
	}
}

void copies_hurry(struct run *r)
{
	for (unsigned i = 0; i < r->set->copies; i++)
		if (r->copies[i].again.due)
			loop_timer_in(r->loop, &r->copies[i].again, 0);
}

bool copies_end(struct run *r)
{
	bool all = true;

	for (unsigned i = 0; i < r->set->copies; i++) {
		struct copy *c = &r->copies[i];
		c->stopping = true;
		loop_timer_del(r->loop, &c->again);
		close_idle(c);
		all &= !c->child;
	}
	return all;
}

void copies_pause(struct run *r, bool on)
{
	for (unsigned i = 0; i < r->set->copies; i++)
		if (r->copies[i].child)
			child_pause(r->copies[i].child, on);
}

unsigned copies_running(const struct run *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->set->copies; i++)
		n += r->copies[i].child != NULL;
	return n;
}
