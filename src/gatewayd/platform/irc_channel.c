/* irc_channel: joining, being thrown out, coming back; who is there, and what they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"

#define AGAIN_BASE (5 * CLOCK_S)
#define AGAIN_MAX (600 * CLOCK_S)
#define ROUND (10 * CLOCK_S)		/* how long going live waits for the channels */
#define NICK_EVERY (60 * CLOCK_S)
#define JOINS_PER_MINUTE 60u		/* Twitch: 20 within 10 s */
#define JOINS_AT_ONCE 10u

bool irc_is_channel(const struct irc *c, struct span name)
{
	return name.n && memchr(c->chantypes, *name.p, strlen(c->chantypes));
}

/* ---- the list ---- */

static int by_id(const void *x, const void *y)
{
	return strcmp((*(struct irc_channel *const *)x)->id, (*(struct irc_channel *const *)y)->id);
}

static void free_one(struct irc_channel *ch)
{
	irc_members_release(&ch->members);
	free(ch);
}

void irc_channels_free(struct irc *c)
{
	for (size_t i = 0; i < c->nchannels; i++)
		free_one(c->channels[i]);
	free(c->channels);
	c->channels = NULL;
	c->nchannels = 0;
}

static struct irc_channel *find_id(const struct irc *c, const char *id)
{
	struct irc_channel key, *k = &key, **found;

	snprintf(key.id, sizeof(key.id), "%s", id);
	found = c->nchannels ? bsearch(&k, c->channels, c->nchannels, sizeof(*c->channels), by_id) : NULL;
	return found ? *found : NULL;
}

struct irc_channel *irc_channel_find(const struct irc *c, struct span name)
{
	char id[IRC_NAME_MAX];

	return irc_fold_name(c, name, id) ? find_id(c, id) : NULL;
}

struct irc_channel *irc_channel_by_id(const struct irc *c, const char *id)
{
	for (size_t i = 0; c->conf.twitch && i < c->nchannels; i++)
		if (strcmp(c->channels[i]->room, id) == 0)
			return c->channels[i];
	return irc_channel_find(c, (struct span){id, strlen(id)});
}

static struct irc_channel *add(struct irc *c, struct span name)
{
	struct irc_channel *ch, **more;
	char id[IRC_NAME_MAX];
	size_t i;

	/* The name goes into commands. */
	if (c->nchannels >= 2 * IRC_CHANNELS_MAX || !irc_middle_ok(name.p, name.n) || name.n >= IRC_NAME_MAX || memchr(name.p, ',', name.n) ||
	    !irc_fold_name(c, name, id))
		return NULL;
	ch = find_id(c, id);
	if (ch)
		return ch;
	more = reallocarray(c->channels, c->nchannels + 1, sizeof(*more));
	if (!more)
		return NULL;
	c->channels = more;
	ch = calloc(1, sizeof(*ch));
	if (!ch)
		return NULL;
	strcpy(ch->id, id);
	snprintf(ch->name, sizeof(ch->name), "%.*s", (int)(name.n < IRC_NAME_MAX ? name.n : IRC_NAME_MAX - 1), name.p);
	ch->again = (struct backoff){AGAIN_BASE, AGAIN_MAX, 0};
	irc_members_init(&ch->members, IRC_MEMBERS_MAX, c->key);
	i = c->nchannels++;
	for (; i > 0 && strcmp(c->channels[i - 1]->id, id) > 0; i--)
		c->channels[i] = c->channels[i - 1];
	c->channels[i] = ch;
	return ch;
}

static void drop(struct irc *c, size_t i)
{
	free_one(c->channels[i]);
	memmove(c->channels + i, c->channels + i + 1, (c->nchannels - i - 1) * sizeof(*c->channels));
	c->nchannels--;
}

int irc_channels_set(struct irc *c, int64_t now)
{
	for (size_t i = 0; i < c->nchannels; i++)
		c->channels[i]->wanted = false;
	for (size_t i = 0; i < c->conf.nchannels; i++) {
		const char *name = c->conf.channels[i];
		struct irc_channel *ch = add(c, (struct span){name, strlen(name)});

		if (!ch) {
			log_error("%s: no memory for a channel", c->connection);
			return -1;
		}
		ch->wanted = true;
		if (ch->where == CH_REFUSED)
			ch->where = CH_OUT;
	}
	for (size_t i = c->nchannels; i-- > 0; ) {
		if (c->channels[i]->wanted)
			continue;
		if (c->stage >= IRC_JOINING && (c->channels[i]->where == CH_IN || c->channels[i]->where == CH_ASKED))
			irc_put(c, "PART %s", c->channels[i]->name);	/* goes when the server says so */
		else
			drop(c, i);
	}
	if (c->stage >= IRC_JOINING)
		irc_channels_join(c, now);
	return 0;
}

void irc_channels_reset(struct irc *c)
{
	for (size_t i = c->nchannels; i-- > 0; ) {
		struct irc_channel *ch = c->channels[i];

		irc_members_release(&ch->members);
		ch->where = CH_OUT;
		ch->retry = 0;
		backoff_reset(&ch->again);
		if (!ch->wanted)
			drop(c, i);
	}
}

/* Names that are one now are one channel. */
void irc_channels_fold(struct irc *c)
{
	for (size_t i = 0; i < c->nchannels; i++) {
		struct irc_channel *ch = c->channels[i];

		irc_fold_name(c, (struct span){ch->name, strlen(ch->name)}, ch->id);
		irc_members_release(&ch->members);
	}
	if (c->nchannels)
		qsort(c->channels, c->nchannels, sizeof(*c->channels), by_id);
	for (size_t i = c->nchannels; i-- > 1; )
		if (strcmp(c->channels[i]->id, c->channels[i - 1]->id) == 0)
			drop(c, i);
}

/* ---- joining ---- */

static void earliest(int64_t *due, int64_t t)
{
	if (t && (!*due || t < *due))
		*due = t;
}

static bool first_round_over(const struct irc *c)
{
	for (size_t i = 0; i < c->nchannels; i++)
		if (c->channels[i]->wanted && c->channels[i]->where < CH_IN)
			return false;
	return true;
}

static void arm(struct irc *c, int64_t now, int64_t wait)
{
	int64_t due = wait ? now + wait : 0;

	for (size_t i = 0; i < c->nchannels; i++)
		if (c->channels[i]->wanted && c->channels[i]->where != CH_IN)
			earliest(&due, c->channels[i]->retry);
	if (c->nick_waits)
		earliest(&due, now + NICK_EVERY);
	if (c->stage == IRC_JOINING)
		earliest(&due, c->joining_until);
	earliest(&due, c->history.next);
	out_timer(c->out, 0, T_CHANNELS, due);
}

void irc_channels_join(struct irc *c, int64_t now)
{
	int64_t wait = 0;

	if (c->stage == IRC_JOINING && !c->joining_until)
		c->joining_until = now + ROUND;
	for (size_t i = 0; i < c->nchannels; i++) {
		struct irc_channel *ch = c->channels[i];

		if (!ch->wanted || ch->where == CH_IN || ch->where == CH_ASKED || ch->retry > now)
			continue;
		wait = irc_pace(&c->join_full, JOINS_PER_MINUTE, JOINS_AT_ONCE, now);
		if (wait)
			break;
		irc_put(c, "JOIN %s", ch->name);
		ch->where = CH_ASKED;
		ch->retry = now + 60 * CLOCK_S;		/* no answer: ask again then */
	}
	if (c->stage == IRC_JOINING && first_round_over(c))
		irc_live(c);
	arm(c, now, wait);
}

/* From now on things are said there that we do not see: told at once, and again with its end when we are back. */
static void missing(struct irc *c, struct irc_channel *ch, const char *from)
{
	char why[2 * IRC_WHY_MAX + IRC_NAME_MAX];

	if (ch->missed)
		return;
	ch->missed = true;
	snprintf(ch->from, sizeof(ch->from), "%s", from);
	snprintf(why, sizeof(why), "not in %s: %s", ch->id, *ch->why ? ch->why : "the server did not answer");
	out_gap(c->out, 0, why, ch->from, "");
}

void irc_channels_due(struct irc *c, int64_t now)
{
	if (c->stage < IRC_JOINING)
		return;
	for (size_t i = 0; i < c->nchannels; i++)
		if (c->channels[i]->where == CH_ASKED && c->channels[i]->retry <= now)
			c->channels[i]->where = CH_OUT;
	irc_nick_back(c);
	irc_history_go(c);
	if (c->stage == IRC_JOINING && now >= c->joining_until) {
		/* Who comes later has a gap of its own. */
		for (size_t i = 0; i < c->nchannels; i++) {
			struct irc_channel *ch = c->channels[i];

			if (c->broken && ch->wanted && ch->where != CH_IN)
				missing(c, ch, c->from);
		}
		irc_live(c);
	}
	irc_channels_join(c, now);
}

/* from: since when it is missed, NULL: we never were there. */
static void again(struct irc *c, struct irc_channel *ch, const char *from, const char *why, struct span text, int64_t now)
{
	struct buf b;

	buf_init(&b, 4 * IRC_WHY_MAX);
	if (irc_name((struct span){text.p, irc_cut(text.p, text.n, IRC_WHY_MAX / 2)}, &b) || !buf_cstr(&b))
		b.len = 0;
	snprintf(ch->why, sizeof(ch->why), "%s%.*s", why, (int)irc_cut(b.p, b.len, IRC_WHY_MAX / 2), b.len ? b.p : "");
	buf_release(&b);
	ch->where = CH_REFUSED;
	irc_members_release(&ch->members);
	ch->retry = now + backoff_next(&ch->again, out_random(c->out));
	if (from)
		missing(c, ch, from);
	log_warn("%s: not in %s: %s", c->connection, ch->id, ch->why);
	irc_channels_join(c, now);
}

static void joined(struct irc *c, struct irc_channel *ch)
{
	ch->where = CH_IN;
	ch->retry = 0;
	irc_members_release(&ch->members);
	if (ch->missed) {
		char to[CLOCK_RFC3339_MAX], why[2 * IRC_WHY_MAX + IRC_NAME_MAX];

		clock_rfc3339(to, c->heard_wall);
		snprintf(why, sizeof(why), "was not in %s: %s", ch->id, *ch->why ? ch->why : "the server did not answer");
		out_gap(c->out, 0, why, ch->from, to);
		ch->missed = false;
		irc_history_ask(c, ch, ch->from);
	}
	*ch->why = '\0';
}

/* ---- which message ---- */

static void self_left(struct irc *c, struct irc_channel *ch, const char *why, struct span text, int64_t now)
{
	char from[CLOCK_RFC3339_MAX];

	if (!ch->wanted) {
		for (size_t i = 0; i < c->nchannels; i++)
			if (c->channels[i] == ch) {
				drop(c, i);
				return;
			}
	}
	clock_rfc3339(from, irc_sure(c));
	again(c, ch, from, why, text, now);
}

void irc_channel_message(struct irc *c, const struct irc_message *m, int64_t now)
{
	struct span first = m->nparams ? m->params[0] : (struct span){NULL, 0};
	struct span text = m->nparams > 1 ? m->params[m->nparams - 1] : (struct span){"", 0};
	struct irc_channel *ch = first.p ? irc_channel_find(c, first) : NULL;
	bool self = irc_nick_is(c, m->nick);

	if (irc_is(m->command, "JOIN")) {
		if (self && !ch)
			ch = add(c, first);	/* the server put us there */
		if (!ch)
			return;
		if (self) {
			joined(c, ch);
			if (m->user.p && m->host.p && !*c->host)
				snprintf(c->host, sizeof(c->host), "%.*s@%.*s", (int)(m->user.n < 80 ? m->user.n : 80), m->user.p,
					(int)(m->host.n < 100 ? m->host.n : 100), m->host.p);
			irc_channels_join(c, now);
		}
		if (!c->conf.twitch)
			irc_people_enter(c, ch, m->nick, "");
	} else if (irc_is(m->command, "PART") && ch) {
		if (self)
			self_left(c, ch, "left: ", text, now);
		else
			irc_people_leave(c, ch, m->nick);
	} else if (irc_is(m->command, "KICK") && ch && m->nparams > 1) {
		if (irc_nick_is(c, m->params[1]))
			self_left(c, ch, "kicked: ", m->nparams > 2 ? text : (struct span){"", 0}, now);
		else
			irc_people_leave(c, ch, m->params[1]);
	} else if (irc_is(m->command, "QUIT")) {
		for (size_t i = 0; i < c->nchannels; i++)
			irc_people_leave(c, c->channels[i], m->nick);
	} else if (irc_is(m->command, "NICK")) {
		irc_people_nick(c, m);
		if (self && c->stage == IRC_LIVE)
			irc_sure_nick(c);
		if (self)
			irc_channels_join(c, now);	/* the timer of ours, which a service may have taken away */
	} else if (irc_is(m->command, "MODE") && ch) {
		irc_people_mode(c, ch, m);
	}
}

void irc_channel_refused(struct irc *c, struct irc_channel *ch, struct span why, int64_t now)
{
	again(c, ch, c->stage == IRC_JOINING && c->broken ? c->from : NULL, "", why, now);
}

bool irc_channel_numeric(struct irc *c, unsigned code, const struct irc_message *m, int64_t now)
{
	static const unsigned refusals[] = {403, 405, 407, 437, 448, 471, 473, 474, 475, 476, 477, 479, 480, 485, 489, 520, 0};
	struct irc_channel *ch = m->nparams > 1 ? irc_channel_find(c, m->params[1]) : NULL;
	size_t i = 0;

	if (code == 353) {
		irc_people_names(c, m);
		return true;
	}
	while (refusals[i] && refusals[i] != code)
		i++;
	if (!refusals[i] || !ch || ch->where != CH_ASKED)
		return false;
	irc_channel_refused(c, ch, m->params[m->nparams - 1], now);
	return true;
}
