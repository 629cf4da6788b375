/* Lines to the hub, and what comes back of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "base/utf8.h"
#include "gatewayd/metrics.h"
#include "gatewayd/outlet.h"
#include "gatewayd/upstream/impl.h"
#include "line/line.h"
#include "line/writer.h"

#define PUMP_AGAIN (50 * CLOCK_MS)	/* the outlet had no room */
#define RETRY_AGAIN (500 * CLOCK_MS)	/* the hub refused for now */
#define PUMP_TURN 64u			/* lines of one connection before the next one has its turn */
#define TOUCH_EVERY (10 * CLOCK_S)

static void on_result(void *arg, uint32_t index, enum outcome what, const char *error);

/* ---- to the outlet ---- */

static void on_pump(void *arg)
{
	(void)arg;	/* the end of the round does it */
}

void line_init(struct upstream *u)
{
	u->pump = (struct loop_timer){.fn = on_pump, .arg = u};
}

static void ready_add(struct conn *c)
{
	struct upstream *u = c->out->u;

	if (c->in_ready)
		return;
	c->in_ready = true;
	c->ready_next = NULL;
	if (u->ready_last)
		u->ready_last->ready_next = c;
	else
		u->ready = c;
	u->ready_last = c;
}

static struct conn *ready_take(struct upstream *u)
{
	struct conn *c = u->ready;

	u->ready = c->ready_next;
	if (!u->ready)
		u->ready_last = NULL;
	c->in_ready = false;
	return c;
}

/* Up to `most` lines of c: false when the outlet has no room. */
static bool push(struct conn *c, unsigned most)
{
	struct upstream *u = c->out->u;

	while (c->next_wait && most) {
		struct item *i = c->next_wait;

		if (i->state == ITEM_WAITS) {
			if (u->sent >= u->opts.max_sent || outlet_room(u->outlet, 1, i->n) || outlet_add(u->outlet, i->line, i->n, on_result, i, 0))
				return false;
			i->state = ITEM_SENT;
			u->sent++;
			most--;
		}
		c->next_wait = i->next;
	}
	return true;
}

static void pump(struct upstream *u)
{
	while (u->ready) {
		struct conn *c = ready_take(u);
		bool room = push(c, PUMP_TURN);

		if (c->next_wait)
			ready_add(c);
		if (!room) {
			/* Results of what is under way make room; without any the timer does. */
			if (!u->sent && !u->pump.due && loop_timer_in(u->loop, &u->pump, PUMP_AGAIN))
				log_error("out of memory");
			return;
		}
	}
}

/* ---- too many ---- */

static void hold(struct upstream *u)
{
	bool held = u->held ? u->bytes > u->opts.max_held / 2 : u->bytes > u->opts.max_held;

	if (held == u->held)
		return;
	u->held = held;
	log_info(held ? "the hub is behind: platforms are not read until it has caught up" : "the hub has caught up: platforms are read again");
	for (struct out *o = u->first; o; o = o->next) {
		for (unsigned i = 0; i < o->nall; i++)
			sock_pause_all(o->conn[i]);
		owe_hooks(o);
	}
}

static void count(struct conn *c, size_t n, bool more)
{
	struct upstream *u = c->out->u;

	if (more) {
		c->bytes += n, c->nlines++;
		u->bytes += n, u->nlines++;
	} else {
		c->bytes -= n, c->nlines--;
		u->bytes -= n, u->nlines--;
	}
	metric_set(metrics[M_UPSTREAM_BYTES], u->bytes);
}

/* ---- what comes back ---- */

static void ack(struct conn *c, uint64_t mark)
{
	struct upstream *u = c->out->u;

	if (mark > c->acked)
		c->acked = mark;
	if (c->ack_due)
		return;
	c->ack_due = true;
	c->ack_next = u->acks;
	u->acks = c;
}

/* Takes what is kept off the head of the queue. */
static void pop(struct conn *c)
{
	while (c->first && c->first->state == ITEM_DONE) {
		struct item *i = c->first;

		c->first = i->next;
		if (!c->first)
			c->last = NULL;
		if (c->next_wait == i)
			c->next_wait = i->next;
		ack(c, i->mark);
		count(c, i->n, false);
		if (c->debt_last == i)
			owe_kept(c, true);
		free(i);
	}
	if (c->paused)
		sock_pause_all(c);
}

static void refused(struct conn *c, struct item *i, const char *error)
{
	const struct ticket *t = ticket_find(c->out->u, i->ticket);
	char reason[REASON];

	log_error("%s: the hub refused a line for good: %s", account_file(c->out->account), error ? error : "");
	if (i->ours || (t && t->kind == TICKET_SAY))
		return;
	snprintf(reason, sizeof(reason), "a line was refused by the hub: %s", error ? error : "");
	line_gateway(c, "gateway.gap", reason, 0, NULL, NULL);
}

static void on_result(void *arg, uint32_t index, enum outcome what, const char *error)
{
	struct item *i = arg;
	struct conn *c = i->conn;
	struct upstream *u = c->out->u;

	(void)index;
	u->sent--;
	if (what == OUT_RETRY) {
		i->state = ITEM_WAITS;
		c->next_wait = c->first;
		ready_add(c);
		if (!u->pump.due && loop_timer_in(u->loop, &u->pump, RETRY_AGAIN))
			log_error("out of memory");
		return;
	}
	i->state = ITEM_DONE;
	if (what == OUT_REFUSED)
		refused(c, i, error);
	if (i->ticket)
		ticket_line_done(u, i->ticket, what == OUT_DONE);
	pop(c);
	if (u->held)
		hold(u);
}

void line_round(struct upstream *u)
{
	int64_t now = clock_mono();
	struct conn *c;

	u->in_ack = true;
	while ((c = u->acks)) {
		struct out *o = c->out;

		u->acks = c->ack_next;
		c->ack_due = false;
		/* Without the lease the session is another's: nothing may be saved any more. */
		if (c->holds_lease && o->p)
			o->platform->acked(o->p, c->n, c->acked, now);
		if (c->holds_lease && now - c->touched >= TOUCH_EVERY)
			state_touch(c);
		owe_hooks(o);
		if (c->state == LIFE_DRAINING && !c->first) {
			u->in_ack = false;
			conn_drained(c);
			u->in_ack = true;
		}
		if (o->stopping)
			upstream_forget(o);
	}
	u->in_ack = false;
	/* A hub that refused for now is asked again when the timer has come. */
	if (!u->pump.due)
		pump(u);
}

void line_forget(struct conn *c)
{
	while (c->first) {
		struct item *i = c->first;

		c->first = i->next;
		count(c, i->n, false);
		free(i);
	}
	c->last = c->next_wait = NULL;
	c->debt_last = NULL;
}

/* ---- in ---- */

void line_add(struct conn *c, const char *line, size_t n, uint64_t mark, uint64_t ticket, bool ours)
{
	struct upstream *u = c->out->u;
	struct item *i;

	if (!u->outlet)
		return;		/* the process ends */
	if (n && line[n - 1] == '\n')
		n--;
	if (mark > c->mark)
		c->mark = mark;
	i = n && n <= LINE_MAX_BYTES && !memchr(line, '\n', n) ? malloc(sizeof(*i) + n) : NULL;
	if (!i) {
		log_error("%s: a line of %zu bytes cannot be taken", account_file(c->out->account), n);
		if (ticket)
			ticket_line(u, ticket), ticket_line_done(u, ticket, false);
		if (!ours)
			line_gateway(c, "gateway.gap", "a line could not be taken", 0, NULL, NULL);
		return;
	}
	*i = (struct item){.conn = c, .mark = c->mark, .ticket = ticket, .ours = ours, .n = (uint32_t)n};
	memcpy(i->line, line, n);
	if (c->last)
		c->last->next = i;
	else
		c->first = i;
	c->last = i;
	if (!c->next_wait)
		c->next_wait = i;
	count(c, n, true);
	if (ticket)
		ticket_line(u, ticket);
	if (u->ready || u->pump.due || !push(c, PUMP_TURN) || c->next_wait)
		ready_add(c);
	sock_pause_all(c);
	if (!u->held)
		hold(u);
}

static struct conn *of(struct out *o, unsigned conn)
{
	return conn == OUT_ACCOUNT ? conn_own(o) : conn < o->nall ? o->conn[conn] : NULL;
}

void out_line(struct out *o, unsigned conn, const char *line, size_t n, uint64_t mark, uint64_t ticket)
{
	struct conn *c = of(o, conn);

	if (!c) {
		log_error("%s: a line of a connection that was never asked for", account_file(o->account));
		return;
	}
	c->events++;
	metric_add(metrics[M_UPSTREAM_LINES], 1);
	line_add(c, line, n, mark, ticket, false);
}

void out_mark(struct out *o, unsigned conn, uint64_t mark)
{
	struct conn *c = of(o, conn);

	if (!c || mark <= c->mark)
		return;
	c->mark = mark;
	if (c->last)
		c->last->mark = mark;	/* with the line before it */
	else
		ack(c, mark);
}

/* ---- lines of our own ---- */

/* A reason may have been cut to fit, within a character: what it is the reason of is told all the same. */
static void str(struct writer *w, const char *name, const char *text)
{
	size_t n = text ? strlen(text) : 0;
	const char *bad = n ? utf8_bad(text, text + n) : NULL;

	if (n)
		writer_str(w, name, text, bad ? (size_t)(bad - text) : n);
}

static void of_ours(struct conn *c, const char *type, const char *reason, unsigned code, const char *from, const char *to, uint64_t ticket)
{
	struct out *o = c->out;
	struct upstream *u = o->u;
	const char *account = account_name(o->account), *platform = o->platform->name;
	char id[64], name[128], key[160], when[CLOCK_RFC3339_MAX];
	struct line_err err;
	struct writer w;

	snprintf(id, sizeof(id), "gw-%016llx-%llu", (unsigned long long)u->boot, (unsigned long long)++u->made);
	conn_name(c, name);
	snprintf(key, sizeof(key), "gateway:%s", name);
	clock_rfc3339(when, clock_wall());
	buf_clear(&u->text);
	writer_begin(&w, &u->text, LINE_MAX_BYTES);
	writer_attr(&w, "specversion", "1.0");
	writer_attr(&w, "id", id);
	writer_attr(&w, "source", account_source(o->account));
	writer_attr(&w, "type", type);
	writer_attr(&w, "time", when);
	writer_attr(&w, "tenant", account_tenant(o->account));
	writer_attr(&w, "partitionkey", key);
	writer_open(&w, "data");
	str(&w, "platform", platform);
	str(&w, "account", account);
	str(&w, "connection", name);
	str(&w, "reason", reason ? reason : NULL);
	if (code)
		writer_int(&w, "code", code);
	str(&w, "from", from);
	str(&w, "to", to);
	writer_close(&w);
	if (writer_end(&w, &err))
		log_error("%s: %s cannot be said: %s", account_file(o->account), type, err.why);
	else
		line_add(c, u->text.p, u->text.len, c->mark, ticket, true);
}

void line_gateway(struct conn *c, const char *type, const char *reason, unsigned code, const char *from, const char *to)
{
	of_ours(c, type, reason, code, from, to, 0);
}

void line_gap(struct conn *c, const char *reason, const char *from, const char *to, uint64_t ticket)
{
	of_ours(c, "gateway.gap", reason, 0, from, to, ticket);
}
