/* Identifies: the ledger is asked before a connection that costs one is dialled, one connection of a key after the other. */
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "gatewayd/metrics.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/ledger.h"

#define BUDGET_SOON CLOCK_S		/* another process holds the key: it may have given it back */
#define BUDGET_LOOK (60 * CLOCK_S)	/* the day's are spent */
#define SPENT "the identifies are spent for now"
#define LEDGER_AGAIN (2 * CLOCK_S)
#define OLD_BUSY (20 * CLOCK_MS)

/* Who looks for this key, or is to look next. */
static struct conn *asking(struct out *o, unsigned key, bool now)
{
	for (unsigned i = 0; i < o->n; i++) {
		struct conn *c = o->conn[i];

		if (c->state == LIFE_BUDGET && c->dial && c->dial->budget_key == key && c->asking == now)
			return c;
	}
	return NULL;
}

/* What the platform said stands in the ledger, or -1 with a message. */
static int keep_grant(struct out *o)
{
	const struct grant *g = &o->grant;
	char path[4200];

	if (!g->due)
		return 0;
	ledger_path(o, path, sizeof(path));
	if (ledger_budget(path, g->concurrency, g->every, g->total, g->remaining, g->until - clock_mono()))
		return -1;
	o->grant.due = false;
	return 0;
}

/* The account's own ledger, which versions before this one wrote, belongs into the bot's. One that still runs may write it again. 1: not now. */
static int take_old(struct out *o, const char *path)
{
	char old[4200];

	if (!o->bot[0])
		return 0;
	snprintf(old, sizeof(old), "%s/ledger", o->dir);
	return ledger_absorb(path, old);
}

void out_bot(struct out *o, const char *bot)
{
	char path[4200];

	snprintf(o->bot, sizeof(o->bot), "%s", bot);
	ledger_path(o, path, sizeof(path));
	*strrchr(path, '/') = '\0';
	if (fd_mkdirs(path, 0700))
		log_error("%s: %m", path);
	ledger_path(o, path, sizeof(path));
	take_old(o, path);		/* for status; what could not be done is asked for again before an identify */
}

void budget_ask(struct conn *c)
{
	char path[4200];
	int64_t wait = 0, top;
	unsigned key = c->dial->budget_key;
	int old;

	if (!c->asking && asking(c->out, key, true))
		return;		/* its turn comes */
	c->asking = true;
	ledger_path(c->out, path, sizeof(path));
	old = take_old(c->out, path);
	if (old > 0)
		wait = OLD_BUSY;
	if (old < 0 || keep_grant(c->out) || (!wait && ledger_reserve(path, key, c->n, &wait))) {
		/* Without the ledger, and the platform's word in it, none is spent. */
		c->waits = "the ledger cannot be used, the log says why";
		conn_arm(c, LEDGER_AGAIN);
		return;
	}
	if (!wait) {
		c->asking = false;
		c->reserved = true;
		metric_add(metrics[M_IDENTIFIES], 1);
		conn_event(c, LIFE_ON_GO);
		budget_next(c->out, key);
		return;
	}
	c->waits = wait > LEDGER_OPEN ? SPENT : "its turn";
	if (wait > LEDGER_OPEN && !c->told) {
		c->told = true;
		conn_say(c, LOG_WARN, "waits: " SPENT, "");
	}
	top = wait > LEDGER_OPEN ? BUDGET_LOOK : BUDGET_SOON;
	wait = wait > top ? top : wait;
	conn_arm(c, wait + (int64_t)(hash_random() % (uint64_t)(wait / 8 + 1)));
}

void budget_next(struct out *o, unsigned key)
{
	struct conn *c = asking(o, key, true);

	if (!c)
		c = asking(o, key, false);
	if (c)
		budget_ask(c);
}

void budget_back(struct conn *c, unsigned key)
{
	bool next = c->reserved || c->asking;
	char path[4200];

	if (c->reserved) {
		ledger_path(c->out, path, sizeof(path));
		ledger_refund(path, c->n);
	}
	c->reserved = c->asking = c->told = false;
	c->waits = NULL;
	if (next && c->out->p)
		budget_next(c->out, key);
}

void budget_dial(struct conn *c)
{
	char path[4200];

	if (!c->out->budget || c->reserved)
		return;
	/* It spends nothing: what cannot be written was said, and holds up nobody. */
	ledger_path(c->out, path, sizeof(path));
	ledger_connect(path, c->n);
}

void budget_sent(struct conn *c)
{
	char path[4200];

	if (!c->reserved)
		return;
	c->reserved = false;
	ledger_path(c->out, path, sizeof(path));
	ledger_sent(path, c->n);
	if (c->dial)
		budget_next(c->out, c->dial->budget_key);
}

void out_budget(struct out *o, unsigned concurrency, int64_t every, uint64_t total, uint64_t remaining, int64_t reset)
{
	o->budget = true;
	o->grant = (struct grant){.due = true, .concurrency = concurrency, .every = every, .total = total, .remaining = remaining,
		.until = clock_mono() + reset};
	keep_grant(o);
}
