/*
 * irc_sure: until when nothing is missing, and what of it is saved; the gap that is told when the connection is live again. What is saved never passes
 * over what the hub does not have, nor over a loss that is not told yet: whoever finds it after a crash tells from there.
 */
#include <stdio.h>
#include <string.h>

#include "gatewayd/platform/irc_impl.h"

#define SAVE_EVERY (60 * CLOCK_S)
#define ON_THE_WAY (10 * CLOCK_S)	/* what a server said may be on its way so long: what is lost with a connection is older than what came last */
#define UNREAD "unread"			/* of the PING behind what lay there */
#define BEHIND_MAX (3600 * CLOCK_S)	/* a clock that is wrong by more says nothing */

/* By the server's clock, where it tells the time; and bytes that lay here unread, while the hub was behind, are as old as what is read of them. */
void irc_sure_heard(struct irc *c, const struct irc_message *m)
{
	int64_t wall;

	if (irc_tag_raw(m, "batch").n || !irc_time(m, &wall))	/* what is of a batch may be of long ago */
		return;
	/* The server says any number it likes. */
	if (wall < c->heard_wall - BEHIND_MAX)
		c->behind = BEHIND_MAX;
	else
		c->behind = wall < c->heard_wall ? c->heard_wall - wall : 0;
}

/*
 * Silence for longer than a PING of ours takes to be answered: nothing was read meanwhile, as the hub was behind. What is read now is as old as that, until the
 * answer to this PING shows that it was the last of it.
 */
void irc_sure_silence(struct irc *c, int64_t silence)
{
	if (c->stage < IRC_WELCOMED || c->unread || silence < c->conf.ping + ON_THE_WAY)
		return;
	c->unread = c->heard_wall - silence;
	irc_put(c, "PING :" UNREAD);
}

bool irc_sure_pong(struct irc *c, const struct irc_message *m)
{
	if (!m->nparams || !irc_is(m->params[m->nparams - 1], UNREAD))
		return false;
	c->unread = 0;
	return true;
}

int64_t irc_sure(const struct irc *c)
{
	int64_t at = c->heard_wall - c->behind;

	return (c->unread && c->unread < at ? c->unread : at) - ON_THE_WAY;
}

/* ---- what is saved ---- */

static void save(struct irc *c, int64_t wall)
{
	char text[CLOCK_RFC3339_MAX];

	out_save(c->out, 0, text, clock_rfc3339(text, wall));
	c->saved_wall = wall;
}

/* Lines of this connection are younger than its beginning, so that is a time to save when those before it are kept. */
static void save_beginning(struct irc *c)
{
	if (!c->broken && !c->history.n && c->kept >= c->open_mark)
		save(c, c->open_wall);
}

void irc_caught_up(struct irc *c)
{
	if (c->broken)
		return;		/* of one channel; all others are asked for, when the gap is told */
	if (c->kept >= c->mark) {
		save(c, c->open_wall);
	} else {
		c->sure_wall = c->open_wall;
		c->sure_mark = c->mark;
	}
}

/* Saves a time before which every line is kept: that of an earlier mark, once the hub has it. */
void irc_sure_acked(struct irc *c, uint64_t mark)
{
	if (mark > c->mark)
		return;
	c->kept = mark;
	if (c->history.n)
		return;
	if (c->sure_wall && mark >= c->sure_mark) {
		if (c->sure_wall - c->saved_wall >= SAVE_EVERY || !c->saved_wall)
			save(c, c->sure_wall);
		c->sure_wall = 0;
	}
	if (!c->sure_wall && c->stage == IRC_LIVE) {
		c->sure_wall = irc_sure(c);
		c->sure_mark = c->mark;
		if (mark == c->mark && !c->saved_wall)
			save(c, irc_sure(c));
	}
}

/* Is everything that came kept and told? */
static bool whole(const struct irc *c)
{
	return !c->broken && !c->history.n && c->kept == c->mark;
}

void irc_sure_due(struct irc *c)
{
	if (c->stage == IRC_LIVE && whole(c) && irc_sure(c) - c->saved_wall >= 5 * SAVE_EVERY)
		save(c, irc_sure(c));
}

void irc_sure_drain(struct irc *c)
{
	/* Else what is on disk stands. */
	if (c->stage >= IRC_JOINING && whole(c))
		save(c, irc_sure(c));
}

/* ---- a connection begins ---- */

/* From here on others can write to us. The first time there is nothing on disk by which the next process would know that this one heard something. */
void irc_welcomed(struct irc *c)
{
	c->stage = IRC_WELCOMED;
	save_beginning(c);
}

/*
 * Our nick is in use: perhaps by our own connection of before, whose end the server has not seen yet. What is said to the nick alone goes there, and nobody
 * who says it is told: so that is a gap, told at once and again with its end when the nick is ours.
 */
void irc_sure_nick(struct irc *c)
{
	bool ours = strcmp(c->nick, c->conf.nick) == 0;
	char to[CLOCK_RFC3339_MAX], why[IRC_NAME_MAX + 96];

	if (!ours && c->broken && c->nick_waits && !*c->nick_from) {
		memcpy(c->nick_from, c->from, sizeof(c->nick_from));
		snprintf(why, sizeof(why), "the nick %s is in use: what is said to it alone is not heard", c->conf.nick);
		out_gap(c->out, 0, why, c->nick_from, "");
	} else if (ours && *c->nick_from) {
		clock_rfc3339(to, clock_wall());
		snprintf(why, sizeof(why), "the nick %s was in use: what was said to it alone was not heard", c->conf.nick);
		out_gap(c->out, 0, why, c->nick_from, to);
		irc_history_ask(c, NULL, c->nick_from);
		*c->nick_from = '\0';
	}
}

void irc_live(struct irc *c)
{
	c->stage = IRC_LIVE;
	irc_sure_nick(c);
	if (c->broken) {
		char to[CLOCK_RFC3339_MAX], why[IRC_WHY_MAX + 96];

		clock_rfc3339(to, clock_wall());
		snprintf(why, sizeof(why), "%s: %s", irc_history_kept(c) ? "what was said meanwhile is read from the server's history, the rest is missing" :
			"IRC repeats nothing that was said meanwhile", c->why);
		out_gap(c->out, 0, why, c->from, to);
		c->broken = false;
		irc_history_ask(c, NULL, c->from);
		for (size_t i = 0; i < c->nchannels; i++)
			if (c->channels[i]->where == CH_IN)
				irc_history_ask(c, c->channels[i], c->from);
	}
	if (c->saved_wall != c->open_wall)
		save_beginning(c);
	out_live(c->out, 0, false);
	irc_say_write(c, c->now);
}
