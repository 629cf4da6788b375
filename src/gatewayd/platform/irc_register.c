/* irc_register: from the first byte to the welcome, and what the server says it can. */
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

static void on_cap(struct irc *c, const struct irc_message *m)
{
	struct span what = m->nparams > 1 ? m->params[1] : (struct span){NULL, 0};
	struct span list = m->nparams > 2 ? m->params[m->nparams - 1] : (struct span){NULL, 0};
	bool more = m->nparams > 3 && irc_is(m->params[2], "*"), plain = true;
	unsigned caps;

	if (irc_is(what, "ACK")) {
		on_ack(c, list, more);
		return;
	}
	caps = caps_of(c, list, &plain);
	if (irc_is(what, "LS")) {
		if (!plain)
			caps &= ~(unsigned)CAP_SASL;
		c->offered |= caps;
		if (more || c->stage != IRC_GREETING)
			return;
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

/* ---- what the server can ---- */

static void copy(char *to, size_t size, const char *p, size_t n)
{
	snprintf(to, size, "%.*s", (int)(n < size ? n : size - 1), p);
}

static void chanmodes(struct irc *c, const char *p, const char *end)
{
	for (int i = 0; i < 4; i++) {
		const char *stop = p < end ? memchr(p, ',', (size_t)(end - p)) : NULL;

		stop = stop ? stop : end;
		copy(c->chanmodes[i], sizeof(c->chanmodes[i]), p, (size_t)(stop - p));
		p = stop + (stop < end);
	}
}

/* Of few digits. */
static unsigned number(struct span s)
{
	unsigned n = 0;

	for (size_t k = 0; k < s.n; k++)
		n = n * 10 + (unsigned)((s.p[k] - '0') & 15);
	return n;
}

static void supports(struct irc *c, const struct irc_message *m)
{
	for (unsigned i = 1; i < m->nparams; i++) {
		struct span s = m->params[i];
		const char *eq = memchr(s.p, '=', s.n), *v = eq ? eq + 1 : s.p + s.n, *end = s.p + s.n;
		struct span name = {s.p, (size_t)((eq ? eq : end) - s.p)}, value = {v, (size_t)(end - v)};

		if (irc_is(name, "CASEMAPPING")) {
			c->fold = irc_is(value, "rfc1459") ? IRC_FOLD_RFC1459 : irc_is(value, "rfc1459-strict") ||
				irc_is(value, "strict-rfc1459") ? IRC_FOLD_STRICT : IRC_FOLD_ASCII;
			irc_channels_fold(c);
		} else if (irc_is(name, "PREFIX") && value.n > 2 && *v == '(') {
			const char *close = memchr(v, ')', value.n);
			size_t n = close ? (size_t)(close - v - 1) : 0;

			if (n && (size_t)(end - close - 1) == n) {
				copy(c->prefixes[0], sizeof(c->prefixes[0]), v + 1, n);
				copy(c->prefixes[1], sizeof(c->prefixes[1]), close + 1, n);
			}
		} else if (irc_is(name, "CHANMODES")) {
			chanmodes(c, v, end);
		} else if (irc_is(name, "MSGREFTYPES")) {
			irc_history_supports(c, value);
		} else if (irc_is(name, "CHATHISTORY") && value.n && value.n < 6) {
			c->history.max = number(value);
		} else if (irc_is(name, "CHANTYPES") && value.n) {
			copy(c->chantypes, sizeof(c->chantypes), v, value.n);
		} else if (irc_is(name, "NICKLEN") && value.n && value.n < 4) {
			c->nick_max = number(value);
		}
	}
}

/* ---- which message ---- */

static struct span last(const struct irc_message *m)
{
	return m->nparams ? m->params[m->nparams - 1] : (struct span){"", 0};
}

static void refused(struct irc *c, const struct irc_message *m)
{
	struct span why = last(m);

	irc_lose(c, NEXT_STOP, 0, "the server refuses: %.*s", (int)(why.n < 120 ? why.n : 120), why.p);
}

static void welcomed(struct irc *c, const struct irc_message *m)
{
	if (c->conf.sasl && !c->sasl_done) {
		no_sasl(c);
		return;
	}
	if (m->nparams && m->params[0].n < IRC_NAME_MAX && !irc_is(m->params[0], "*"))
		set_nick(c, m->params[0]);
	c->sasl_refused = 0;
	c->stage = IRC_WELCOMED;
}

static const struct { const char *code; enum { R_WELCOME, R_SUPPORT, R_READY, R_NICK, R_BAD_NICK, R_REFUSED, R_SASL, R_SASL_DONE,
	R_SASL_REFUSED, R_HOST } what; } numerics[] = {
	{"001", R_WELCOME}, {"005", R_SUPPORT}, {"376", R_READY}, {"422", R_READY}, {"433", R_NICK}, {"436", R_NICK}, {"437", R_NICK},
	{"432", R_BAD_NICK}, {"464", R_REFUSED}, {"465", R_REFUSED}, {"AUTHENTICATE", R_SASL}, {"903", R_SASL_DONE}, {"907", R_SASL_DONE},
	{"902", R_SASL_REFUSED}, {"904", R_SASL_REFUSED}, {"905", R_SASL_REFUSED}, {"906", R_SASL_REFUSED}, {"908", R_SASL_REFUSED},
	{"396", R_HOST},
};

bool irc_register(struct irc *c, const struct irc_message *m, int64_t now)
{
	size_t i = 0;

	if (irc_is(m->command, "CAP")) {
		on_cap(c, m);
		return true;
	}
	while (i < sizeof(numerics) / sizeof(*numerics) && !irc_is(m->command, numerics[i].code))
		i++;
	if (i == sizeof(numerics) / sizeof(*numerics))
		return false;
	switch (numerics[i].what) {
	case R_WELCOME:
		if (c->stage == IRC_GREETING)
			welcomed(c, m);
		return true;
	case R_SUPPORT:
		supports(c, m);
		return true;
	case R_READY:
		if (c->stage == IRC_WELCOMED) {
			c->stage = IRC_JOINING;
			irc_channels_join(c, now);
		}
		return true;
	case R_NICK:
		/* 437 is also said of a channel. */
		if (m->nparams > 1 && irc_is_channel(c, m->params[1]))
			return false;
		other_nick(c);
		return true;
	case R_BAD_NICK:
		if (c->stage == IRC_GREETING)
			refused(c, m);
		return true;
	case R_REFUSED:
		refused(c, m);
		return true;
	case R_SASL:
		if (c->stage == IRC_GREETING && c->conf.sasl && irc_is(last(m), "+"))
			plain(c);
		return true;
	case R_SASL_DONE:
		c->sasl_done = true;
		if (c->stage == IRC_GREETING)
			irc_put(c, "CAP END");
		return true;
	case R_SASL_REFUSED:
		if (c->stage == IRC_GREETING && c->conf.sasl)
			sasl_refused(c, last(m));
		return true;
	case R_HOST:
		/* 396 NICK HOST :is now your hidden host */
		if (m->nparams > 1)
			copy(c->host, sizeof(c->host), m->params[1].p, m->params[1].n);
		return true;
	}
	return false;
}
