/* From the outbox into memory: what an earlier process left, and what was left outside until there was room. */
#include "deliver/courier.h"

#include "base/clock.h"
#include "base/log.h"

#define WAIT_MAX (86400 * CLOCK_S)	/* no target tells more */
#define FETCH_ROUND 64u		/* a round: others wait meanwhile */

static int load_interaction(void *arg, const char *name, int state, int64_t at)
{
	struct courier *c = arg;
	struct interaction *i = interactions_get(&c->interactions, name, at);

	if (!i || state < INTERACTION_NEW || state > INTERACTION_OVER)
		return i ? 0 : -1;
	i->state = state;
	return 0;
}

/* Of the start: there are more than there is room for. */
static bool outside(struct message *m)
{
	struct courier *c = m->c;

	return !c->fetching && message_may_spill(m) && m->part == 0 && spill_must(&c->spill, m->say.tenant, courier_full(c)) &&
		spill_coming(&c->spill, m->say.tenant) == 0 && spill_add(&c->spill, m->say.tenant, m->say.key, m->seq) == 0;
}

static int load_message(void *arg, const struct entry *e, const char *line, size_t n)
{
	struct courier *c = arg;
	struct line_err err;
	struct message *m = message_new(c, line, n, e->taken, &err);

	/* A line that cannot be read, in an outbox that is damaged or was written to by hand: it holds up nobody, and stays where it is. */
	if (!m && err.why != message_no_memory) {
		log_error("outbox: message %lld cannot be read (%s): it is left there, SELECT line FROM message WHERE seq = %lld", (long long)e->seq,
			err.why, (long long)e->seq);
		return 0;
	}
	if (!m) {
		log_error("outbox: message %lld: %s", (long long)e->seq, err.why);
		return -1;
	}
	m->seq = e->seq;
	if (e->due)
		m->not_before = clock_mono() + (e->due - clock_wall() < WAIT_MAX ? e->due - clock_wall() : WAIT_MAX);
	m->begun = e->begun;
	m->part = (unsigned)e->part;
	m->from = (size_t)e->from <= m->say.ntext ? (size_t)e->from : m->say.ntext;
	m->say.form = e->form >= 0 && e->form < FORM_COUNT ? (enum form)e->form : FORM_CREATE;
	if (e->nids && buf_add(&m->ids, e->ids, e->nids))
		return -1;
	if (e->outcome) {
		if (buf_add(&m->outcome, e->outcome, e->noutcome))
			return -1;
		message_told(m);
	} else if (m->begun) {
		call_resume(m);
	} else if (outside(m)) {
		message_free(m);
	} else if (m->late <= clock_mono()) {
		message_too_late(m);
	} else {
		message_wait(m);
	}
	return 0;
}

int fetch_all(struct courier *c)
{
	if (!c->outbox)
		return 0;
	if (ledger_load(c) || outbox_load_interactions(c->outbox, clock_wall() - INTERACTION_LIFE, load_interaction, c) || outbox_load(c->outbox, load_message, c))
		return -1;
	if (c->n + c->spill.n)
		log_info("%zu messages were in the outbox; %zu of them wait there for room", c->n + c->spill.n, c->spill.n);
	return 0;
}

void fetch_some(struct courier *c)
{
	const char *tenant;
	int64_t seq;

	for (unsigned i = 0; i < FETCH_ROUND && (seq = spill_next(&c->spill, courier_full(c), &tenant)); i++) {
		int rc;

		c->fetching = true;
		rc = outbox_one(c->outbox, seq, load_message, c);
		c->fetching = false;
		if (rc < 0) {
			/* It cannot be read now. */
			if (!c->again.due)
				loop_timer_in(c->loop, &c->again, CLOCK_S);
			return;
		}
		if (rc == 0)
			log_error("outbox: message %lld is not there any more", (long long)seq);
		spill_gone(&c->spill, tenant);
	}
}
