/*
 * dispatch: begun requests on their way to connections. More are begun than there are connections, so that while the outbox is synced there is work for
 * all of these; here they wait for one. A tenant leaves some of an upstream's connections to others (call_share): where a platform is slow, a
 * flood of one holds up nobody else.
 */
#include "deliver/call_impl.h"

#include <string.h>

#include "base/clock.h"

void dispatch_off(struct message *m)
{
	struct upstream *up = m->dispatched;

	if (!up)
		return;
	if (m->call_active)
		up->nactive--;
	*(m->dprev ? &m->dprev->dnext : m->call_active ? &up->active : &up->ready) = m->dnext;
	if (m->dnext)
		m->dnext->dprev = m->dprev;
	else if (!m->call_active)
		up->ready_last = m->dprev;
	m->dispatched = NULL;
	m->dprev = m->dnext = NULL;
	m->call_active = false;
}

static void activate(struct message *m, struct upstream *up)
{
	dispatch_off(m);
	m->dispatched = up;
	m->call_active = true;
	m->dnext = up->active;
	if (m->dnext)
		m->dnext->dprev = m;
	up->active = m;
	up->nactive++;
}

static bool has_room(const struct upstream *up, const struct message *m)
{
	unsigned n = 0;

	for (const struct message *a = up->active; a; a = a->dnext)
		n += strcmp(a->say.tenant, m->say.tenant) == 0;
	return n < call_share(m->c->conns);
}

void dispatch_go(struct courier *c, struct upstream *up)
{
	int64_t now = clock_mono();

	for (struct message *m = up->ready, *next; m && up->nactive < c->conns; m = next) {
		next = m->dnext;
		if (queue_closed(&m->item, now)) {
			/* An answer that came meanwhile: it waits where all wait. */
			call_cancel(m);
		} else if (has_room(up, m)) {
			activate(m, up);
			call_start(m);
			next = up->ready; /* it may have failed at once, and moved others */
		}
	}
}

void dispatch_add(struct message *m)
{
	struct upstream *up = m->place->up;

	m->dispatched = up;
	m->dprev = up->ready_last;
	*(m->dprev ? &m->dprev->dnext : &up->ready) = m;
	up->ready_last = m;
	dispatch_go(m->c, up);
}
