/* What follows from an answer: for the message, and for others that go the same way. */
#include "deliver/call_impl.h"

#include <string.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/http.h"
#include "base/log.h"
#include "base/metric.h"

/* A platform bans an address for too many of them. */
static void count_refusal(struct message *m, int64_t now)
{
	struct place *p = m->place;
	struct upstream *up = p->up;
	int64_t wait = refusals_add(&p->refusals, REFUSALS_ONE, now);

	ledger_refused(m->c, p);
	if (wait) {
		log_error("%s: %u answers 401, 403 and 429 in ten minutes: nothing is said with it for %lld s", account_file(p->account), p->refusals.sum,
			(long long)(wait / CLOCK_S));
		p->held = now + wait;
	}
	wait = refusals_add(&up->refusals, REFUSALS_MAX, now);
	if (wait) {
		log_error("%s: %u answers 401, 403 and 429 in ten minutes: nothing is sent for %lld s", up->name + 3, up->refusals.sum,
			(long long)(wait / CLOCK_S));
		queue_close(&m->c->queue, up->name, wait, false, now);
	}
}

/* What concerns others, too: the breaker, the refusals a platform bans for, its limits. */
static void tell_queue(struct message *m, enum result r, const struct verdict *v)
{
	struct queue *q = &m->c->queue;
	struct upstream *up = m->place->up;
	int64_t now = clock_mono(), wait = 0;

	if (r == R_UNREACHED || r == R_LOST || r == R_BROKEN) {
		wait = breaker_failed(&up->breaker, m->asked, now, hash_random());
		if (wait) {
			log_warn("%s: in trouble: left alone for %lld ms", up->name + 3, (long long)(wait / CLOCK_MS));
			metric_add(m->c->metric[M_TRIPPED], 1);
			queue_close(q, up->name, wait, true, now);
		}
	} else if (r != R_PRIVATE) {
		breaker_worked(&up->breaker);
		queue_open(q, up->name, now);
	}
	stop_rest(m, r, v);
	shun_answer(m, r, v);
	if (v->counts)
		count_refusal(m, now);
	if (r == R_LIMITED && v->everybody) {
		log_warn("%s: everybody has to wait for %lld ms", up->name + 3, (long long)(v->wait / CLOCK_MS));
		ledger_closed(m->c, up->name, v->wait);
	}
	if (r == R_LIMITED && v->closed[0])
		ledger_closed(m->c, v->closed, v->wait);
	for (unsigned i = 0; i < v->ntold; i++)
		queue_told(q, v->told[i].name, v->told[i].left, v->told[i].limit, v->told[i].reset, now);
}

static void said(struct message *m, const struct verdict *v)
{
	if (m->interaction)
		interaction_changed(m->c, m->interaction, interaction_after(m->interaction->state, m->say.form));
	if (m->say.kind == SAY_MESSAGE && (*v->id || m->part) && buf_add(&m->ids, v->id, strlen(v->id) + 1))
		log_warn("no memory for the number of a message");
	m->from = m->until;
	m->part++;
	m->tries = 0;
	m->begun = 0;
	m->uncertain = m->refreshed = false;
	if (m->say.kind == SAY_COMMAND || m->from >= m->say.ntext) {
		message_sent(m);
		return;
	}
	message_mark(m, MARK_STATE);
	call_back(m, 0);
}

/* The interaction was answered already, or is not in the state we took it for. */
static void other_form(struct message *m, enum result r, const struct verdict *v)
{
	struct interaction *i = m->interaction;

	if (i && r == R_ANSWERED && m->uncertain) {
		/* It was us: the try before had no answer. */
		said(m, v);
	} else if (i && r == R_ANSWERED && m->say.kind == SAY_MESSAGE && i->state == INTERACTION_TRIED) {
		interaction_changed(m->c, i, INTERACTION_DEFERRED);
		call_later(m, 0, v->text);
	} else if (i && r == R_NOT_THAT_WAY && i->state == INTERACTION_DEFERRED) {
		interaction_changed(m->c, i, INTERACTION_NEW);
		call_later(m, 0, v->text);
	} else {
		message_failed(m, r == R_ANSWERED ? "answered" : "refused", v->code, "%s", v->text);
	}
}

static void credentials(struct message *m, const struct verdict *v)
{
	if (m->place->oauth && !m->refreshed) {
		m->refreshed = true;
		message_mark(m, MARK_STATE);
		call_back(m, 0);
		return;
	}
	stop_place(m->c, m->place, "credentials", "the platform refuses its token (401)");
	stop_message(m, m->place, v->code);
}

static void judge(struct message *m, enum result r, const struct verdict *v)
{
	enum repeat repeat = m->place->target->repeat(m->place->t, &m->say);
	enum act act = rule_act(r, repeat, m->begun ? clock_wall() - m->begun : 0);

	if (r == R_LOST || r == R_BROKEN)
		m->uncertain = true;
	else if (!m->uncertain)
		m->begun = 0;
	if (m->say.kind == SAY_COMMAND && act != ACT_SAID && r != R_ANSWERED && m->interaction && m->uncertain &&
	    m->interaction->state == INTERACTION_NEW)
		interaction_changed(m->c, m->interaction, INTERACTION_TRIED);
	switch (act) {
	case ACT_SAID:
		said(m, v);
		break;
	case ACT_AGAIN:
		call_later(m, v->wait, v->text);
		break;
	case ACT_FAIL:
		if (v->over && m->interaction)
			interaction_changed(m->c, m->interaction, INTERACTION_OVER);
		message_failed(m, rule_cause(r), v->code, "%s", v->text);
		break;
	case ACT_UNKNOWN:
		message_failed(m, "unknown", v->code, "nobody knows whether it was said, and it is not said twice: %s", v->text);
		break;
	case ACT_CREDENTIALS:
		credentials(m, v);
		break;
	case ACT_FORM:
		other_form(m, r, v);
		break;
	case ACT_STOP:
		stop_place(m->c, m->place, PLACE_GONE, v->text);
		stop_message(m, m->place, v->code);
		break;
	}
}

static const char *field(const void *arg, const char *name)
{
	return http_header(arg, name);
}

void call_answered(void *arg, const struct http_answer *h)
{
	struct message *m = arg;
	struct verdict v = {.kind = REFUSED};
	struct answer a = {.status = h->status, .body = h->body, .nbody = h->nbody, .field = field, .arg = h, .wall = clock_wall()};
	enum result r;

	struct upstream *up = m->place->up;

	m->call = NULL;
	dispatch_off(m);
	if (h->status) {
		m->place->target->answer(m->place->t, &m->say, &a, &v);
		r = (enum result)v.kind;
	} else {
		verdict_text(&v, "%s", h->error);
		r = h->refused ? R_PRIVATE : h->sent ? R_LOST : R_UNREACHED;
	}
	if (h->status == 429)
		metric_add(m->c->metric[M_LIMITED], 1);
	log_debug("%s %s: %d %s", m->say.platform, m->say.channel, h->status, v.text);
	tell_queue(m, r, &v);
	judge(m, r, &v);
	dispatch_go(m->c, up);
}
