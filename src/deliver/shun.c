/*
 * Where a platform refuses us: what is for such a spot (spot.h) fails without being asked for, so that a flood of it costs its account neither the
 * refusals that it may make nor turns at its limits. What is known of spots is in the outbox, too: a process that is started again and again asks
 * no more often than one that lives; when an account's files have changed it is forgotten.
 */
#include "deliver/courier.h"

#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"

#define LABEL_BYTES 64			/* of a row's labels (base/metric.h) */

static unsigned names_of(const struct message *m, const struct place *p, char name[SPOTS_OF_ONE][SPOT_NAME])
{
	return p->target->spots ? p->target->spots(p->t, &m->say, name) : 0;
}

static int64_t ahead(void)
{
	return clock_wall() - clock_mono();
}

static void save(struct courier *c, const struct place *p, const struct spot *s)
{
	char who[NEED_NAME];
	unsigned char print[ACCOUNT_PRINT];

	ledger_name(p, who);
	account_print(p->account, print);
	/* A failure was logged; this process knows it. */
	outbox_spot(c->outbox, who, print, s, ahead());
}

/* ---- before it is asked for ---- */

void shun_look(struct message *m, struct place *p)
{
	char name[SPOTS_OF_ONE][SPOT_NAME];
	int64_t now = clock_mono(), wait;
	unsigned n = p->spots.n ? names_of(m, p, name) : 0;

	m->shut = NULL;
	/* What was perhaps carried out is better known for sure; and there is not more than one of it in a lane. */
	if (m->scout || m->uncertain)
		return;
	for (unsigned i = 0; i < n && !m->shut; i++) {
		struct spot *s = spots_find(&p->spots, name[i]);

		if (!s)
			continue;
		m->shut_until = spot_shut(s, now);
		if (!m->shut_until && s->streak && (wait = refusals_wait(&p->refusals, SHUN_SHARE, now)))
			m->shut_until = now + wait;
		if (m->shut_until)
			m->shut = s;
	}
}

void shun_fail(struct message *m)
{
	const struct spot *s = m->shut;
	uint32_t n = s->n > s->streak ? s->n : s->streak;
	char time[CLOCK_RFC3339_MAX];

	clock_rfc3339(time, m->shut_until + ahead());
	metric_add(m->c->metric[M_SPARED], 1);
	message_spared(m, "refused", s->code, "%s refused %u time%s (%s), next try at %s", s->name, n, n == 1 ? "" : "s", s->why, time);
}

void shun_try(struct message *m, struct place *p)
{
	char name[SPOTS_OF_ONE][SPOT_NAME];
	unsigned n = p->spots.n ? names_of(m, p, name) : 0;

	for (unsigned i = 0; i < n; i++) {
		struct spot *s = spots_find(&p->spots, name[i]);

		if (!s || !spot_tried(s, clock_mono()))
			continue;
		m->scout = true;
		save(m->c, p, s);
	}
}

/* ---- afterwards ---- */

static void refused(struct message *m, const struct verdict *v, char name[SPOTS_OF_ONE][SPOT_NAME], unsigned n)
{
	struct place *p = m->place;
	int64_t now = clock_mono();
	struct spot *own = spots_get(&p->spots, name[0]), *all = n > 1 ? spots_get(&p->spots, name[n - 1]) : own;
	bool shut = false, full;

	if (!own || !all)
		return;
	if (v->forbidden)
		shut = spot_streak(own, now, hash_random());
	full = spot_count(all, now);
	for (struct spot *s = own; s; s = s == all ? NULL : all) {
		snprintf(s->code, sizeof(s->code), "%s", v->code);
		snprintf(s->why, sizeof(s->why), "%s", v->text);
		save(m->c, p, s);
	}
	if (shut)
		log_warn("%s: %s refused %u times in a row (%s): what is for it fails at once, but for one message that tries it, first in %lld ms, then "
			"more and more seldom", account_file(p->account), own->name, SPOT_STREAK, v->text, (long long)((own->until - now) / CLOCK_MS));
	else if (full)
		log_warn("%s: %s refused %u times in ten minutes (%s): what is for it fails at once for %lld s", account_file(p->account), all->name,
			SPOT_MOST, v->text, (long long)((all->since + SPOT_TIME - now) / CLOCK_S));
	if (shut || full)
		shun_count(m->c);
}

static void worked(struct message *m, char name[SPOTS_OF_ONE][SPOT_NAME], unsigned n)
{
	struct place *p = m->place;

	m->scout = false;
	for (unsigned i = 0; i < n; i++) {
		struct spot *s = spots_find(&p->spots, name[i]);
		int was = s ? spot_opened(s) : 0;

		if (was)
			save(m->c, p, s);
		if (was == 2) {
			log_info("%s: %s takes messages again", account_file(p->account), s->name);
			shun_count(m->c);
		}
	}
}

void shun_answer(struct message *m, enum result r, const struct verdict *v)
{
	char name[SPOTS_OF_ONE][SPOT_NAME];
	bool no = r == R_REFUSED && (v->forbidden || v->counts), yes = r == R_SAID && m->place->spots.n;
	unsigned n = no || yes ? names_of(m, m->place, name) : 0;

	if (n && no)
		refused(m, v, name, n);
	else if (n)
		worked(m, name, n);
}

/* ---- over a restart, and as time goes ---- */

/* Whose it is, and its files are the same. */
static struct place *place_of(struct courier *c, const char *who, const unsigned char print[ACCOUNT_PRINT])
{
	char tenant[NEED_NAME], *name;
	unsigned char now[ACCOUNT_PRINT];
	struct place *p;

	if (strncmp(who, LEDGER_ACCOUNT, strlen(LEDGER_ACCOUNT)) != 0)
		return NULL;
	snprintf(tenant, sizeof(tenant), "%s", who + strlen(LEDGER_ACCOUNT));
	name = strchr(tenant, '/');
	if (!name)
		return NULL;
	*name++ = '\0';
	p = places_named(&c->places, tenant, name);
	if (p)
		account_print(p->account, now);
	return p && memcmp(now, print, ACCOUNT_PRINT) == 0 ? p : NULL;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void load(void *arg, const char *who, const unsigned char print[ACCOUNT_PRINT], const struct spot *from)
{
	struct place *p = place_of(arg, who, print);
	struct spot *s = p ? spots_get(&p->spots, from->name) : NULL, *chain;
	int64_t now = clock_mono();

	if (!s)
		return;
	chain = s->chain;
	*s = *from;
	s->chain = chain;
	s->tries = from->tries < SPOT_TRIES ? from->tries : SPOT_TRIES;
	/* A clock that was set back shuts nothing for ever. */
	s->until = earlier(from->until, now + SPOT_PAUSE_MAX);
	s->since = earlier(from->since, now);
	s->at = earlier(from->at, now);
}

int shun_load(struct courier *c)
{
	int rc;

	/* A process that stood by knows what was; the other one wrote what is. */
	for (size_t i = 0; i < c->places.n; i++)
		spots_release(&c->places.v[i]->spots);
	rc = outbox_load_spots(c->outbox, clock_wall(), ahead(), load, c);
	shun_count(c);
	return rc;
}

void shun_soon(struct courier *c)
{
	for (size_t i = 0; i < c->places.n; i++)
		spots_soon(&c->places.v[i]->spots);
}

void shun_sweep(struct courier *c)
{
	for (size_t i = 0; i < c->places.n; i++)
		spots_sweep(&c->places.v[i]->spots, clock_mono());
	shun_count(c);
}

/* How many refuse an account, for penstock status; as stop.c names those that are stopped. */
static void count_it(struct courier *c, const struct place *p, unsigned n)
{
	char label[LABEL_BYTES];
	uint64_t *cell;

	if (c->nrefusing == REFUSING_ROWS || snprintf(label, sizeof(label), "account=\"%s/%s\"", account_tenant(p->account),
	    account_name(p->account)) >= (int)sizeof(label))
		return;
	cell = stop_metric_row("deliver_refusing", label, "channels that refuse what is said with this account");
	if (!cell)
		return;
	metric_set(cell, n);
	c->refusing[c->nrefusing++] = cell;
}

void shun_count(struct courier *c)
{
	uint64_t all = 0;

	for (unsigned i = 0; i < c->nrefusing; i++)
		metric_set(c->refusing[i], 0);
	c->nrefusing = 0;
	for (size_t i = 0; i < c->places.n; i++) {
		unsigned n = spots_refuse(&c->places.v[i]->spots, clock_mono());

		all += n;
		if (n)
			count_it(c, c->places.v[i], n);
	}
	metric_set(c->metric[M_REFUSING], all);
}
