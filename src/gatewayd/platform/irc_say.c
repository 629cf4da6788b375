/*
 * irc_say: message.send to PRIVMSG, and how it is known to have been said.
 *
 *   echo-message        our message comes back, with its number; a PING behind it bounds the wait, for servers read in order
 *   without it          no refusal came before the answer to the PING: it was said
 *   Twitch              USERSTATE of the channel, or a NOTICE that refuses; PING is answered by another machine there and proves nothing
 *
 * Refusals and echoes come in the order of what was said to the same target, so the oldest without an outcome is meant.
 * What was written and has no outcome when the connection ends is not said again: it may have been said.
 *
 * A text's lines are messages of their own; long ones are cut. Nothing in a text can become a command: CR and NUL are refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatewayd/platform/irc_impl.h"
#include "line/scan.h"

#define SAYS_MAX 256u
#define PARTS_MAX 8u
#define TWITCH_MAX 480u			/* Twitch: 500 characters; of bytes nothing is known */
#define TWITCH_WAIT (10 * CLOCK_S)
#define HOST_GUESS 75u			/* user@host as others see us, when we have not seen it */

int64_t irc_pace(int64_t *full, uint64_t rate, uint64_t burst, int64_t now)
{
	int64_t one = 60 * CLOCK_S / (int64_t)rate, from = *full > now ? *full : now;

	if (from + one - now > one * (int64_t)burst)
		return from + one - now - one * (int64_t)burst;
	*full = from + one;
	return 0;
}

/* ---- outcomes ---- */

static void free_say(struct irc_say *s)
{
	buf_release(&s->texts);
	free(s);
}

/* Takes away those that are told and of which nothing more will be heard. */
static void sweep(struct irc *c)
{
	struct irc_say **at = &c->says;

	while (*at) {
		struct irc_say *s = *at;

		if (!s->told || s->confirmed < s->written) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		c->nsays--;
		free_say(s);
	}
	c->says_end = at;
}

static void tell(struct irc *c, struct irc_say *s, const char *error, bool retry)
{
	if (s->told)
		return;
	s->told = true;
	out_said(c->out, s->ticket, s->id, error, retry);
}

/* One more line of it has an outcome: said (error NULL), or not. */
static void outcome(struct irc *c, struct irc_say *s, const char *error, bool retry)
{
	s->confirmed++;
	if (error) {
		char text[IRC_WHY_MAX + 64];

		/* What was said in part is not said again. */
		if (s->parts > 1) {
			snprintf(text, sizeof(text), "part %u of %u: %.*s", s->confirmed, s->parts, (int)IRC_WHY_MAX, error);
			error = text;
			retry = retry && s->confirmed == 1 && s->written == 1;
		}
		tell(c, s, error, retry);
	} else if (s->confirmed == s->parts) {
		tell(c, s, NULL, false);
	}
}

void irc_say_end(struct irc *c, const char *why)
{
	char text[IRC_WHY_MAX + 80];

	while (c->says) {
		struct irc_say *s = c->says;

		if (s->written == 0)
			snprintf(text, sizeof(text), "not connected: %.*s", (int)IRC_WHY_MAX, why);
		else
			snprintf(text, sizeof(text), "the connection ended before the server answered; it may have been said: %.*s",
				(int)IRC_WHY_MAX - 20, why);
		tell(c, s, text, s->written == 0);
		c->says = s->next;
		free_say(s);
	}
	c->says_end = &c->says;
	c->nsays = 0;
}

/* The oldest line said to the target that has no outcome. */
static struct irc_say *oldest(struct irc *c, struct span target)
{
	char a[IRC_NAME_MAX], b[IRC_NAME_MAX];
	size_t n = irc_fold_name(c, target, a);

	for (struct irc_say *s = c->says; s; s = s->next)
		if (s->confirmed < s->written && irc_fold_name(c, (struct span){s->target, strlen(s->target)}, b) == n &&
		    memcmp(a, b, n) == 0)
			return s;
	return NULL;
}

bool irc_say_echo(struct irc *c, const struct irc_message *m, int64_t now)
{
	struct irc_say *s;
	struct buf id;

	(void)now;
	if (m->nparams == 0 || (!c->conf.twitch && !((c->caps & CAP_ECHO_MESSAGE) && irc_is(m->command, "PRIVMSG"))))
		return false;
	s = oldest(c, m->params[0]);
	if (!s)
		return false;
	buf_init(&id, 4 * IRC_IN_MAX);
	if (s->confirmed == 0 && irc_tag(m, c->conf.twitch ? "id" : "msgid", &id) && id.len < sizeof(s->id) && !memchr(id.p, 0, id.len))
		snprintf(s->id, sizeof(s->id), "%.*s", (int)id.len, id.p);
	buf_release(&id);
	outcome(c, s, NULL, false);
	sweep(c);
	return true;
}

bool irc_say_refused(struct irc *c, const struct irc_message *m, struct span target, struct span why, int64_t now)
{
	static const char *const later[] = {"msg_ratelimit", "msg_slowmode", NULL};
	struct irc_say *s = oldest(c, target);
	struct span id = irc_tag_raw(m, "msg-id");
	bool retry = irc_is(m->command, "439") || irc_is(m->command, "263");
	char text[IRC_WHY_MAX];
	struct buf b;

	(void)now;
	if (!s)
		return false;
	for (size_t i = 0; later[i]; i++)
		retry = retry || irc_is(id, later[i]);
	buf_init(&b, 4 * IRC_IN_MAX);
	if (irc_name(why, &b))
		b.len = 0;
	snprintf(text, sizeof(text), "%.*s%s%.*s", (int)(id.n < 40 ? id.n : 40), id.n ? id.p : "", id.n ? ": " : "",
		(int)irc_cut(b.p, b.len, 100), b.len ? b.p : "");
	buf_release(&b);
	outcome(c, s, text, retry);
	sweep(c);
	return true;
}

void irc_say_pong(struct irc *c, struct span token, int64_t now)
{
	uint64_t n = 0;

	(void)now;
	if (c->conf.twitch || token.n < 2 || token.n > 18 || *token.p != 's')
		return;
	for (size_t i = 1; i < token.n; i++) {
		if (token.p[i] < '0' || token.p[i] > '9')
			return;
		n = n * 10 + (uint64_t)(token.p[i] - '0');
	}
	for (struct irc_say *s = c->says; s && s->written; s = s->next)
		while (s->confirmed < s->written && s->number + s->confirmed <= n)
			outcome(c, s, c->caps & CAP_ECHO_MESSAGE ? "the server took it and did not show it" : NULL, false);
	sweep(c);
}

/* Twitch only: no word of it in time. */
void irc_say_due(struct irc *c, int64_t now)
{
	int64_t next = 0;

	for (struct irc_say *s = c->says; s; s = s->next) {
		/* Nothing at all came since: it is not being read, or the connection is dead, which is found elsewhere. */
		if (s->limit && s->limit <= now && c->pieces == s->pieces)
			s->limit = now + TWITCH_WAIT;
		if (s->limit && s->limit <= now && s->confirmed < s->written) {
			s->confirmed = s->written;
			tell(c, s, "Twitch did not say what became of it; it may have been said", false);
		}
		if (s->limit && s->confirmed < s->written && (!next || s->limit < next))
			next = s->limit;
	}
	sweep(c);
	out_timer(c->out, 0, T_SAID, next);
}

/* ---- writing ---- */

static void write_one(struct irc *c, struct irc_say *s, int64_t now)
{
	const char *text = s->texts.p + s->at;
	char tag[sizeof(s->reply) + 40] = "";

	if (*s->reply && s->written == 0)
		snprintf(tag, sizeof(tag), "@%s=%s ", c->conf.twitch ? "reply-parent-msg-id" : "+draft/reply", s->reply);
	irc_put(c, "%sPRIVMSG %s :%s%s%s", tag, s->target, s->action ? "\001ACTION " : "", text, s->action ? "\001" : "");
	s->at += strlen(text) + 1;
	if (s->written++ == 0)
		s->number = c->numbers + 1;
	c->numbers++;
	s->limit = c->conf.twitch ? now + TWITCH_WAIT : 0;
	s->pieces = c->pieces;
}

void irc_say_write(struct irc *c, int64_t now)
{
	uint64_t before = c->numbers;
	int64_t wait = 0;

	if (c->stage != IRC_LIVE)
		return;
	for (struct irc_say *s = c->says; s && !wait; s = s->next) {
		while (!s->told && s->written < s->parts && !(wait = irc_pace(&c->pace_full, c->conf.rate, c->conf.burst, now)))
			write_one(c, s, now);
	}
	out_timer(c->out, 0, T_PACE, wait ? now + wait : 0);
	if (c->numbers == before)
		return;
	if (c->conf.twitch)
		irc_say_due(c, now);
	else
		irc_put(c, "PING :s%llu", (unsigned long long)c->numbers);
}

/* ---- a line ---- */

static size_t room(const struct irc *c, const struct irc_say *s)
{
	size_t host = *c->host ? strlen(c->host) + 12 : HOST_GUESS;
	/* ":nick!user@host PRIVMSG target :" and CR LF */
	size_t taken = 2 + strlen(c->nick) + host + 9 + strlen(s->target) + 2 + 2 + (s->action ? 9 : 0);

	if (c->conf.twitch)
		return TWITCH_MAX;
	return taken + 64 < IRC_LINE_MAX ? IRC_LINE_MAX - taken : 64;
}

/* Lines of the text into parts. NULL, or why not. */
static const char *split(const struct irc *c, struct irc_say *s, const char *p, size_t n)
{
	const char *end = p + n;
	size_t max = room(c, s);

	if (memchr(p, '\0', n) || memchr(p, '\001', n))
		return "the text holds a byte that would be a command of IRC (NUL or 01)";
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end, *text;
		size_t line = (size_t)(stop - p);

		line -= lf && line && p[line - 1] == '\r';
		text = p + line;
		if (memchr(p, '\r', line))
			return "the text holds a CR, which ends a command of IRC";
		while (p < text) {
			/* "/" and "." begin a command there [unverified that it still does for all of them] */
			bool shield = c->conf.twitch && strchr("/.", *p);
			size_t len = irc_cut(p, (size_t)(text - p), max - (shield ? 3 : 0));
			bool blank = strspn(p, " ") >= len;

			if (!blank && s->parts == PARTS_MAX)
				return "the text is too long: it would be more than 8 messages";
			if (!blank && ((shield && buf_adds(&s->texts, "\xe2\x80\x8b")) || buf_add(&s->texts, p, len) ||
			    buf_addc(&s->texts, '\0')))
				return "no memory";
			s->parts += !blank;
			p += len;
			p += p < text && *p == ' ';
		}
		p = stop + (lf != NULL);
	}
	return s->parts ? NULL : "the text is empty";
}

/* Who is told, by the id of the line. NULL, or why not; *retry: it may go later. */
static const char *address(const struct irc *c, struct irc_say *s, const char *id, bool *retry)
{
	struct irc_channel *ch = irc_channel_by_id(c, id);
	size_t n = strlen(id);

	*retry = false;
	if (ch) {
		strcpy(s->target, ch->name);
		if (ch->where == CH_IN)
			return NULL;
		*retry = ch->where != CH_REFUSED;
		return ch->where == CH_REFUSED ? "the account is not let into the channel" : "the account is not in the channel yet";
	}
	if (c->conf.twitch || irc_is_channel(c, (struct span){id, n}))
		return "the account is not in that channel";
	if (!irc_middle_ok(id, n) || n >= IRC_NAME_MAX || strpbrk(id, ",!@$*?") || strchr(c->prefixes[1], *id))
		return "data.channel.id is no channel and no nick";
	strcpy(s->target, id);
	return NULL;
}

/* The tag of an answer, where the server has tags and the number is one of its own (not made here: "l-..."). */
static void reply_to(const struct irc *c, struct irc_say *s, struct span data)
{
	char text[128];
	int n = scan_cstr(scan_member(data, "reply_to"), text, sizeof(text));
	struct buf b;

	if (n <= 0 || strncmp(text, "l-", 2) == 0 || !(c->conf.twitch || (c->caps & CAP_MESSAGE_TAGS)))
		return;
	buf_init(&b, sizeof(s->reply) - 1);
	if (irc_tag_escape(text, (size_t)n, &b) == 0)
		snprintf(s->reply, sizeof(s->reply), "%.*s", (int)b.len, b.p);
	buf_release(&b);
}

static bool is_true(struct span v)
{
	return v.n == 4 && memcmp(v.p, "true", 4) == 0;
}

void irc_say(struct irc *c, const char *line, size_t n, uint64_t ticket, int64_t now)
{
	struct irc_say *s = NULL;
	struct envelope e;
	char id[IRC_NAME_MAX];
	const char *why = NULL;
	bool retry = false;
	struct buf text;

	buf_init(&text, 65536);
	c->now = now;
	if (c->stage != IRC_LIVE) {
		why = "not connected";
		retry = true;
	} else if (c->nsays >= SAYS_MAX) {
		why = "too many messages wait";
		retry = true;
	} else if (scan_lazy(line, n, &e) || scan_cstr(scan_path(e.a[LA_DATA], "channel.id"), id, sizeof(id)) <= 0) {
		why = "data.channel.id is no channel and no nick";
	} else if (scan_string(scan_member(e.a[LA_DATA], "text"), &text)) {
		why = "data.text is no text, or too long";
	} else if (!(s = calloc(1, sizeof(*s)))) {
		why = "no memory";
		retry = true;
	} else {
		buf_init(&s->texts, 70000);
		s->ticket = ticket;
		s->action = is_true(scan_member(e.a[LA_DATA], "action"));
		why = address(c, s, id, &retry);
		if (!why) {
			reply_to(c, s, e.a[LA_DATA]);
			why = text.len ? split(c, s, text.p, text.len) : "the text is empty";
		}
	}
	buf_release(&text);
	if (why) {
		if (s)
			free_say(s);
		out_said(c->out, ticket, "", why, retry);
		return;
	}
	*c->says_end = s;
	c->says_end = &s->next;
	c->nsays++;
	irc_say_write(c, now);
}
