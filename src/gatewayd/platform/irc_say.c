/*
 * irc_say: message.send to PRIVMSG; what becomes of it is irc_outcome.c's.
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
#define HOST_GUESS 75u			/* user@host as others see us, when we have not seen it */

int64_t irc_pace(int64_t *full, uint64_t rate, uint64_t burst, int64_t now)
{
	int64_t one = 60 * CLOCK_S / (int64_t)rate, from = *full > now ? *full : now;

	if (from + one - now > one * (int64_t)burst)
		return from + one - now - one * (int64_t)burst;
	*full = from + one;
	return 0;
}

/* ---- writing ---- */

static void write_one(struct irc *c, struct irc_say *s, int64_t now)
{
	const char *text = s->texts.p + s->at;
	char tag[sizeof(s->reply) + 80] = "";
	int n = 0;

	if (irc_labels(c))
		n = snprintf(tag, sizeof(tag), "@label=s%llu", (unsigned long long)c->numbers + 1);
	if (*s->reply && s->written == 0)
		n += snprintf(tag + n, sizeof(tag) - (size_t)n, "%c%s=%s", n ? ';' : '@',
			c->conf.twitch ? "reply-parent-msg-id" : "+draft/reply", s->reply);
	if (n)
		snprintf(tag + n, sizeof(tag) - (size_t)n, " ");
	irc_put(c, "%sPRIVMSG %s :%s%s%s", tag, s->target, s->action ? "\001ACTION " : "", text, s->action ? "\001" : "");
	s->at += strlen(text) + 1;
	if (s->written++ == 0)
		s->number = c->numbers + 1;
	c->numbers++;
	s->limit = c->conf.twitch ? now + IRC_TWITCH_WAIT : 0;
	s->pieces = c->pieces;
}

/* Its first line is next: false, told, when it cannot be written down that it goes out. */
static bool may_begin(struct irc *c, struct irc_say *s)
{
	if (s->written || out_saying(c->out, s->ticket))
		return true;
	irc_say_tell(c, s, SAID_LATER, "the gateway could not write down that it says it");
	return false;
}

void irc_say_write(struct irc *c, int64_t now)
{
	uint64_t before = c->numbers;
	int64_t wait = 0;

	if (c->stage != IRC_LIVE)
		return;
	for (struct irc_say *s = c->says; s && !wait; s = s->next) {
		while (!s->told && s->written < s->parts && !(wait = irc_pace(&c->pace_full, c->conf.rate, c->conf.burst, now)) &&
		       may_begin(c, s))
			write_one(c, s, now);
	}
	irc_say_sweep(c);
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

/* Who is told, by the id of the line. NULL, or why not; *retry: it may go later, else *as is what it is. */
static const char *address(const struct irc *c, struct irc_say *s, const char *id, bool *retry, enum said_as *as)
{
	struct irc_channel *ch = irc_channel_by_id(c, id);
	size_t n = strlen(id);

	*retry = false;
	if (ch) {
		strcpy(s->target, ch->name);
		if (ch->where == CH_IN)
			return NULL;
		*retry = ch->where != CH_REFUSED;
		*as = SAID_REFUSED;
		return ch->where == CH_REFUSED ? "the account is not let into the channel" : "the account is not in the channel yet";
	}
	if (c->conf.twitch || irc_is_channel(c, (struct span){id, n})) {
		*as = SAID_REFUSED;
		return "the account is not in that channel";
	}
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
	enum said_as as = SAID_INVALID;
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
		why = address(c, s, id, &retry, &as);
		if (!why) {
			reply_to(c, s, e.a[LA_DATA]);
			why = text.len ? split(c, s, text.p, text.len) : "the text is empty";
		}
	}
	buf_release(&text);
	if (why) {
		if (s)
			irc_say_free(s);
		out_said(c->out, ticket, retry ? SAID_LATER : as, why);
		return;
	}
	*c->says_end = s;
	c->says_end = &s->next;
	c->nsays++;
	irc_say_write(c, now);
}
