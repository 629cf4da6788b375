/*
 * What this process owes the hub though nobody else knows of it, and what others left when they ended (debt.h):
 * - a connection that was handed over while its socket is still read: until that is over and every line of it is kept;
 * - hooks that were not answered as they should: the other side sends them again, but not for ever, and to whom is its business.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "gatewayd/upstream/debt.h"
#include "gatewayd/upstream/impl.h"

#define LOOK CLOCK_S			/* while others are at it */
#define LOOK_HOOKS (10 * CLOCK_S)	/* who takes hooks may hold nothing, and nobody notices that it has gone */
#define CONN "conn-"
#define HOOKS "hooks"

/* ---- a socket that lingers ---- */

bool owe_linger(struct conn *c, const char *from, const char *to)
{
	struct debt_text t = {.why = "the process that handed the connection over ended before the hub had all that it still read"};
	char name[DEBT_NAME];

	/* One at a time: of the time before something is still on its way. */
	if (c->debt)
		return false;
	snprintf(t.from, sizeof(t.from), "%s", from);
	snprintf(t.to, sizeof(t.to), "%s", to);
	snprintf(name, sizeof(name), CONN "%u", c->n);
	c->debt = debt_begin(c->out->dir, name, &t);
	if (!c->debt)
		log_error("%s: %m; what comes while connection %u is handed over is told as a gap", c->out->dir, c->n);
	return c->debt != NULL;
}

void owe_lingered(struct conn *c, bool all)
{
	if (!c->debt || c->debt_read)
		return;
	c->debt_read = true;
	c->debt_last = c->last;
	if (!all || !c->last)
		owe_kept(c, all);
}

void owe_kept(struct conn *c, bool all)
{
	if (all) {
		debt_paid(c->debt);
	} else {
		debt_leave(c->debt);
		owe_look(c->out, LOOK);		/* perhaps the connection is this process's again */
	}
	c->debt = NULL;
	c->debt_last = NULL;
	c->debt_read = false;
}

/* ---- gaps ---- */

static void end(struct ticket *t, bool told)
{
	if (told)
		debt_paid(t->debt);
	else
		debt_leave(t->debt);
	ticket_free(t->out->u, t);
}

/* What the hub refuses for good it would refuse again. */
void owe_told(struct ticket *t)
{
	end(t, true);
}

/* A gap whose debt is paid when the hub has it. */
static void tell(struct conn *c, struct debt *d, const struct debt_text *t)
{
	struct ticket *k = ticket_new(c->out->u, TICKET_DEBT, c->out);

	conn_say(c, LOG_WARN, "gap", t->why);
	if (!k) {
		debt_leave(d);
		line_gap(c, t->why, t->from, t->to, 0);
		return;
	}
	k->debt = d;
	k->busy = true;
	line_gap(c, t->why, t->from, t->to, k->id);
	k->busy = false;
	/* It could not be made, or the process ends. */
	if (!k->pending)
		end(k, false);
}

/* ---- hooks ---- */

/* Is a line still on its way that came with a hook up to this one? */
static bool waits(const struct conn *c, uint64_t ticket)
{
	for (const struct item *i = c ? c->first : NULL; i; i = i->next)
		if (i->ticket)
			return i->ticket <= ticket;
	return false;
}

static bool any_waits(const struct out *o)
{
	for (unsigned i = 0; o->late && i < o->nall; i++)
		if (waits(o->conn[i], o->late))
			return true;
	return o->late && waits(o->own, o->late);
}

void owe_hook(struct out *o, int64_t came, uint64_t ticket)
{
	struct debt_text t = {.why = "the process that was to take requests ended when the hub was behind"};

	if (!o->hooks)
		return;
	if (ticket > o->late)
		o->late = ticket;
	if (!ticket) {
		o->refused = o->refused ? o->refused : came;
		o->refused_last = came;
		o->caught_up = 0;
	}
	if (o->debt || o->debt_failed)
		return;
	clock_rfc3339(t.from, came);
	o->debt = debt_begin(o->dir, HOOKS, &t);
	o->debt_failed = !o->debt;
	o->owed = came;
	if (!o->debt)
		log_error("%s: %m; requests that are lost when this process is killed now are not told", o->dir);
}

static void hooks_over(struct out *o)
{
	o->debt = NULL;
	o->debt_failed = false;
	o->refused = o->refused_last = o->caught_up = 0;
	o->late = 0;
}

/*
 * What was refused comes again, but at its own times: it may meet the next time that the hub is behind. So they count as one until nothing was refused for as
 * long as it may come.
 */
void owe_hooks(struct out *o)
{
	struct debt_text t = {.why = "the hub was behind for longer than requests are sent again for sure"};
	int64_t now;
	struct conn *own;

	if ((!o->debt && !o->debt_failed) || o->u->held || any_waits(o))
		return;
	now = clock_wall();
	if (o->refused && !o->caught_up)
		o->caught_up = now;
	if (o->refused && o->caught_up - o->refused > o->hooks_again && (own = conn_own(o))) {
		clock_rfc3339(t.from, o->refused);
		clock_rfc3339(t.to, o->caught_up);
		tell(own, o->debt, &t);
	} else if (!o->refused || now - o->refused_last > o->hooks_again) {
		debt_paid(o->debt);
	} else {
		owe_look(o, LOOK);
		return;
	}
	hooks_over(o);
}

void out_hooks(struct out *o, int64_t again)
{
	o->hooks = true;
	o->hooks_again = again;
}

/* ---- what others left ---- */

/* Hooks that the other side still sends again for sure: they are this process's now. The older one of two debts stands for both. */
static bool adopted(struct out *o, struct debt *d, const struct debt_text *t)
{
	int64_t at, now = clock_wall();

	if (!o->hooks || clock_parse(t->from, strlen(t->from), &at) || at > now || now - at > o->hooks_again)
		return false;
	if (!o->debt || at < o->owed) {
		debt_paid(o->debt);
		o->debt = d;
		o->owed = at;
	} else {
		debt_paid(d);
	}
	if (!o->refused || at < o->refused)
		o->refused = at;
	o->refused_last = now;
	o->caught_up = 0;
	return true;
}

static void found(void *arg, struct debt *d, const char *name, const struct debt_text *t)
{
	struct out *o = arg;
	struct debt_text told = *t;
	struct conn *c = conn_own(o);
	unsigned n;

	if (sscanf(name, CONN "%u", &n) == 1 && n < o->nall)
		c = o->conn[n];
	if (!c) {
		debt_leave(d);
		return;
	}
	if (strncmp(name, HOOKS, strlen(HOOKS)) == 0 && adopted(o, d, t))
		return;
	if (!told.to[0])
		clock_rfc3339(told.to, clock_wall());
	tell(c, d, &told);
}

static void on_look(void *arg)
{
	struct out *o = arg;
	bool held = false, all;

	all = debts_find(o->dir, found, o, &held) == 0;
	if (!all)
		log_error("%s: %m; whether an earlier process left something is looked at again", o->dir);
	owe_hooks(o);
	if (held || !all || o->hooks)
		owe_look(o, held || !all ? LOOK : LOOK_HOOKS);
}

void owe_look(struct out *o, int64_t in)
{
	if (o->u->outlet && o->leases && (!o->look.due || o->look.due > clock_mono() + in) && loop_timer_in(o->u->loop, &o->look, in))
		log_error("out of memory");
}

void owe_init(struct out *o)
{
	o->look = (struct loop_timer){.fn = on_look, .arg = o};
}

void owe_stop(struct out *o)
{
	loop_timer_del(o->u->loop, &o->look);
	debt_leave(o->debt);
	hooks_over(o);
	o->hooks = false;
}

void owe_close(struct upstream *u)
{
	for (size_t i = 0; i < TICKET_SLOTS; i++)
		for (struct ticket *t = u->tickets[i], *next; t; t = next) {
			next = t->next;
			if (t->kind == TICKET_DEBT)
				end(t, false);
		}
}
