/*
 * irc_history: what was said while we were away, of servers that keep it (IRCv3 draft/chathistory). Asked for one after the other, each in
 * pages, the next one behind the last message of the one before, until a page is empty: so a server that gives fewer than it was asked for is
 * no end. First who wrote to us alone (TARGETS), then each channel.
 *
 * The gap is told all the same: a history has neither who came and went nor what the server has forgotten. Its messages have the ids they
 * had when they were said (msgid), so that the hub drops what it has; one without could come twice and is left out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"

#define PAGE 100u
#define PAGES_MAX 100u			/* of one channel or person */
#define ANSWER (30 * CLOCK_S)
#define RATE 120u			/* questions a minute */
#define BURST 20u
#define PEOPLE_MAX 100u
#define CLOCKS (60 * CLOCK_S)		/* our time is not the server's: what came so long before is asked for again */
#define NEEDED ((unsigned)CAP_HISTORY | CAP_BATCH | CAP_SERVER_TIME | CAP_MESSAGE_TAGS)

static void next(struct irc *c)
{
	struct irc_past *p = c->history.v;
	unsigned limit = c->history.max && c->history.max < PAGE ? c->history.max : PAGE;
	char to[CLOCK_RFC3339_MAX];
	int64_t wait;

	if (c->history.asked || c->history.next)
		return;
	if (!c->history.n) {
		irc_caught_up(c);
		return;
	}
	wait = irc_pace(&c->history.full, RATE, BURST, c->now);
	if (wait) {
		c->history.next = c->now + wait;
		irc_channels_join(c, c->now);	/* the timer */
		return;
	}
	if (*p->target) {
		irc_put(c, "CHATHISTORY AFTER %s %s %u", p->target, p->behind, limit);
	} else {
		clock_rfc3339(to, c->heard_wall + CLOCKS);
		irc_put(c, "CHATHISTORY TARGETS %s timestamp=%s %u", p->behind, to, limit);
	}
	c->history.asked = true;
	c->history.batch[0] = c->history.last[0] = '\0';
	c->history.until = c->now + ANSWER;
}

static void done(struct irc *c)
{
	memmove(c->history.v, c->history.v + 1, --c->history.n * sizeof(*c->history.v));
	c->history.asked = false;
	c->history.batch[0] = '\0';
	next(c);
}

static void add(struct irc *c, const char *target, const char *since)
{
	struct irc_past *v = reallocarray(c->history.v, c->history.n + 1, sizeof(*v)), *p;
	char text[CLOCK_RFC3339_MAX];
	int64_t at;

	if (!v)
		return;		/* the gap is told */
	c->history.v = v;
	if (clock_parse(since, strlen(since), &at))
		return;
	p = &v[c->history.n++];
	clock_rfc3339(text, at - CLOCKS);
	*p = (struct irc_past){.pages = 0};
	snprintf(p->target, sizeof(p->target), "%s", target);
	snprintf(p->since, sizeof(p->since), "%s", since);
	snprintf(p->behind, sizeof(p->behind), "timestamp=%s", text);
}

bool irc_history_kept(const struct irc *c)
{
	return (c->caps & NEEDED) == NEEDED && !c->conf.twitch && c->history.by_time;
}

void irc_history_ask(struct irc *c, const struct irc_channel *ch, const char *since)
{
	if (!irc_history_kept(c) || c->history.n > IRC_CHANNELS_MAX)
		return;
	add(c, ch ? ch->name : "", since);
	next(c);
}

void irc_history_supports(struct irc *c, struct span types)
{
	c->history.by_time = memmem(types.p, types.n, "timestamp", 9) != NULL;
	c->history.by_id = memmem(types.p, types.n, "msgid", 5) != NULL;
}

void irc_history_reset(struct irc *c)
{
	free(c->history.v);
	memset(&c->history, 0, sizeof(c->history));
	/* Unless the server says otherwise. */
	c->history.by_time = true;
}

const char *irc_history_since(const struct irc *c)
{
	const char *since = NULL;

	for (size_t i = 0; i < c->history.n; i++)
		if (!since || strcmp(c->history.v[i].since, since) < 0)
			since = c->history.v[i].since;
	return since;
}

/* ---- answers ---- */

bool irc_history_in(const struct irc *c, const struct irc_message *m)
{
	struct span ref = irc_tag_raw(m, "batch");

	return ref.n && *c->history.batch && irc_is(ref, c->history.batch);
}

static bool same(struct irc *c, struct span a, const char *b)
{
	char x[IRC_NAME_MAX], y[IRC_NAME_MAX];
	size_t n = irc_fold_name(c, a, x);

	return n && n == irc_fold_name(c, (struct span){b, strlen(b)}, y) && memcmp(x, y, n) == 0;
}

static void page_over(struct irc *c)
{
	struct irc_past *p = c->history.v;

	if (!*p->target || !*c->history.last || strcmp(p->behind, c->history.last) == 0) {
		done(c);
		return;
	}
	if (++p->pages == PAGES_MAX) {
		log_warn("%s: the history of %s is read no further than %u pages", c->connection, p->target, PAGES_MAX);
		done(c);
		return;
	}
	memcpy(p->behind, c->history.last, sizeof(p->behind));
	c->history.asked = false;
	next(c);
}

void irc_history_batch(struct irc *c, const struct irc_message *m)
{
	struct span ref = m->nparams ? m->params[0] : (struct span){NULL, 0};
	bool people;

	if (!c->history.asked || ref.n < 2 || ref.n > sizeof(c->history.batch))
		return;
	ref.p++;
	ref.n--;
	if (ref.p[-1] == '-' && *c->history.batch && irc_is(ref, c->history.batch)) {
		page_over(c);
	} else if (ref.p[-1] == '+' && !*c->history.batch && m->nparams > 1) {
		people = irc_is(m->params[1], "draft/chathistory-targets") || irc_is(m->params[1], "chathistory-targets");
		if (*c->history.v->target ? irc_is(m->params[1], "chathistory") && m->nparams > 2 && same(c, m->params[2], c->history.v->target) : people)
			snprintf(c->history.batch, sizeof(c->history.batch), "%.*s", (int)ref.n, ref.p);
	}
}

bool irc_history_line(struct irc *c, const struct irc_message *m)
{
	struct span time = irc_tag_raw(m, "time");
	char text[sizeof(c->history.last)] = "";
	struct buf id;
	bool has;

	buf_init(&id, 4 * IRC_IN_MAX);
	has = irc_tag(m, "msgid", &id);
	if (has && c->history.by_id && irc_middle_ok(id.p, id.len) && id.len < sizeof(text) - 8)
		snprintf(text, sizeof(text), "msgid=%.*s", (int)id.len, id.p);
	else if (time.n && time.n < CLOCK_RFC3339_MAX && irc_middle_ok(time.p, time.n))
		snprintf(text, sizeof(text), "timestamp=%.*s", (int)time.n, time.p);
	if (*text)
		memcpy(c->history.last, text, sizeof(text));
	buf_release(&id);
	if (!has && !c->history.told)
		log_warn("%s: messages of the history have no numbers: they are left out", c->connection);
	c->history.told |= !has;
	return has;
}

/* CHATHISTORY TARGETS NICK TIME */
void irc_history_target(struct irc *c, const struct irc_message *m)
{
	char name[IRC_NAME_MAX], since[CLOCK_RFC3339_MAX];
	struct span who = m->nparams > 2 ? m->params[1] : (struct span){NULL, 0};

	if (!irc_history_in(c, m) || *c->history.v->target || !irc_is(m->params[0], "TARGETS") || irc_is_channel(c, who) ||
	    who.n >= sizeof(name) || !irc_middle_ok(who.p, who.n) || memchr(who.p, ',', who.n) || c->history.people++ >= PEOPLE_MAX)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)who.n, who.p);
	memcpy(since, c->history.v->since, sizeof(since));
	add(c, name, since);
}

bool irc_history_failed(struct irc *c, const struct irc_message *m)
{
	struct span why = m->nparams ? m->params[m->nparams - 1] : (struct span){"", 0};
	bool unknown = irc_is(m->command, "421") && m->nparams > 1 && irc_is(m->params[1], "CHATHISTORY");

	if (!c->history.asked || (!unknown && !(irc_is(m->command, "FAIL") && m->nparams && irc_is(m->params[0], "CHATHISTORY"))))
		return false;
	log_warn("%s: the server gives no history of %s: %.*s", c->connection, *c->history.v->target ? c->history.v->target : "people",
		(int)(why.n < 100 ? why.n : 100), why.p);
	done(c);
	return true;
}

void irc_history_go(struct irc *c)
{
	if (!c->history.next || c->now < c->history.next)
		return;
	c->history.next = 0;
	next(c);
}

void irc_history_due(struct irc *c)
{
	if (!c->history.asked || c->now < c->history.until)
		return;
	log_warn("%s: the server does not answer for the history of %s", c->connection, *c->history.v->target ? c->history.v->target : "people");
	done(c);
}
