/* irc: the account, the life of its connection, and which message of the server goes where. See irc_impl.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/account.h"
#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"
#include "line/line.h"

#define OPENING (20 * CLOCK_S)
#define GREETING (90 * CLOCK_S)		/* a server may look up our address and identity first */
#define THROTTLED (60 * CLOCK_S)	/* what servers ask for who came back too fast */
#define OUT_MAX (IRC_TAGS_MAX + IRC_LINE_MAX)

void irc_put(struct irc *c, const char *fmt, ...)
{
	char line[OUT_MAX + 1];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 2, fmt, ap);
	va_end(ap);
	/* Every part was checked where it came from; a line end in one would be a command of somebody else's. */
	if (n <= 0 || (size_t)n >= sizeof(line) - 2 || !irc_last_ok(line, (size_t)n)) {
		log_error("%s: a line for the server is not sent: it is too long, or holds a line end", c->connection);
		return;
	}
	memcpy(line + n, "\r\n", 2);
	out_send(c->out, 0, 0, line, (size_t)n + 2);
	explicit_bzero(line, (size_t)n);
}

/* ---- open and close ---- */

static void close_(void *arg)
{
	struct irc *c = arg;

	irc_say_end(c, "the account is closed");
	irc_history_reset(c);
	irc_channels_free(c);
	irc_reader_release(&c->reader);
	irc_conf_release(&c->conf);
	buf_release(&c->line);
	buf_release(&c->text);
	free(c);
}

static void *open_(const struct account *a, struct out *o)
{
	struct irc *c = calloc(1, sizeof(*c));

	if (!c)
		return account_bad(a, "platform", "out of memory"), NULL;
	c->out = o;
	c->says_end = &c->says;
	snprintf(c->account, sizeof(c->account), "%s", account_name(a));
	snprintf(c->connection, sizeof(c->connection), "irc:%s/0", account_name(a));
	irc_reader_init(&c->reader);
	buf_init(&c->line, LINE_MAX_BYTES + 1);
	buf_init(&c->text, 4 * IRC_IN_MAX);
	c->key[0] = out_random(o);
	c->key[1] = out_random(o);
	c->boot = out_random(o);
	if (irc_conf_read(&c->conf, a)) {
		free(c);
		return NULL;
	}
	if (irc_channels_set(c, 0)) {
		close_(c);
		return NULL;
	}
	return c;
}

static void start(void *arg, int64_t now)
{
	struct irc *c = arg;

	(void)now;
	out_connections(c->out, 1);
}

static bool reload(void *arg, const struct account *a, int64_t now)
{
	struct irc *c = arg;
	struct irc_conf conf, old = c->conf;

	if (irc_conf_read(&conf, a))
		return false;
	if (!irc_conf_same(&conf, &old)) {
		irc_conf_release(&conf);
		return false;
	}
	c->conf = conf;
	irc_conf_release(&old);
	return irc_channels_set(c, now) == 0;
}

/* ---- the connection ---- */

static int dial(void *arg, unsigned conn, const char *saved, size_t nsaved, struct dial *d, int64_t now)
{
	struct irc *c = arg;
	int64_t when;

	(void)conn, (void)now;
	if (!c->broken && saved && nsaved < sizeof(c->from) && clock_parse(saved, nsaved, &when) == 0) {
		c->broken = true;
		clock_rfc3339(c->from, when);
		snprintf(c->why, sizeof(c->why), "the gateway was not running, or another one had the connection");
	}
	snprintf(d->url, sizeof(d->url), "%s", c->conf.url);
	d->costs_identify = false;
	d->opening = OPENING;
	d->greeting = GREETING;
	irc_reader_release(&c->reader);
	c->generation++;
	c->made = 0;
	return 0;
}

static void hear(struct irc *c, int64_t now)
{
	int64_t silence = now - c->heard;

	c->heard = now;
	c->heard_wall = clock_wall();
	irc_sure_silence(c, silence);
	out_expect(c->out, 0, 0, c->conf.ping + c->conf.ping / 2, "the server stopped answering");
}

static void opened(void *arg, unsigned conn, unsigned sock, int64_t now)
{
	struct irc *c = arg;

	(void)conn, (void)sock;
	c->stage = IRC_GREETING;
	c->lost = false;
	c->now = c->heard = now;
	c->unread = 0;
	hear(c, now);
	c->behind = 0;
	c->open_mark = c->mark;
	c->open_wall = irc_sure(c);
	out_timer(c->out, 0, T_PING, now + c->conf.ping);
	irc_greet(c);
}

/* What stands before the next connection: nothing of this one. */
static void down(struct irc *c, const char *why)
{
	const char *since = irc_history_since(c);

	if (c->stage >= IRC_WELCOMED) {
		if (!c->broken)
			clock_rfc3339(c->from, irc_sure(c));
		if (since && strcmp(since, c->from) < 0)
			memmove(c->from, since, strlen(since) + 1);
		c->broken = true;
		snprintf(c->why, sizeof(c->why), "%s", why);
	}
	c->stage = IRC_DOWN;
	c->lost = true;
	c->caps = c->offered = 0;
	for (unsigned t = T_PING; t <= T_SAID; t++)
		out_timer(c->out, 0, t, 0);
	irc_reader_release(&c->reader);
	irc_history_reset(c);
	irc_channels_reset(c);
	irc_say_end(c, why);
}

void irc_lose(struct irc *c, enum next next, int64_t wait, const char *fmt, ...)
{
	char why[IRC_WHY_MAX];
	struct buf clean;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	/* It may hold words of the server's. */
	buf_init(&clean, 4 * sizeof(why));
	if (irc_name((struct span){why, strlen(why)}, &clean) == 0 && buf_cstr(&clean))
		snprintf(why, sizeof(why), "%.*s", (int)irc_cut(clean.p, clean.len, sizeof(why) - 1), clean.p);
	buf_release(&clean);
	down(c, why);
	out_lost(c->out, 0, next, 0, why, wait);
}

static void gone(void *arg, unsigned conn, unsigned sock, unsigned code, const char *reason, int64_t now)
{
	struct irc *c = arg;

	(void)conn, (void)sock, (void)code, (void)now;
	irc_lose(c, NEXT_RESUME, 0, "%s", reason);
}

static void due(void *arg, unsigned conn, unsigned timer, int64_t now)
{
	struct irc *c = arg;

	(void)conn;
	c->now = now;
	c->lost = false;
	switch (timer) {
	case T_PING:
		if (now - c->heard >= c->conf.ping) {
			irc_put(c, "PING :idle");
			out_timer(c->out, 0, T_PING, now + c->conf.ping);
		} else {
			out_timer(c->out, 0, T_PING, c->heard + c->conf.ping);
		}
		irc_history_due(c);
		irc_sure_due(c);
		break;
	case T_PACE:
		irc_say_write(c, now);
		break;
	case T_CHANNELS:
		irc_channels_due(c, now);
		break;
	case T_SAID:
		irc_say_due(c, now);
		break;
	}
}

static void acked(void *arg, unsigned conn, uint64_t mark, int64_t now)
{
	(void)conn, (void)now;
	irc_sure_acked(arg, mark);
}

static void drain(void *arg, unsigned conn, int64_t now)
{
	struct irc *c = arg;

	(void)conn, (void)now;
	if (c->stage != IRC_DOWN) {
		irc_sure_drain(c);
		irc_put(c, "QUIT :handing over");
		down(c, "handed over");
		out_close(c->out, 0, 0, 0, "");
	}
	c->broken = false;	/* should it come back, what is saved then counts */
	*c->nick_from = '\0';
}

/* ---- messages ---- */

static void on_error(struct irc *c, const struct irc_message *m)
{
	static const char *const slow[] = {"throttl", "too fast", "too many"};
	struct span why = m->nparams ? m->params[m->nparams - 1] : (struct span){"", 0};
	char text[IRC_WHY_MAX];
	int64_t wait = 0;

	snprintf(text, sizeof(text), "%.*s", (int)(why.n < sizeof(text) ? why.n : sizeof(text) - 1), why.p);
	for (size_t i = 0; i < sizeof(slow) / sizeof(*slow); i++)
		if (strcasestr(text, slow[i]))
			wait = THROTTLED;
	irc_lose(c, NEXT_RESUME, wait, "the server closes: %s", text);
}

static void on_numeric(struct irc *c, unsigned code, const struct irc_message *m)
{
	/* Errors are 400 to 599 and, of some servers, 900 and more: NICK TARGET :why */
	if (irc_channel_numeric(c, code, m, c->now))
		return;
	if (code >= 400 && code < 600 && m->nparams >= 2)
		irc_say_refused(c, m, m->params[1], m->params[m->nparams - 1]);
}

static bool on_line(void *arg, const struct irc_message *m, const char *why)
{
	struct irc *c = arg;
	unsigned code;

	if (why) {
		log_warn("%s: the server sent what is no message: %s", c->connection, why);
		if (c->stage >= IRC_WELCOMED)
			out_gap(c->out, 0, why, "", "");
		return true;
	}
	irc_sure_heard(c, m);
	code = irc_code(m->command);
	if (irc_say_answer(c, m))
		return true;
	if (irc_is(m->command, "PING"))
		irc_put(c, "PONG :%.*s", (int)irc_cut(m->params[0].p, m->params[0].n, 400), m->params[0].p);
	else if (irc_is(m->command, "PONG") && !irc_sure_pong(c, m))
		irc_say_pong(c, m->nparams ? m->params[m->nparams - 1] : (struct span){"", 0});
	else if (irc_is(m->command, "ERROR"))
		on_error(c, m);
	else if (irc_register(c, m, c->now) || irc_history_failed(c, m))
		;
	else if (code)
		on_numeric(c, code, m);
	else if (c->conf.twitch && irc_twitch(c, m, c->now))
		;
	else if (c->stage >= IRC_WELCOMED)
		irc_event(c, m);
	return !c->lost;
}

static void frame(void *arg, unsigned conn, unsigned sock, const char *b, size_t n, bool binary, int64_t now)
{
	struct irc *c = arg;

	(void)conn, (void)sock, (void)binary;
	if (c->stage == IRC_DOWN)
		return;
	c->now = now;
	c->lost = false;
	hear(c, now);
	c->pieces++;
	if (irc_read(&c->reader, b, n, on_line, c) < 0)
		irc_lose(c, NEXT_RESUME, 0, "no memory for a line");
}

static void say(void *arg, const char *line, size_t n, uint64_t ticket, int64_t now)
{
	irc_say(arg, line, n, ticket, now);
}

/* ---- status ---- */

static void status(void *arg, struct buf *json)
{
	static const char *const where[] = {[CH_OUT] = "out", [CH_ASKED] = "asked", [CH_IN] = "in", [CH_REFUSED] = "refused"};
	struct irc *c = arg;

	buf_adds(json, "\"nick\":");
	buf_add_json(json, c->nick, strlen(c->nick));
	buf_printf(json, ",\"waiting\":%zu,\"channels\":[", c->nsays);
	for (size_t i = 0; i < c->nchannels; i++) {
		const struct irc_channel *ch = c->channels[i];

		buf_adds(json, i ? ",{\"name\":" : "{\"name\":");
		buf_add_json(json, ch->name, strlen(ch->name));
		buf_printf(json, ",\"state\":\"%s\"", where[ch->where]);
		if (*ch->why && ch->where != CH_IN) {
			buf_adds(json, ",\"error\":");
			buf_add_json(json, ch->why, strlen(ch->why));
		}
		buf_addc(json, '}');
	}
	buf_addc(json, ']');
}

static const char *const words[] = {
	"server", "nick", "user", "realname", "password-file", "sasl", "channels", "dialect", "rate", "burst", "ping",
	"send-unknown", NULL
};

const struct platform platform_irc = {
	.name = "irc", .words = words, .open = open_, .close = close_, .start = start, .reload = reload, .dial = dial, .opened = opened,
	.frame = frame, .gone = gone, .due = due, .acked = acked, .drain = drain, .say = say, .status = status,
};
