/* What a restart must not forget, or a loop of them would do what the platforms ban for: how often limits were used, for how long they are
 * closed, and refusals. */
#include "deliver/courier.h"

#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/log.h"

int ledger_used(const struct message *m)
{
	struct need gate;
	bool end = false;

	for (unsigned k = 0; !end; k++)
		if (queue_window(&m->item, k, &gate, &end) && outbox_used(m->c->outbox, &gate, clock_wall()))
			return -1;
	return 0;
}

void ledger_name(const struct place *p, char to[NEED_NAME])
{
	snprintf(to, NEED_NAME, LEDGER_ACCOUNT "%s/%s", account_tenant(p->account), account_name(p->account));
}

void ledger_refused(struct courier *c, const struct place *p)
{
	char name[NEED_NAME];

	ledger_name(p, name);
	/* A failure was logged; they are counted in memory. */
	if (outbox_refused(c->outbox, name, clock_wall()) == 0)
		outbox_refused(c->outbox, p->up->name, clock_wall());
}

void ledger_closed(struct courier *c, const char *gate, int64_t wait)
{
	int64_t now = clock_mono();

	if (wait <= 0)
		return;
	queue_close(&c->queue, gate, wait, false, now);
	outbox_closed(c->outbox, gate, clock_wall() + wait);
}

static void load_refused(struct courier *c, const char *who, uint32_t n, int64_t age)
{
	int64_t now = clock_mono();
	char name[NEED_NAME];

	for (struct upstream *u = c->places.ups; u; u = u->next)
		if (strcmp(u->name, who) == 0)
			refusals_put(&u->refusals, n, age, now);
	for (size_t i = 0; i < c->places.n; i++) {
		ledger_name(c->places.v[i], name);
		if (strcmp(name, who) == 0)
			refusals_put(&c->places.v[i]->refusals, n, age, now);
	}
}

static void load(void *arg, const struct ledger *l)
{
	struct courier *c = arg;
	int64_t now = clock_mono(), ago = clock_wall() - l->at;
	int rc = 0;

	if (l->kind == LEDGER_USED)
		rc = queue_used(&c->queue, &l->gate, now - ago);
	else if (l->kind == LEDGER_REFUSED)
		load_refused(c, l->gate.name, l->gate.n, ago);
	else if (ago < 0 && ago >= -2 * 86400 * CLOCK_S)	/* a clock that was set back closes nothing for ever */
		rc = queue_close(&c->queue, l->gate.name, -ago, false, now);
	if (rc)
		log_warn("outbox: no memory for what limits there are");
}

static void heed(struct courier *c)
{
	int64_t now = clock_mono(), wait;

	for (struct upstream *u = c->places.ups; u; u = u->next)
		if ((wait = refusals_wait(&u->refusals, REFUSALS_MAX, now))) {
			log_error("%s: %u answers 401, 403 and 429 in ten minutes, before this start: nothing is sent for %lld s", u->name + 3,
				u->refusals.sum, (long long)(wait / CLOCK_S));
			queue_close(&c->queue, u->name, wait, false, now);
		}
	for (size_t i = 0; i < c->places.n; i++)
		if ((wait = refusals_wait(&c->places.v[i]->refusals, REFUSALS_ONE, now)))
			c->places.v[i]->held = now + wait;
}

int ledger_load(struct courier *c)
{
	/* A process that stood by has counts of its own, which are older. */
	for (struct upstream *u = c->places.ups; u; u = u->next)
		u->refusals = (struct refusals){0};
	for (size_t i = 0; i < c->places.n; i++)
		c->places.v[i]->refusals = (struct refusals){0};
	if (outbox_load_ledger(c->outbox, clock_wall(), load, c))
		return -1;
	heed(c);
	return stop_load(c) || shun_load(c) ? -1 : 0;
}
