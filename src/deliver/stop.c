/*
 * Accounts that nothing is said with until their files change: the platform refuses their credentials, or nobody is at their address any more.
 * What waits for such an account, and what still comes for it, fails at once, with a text that names the file.
 *
 * Credentials that were refused are tried again by a restart or a reload: the refusals are counted over both (ledger.c), and somebody may have
 * mended them elsewhere. An address that is gone must not be used again, however often the process starts: the outbox has it, with the
 * print of the account's files, and as long as that is the same it stays so.
 *
 * An account whose address answers that nobody is there now only rests: a breaker of its own, as an upstream has one.
 */
#include "deliver/courier.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/metric.h"

#define LABEL_BYTES 64			/* of a row's labels (base/metric.h) */

static bool is_gone(const struct place *p)
{
	return p->cause && strcmp(p->cause, PLACE_GONE) == 0;
}

void stop_text(const struct place *p, char to[STOP_TEXT])
{
	if (is_gone(p))
		snprintf(to, STOP_TEXT, "%s: nothing is posted there any more until %s names another address, or was disabled and enabled again, and "
			"deliver is reloaded", p->stopped, account_file(p->account));
	else
		snprintf(to, STOP_TEXT, "%s: nothing is said with it until the files of %s change and deliver is reloaded", p->stopped,
			account_file(p->account));
}

void stop_message(struct message *m, const struct place *p, const char *code)
{
	char text[STOP_TEXT];

	stop_text(p, text);
	message_failed(m, p->cause, code, "%s", text);
}

static void set(struct place *p, const char *cause, const char *why)
{
	p->cause = cause;
	snprintf(p->stopped, sizeof(p->stopped), "%s", *why ? why : cause);
}

/* What waits for it: its lane may stand at a gate for long. */
static void fail_waiting(struct courier *c, const struct place *p)
{
	for (struct message *m = c->first, *next; m; m = next) {
		const struct say *s = &m->say;
		const char *why;

		next = m->next;
		if (m->queued && !m->under_way && !m->over && places_find(&c->places, s->tenant, s->platform, s->account, &why) == p)
			stop_message(m, p, "");
	}
}

uint64_t *stop_metric_row(const char *name, const char *label, const char *help)
{
	uint64_t *cell = metric_find(name, label);

	return cell || metric_room() <= METRIC_ROWS / 2 ? cell : metric_row(name, label, METRIC_GAUGE, help);
}

/* Which they are, for penstock status. Names that are too long for a label are only counted. */
static void name_it(struct courier *c, const struct place *p)
{
	char label[LABEL_BYTES];
	uint64_t *cell;

	if (c->nstopped == STOPPED_ROWS || snprintf(label, sizeof(label), "account=\"%s/%s\",cause=\"%s\"", account_tenant(p->account),
	    account_name(p->account), p->cause) >= (int)sizeof(label))
		return;
	cell = stop_metric_row("deliver_stopped", label, "1: nothing is said with this account until its files change");
	if (!cell)
		return;
	metric_set(cell, 1);
	c->stopped[c->nstopped++] = cell;
}

void stop_count(struct courier *c)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < c->nstopped; i++)
		metric_set(c->stopped[i], 0);
	c->nstopped = 0;
	for (size_t i = 0; i < c->places.n; i++)
		if (c->places.v[i]->stopped[0]) {
			n++;
			name_it(c, c->places.v[i]);
		}
	metric_set(c->metric[M_STOPPED], n);
}

void stop_place(struct courier *c, struct place *p, const char *cause, const char *why)
{
	char who[NEED_NAME], text[STOP_TEXT];
	unsigned char print[ACCOUNT_PRINT];

	if (p->stopped[0])
		return;
	set(p, cause, why);
	stop_text(p, text);
	log_error("%s: %s", account_file(p->account), text);
	if (is_gone(p)) {
		ledger_name(p, who);
		account_print(p->account, print);
		/* A failure was logged; this process knows it. */
		outbox_stopped(c->outbox, who, print, p->stopped, clock_wall());
	}
	stop_count(c);
	fail_waiting(c, p);
}

/* ---- kept over a restart ---- */

static bool load(void *arg, const char *who, const unsigned char print[ACCOUNT_PRINT], const char *why)
{
	struct courier *c = arg;
	unsigned char now[ACCOUNT_PRINT];
	char name[NEED_NAME], text[STOP_TEXT];

	for (size_t i = 0; i < c->places.n; i++) {
		struct place *p = c->places.v[i];

		ledger_name(p, name);
		if (strcmp(name, who) != 0)
			continue;
		account_print(p->account, now);
		if (memcmp(now, print, ACCOUNT_PRINT) != 0)
			return false;
		if (!p->stopped[0]) {
			set(p, PLACE_GONE, why);
			stop_text(p, text);
			log_warn("%s: %s", account_file(p->account), text);
		}
		return true;
	}
	return false;
}

int stop_load(struct courier *c)
{
	int rc = c->outbox ? outbox_load_stopped(c->outbox, load, c) : 0;

	stop_count(c);
	return rc;
}

/* ---- nobody is there now ---- */

void stop_rest(struct message *m, enum result r, const struct verdict *v)
{
	struct place *p = m->place;
	int64_t now = clock_mono(), wait;

	if (r == R_ABSENT) {
		wait = breaker_failed(&p->absent, m->asked, now, hash_random());
		if (!wait)
			return;
		log_warn("%s: %s: nobody is there now: left alone for %lld ms; what is for it waits", account_file(p->account), v->text,
			(long long)(wait / CLOCK_MS));
		snprintf(p->rests, sizeof(p->rests), "%s", v->closed);
		queue_close(&m->c->queue, p->rests, wait, true, now);
	} else if (r != R_UNREACHED && r != R_LOST && r != R_PRIVATE) {
		breaker_worked(&p->absent);
		if (p->rests[0])
			queue_open(&m->c->queue, p->rests, now);
		p->rests[0] = '\0';
	}
}

void stop_try(struct courier *c)
{
	for (size_t i = 0; i < c->places.n; i++) {
		struct place *p = c->places.v[i];

		if (!p->rests[0])
			continue;
		breaker_worked(&p->absent);
		queue_open(&c->queue, p->rests, clock_mono());
		p->rests[0] = '\0';
	}
}
