/*
 * What this process owes the hub though nobody else knows of it, and what others left when they ended (debt.h):
 * - a connection that was handed over while its socket is still read: until that is over and every line of it is kept;
 * - hooks that were not answered as they should: the other side sends them again, but not for ever, and to whom is its business.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/account.h"
#include "base/log.h"
#include "gatewayd/upstream/debt.h"
#include "gatewayd/upstream/impl.h"

#define LOOK CLOCK_S			/* while others are at it */
#define CONN "conn-"
#define HOOKS "hooks-"

static void time_text(char to[DEBT_TIME], int64_t wall)
{
	to[0] = '\0';
	if (wall)
		clock_rfc3339(to, wall);
}

static struct debt *begin(const struct out *o, const char *name, const struct debt_text *t)
{
	struct debt *d = debt_begin(o->dir, name, t);

	if (!d)
		log_error("%s/%s.debt: %m; what is lost when this process is killed now may not be told", o->dir, name);
	return d;
}

/* ---- a socket that lingers ---- */

bool owe_linger(struct conn *c, const char *from, const char *to)
{
	struct debt_text t = {.why = "the process that handed the connection over ended before the hub had all that it still read"};
	char name[DEBT_NAME];

	/* Of the time before, perhaps of another process: one is enough for the file's name. */
	if (c->debt)
		return false;
	snprintf(t.from, sizeof(t.from), "%s", from);
	snprintf(t.to, sizeof(t.to), "%s", to);
	snprintf(name, sizeof(name), CONN "%u", c->n);
	c->debt = debt_begin(c->out->dir, name, &t);
	if (!c->debt && errno != EEXIST)
		log_error("%s/%s.debt: %m; what comes while the connection is handed over is told as a gap", c->out->dir, name);
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
	if (all)
		debt_paid(c->debt);
	else
		debt_leave(c->debt);
	c->debt = NULL;
	c->debt_last = NULL;
	c->debt_read = false;
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

void owe_hook(struct out *o, int64_t came, uint64_t ticket)
{
	struct debt_text t = {.why = "the process that was to take requests ended when the hub was behind"};
	char name[DEBT_NAME];

	if (!o->platform->hooks_again)
		return;
	if (!ticket && !o->refused)
		o->refused = came;
	if (ticket > o->late)
		o->late = ticket;
	if (o->debt || o->debt_failed)
		return;
	time_text(t.from, came);
	snprintf(name, sizeof(name), HOOKS "%ld", (long)getpid());
	o->debt = begin(o, name, &t);
	o->debt_failed = !o->debt;
}

static void end(struct ticket *t, bool told)
{
	if (told)
		debt_paid(t->debt);
	else
		debt_leave(t->debt);
	ticket_free(t->out->u, t);
}

void owe_told(struct ticket *t)
{
	end(t, !t->failed);
}

/* A gap whose debt is paid when the hub has it. */
static void tell(struct conn *c, struct debt *d, const struct debt_text *t)
{
	struct ticket *k = ticket_new(c->out->u, TICKET_DEBT, c->out);
	uint64_t id = k ? k->id : 0;

	if (k)
		k->debt = d;
	else
		debt_leave(d);
	conn_say(c, LOG_WARN, "gap", t->why);
	line_gap(c, t->why, t->from, t->to, id);
	/* Nothing is on its way: the process ends. */
	k = k ? ticket_find(c->out->u, id) : NULL;
	if (k && !k->pending)
		end(k, false);
}

void owe_hooks(struct out *o)
{
	struct debt_text t = {.why = "the hub was behind for longer than requests are sent again for sure"};
	int64_t now = clock_wall();
	struct conn *own;

	if ((!o->debt && !o->debt_failed) || o->u->held || waits(o->own, o->late) || (o->nall && waits(o->conn[0], o->late)))
		return;
	own = o->refused && now - o->refused > o->platform->hooks_again ? conn_own(o) : NULL;
	if (own) {
		time_text(t.from, o->refused);
		time_text(t.to, now);
		tell(own, o->debt, &t);
	} else {
		debt_paid(o->debt);
	}
	o->debt = NULL;
	o->debt_failed = false;
	o->refused = 0;
	o->late = 0;
}

/* ---- what others left ---- */

/* Not told: what the other side still sends again for sure. */
static bool in_time(const struct out *o, const char *name, const struct debt_text *t)
{
	int64_t at;

	return strncmp(name, HOOKS, strlen(HOOKS)) == 0 && clock_parse(t->from, strlen(t->from), &at) == 0 &&
		clock_wall() - at <= o->platform->hooks_again;
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
	if (in_time(o, name, t)) {
		debt_paid(d);
		return;
	}
	if (!told.to[0])
		time_text(told.to, clock_wall());
	tell(c, d, &told);
}

static void on_look(void *arg)
{
	struct out *o = arg;
	bool held;

	if (debts_find(o->dir, found, o, &held))
		log_error("%s: %m; whether an earlier process left something is not known", o->dir);
	else if (held)
		owe_look(o, LOOK);
}

void owe_look(struct out *o, int64_t in)
{
	if (!o->look.due && loop_timer_in(o->u->loop, &o->look, in))
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
	o->debt = NULL;
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
