/*
 * null: the template. A plain WebSocket whose text frames are events of type platform.event.
 *
 *   url = ws://host:port/path     where to dial
 *   silence = 30s                 lost when no frame came for so long; absent: never
 *   identify = yes                a new session costs an identify (for tests of the budget)
 *   identify-total = 1000         so many a day
 *   bot = NAME                    whose sessions these are; absent: the account's
 *   connections = 1
 *
 * The first frame is ours: "session NAME N" says which session this is and that its frames up to N are kept. The peer answers with any frame
 * and goes on behind them; or with "new", when it cannot: then there is a gap, and "session OTHER 0" begins anew. Frames that begin with "." are
 * signs of life and no events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/buf.h"
#include "base/clock.h"
#include "gatewayd/platform/platform.h"
#include "line/line.h"
#include "line/scan.h"
#include "line/writer.h"

#define CONNS_MAX 1000u

struct conn {
	char session[17];		/* "": none */
	uint64_t seen, kept;		/* frames of the session */
	uint64_t base;			/* marks go on rising over sessions: mark = base + seen */
	bool first;			/* no frame of this socket came yet */
	bool resuming;
};

struct null {
	struct out *out;
	char url[1024];
	int64_t silence;
	uint64_t nconns, total;
	bool identify;
	struct conn *conns;
	char boot[17];			/* of ids of hooks, which have no session */
	struct buf line;
};

static int read_words(struct null *p, const struct account *a)
{
	const char *url = account_get(a, "url", NULL), *bot = account_get(a, "bot", NULL);

	if (bot && (!*bot || strlen(bot) >= OUT_BOT || bot[strspn(bot, "abcdefghijklmnopqrstuvwxyz0123456789-")]))
		return account_bad(a, "bot", "want 1 to %d of a-z 0-9 -", OUT_BOT - 1);
	if (bot)
		out_bot(p->out, bot);
	if (!url || strlen(url) >= sizeof(p->url))
		return account_bad(a, "url", "want the ws:// or wss:// URL to dial");
	strcpy(p->url, url);
	return account_time(a, "silence", 10 * CLOCK_MS, 3600 * CLOCK_S, &p->silence) ||
		account_u64(a, "connections", 1, CONNS_MAX, &p->nconns) ||
		account_u64(a, "identify-total", 1, 1000000, &p->total) || account_bool(a, "identify", &p->identify) ? -1 : 0;
}

static void close_(void *arg)
{
	struct null *p = arg;

	buf_release(&p->line);
	free(p->conns);
	free(p);
}

static void *open_(const struct account *a, struct out *o)
{
	struct null *p = calloc(1, sizeof(*p));

	if (!p)
		return account_bad(a, "platform", "out of memory"), NULL;
	p->out = o;
	snprintf(p->boot, sizeof(p->boot), "%016llx", (unsigned long long)out_random(o));
	p->nconns = 1;
	p->total = 1000;
	out_hooks(o, 2 * CLOCK_S);
	buf_init(&p->line, LINE_MAX_BYTES + 1);
	if (!read_words(p, a)) {
		p->conns = calloc(p->nconns, sizeof(*p->conns));
		if (p->conns)
			return p;
		account_bad(a, "platform", "out of memory");
	}
	close_(p);
	return NULL;
}

static void start(void *arg, int64_t now)
{
	struct null *p = arg;

	(void)now;
	if (p->identify)
		out_budget(p->out, 1, 100 * CLOCK_MS, p->total, p->total, 24 * 3600 * CLOCK_S);
	out_connections(p->out, (unsigned)p->nconns);
}

/* All that matters stands in the words: any other change is for a new object. */
static bool reload(void *arg, const struct account *a, int64_t now)
{
	(void)arg, (void)a, (void)now;
	return false;
}

static int dial(void *arg, unsigned i, const char *saved, size_t n, struct dial *d, int64_t now)
{
	struct null *p = arg;
	struct conn *c = &p->conns[i];
	char text[64] = "";
	unsigned long long kept = 0;

	(void)now;
	if (saved && n < sizeof(text))
		memcpy(text, saved, n);
	c->resuming = sscanf(text, "%16[0-9a-f] %llu", c->session, &kept) == 2;
	if (!c->resuming) {
		snprintf(c->session, sizeof(c->session), "%016llx", (unsigned long long)out_random(p->out));
		kept = 0;
	}
	c->first = true;
	c->base += c->seen;
	c->seen = c->kept = kept;
	snprintf(d->url, sizeof(d->url), "%s", p->url);
	d->costs_identify = p->identify && !c->resuming;
	d->opening = d->greeting = 10 * CLOCK_S;
	return 0;
}

static void save(struct null *p, unsigned i)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "%s %llu", p->conns[i].session, (unsigned long long)p->conns[i].kept);

	out_save(p->out, i, text, (size_t)n);
}

static void greet(struct null *p, unsigned i, unsigned sock)
{
	struct conn *c = &p->conns[i];
	char text[64];
	int n = snprintf(text, sizeof(text), "session %s %llu", c->session, (unsigned long long)c->kept);

	out_send(p->out, i, sock, text, (size_t)n);
}

static void opened(void *arg, unsigned i, unsigned sock, int64_t now)
{
	struct null *p = arg;

	(void)now;
	greet(p, i, sock);
	if (p->silence)
		out_expect(p->out, i, sock, p->silence, "silence");
}

static void event(struct null *p, unsigned i, const char *b, size_t n, uint64_t ticket)
{
	const struct account *a = out_account(p->out);
	struct conn *c = &p->conns[i];
	struct line_err err;
	struct writer w;
	char id[48];

	if (!ticket)
		c->seen++;
	snprintf(id, sizeof(id), "%s-%llu", ticket ? p->boot : c->session, (unsigned long long)(ticket ? ticket : c->seen));
	buf_clear(&p->line);
	writer_begin(&w, &p->line, LINE_MAX_BYTES);
	writer_attr(&w, "specversion", "1.0");
	writer_attr(&w, "id", id);
	writer_attr(&w, "source", account_source(a));
	writer_attr(&w, "type", "platform.event");
	writer_attr(&w, "tenant", account_tenant(a));
	writer_attr(&w, "partitionkey", account_source(a) + 1);
	writer_open(&w, "data");
	writer_str(&w, "platform", "null", 4);
	writer_str(&w, "account", account_name(a), strlen(account_name(a)));
	if (scan_value(b, n, &err) == 0 && !memchr(b, '\n', n))
		writer_raw(&w, "raw", b, n);
	else
		writer_str(&w, "raw", b, n);
	writer_close(&w);
	if (writer_end(&w, &err))
		out_mark(p->out, i, c->base + c->seen);	/* a frame that is no text: nothing comes of it */
	else
		out_line(p->out, i, p->line.p, p->line.len, c->base + c->seen, ticket);
}

static void frame(void *arg, unsigned i, unsigned sock, const char *b, size_t n, bool binary, int64_t now)
{
	struct null *p = arg;
	struct conn *c = &p->conns[i];

	(void)now;
	if (p->silence)
		out_expect(p->out, i, sock, p->silence, "silence");
	if (c->first) {
		bool fresh = n == 3 && memcmp(b, "new", 3) == 0;

		c->first = false;
		if (fresh && c->resuming) {
			out_gap(p->out, i, "the peer does not know the session", c->session, "");
			snprintf(c->session, sizeof(c->session), "%016llx", (unsigned long long)out_random(p->out));
			c->base += c->seen;
			c->seen = c->kept = 0;
			greet(p, i, sock);
		}
		save(p, i);
		out_live(p->out, i, c->resuming && !fresh);
		if (fresh)
			return;
	}
	if (binary || (n && b[0] == '.'))
		return;
	event(p, i, b, n, 0);
}

static void gone(void *arg, unsigned i, unsigned sock, unsigned code, const char *reason, int64_t now)
{
	struct null *p = arg;

	(void)sock, (void)now;
	out_lost(p->out, i, code == 4004 ? NEXT_STOP : NEXT_RESUME, 0, reason, 0);
}

static void due(void *arg, unsigned i, unsigned timer, int64_t now)
{
	(void)arg, (void)i, (void)timer, (void)now;
}

static void acked(void *arg, unsigned i, uint64_t mark, int64_t now)
{
	struct null *p = arg;

	(void)now;
	if (mark <= p->conns[i].base)	/* of the session before this one */
		return;
	p->conns[i].kept = mark - p->conns[i].base;
	save(p, i);
}

static void drain(void *arg, unsigned i, int64_t now)
{
	struct null *p = arg;

	(void)now;
	/* Until the peer has said so the session is none. */
	if (p->conns[i].session[0] && !p->conns[i].first)
		save(p, i);
	out_close(p->out, i, 0, 4000, "drain");
}

static void hook(void *arg, const struct hook *h, int64_t now)
{
	struct null *p = arg;

	(void)now;
	event(p, 0, h->body, h->nbody, h->ticket);
	out_hook_reply(p->out, h->ticket, 204, NULL, NULL, 0, true);
}

static void say(void *arg, const char *line, size_t n, uint64_t ticket, int64_t now)
{
	struct null *p = arg;
	struct envelope e;
	struct buf text;

	(void)now;
	buf_init(&text, LINE_MAX_BYTES);
	if (scan_lazy(line, n, &e) || scan_string(scan_member(e.a[LA_DATA], "text"), &text)) {
		out_said(p->out, ticket, SAID_INVALID, "there is no text");
	} else if (!out_saying(p->out, ticket)) {
		out_said(p->out, ticket, SAID_LATER, "the gateway could not write down that it says it");
	} else {
		out_send(p->out, 0, 0, text.p ? text.p : "", text.len);
		out_said(p->out, ticket, SAID_DONE, "");
	}
	buf_release(&text);
}

static void status(void *arg, struct buf *json)
{
	struct null *p = arg;

	buf_printf(json, "\"frames\":%llu", (unsigned long long)p->conns[0].seen);
}

static const char *const words[] = {"url", "silence", "connections", "identify", "identify-total", "bot", NULL};

const struct platform platform_null = {
	.name = "null", .words = words, .open = open_, .close = close_, .start = start, .reload = reload, .dial = dial, .opened = opened,
	.frame = frame, .gone = gone, .due = due, .acked = acked, .drain = drain, .hook = hook, .say = say, .status = status,
};
