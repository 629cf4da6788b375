#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "gatewayd/platform/twitch_impl.h"
#include "line/line.h"

#define WEBSOCKET_MAX (TW_CONNS * TW_SUBS_CONN)

void tw_say(const struct twitch *p, enum log_level level, const char *fmt, ...)
{
	const struct log_ctx ctx = {.tenant = p->tenant};
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_about(level, &ctx, "twitch %s: %s", p->label, text);
}

/* ---- answers ---- */

static void answer(void *arg, unsigned call, const struct http_answer *a, int64_t now)
{
	struct twitch *p = arg;
	struct tw_call c = {CALL_NONE, 0, NULL};

	for (unsigned i = 0; i < TW_CALLS && !c.kind; i++)
		if (p->calls[i].kind && p->calls[i].id == call) {
			c = p->calls[i];
			p->calls[i] = (struct tw_call){CALL_NONE, 0, NULL};
		}
	switch (c.kind) {
	case CALL_LIST:
		tw_listed(p, a, now);
		break;
	case CALL_CREATE:
		tw_created(p, c.key, a, now);
		break;
	case CALL_DELETE:
		tw_deleted(p, c.key, a, now);
		break;
	case CALL_CONDUITS:
	case CALL_MAKE:
	case CALL_RESIZE:
	case CALL_ATTACH:
	case CALL_SHARDS:
		tw_conduit_answer(p, c.kind, a, now);
		break;
	case CALL_NONE:
		break;
	}
	free(c.key);
}

/* ---- the file of subscriptions ---- */

bool tw_sockets(const struct twitch *p)
{
	return p->conf.transport == TW_WEBSOCKET || (p->conf.transport == TW_CONDUIT && !*p->conf.callback);
}

bool tw_leads(const struct twitch *p)
{
	return p->conf.transport == TW_WEBSOCKET || (p->nconns && p->conns[0].held);
}

/* Each subscription of a plain socket gets one; those that have one keep it. */
static void spread(const struct twitch *p, struct subs *s)
{
	unsigned load[TW_CONNS] = {0};

	if (p->conf.transport != TW_WEBSOCKET)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].conn < TW_CONNS)
			load[s->v[i].conn]++;
	for (size_t i = 0; i < s->n; i++) {
		struct sub *x = &s->v[i];

		if (x->conn < TW_CONNS)
			continue;
		for (x->conn = 0; x->conn < TW_CONNS - 1 && load[x->conn] >= TW_SUBS_CONN; x->conn++)
			;
		load[x->conn]++;
	}
}

static int read_subs(const struct twitch *p, const struct account *a, const char *path, struct subs *to)
{
	if (subs_read(to, a, path))
		return -1;
	if (p->conf.transport == TW_WEBSOCKET && to->n > WEBSOCKET_MAX) {
		account_bad(a, "subscriptions", "%zu subscriptions; sockets of one user carry %u: more need transport = conduit or webhook",
			to->n, WEBSOCKET_MAX);
		subs_release(to);
		return -1;
	}
	for (size_t i = 0; i < to->n; i++)
		to->v[i].conn = p->conf.transport == TW_WEBSOCKET ? TW_CONNS : 0;
	return 0;
}

/* What was known of a subscription goes over to the new list; what nobody wants any more is deleted. */
static void take_over(struct twitch *p, struct subs *new)
{
	for (size_t i = 0; i < p->subs.n; i++) {
		struct sub *was = &p->subs.v[i], *is = subs_find(new, was->key);
		char *key;

		if (!is) {
			if (was->state == SUB_ASKED)
				tw_orphan(p, was->key);
			if (*was->id && (p->conf.transport != TW_CONDUIT || p->ours))
				tw_doom(p, was->id);
			continue;
		}
		key = is->key;
		*is = *was;
		is->key = key;
		was->said = NULL;
		if (is->state == SUB_REFUSED)
			tw_anew(p, is, is->said);
	}
	spread(p, new);
	subs_release(&p->subs);
	p->subs = *new;
	tw_missed_look(p);
	p->hint = 0;
	p->clean = true;
}

/* ---- connections ---- */

static unsigned wanted(const struct twitch *p)
{
	unsigned n = 0;

	if (!tw_sockets(p))
		return 1;
	if (p->conf.transport == TW_CONDUIT)
		return (unsigned)(p->conf.shards ? p->conf.shards : p->shards ? p->shards : 1);
	for (size_t i = 0; i < p->subs.n; i++)
		if (p->subs.v[i].conn >= n)
			n = p->subs.v[i].conn + 1;
	return n;
}

void tw_conn_forget(struct tw_conn *c)
{
	uint64_t mark = c->mark, kept = c->kept;

	memset(c, 0, sizeof(*c));
	c->mark = mark;
	c->kept = kept;
}

void tw_connections(struct twitch *p)
{
	unsigned n = wanted(p);
	struct tw_conn *v;

	if (n > TW_SHARDS_MAX) {
		tw_say(p, LOG_WARN, "the conduit has %u shards; %u are held", n, TW_SHARDS_MAX);
		n = TW_SHARDS_MAX;
	}
	for (unsigned i = n; i < p->nconns; i++)
		tw_conn_release(&p->conns[i]);
	v = n > p->nall ? reallocarray(p->conns, n, sizeof(*v)) : p->conns;
	if (n > p->nall && !v) {
		tw_say(p, LOG_ERROR, "out of memory");
		return;
	}
	p->conns = v;
	for (; p->nall < n; p->nall++)
		memset(&v[p->nall], 0, sizeof(*v));
	for (unsigned i = p->nconns; i < n; i++)
		tw_conn_forget(&v[i]);
	p->nconns = n;
	out_connections(p->out, n);
}

void tw_proved(struct twitch *p, int64_t now)
{
	(void)now;
	if (p->proved)
		return;
	p->proved = true;
	p->refused = false;
	p->error[0] = '\0';
	backoff_reset(&p->token_backoff);
	out_timer(p->out, OUT_ACCOUNT, TIMER_START, 0);
	tw_connections(p);
}

void tw_token_refused(struct twitch *p, const char *said, bool final, int64_t now)
{
	if (final)
		out_timer(p->out, OUT_ACCOUNT, TIMER_START, 0);
	else if (!p->refused)
		out_timer(p->out, OUT_ACCOUNT, TIMER_START, now + backoff_next(&p->token_backoff, out_random(p->out)));
	if (p->refused)
		return;
	p->refused = true;
	p->proved = false;
	snprintf(p->error, sizeof(p->error), "the token is refused: %.150s", said);
	tw_say(p, LOG_ERROR, "%s", p->error);
	/* Those that are live stay so as long as Twitch lets them: what they are subscribed to goes on. */
	for (unsigned i = 0; i < p->nconns; i++)
		if (p->conns[i].state == CONN_READY || p->conns[i].state == CONN_GREETING)
			tw_conn_lost(p, i, NEXT_STOP, 1000, p->error, 0);
}

static void begin(struct twitch *p, int64_t now)
{
	if (p->conf.transport == TW_CONDUIT)
		tw_conduit_start(p, now);
	else
		tw_list(p, now);
}

/* ---- the platform ---- */

static void close_(void *arg)
{
	struct twitch *p = arg;

	for (unsigned i = 0; i < TW_CALLS; i++)
		free(p->calls[i].key);
	for (unsigned i = 0; i < p->nconns; i++)
		tw_conn_release(&p->conns[i]);
	for (size_t i = 0; i < p->ndoomed; i++)
		free(p->doomed[i]);
	free(p->doomed);
	free(p->conns);
	free(p->heard);
	subs_release(&p->subs);
	tw_conf_release(&p->conf);
	buf_release(&p->line);
	buf_release(&p->text);
	buf_release(&p->flat);
	buf_release(&p->saved);
	buf_release(&p->known);
	buf_release(&p->lost);
	free(p);
}

static void *open_(const struct account *a, struct out *o)
{
	struct twitch *p = calloc(1, sizeof(*p));
	struct subs s;

	if (!p)
		return account_bad(a, "platform", "out of memory"), NULL;
	p->out = o;
	snprintf(p->tenant, sizeof(p->tenant), "%s", account_tenant(a));
	snprintf(p->name, sizeof(p->name), "%s", account_name(a));
	snprintf(p->source, sizeof(p->source), "/twitch/%s/%s", p->tenant, p->name);
	snprintf(p->label, sizeof(p->label), "%s/%s", p->tenant, p->name);
	p->backoff = (struct backoff){.base = 2 * CLOCK_S, .max = 120 * CLOCK_S};
	p->token_backoff = (struct backoff){.base = 10 * CLOCK_S, .max = 900 * CLOCK_S};
	p->clean = true;
	buf_init(&p->line, LINE_MAX_BYTES + 1);
	buf_init(&p->text, 4 * LINE_MAX_BYTES);
	buf_init(&p->flat, 4 * LINE_MAX_BYTES);
	buf_init(&p->saved, 64u << 10);
	buf_init(&p->known, 32u << 10);
	buf_init(&p->lost, 32u << 10);
	if (tw_conf_read(&p->conf, a)) {
		buf_release(&p->line);
		free(p);
		return NULL;
	}
	memcpy(p->conduit, p->conf.conduit, sizeof(p->conduit));
	p->ours = *p->conduit != '\0';
	if (p->conf.secret.len)
		out_hooks(o, TW_AWAY);
	if (read_subs(p, a, p->conf.subscriptions, &s)) {
		close_(p);
		return NULL;
	}
	take_over(p, &s);
	return p;
}

static void start(void *arg, int64_t now)
{
	begin(arg, now);
}

static bool reload(void *arg, const struct account *a, int64_t now)
{
	struct twitch *p = arg;
	struct tw_conf c;
	struct subs s;

	if (tw_conf_read(&c, a)) {
		tw_say(p, LOG_ERROR, "the account goes on as it was");
		return true;
	}
	if (!tw_conf_same(&c, &p->conf)) {
		tw_conf_release(&c);
		return false;
	}
	if (read_subs(p, a, c.subscriptions, &s)) {
		tw_say(p, LOG_ERROR, "the account goes on as it was");
		tw_conf_release(&c);
		return true;
	}
	tw_conf_release(&p->conf);
	p->conf = c;
	take_over(p, &s);
	/* The token may be another one. */
	p->refused = false;
	if (!p->proved || (p->conf.transport == TW_CONDUIT && !*p->conduit)) {
		begin(p, now);
		return true;
	}
	tw_connections(p);
	tw_list(p, now);
	return true;
}

static void token(void *arg, int kind, bool ok, int64_t now)
{
	struct twitch *p = arg;

	if (kind != (p->conf.transport == TW_WEBSOCKET ? OUT_TOKEN_USER : OUT_TOKEN_APP))
		return;
	if (!ok) {
		tw_token_refused(p, "a person has to authorise the bot again", true, now);
		return;
	}
	if (!p->refused && !p->proved)
		return;			/* the first one: what waits for it goes on by itself */
	p->refused = false;
	p->error[0] = '\0';
	tw_retry_refused(p);
	if (!p->proved) {
		begin(p, now);
		return;
	}
	tw_connections(p);
	tw_list(p, now);
}

static void due(void *arg, unsigned conn, unsigned timer, int64_t now)
{
	struct twitch *p = arg;

	if (conn != OUT_ACCOUNT) {
		tw_conn_due(p, conn, timer, now);
		return;
	}
	switch (timer) {
	case TIMER_PUMP:
		p->pause = 0;
		tw_pump(p, now);
		break;
	case TIMER_LIST:
		if (p->conf.transport == TW_CONDUIT) {
			tw_shards_ask(p, now);
			tw_shards_later(p, now);
		}
		tw_list(p, now);
		break;
	case TIMER_START:
		p->refused = false;
		begin(p, now);
		break;
	case TIMER_ATTACH:
		if (!tw_sockets(p) && tw_leads(p) && !p->hooked)
			tw_shards_ask(p, now);
		tw_conduit_pump(p, now);
		break;
	}
}

static void status(void *arg, struct buf *json)
{
	static const char *const words[] = {[TW_WEBSOCKET] = "websocket", [TW_WEBHOOK] = "webhook", [TW_CONDUIT] = "conduit"};
	struct twitch *p = arg;
	size_t before = json->len;

	if (buf_printf(json, "\"transport\":\"%s\",", words[p->conf.transport]) ||
	    (*p->error && (buf_adds(json, "\"error\":") || buf_add_json(json, p->error, strlen(p->error)) || buf_addc(json, ','))) ||
	    (p->conf.transport == TW_CONDUIT && (tw_conduit_status(p, json) || buf_addc(json, ','))) ||
	    (tw_leads(p) ? subs_status(&p->subs, p->conf.transport == TW_WEBSOCKET, json) :
	     buf_adds(json, "\"subscriptions\":\"looked after by the process that holds connection 0\"")))
		json->len = before;	/* no room: nothing rather than half of it */
}

const struct platform platform_twitch = {
	.name = "twitch", .words = tw_words, .open = open_, .close = close_, .start = start, .reload = reload, .dial = tw_dial,
	.opened = tw_opened, .frame = tw_frame, .gone = tw_gone, .due = due, .answer = answer, .acked = tw_acked, .drain = tw_drain,
	.hook = tw_hook, .status = status, .token = token,
};
