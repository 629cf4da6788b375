/* irc_register: from the first byte to the welcome. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"

#define NICK_TRIES 5u
#define SASL_TRIES 3u		/* refusals in a row, before a person has to look: services fail too */
#define NO_SASL_WAIT (60 * CLOCK_S)
#define CHUNK 400u		/* of AUTHENTICATE, in characters of Base64 */

static const struct { const char *name; unsigned cap; bool twitch; } rows[] = {
	{"message-tags", CAP_MESSAGE_TAGS, false}, {"server-time", CAP_SERVER_TIME, false}, {"account-tag", CAP_ACCOUNT_TAG, false},
	{"echo-message", CAP_ECHO_MESSAGE, false}, {"batch", CAP_BATCH, false}, {"sasl", CAP_SASL, false},
	{"multi-prefix", CAP_MULTI_PREFIX, false}, {"labeled-response", CAP_LABELS, false},
	{"draft/chathistory", CAP_HISTORY, false},
	{"twitch.tv/tags", CAP_TWITCH_TAGS, true}, {"twitch.tv/commands", CAP_TWITCH_COMMANDS, true},
	{"twitch.tv/membership", CAP_TWITCH_MEMBERSHIP, true},
};
enum { ROWS = sizeof(rows) / sizeof(*rows) };

bool irc_nick_is(const struct irc *c, struct span nick)
{
	char a[IRC_NAME_MAX], b[IRC_NAME_MAX];
	size_t n = irc_fold_name(c, nick, a);

	return n && n == irc_fold_name(c, (struct span){c->nick, strlen(c->nick)}, b) && memcmp(a, b, n) == 0;
}

static void set_nick(struct irc *c, struct span nick)
{
	snprintf(c->nick, sizeof(c->nick), "%.*s", (int)nick.n, nick.p);
}

void irc_greet(struct irc *c)
{
	c->caps = c->offered = 0;
	c->sasl_done = c->nick_waits = false;
	c->nick_tries = 0;
	c->fold = IRC_FOLD_RFC1459;
	c->nick_max = 9;		/* RFC 2812; more when the server says so */
	strcpy(c->prefixes[0], "qaohv");
	strcpy(c->prefixes[1], "~&@%+");
	strcpy(c->chanmodes[0], "beIq");
	strcpy(c->chanmodes[1], "k");
	strcpy(c->chanmodes[2], "l");
	*c->chanmodes[3] = '\0';
	strcpy(c->chantypes, "#&");
	*c->host = '\0';
	memset(c->batches, 0, sizeof(c->batches));
	irc_history_reset(c);
	c->join_full = c->pace_full = c->joining_until = 0;
	snprintf(c->nick, sizeof(c->nick), "%s", c->conf.nick);
	irc_put(c, "CAP LS 302");
	if (c->conf.password.len && !c->conf.sasl)
		irc_put(c, "PASS %s%.*s", strchr(":", c->conf.password.p[0]) || memchr(c->conf.password.p, ' ', c->conf.password.len) ?
			":" : "", (int)c->conf.password.len, c->conf.password.p);
	irc_put(c, "NICK %s", c->nick);
	irc_put(c, "USER %s 0 * :%s", c->conf.user, c->conf.realname);
}

/* ---- capabilities ---- */

/* Calls for every word of a list: its name up to "=", and the value. */
static unsigned caps_of(const struct irc *c, struct span list, bool *plain)
{
	const char *p = list.p, *end = p ? p + list.n : p;
	unsigned caps = 0;

	while (p < end) {
		const char *stop = memchr(p, ' ', (size_t)(end - p)), *eq;
		size_t n, name;

		stop = stop ? stop : end;
		n = (size_t)(stop - p);
		eq = memchr(p, '=', n);
		name = eq ? (size_t)(eq - p) : n;
		for (size_t i = 0; i < ROWS; i++) {
			if (strlen(rows[i].name) != name || memcmp(p, rows[i].name, name) != 0 || (rows[i].twitch && !c->conf.twitch))
				continue;
			caps |= rows[i].cap;
			if (rows[i].cap == CAP_SASL && eq && plain)
				*plain = memmem(eq, (size_t)(stop - eq), "PLAIN", 5) != NULL;
		}
		p = stop + (stop < end);
	}
	return caps;
}

static void request(struct irc *c, unsigned caps)
{
	char list[256] = "";

	if (!c->conf.sasl)
		caps &= ~(unsigned)CAP_SASL;
	for (size_t i = 0; i < ROWS; i++)
		if (caps & rows[i].cap)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", *list ? " " : "", rows[i].name);
	if (*list)
		irc_put(c, "CAP REQ :%s", list);
	else if (c->stage == IRC_GREETING)
		irc_put(c, "CAP END");
}

/* No SASL where it is asked for: perhaps the services are away; never go on without. */
static void no_sasl(struct irc *c)
{
	irc_lose(c, NEXT_RESUME, NO_SASL_WAIT,
		"the server offers no SASL PLAIN, and the account says sasl = plain (are the network's services away?)");
}

/* "-name": it is off now. */
static void on_ack(struct irc *c, struct span list, bool more)
{
	const char *p = list.p, *end = p ? p + list.n : p;

	for (; p < end; p++) {
		const char *stop = memchr(p, ' ', (size_t)(end - p));
		bool off = *p == '-';
		unsigned caps;

		stop = stop ? stop : end;
		caps = caps_of(c, (struct span){p + off, (size_t)(stop - p) - off}, NULL);
		c->caps = off ? c->caps & ~caps : c->caps | caps;
		p = stop;
	}
	if (c->stage != IRC_GREETING || c->sasl_done || more)
		return;
	if (c->conf.sasl && (c->caps & CAP_SASL))
		irc_put(c, "AUTHENTICATE PLAIN");
	else if (c->conf.sasl)
		no_sasl(c);
	else
		irc_put(c, "CAP END");
}

static bool on_cap(struct irc *c, const struct irc_message *m, int64_t now)
{
	struct span what = m->nparams > 1 ? m->params[1] : (struct span){NULL, 0};
	struct span list = m->nparams > 2 ? m->params[m->nparams - 1] : (struct span){NULL, 0};
	bool more = m->nparams > 3 && irc_is(m->params[2], "*"), plain = true;
	unsigned caps;

	(void)now;
	if (irc_is(what, "ACK")) {
		on_ack(c, list, more);
		return true;
	}
	caps = caps_of(c, list, &plain);
	if (irc_is(what, "LS")) {
		if (!plain)
			caps &= ~(unsigned)CAP_SASL;
		c->offered |= caps;
		if (more || c->stage != IRC_GREETING)
			return true;
		if (c->conf.sasl && !(c->offered & CAP_SASL))
			no_sasl(c);
		else
			request(c, c->offered);
	} else if (irc_is(what, "NEW")) {
		caps &= ~c->caps & ~(unsigned)CAP_SASL;
		if (caps)
			request(c, caps);
	} else if (irc_is(what, "DEL")) {
		c->caps &= ~caps;
	} else if (irc_is(what, "NAK") && c->stage == IRC_GREETING) {
		/* All or nothing: then only what has to be. */
		if (c->conf.sasl && (c->offered & ~(unsigned)CAP_SASL)) {
			c->offered = CAP_SASL;
			request(c, CAP_SASL);
		} else if (c->conf.sasl) {
			no_sasl(c);
		} else {
			irc_put(c, "CAP END");
		}
	}
	return true;
}

/* ---- SASL ---- */

/* RFC 4616: no authorisation identity, the user, the password; in pieces of 400, an empty one behind a full last one. */
static void plain(struct irc *c)
{
	char message[IRC_NAME_MAX + 512], text[sizeof(message) * 4 / 3 + 8];
	size_t n = 0, len, at = 0;

	message[n++] = '\0';
	memcpy(message + n, c->conf.user, strlen(c->conf.user));
	n += strlen(c->conf.user);
	message[n++] = '\0';
	memcpy(message + n, c->conf.password.p, c->conf.password.len);
	n += c->conf.password.len;
	len = base64(message, n, text);
	for (; at + CHUNK <= len; at += CHUNK)
		irc_put(c, "AUTHENTICATE %.*s", (int)CHUNK, text + at);
	if (at < len)
		irc_put(c, "AUTHENTICATE %.*s", (int)(len - at), text + at);
	else
		irc_put(c, "AUTHENTICATE +");
	explicit_bzero(message, sizeof(message));
	explicit_bzero(text, sizeof(text));
}

static void sasl_refused(struct irc *c, struct span why)
{
	bool stop = ++c->sasl_refused >= SASL_TRIES;

	irc_lose(c, stop ? NEXT_STOP : NEXT_RESUME, 0, "SASL: %.*s", (int)(why.n < 100 ? why.n : 100), why.p);
}

/* ---- nick ---- */

/* Another one while ours is taken: the same with "_", shorter when it would be too long, and at last with a number. */
static void other_nick(struct irc *c)
{
	size_t max = c->nick_max > 4 && c->stage > IRC_GREETING ? c->nick_max : 9, n = strlen(c->conf.nick);
	char tail[16];

	if (c->stage > IRC_GREETING) {
		c->nick_waits = true;
		return;
	}
	if (++c->nick_tries > NICK_TRIES) {
		irc_lose(c, NEXT_RESUME, 0, "the nick %s and others like it are taken", c->conf.nick);
		return;
	}
	if (c->nick_tries < 3)
		snprintf(tail, sizeof(tail), "%.*s", (int)c->nick_tries, "___");
	else
		snprintf(tail, sizeof(tail), "%u", (unsigned)(out_random(c->out) % 900) + 100);
	if (n + strlen(tail) > max)
		n = max > strlen(tail) ? max - strlen(tail) : 1;
	snprintf(c->nick, sizeof(c->nick), "%.*s%s", (int)n, c->conf.nick, tail);
	c->nick_waits = true;
	irc_put(c, "NICK %s", c->nick);
}

void irc_nick_back(struct irc *c)
{
	if (c->nick_waits && strcmp(c->nick, c->conf.nick) != 0)
		irc_put(c, "NICK %s", c->conf.nick);
	else
		c->nick_waits = false;
}

/* ---- which message ---- */

static struct span last(const struct irc_message *m)
{
	return m->nparams ? m->params[m->nparams - 1] : (struct span){"", 0};
}

static bool on_welcome(struct irc *c, const struct irc_message *m, int64_t now)
{
	(void)now;
	if (c->stage != IRC_GREETING)
		return true;
	if (c->conf.sasl && !c->sasl_done) {
		no_sasl(c);
		return true;
	}
	if (m->nparams && m->params[0].n < IRC_NAME_MAX && !irc_is(m->params[0], "*"))
		set_nick(c, m->params[0]);
	c->sasl_refused = 0;
	irc_welcomed(c);
	return true;
}

static bool on_support(struct irc *c, const struct irc_message *m, int64_t now)
{
	(void)now;
	irc_support(c, m);
	return true;
}

static bool on_ready(struct irc *c, const struct irc_message *m, int64_t now)
{
	(void)m;
	if (c->stage != IRC_WELCOMED)
		return true;
	c->stage = IRC_JOINING;
	irc_channels_join(c, now);
	return true;
}

static bool on_nick_taken(struct irc *c, const struct irc_message *m, int64_t now)
{
	(void)now;
	/* 437 is also said of a channel. */
	if (m->nparams > 1 && irc_is_channel(c, m->params[1]))
		return false;
	other_nick(c);
	return true;
}

static bool on_refused(struct irc *c, const struct irc_message *m, int64_t now)
{
	struct span why = last(m);

	(void)now;
	irc_lose(c, NEXT_STOP, 0, "the server refuses: %.*s", (int)(why.n < 120 ? why.n : 120), why.p);
	return true;
}

static bool on_bad_nick(struct irc *c, const struct irc_message *m, int64_t now)
{
	return c->stage != IRC_GREETING || on_refused(c, m, now);
}

static bool on_sasl(struct irc *c, const struct irc_message *m, int64_t now)
{
	(void)now;
	if (c->stage == IRC_GREETING && c->conf.sasl && irc_is(last(m), "+"))
		plain(c);
	return true;
}

static bool on_sasl_done(struct irc *c, const struct irc_message *m, int64_t now)
{
	(void)m, (void)now;
	c->sasl_done = true;
	if (c->stage == IRC_GREETING)
		irc_put(c, "CAP END");
	return true;
}

static bool on_sasl_refused(struct irc *c, const struct irc_message *m, int64_t now)
{
	(void)now;
	if (c->stage == IRC_GREETING && c->conf.sasl)
		sasl_refused(c, last(m));
	return true;
}

/* NICK HOST :is now your hidden host */
static bool on_host(struct irc *c, const struct irc_message *m, int64_t now)
{
	(void)now;
	if (m->nparams > 1)
		snprintf(c->host, sizeof(c->host), "%.*s", (int)(m->params[1].n < sizeof(c->host) ? m->params[1].n : sizeof(c->host) - 1),
			m->params[1].p);
	return true;
}

static const struct { const char *command; bool (*on)(struct irc *c, const struct irc_message *m, int64_t now); } messages[] = {
	{"CAP", on_cap}, {"AUTHENTICATE", on_sasl}, {"001", on_welcome}, {"005", on_support}, {"376", on_ready}, {"422", on_ready},
	{"433", on_nick_taken}, {"436", on_nick_taken}, {"437", on_nick_taken}, {"432", on_bad_nick}, {"464", on_refused}, {"465", on_refused},
	{"903", on_sasl_done}, {"907", on_sasl_done}, {"902", on_sasl_refused}, {"904", on_sasl_refused}, {"905", on_sasl_refused},
	{"906", on_sasl_refused}, {"908", on_sasl_refused}, {"396", on_host},
};

bool irc_register(struct irc *c, const struct irc_message *m, int64_t now)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		if (irc_is(m->command, messages[i].command))
			return messages[i].on(c, m, now);
	return false;
}
