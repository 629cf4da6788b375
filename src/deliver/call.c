#include "deliver/call_impl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/http.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/oauth.h"
#include "deliver/text.h"

#define AGAIN_FIRST (500 * CLOCK_MS)
#define AGAIN_MAX (30 * CLOCK_S)
#define AGAIN_URGENT (100 * CLOCK_MS)	/* a first answer has three seconds */
#define AHEAD 4u			/* begun, a connection (dispatch.c) */
#define QUEUED_MAX (60 * CLOCK_S)	/* for a connection: others may have a slow platform's */
#define ANSWER_BYTES (256u << 10)
#define FIELDS_MAX 16

static bool urgent(const struct message *m)
{
	return m->say.form == FORM_CALLBACK || m->say.form == FORM_DEFER;
}

static struct place *find(const struct message *m, const char **why)
{
	return places_find(&m->c->places, m->say.tenant, m->say.platform, m->say.account, why);
}

static void set_form(struct message *m)
{
	if (m->say.kind == SAY_COMMAND)
		m->say.form = FORM_DEFER;
	else if (m->interaction)
		m->say.form = interaction_form(m->interaction);
	else
		m->say.form = *m->say.edit ? FORM_EDIT : FORM_CREATE;
}

unsigned call_needs(void *arg, struct item *i, struct need *to)
{
	struct message *m = (struct message *)i;
	struct courier *c = arg;
	const char *why;
	struct place *p = find(m, &why);
	unsigned n = 0;

	set_form(m);
	m->shut = NULL;
	/* What cannot be asked for needs nothing: its turn ends at once. */
	if (!p || p->stopped[0] || p->target->check(p->t, &m->say))
		return 0;
	shun_look(m, p);
	if (m->shut)
		return 0;
	to[n] = (struct need){.most = 0};
	snprintf(to[n++].name, NEED_NAME, "%s", p->up->name);
	if (!urgent(m)) {
		to[n] = (struct need){.most = AHEAD * c->conns};
		snprintf(to[n++].name, NEED_NAME, "to %.300s", p->up->name);
		to[n] = (struct need){.most = AHEAD * call_share(c->conns)};
		snprintf(to[n++].name, NEED_NAME, "of %s to %.200s", m->say.tenant, p->up->name);
		to[n] = (struct need){.most = call_share(COURIER_UNDER_WAY)};
		snprintf(to[n++].name, NEED_NAME, "of %s", m->say.tenant);
	}
	return n + p->target->needs(p->t, &m->say, to + n);
}

/* ---- its turn ---- */

void call_back(struct message *m, int64_t wait)
{
	int64_t now = clock_mono();

	m->under_way = false;
	queue_back(&m->c->queue, &m->item, now, now + wait);
}

/* Not worth a fault: it is only told when the message is given up. */
static void keep_why(struct message *m, const char *why)
{
	if (!why || (m->why && strcmp(m->why, why) == 0))
		return;
	free(m->why);
	m->why = strdup(why);
}

void call_later(struct message *m, int64_t wait, const char *why)
{
	struct backoff b = {.base = urgent(m) ? AGAIN_URGENT : AGAIN_FIRST, .max = AGAIN_MAX, .tries = m->tries < 16 ? m->tries : 16};
	int64_t own = backoff_next(&b, hash_random());

	m->tries++;
	keep_why(m, why);
	metric_add(m->c->metric[M_AGAIN], 1);
	m->not_before = wait ? clock_mono() + wait : 0;
	message_mark(m, MARK_STATE);
	call_back(m, wait > own ? wait : own);
}

/* The piece that goes out now. NULL, or why it cannot. */
static const char *cut(struct message *m, const struct target *t)
{
	struct say *s = &m->say;
	size_t left = s->ntext - m->from;

	if (s->kind == SAY_COMMAND)
		return NULL;
	if (!t->blank && text_blank(s->text + m->from, left))
		return "the text is empty";
	m->until = s->ntext;
	s->piece = s->text + m->from;
	s->npiece = left;
	if (!t->max_units || text_units(s->piece, left) <= t->max_units)
		return NULL;
	if (!s->split || *s->edit)
		return "the text is longer than the platform takes (data.split = true parts it)";
	m->until = m->from;
	s->npiece = text_piece(s->text, s->ntext, t->max_units, &m->until, &s->piece);
	return NULL;
}

static void begin(struct message *m)
{
	if (!m->begun)
		m->begun = clock_wall();
	say_nonce(&m->say, m->part);
	message_mark(m, MARK_STATE | MARK_SEND);
}

static void on_token(void *arg, const struct oauth_token *t)
{
	struct message *m = arg;

	m->wait = NULL;
	if (t->text) {
		free(m->token);
		m->token = strdup(t->text);
		if (m->token)
			begin(m);
		else
			call_later(m, CLOCK_S, NULL);
	} else if (t->final) {
		stop_place(m->c, m->place, "credentials", t->error);
		stop_message(m, m->place, "");
	} else {
		call_later(m, t->again, t->error);
	}
}

static enum act act_when_lost(const struct message *m, const struct place *p)
{
	return rule_act(R_LOST, p->target->repeat(p->t, &m->say), clock_wall() - m->begun);
}

/* Is it too late for this answer to an interaction? */
static bool too_late(const struct message *m)
{
	int64_t age = m->interaction ? clock_wall() - m->interaction->at : 0;

	return (m->interaction && m->interaction->state == INTERACTION_OVER) || age > INTERACTION_LIFE || (m->say.form == FORM_DEFER && age > INTERACTION_FIRST);
}

void call_begin(struct message *m)
{
	const char *why;
	struct place *p = find(m, &why);

	m->under_way = true;
	/* Of the try before: given back here and not when that ended, which a callback of its own may have told. */
	place_free(&m->c->places, m->place);
	m->place = NULL;
	set_form(m);
	if (!p) {
		message_failed(m, "account", "", "%s", why);
	} else if (p->stopped[0]) {
		stop_message(m, p, "");
	} else if ((why = p->target->check(p->t, &m->say)) || (why = cut(m, p->target))) {
		message_failed(m, "invalid", "", "%s", why);
	} else if (m->shut) {
		shun_fail(m);
	} else if (m->late <= clock_mono()) {
		message_too_late(m);
	} else if (too_late(m)) {
		message_failed(m, "late", "", "the interaction cannot be answered any more");
	} else if (p->held > clock_mono() && !urgent(m)) {
		call_back(m, p->held - clock_mono());
	} else if (m->not_before > clock_mono()) {
		call_back(m, m->not_before - clock_mono());	/* an earlier process was told so */
	} else if (m->uncertain && act_when_lost(m, p) != ACT_AGAIN) {
		/* It has waited (a limit, a breaker) for longer than the platform would recognise it. */
		message_failed(m, "unknown", "", "a try had no answer, and it is too late to make another");
	} else {
		m->place = place_ref(p);
		shun_try(m, p);
		if (!p->target->oauth)
			begin(m);
		else if (!(m->wait = oauth_get(p->oauth, OAUTH_USER, m->refreshed ? m->token : NULL, on_token, m)))
			call_later(m, CLOCK_S, NULL);
	}
}

/* ---- the request ---- */

static void request_release(struct request *r)
{
	if (r->fields.p)
		explicit_bzero(r->fields.p, r->fields.len);
	buf_release(&r->fields);
	buf_release(&r->url);
	buf_release(&r->body);
}

static int start(struct message *m, struct request *r)
{
	const char *fields[FIELDS_MAX + 1];
	struct http_request h = {.method = r->method, .headers = fields, .timeout = r->timeout, .max_answer = ANSWER_BYTES,
		.wait = urgent(m) ? 0 : QUEUED_MAX};
	size_t n = 0;

	if (r->token != TOKEN_NONE && request_field(r, "Authorization: Bearer %s", m->token ? m->token : ""))
		return -1;
	for (const char *p = r->fields.p; p < r->fields.p + r->fields.len && n < FIELDS_MAX; p += strlen(p) + 1)
		fields[n++] = p;
	fields[n] = NULL;
	h.url = buf_cstr(&r->url);
	h.body = buf_cstr(&r->body);
	h.nbody = r->body.len;
	h.flags = r->public_only ? HTTP_PUBLIC : 0;
	if (!h.url || !h.body)
		return -1;
	m->call = http_start(m->place->http ? m->place->http : urgent(m) ? m->c->urgent : m->c->http, &h, call_answered, m);
	m->asked = clock_mono();
	return m->call ? 0 : -1;
}

void call_send(struct message *m)
{
	if (urgent(m))
		call_start(m);
	else
		dispatch_add(m);
}

void call_start(struct message *m)
{
	struct request r = {.method = "POST"};
	int rc;

	if (m->place->stopped[0]) {
		dispatch_off(m);
		if (!m->uncertain)
			m->begun = 0;
		stop_message(m, m->place, "");
		return;
	}
	buf_init(&r.url, 16384);
	buf_init(&r.fields, 16384);
	buf_init(&r.body, 8 * LINE_MAX_BYTES);
	errno = ENOMEM;
	rc = m->place->target->request(m->place->t, &m->say, &r) ? -1 : start(m, &r);
	if (rc == 0) {
		metric_add(m->c->metric[M_REQUESTS], 1);
	} else {
		bool invalid = errno == EINVAL;

		dispatch_off(m);
		if (!m->uncertain)
			m->begun = 0;
		if (invalid)
			message_failed(m, "invalid", "", "the account's address is no URL");
		else
			call_later(m, CLOCK_S, NULL);
	}
	request_release(&r);
}

static bool sent(const struct message *m)
{
	return m->call && http_sent(m->call);
}

bool call_repeatable(const struct message *m)
{
	return !sent(m) || act_when_lost(m, m->place) == ACT_AGAIN;
}

void call_cancel(struct message *m)
{
	if (!sent(m) && !m->uncertain)
		m->begun = 0;
	message_mark(m, MARK_STATE);
	dispatch_off(m);
	if (m->call)
		http_cancel(m->call);
	if (m->wait)
		oauth_cancel(m->wait);
	m->call = NULL;
	m->wait = NULL;
	call_back(m, 0);
}

/* ---- after a restart ---- */

void call_resume(struct message *m)
{
	const char *why;
	struct place *p = find(m, &why);

	m->uncertain = true;
	if (m->say.kind == SAY_COMMAND) {
		message_wait(m);	/* it is too late to try again, but the state has to be known */
		if (m->interaction && m->interaction->state == INTERACTION_NEW)
			interaction_changed(m->c, m->interaction, INTERACTION_TRIED);
		return;
	}
	if (!p) {
		message_failed(m, "unknown", "", "deliver was stopped before the answer came, and %s", why);
		return;
	}
	if (act_when_lost(m, p) == ACT_AGAIN)
		message_wait(m);
	else
		message_failed(m, "unknown", "", "deliver was stopped before the answer came; nobody knows whether it was said, and it is not said twice");
}
