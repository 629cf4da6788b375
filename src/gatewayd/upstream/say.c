/*
 * message.send of the hub's destination for platforms that are written to over their connection. A line is done when the platform has said it and
 * the hub keeps the message.sent (or message.failed) that tells so; an account that is not up here is refused for now. What goes out is
 * written down first (said.h): a line that the hub gives again is not said again, its outcome is told again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "base/utf8.h"
#include "gatewayd/metrics.h"
#include "gatewayd/upstream/impl.h"
#include "gatewayd/upstream/said.h"
#include "line/envelope.h"
#include "line/id.h"
#include "line/line.h"
#include "line/writer.h"
#include "link/link.h"

#define STAGE "gatewayd"
#define TAKE 64u

struct say_batch {
	struct batch *b;
	uint32_t left;			/* lines without an outcome */
	struct refusal *refused;
	char (*why)[REASON];		/* of refused[i] */
	size_t nrefused;
	struct say_batch *prev, *next;
};

static void batch_free(struct say_batch *s)
{
	free(s->refused);
	free(s->why);
	free(s);
}

/* ---- outcomes ---- */

static void line_over(struct upstream *u, struct say_batch *s)
{
	if (--s->left)
		return;
	if (s->prev)
		s->prev->next = s->next;
	else
		u->batches = s->next;
	if (s->next)
		s->next->prev = s->prev;
	link_take_done(u->take, s->b, s->refused, s->nrefused);
	batch_free(s);
}

static void refuse(struct upstream *u, struct say_batch *s, uint32_t at, bool retry, const char *why)
{
	size_t k = s->nrefused++;

	snprintf(s->why[k], REASON, "%s", why);
	utf8_cut(s->why[k]);
	s->refused[k] = (struct refusal){.n = at + 1, .retry = retry, .error = s->why[k], .retry_after = retry ? 1000 : 0};
	line_over(u, s);
}

static const char *line_at(const struct batch *b, uint32_t at, size_t *n)
{
	const char *p = b->lines;

	while (at--)
		p = (const char *)memchr(p, '\n', b->len - (size_t)(p - b->lines)) + 1;
	*n = (size_t)((const char *)memchr(p, '\n', b->len - (size_t)(p - b->lines)) - p);
	return p;
}

/* message.sent (text is the platform's number), or message.failed (cause is a word of deliver(8), text says why), made of its cause. */
static void report(struct out *o, struct ticket *t, const char *cause, const char *said)
{
	char text[SAID_TEXT + 1];
	struct upstream *u = o->u;
	struct envelope e;
	struct line_err err;
	struct writer w;
	char when[CLOCK_RFC3339_MAX];
	struct span data;
	size_t n;
	const char *line = line_at(t->batch->b, t->at, &n);

	if (scan_lazy(line, n, &e))
		return;
	data = e.a[LA_DATA];
	snprintf(text, sizeof(text), "%s", said);
	utf8_cut(text);
	clock_rfc3339(when, clock_wall());
	buf_clear(&u->text);
	writer_begin(&w, &u->text, LINE_MAX_BYTES);
	writer_attr(&w, "specversion", "1.0");
	id_derive(&w, &e, STAGE, 0);
	writer_attr(&w, "type", cause ? "message.failed" : "message.sent");
	writer_attr(&w, "time", when);
	id_inherit(&w, &e, STAGE, 0);
	writer_open(&w, "data");
	writer_str(&w, "platform", o->platform->name, strlen(o->platform->name));
	writer_str(&w, "account", account_name(o->account), strlen(account_name(o->account)));
	writer_value(&w, "channel", scan_member(data, "channel"));
	writer_value(&w, "reply_to", scan_member(data, "reply_to"));
	if (cause) {
		writer_str(&w, "error", text, strlen(text));
		writer_str(&w, "cause", cause, strlen(cause));
	} else {
		writer_str(&w, "message_id", text, strlen(text));
	}
	writer_close(&w);
	if (writer_end(&w, &err))
		log_error("%s: the outcome of a message cannot be told: %s", account_file(o->account), err.why);
	else
		line_add(o->conn[0], u->text.p, u->text.len, o->conn[0]->mark, t->id, true);
}

/* What perhaps was said is said once more? */
static bool unknown_again(const struct out *o)
{
	return strcmp(account_get(o->account, "send-unknown", "never"), "again") == 0;
}

bool say_ticket_done(struct upstream *u, struct ticket *t)
{
	struct say_batch *s = t->batch;

	if (!t->said)
		return false;
	/* The line is given again then, and its outcome found and told again. */
	if (s && t->failed)
		refuse(u, s, t->at, true, "the hub did not keep the outcome");
	else if (s)
		line_over(u, s);
	ticket_free(u, t);
	return true;
}

bool out_saying(struct out *o, uint64_t ticket)
{
	struct ticket *t = ticket_find(o->u, ticket);

	if (!t || t->kind != TICKET_SAY || t->said || said_begin(o->said, &t->key))
		return false;
	t->begun = true;
	return true;
}

static const char *const causes[] = {[SAID_DONE] = NULL, [SAID_LATER] = NULL, [SAID_REFUSED] = "refused", [SAID_INVALID] = "invalid",
	[SAID_UNKNOWN] = "unknown"};

void out_said(struct out *o, uint64_t ticket, enum said_as as, const char *text)
{
	struct ticket *t = ticket_find(o->u, ticket);

	if (!t || t->kind != TICKET_SAY || t->said)
		return;
	t->said = true;
	if (as == SAID_UNKNOWN && unknown_again(o))
		as = SAID_LATER;
	if (t->begun)
		said_end(o->said, &t->key, as == SAID_DONE ? SAID_YES : as == SAID_LATER ? SAID_NEW : SAID_FAILED, causes[as], text);
	if (as == SAID_LATER && t->batch) {
		refuse(o->u, t->batch, t->at, true, text);
		t->batch = NULL;
	} else if (t->batch) {
		if (as == SAID_DONE)
			metric_add(metrics[M_SAID], 1);
		report(o, t, causes[as], text);
	}
	if (!t->busy && !t->pending)
		say_ticket_done(o->u, t);
}

/* ---- lines ---- */

/* The tenant's only account of the platform. */
static struct out *only_one(struct upstream *u, const char *tenant, const char *platform)
{
	struct out *found = NULL;

	for (struct out *o = u->first; o; o = o->next) {
		if (o->stopping || strcmp(tenant, account_tenant(o->account)) != 0 || strcmp(platform, o->platform->name) != 0)
			continue;
		if (found)
			return NULL;
		found = o;
	}
	return found;
}

static struct out *account_of(struct upstream *u, const char *line, size_t n, const char **why)
{
	struct envelope e;
	char tenant[TENANT_MAX + 1], name[TENANT_MAX + 1], platform[32];
	struct span data;
	struct out *o;

	*why = "the line is no message.send";
	if (scan_lazy(line, n, &e) || !scan_is(e.a[LA_TYPE], "message.send"))
		return NULL;
	data = e.a[LA_DATA];
	envelope_tenant(&e, tenant);
	if (scan_cstr(scan_member(data, "platform"), platform, sizeof(platform)) < 0)
		*platform = '\0';
	if (scan_member(data, "account").p) {
		*why = "there is no such account";
		o = scan_cstr(scan_member(data, "account"), name, sizeof(name)) < 0 ? NULL :
			upstream_find(u, tenant, strlen(tenant), name, strlen(name));
	} else {
		*why = "data.account does not say over which account, and there is not just one";
		o = only_one(u, tenant, platform);
	}
	if (!o)
		return NULL;
	*why = "the account is of another platform";
	if (*platform && strcmp(platform, o->platform->name) != 0)
		return NULL;
	*why = "this platform is not written to over its connection";
	return o->platform->say ? o : NULL;
}

/* The line came before: its outcome is told again. Only to be asked while the account's connection is ours. */
static bool known(struct out *o, struct ticket *t, const char *line, size_t n)
{
	struct said_answer a;
	struct envelope e;

	scan_lazy(line, n, &e);		/* account_of did it */
	said_key(&e, account_tenant(o->account), &t->key);
	if ((!o->said && !(o->said = said_open(o->dir))) || said_find(o->said, &t->key, &a)) {
		out_said(o, t->id, SAID_LATER, "the gateway cannot find out whether it was said before");
		return true;
	}
	switch (a.state) {
	case SAID_NEW:
		return false;
	case SAID_HERE:
		out_said(o, t->id, SAID_LATER, "it is being said");
		return true;
	case SAID_PERHAPS:
		if (unknown_again(o))
			return false;
		log_warn("%s: a message was perhaps said before this process began, and is not said again", account_file(o->account));
		a.cause = "unknown";
		a.text = "the gateway ended before the platform answered; it may have been said";
		said_end(o->said, &t->key, SAID_FAILED, a.cause, a.text);
		break;
	case SAID_YES:
	case SAID_FAILED:
		break;
	}
	t->said = true;
	report(o, t, a.state == SAID_YES ? NULL : a.cause, a.text);
	return true;
}

static void say_line(struct upstream *u, struct say_batch *s, uint32_t at, const char *line, size_t n)
{
	const char *why;
	struct out *o = account_of(u, line, n, &why);
	struct ticket *t;

	if (!o) {
		refuse(u, s, at, false, why);
		return;
	}
	if (u->draining || !o->n || o->conn[0]->state != LIFE_LIVE) {
		refuse(u, s, at, true, "the account's connection is not up here");
		return;
	}
	t = ticket_new(u, TICKET_SAY, o);
	if (!t) {
		refuse(u, s, at, true, "no memory");
		return;
	}
	t->batch = s;
	t->at = at;
	t->busy = true;
	if (!known(o, t, line, n))
		o->platform->say(o->p, line, n, t->id, clock_mono());
	t->busy = false;
	if (t->said && !t->pending)
		say_ticket_done(u, t);
}

static void on_batch(void *arg, struct batch *b)
{
	struct upstream *u = arg;
	struct say_batch *s = calloc(1, sizeof(*s));

	if (s) {
		s->refused = calloc(b->n, sizeof(*s->refused));
		s->why = calloc(b->n, sizeof(*s->why));
	}
	if (!s || !s->refused || !s->why)
		die(1, "out of memory");
	s->b = b;
	s->left = b->n + 1;
	s->next = u->batches;
	if (s->next)
		s->next->prev = s;
	u->batches = s;
	for (uint32_t i = 0; i < b->n; i++) {
		size_t n;
		const char *line = line_at(b, i, &n);

		say_line(u, s, i, line, n);
	}
	line_over(u, s);
}

/* ---- life ---- */

int say_open(struct upstream *u)
{
	struct link_opts o = {.take = TAKE};

	if (!u->opts.say)
		return 0;
	u->take = link_take_open(u->loop, u->opts.say, &o, on_batch, NULL, u);
	return u->take ? 0 : -1;
}

void say_stop(struct upstream *u, struct out *o)
{
	for (size_t i = 0; i < TICKET_SLOTS; i++)
		for (struct ticket *t = u->tickets[i], *next; t; t = next) {
			next = t->next;
			if (t->kind != TICKET_SAY || t->out != o || t->said)
				continue;
			if (t->begun)
				said_end(o->said, &t->key, SAID_PERHAPS, "", "");
			if (t->batch)
				refuse(u, t->batch, t->at, true, "the account was closed");
			ticket_free(u, t);
		}
}

bool say_idle(const struct upstream *u)
{
	return !u->batches;
}

void say_close(struct upstream *u)
{
	/* What has no outcome is given to another worker by the hub. */
	if (u->take)
		link_take_close(u->take);
	u->take = NULL;
	for (size_t i = 0; i < TICKET_SLOTS; i++)
		for (struct ticket *t = u->tickets[i], *next; t; t = next) {
			next = t->next;
			if (t->kind == TICKET_SAY)
				ticket_free(u, t);
		}
	while (u->batches) {
		struct say_batch *s = u->batches;

		u->batches = s->next;
		batch_free(s);
	}
}
