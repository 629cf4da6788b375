#include "gatewayd/wire/edge_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "gatewayd/wire/wire.h"
#include "gatewayd/wire/wsio.h"

#define SEND_MAX (1u << 20)		/* of one message */

struct edge_client {
	struct wires *ws;
	struct wire *wire;
	const struct edge_client_handler *h;
	void *arg;
	bool frames;			/* WebSocket */
	bool ended;			/* on_gone was called, or will be */
	bool parting;			/* our close frame is out */
	struct wsio io;
	struct buf request;		/* the handshake, until it is sent */
	unsigned busy;
	bool dead;
};

struct url { bool frames, tls; char host[256]; unsigned port; const char *target; bool own_port; };

/* ---- URLs ---- */

static const struct { const char *scheme; bool frames, tls; unsigned port; } schemes[] = {
	{"ws://", true, false, 80}, {"wss://", true, true, 443}, {"irc://", false, false, 6667}, {"ircs://", false, true, 6697},
};

/* "host", "host:port", "[v6]:port". */
static const char *read_place(struct url *u, const char *p, size_t n)
{
	const char *host = p, *end = p + n, *colon;
	size_t len;

	if (n && *p == '[') {
		const char *close = memchr(p, ']', n);

		if (!close)
			return "the closing bracket is missing";
		host = p + 1;
		len = (size_t)(close - host);
		colon = close + 1;
	} else {
		colon = memchr(p, ':', n);
		if (!colon)
			colon = end;
		len = (size_t)(colon - host);
	}
	if (len == 0 || len >= sizeof(u->host))
		return "there is no host, or its name is too long";
	memcpy(u->host, host, len);
	u->host[len] = '\0';
	if (colon == end)
		return NULL;
	if (*colon != ':' || colon + 1 == end || end - colon > 6)
		return "the port is no number";
	u->port = 0;
	for (p = colon + 1; p < end; p++) {
		if (*p < '0' || *p > '9')
			return "the port is no number";
		u->port = u->port * 10 + (unsigned)(*p - '0');
	}
	u->own_port = true;
	return u->port == 0 || u->port > 65535 ? "the port is out of range" : NULL;
}

static const char *read_url(const char *url, struct url *u)
{
	size_t i, n;

	memset(u, 0, sizeof(*u));
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '#')
			return "a character that a URL does not have here";
	for (i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) == 0)
			break;
	if (i == sizeof(schemes) / sizeof(*schemes))
		return "want ws://, wss://, irc:// or ircs://";
	u->frames = schemes[i].frames;
	u->tls = schemes[i].tls;
	u->port = schemes[i].port;
	url += strlen(schemes[i].scheme);
	n = strcspn(url, "/?");
	if (memchr(url, '@', n))
		return "no user belongs into it";
	u->target = url + n;
	return read_place(u, url, n);
}

const char *edge_client_bad_url(const char *url)
{
	struct url u;

	return read_url(url, &u);
}

/* ---- callbacks; the struct may go in each of them ---- */

static void client_free(struct edge_client *c)
{
	wsio_release(&c->io);
	buf_release(&c->request);
	free(c);
}

/* true: it is gone. */
static bool leave(struct edge_client *c)
{
	bool dead = c->dead;

	if (--c->busy == 0 && dead)
		client_free(c);
	return dead;
}

static void gone(struct edge_client *c, unsigned code, const char *reason)
{
	if (c->ended)
		return;
	c->ended = true;
	c->h->on_gone(c->arg, code, reason);
}

static void send_frame(struct edge_client *c, enum wsio_op op, const char *p, size_t n)
{
	struct buf b;

	if (c->parting)
		return;
	buf_init(&b, SEND_MAX + 16);
	if (wsio_frame(&b, op, p, n, (uint32_t)hash_random()) == 0)
		wire_send(c->wire, b.p, b.len);
	buf_release(&b);
}

static void send_close(struct edge_client *c, unsigned code, const char *reason)
{
	char text[WSIO_SMALL];

	if (c->io.open)
		send_frame(c, WSIO_CLOSE, text, wsio_close_text(text, code, reason));
}

static bool io_open(void *arg)
{
	struct edge_client *c = arg;

	c->h->on_open(c->arg);
	return c->dead;
}

static bool io_message(void *arg, const char *p, size_t n, bool binary)
{
	struct edge_client *c = arg;

	c->h->on_data(c->arg, p, n, binary);
	return c->dead;
}

static bool io_ping(void *arg, const char *p, size_t n)
{
	send_frame(arg, WSIO_PONG, p, n);
	return false;
}

static bool io_pong(void *arg)
{
	(void)arg;
	return false;
}

static bool io_closed(void *arg, unsigned code, const char *reason)
{
	struct edge_client *c = arg;

	/* The answer carries the same code (RFC 6455, 5.5.1). */
	if (code == 1005)
		send_frame(c, WSIO_CLOSE, "", 0);
	else
		send_close(c, code, "");
	gone(c, code, reason);
	return true;
}

static const struct wsio_handler io_handler = {io_open, io_message, io_ping, io_pong, io_closed};

static void on_wire_open(void *arg)
{
	struct edge_client *c = arg;

	c->busy++;
	if (c->frames) {
		wire_send(c->wire, c->request.p, c->request.len);
		buf_release(&c->request);
	} else {
		c->h->on_open(c->arg);
	}
	leave(c);
}

static void on_wire_bytes(void *arg, const char *p, size_t n)
{
	struct edge_client *c = arg;

	if (c->ended)
		return;
	c->busy++;
	if (!c->frames) {
		c->h->on_data(c->arg, p, n, true);
	} else if (wsio_feed(&c->io, p, n, &io_handler, c) < 0 && !c->dead) {
		if (c->io.code)
			send_close(c, c->io.code, c->io.why);
		gone(c, c->io.code, c->io.why);
	}
	leave(c);
}

static void on_wire_gone(void *arg, const char *reason)
{
	struct edge_client *c = arg;

	c->busy++;
	gone(c, 0, reason);
	leave(c);
}

static const struct wire_handler wire_events = {on_wire_open, on_wire_bytes, on_wire_gone};

/* ---- life ---- */

static int prepare(struct edge_client *c, const struct url *u)
{
	unsigned char random[16];
	char host[280], target[1100];
	uint64_t r[2] = {hash_random(), hash_random()};
	bool v6 = strchr(u->host, ':');

	memcpy(random, r, sizeof(random));
	snprintf(host, sizeof(host), v6 ? "[%s]" : "%s", u->host);
	if (u->own_port)
		snprintf(host + strlen(host), sizeof(host) - strlen(host), ":%u", u->port);
	if ((size_t)snprintf(target, sizeof(target), "%s%s", u->target[0] == '/' ? "" : "/", u->target) >= sizeof(target)) {
		errno = EINVAL;
		return -1;
	}
	buf_init(&c->request, 8192);
	return wsio_init(&c->io, EDGE_MESSAGE_MAX, host, target, random, &c->request);
}

struct edge_client *edge_client_dial(struct wires *ws, const char *url, const char *ca, int64_t opening,
	const struct edge_client_handler *h, void *arg)
{
	struct edge_client *c;
	struct wire_to to;
	struct url u;
	int e;

	if (read_url(url, &u)) {
		errno = EINVAL;
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->ws = ws;
	c->h = h;
	c->arg = arg;
	c->frames = u.frames;
	to = (struct wire_to){.host = u.host, .port = u.port, .tls = u.tls, .ca = ca, .opening = opening};
	if ((u.frames && prepare(c, &u)) || !(c->wire = wire_dial(ws, &to, &wire_events, c))) {
		e = errno;
		client_free(c);
		errno = e;
		return NULL;
	}
	return c;
}

void edge_client_close(struct edge_client *c, unsigned code, const char *reason)
{
	if (!c)
		return;
	if (code && c->frames && !c->ended)
		send_close(c, code, reason);
	/* When the peer has said goodbye or broke the protocol, the answer is still under way. */
	wire_close(c->wire, code || (c->ended && c->io.open));
	c->wire = NULL;
	c->ended = c->dead = true;
	if (!c->busy)
		client_free(c);
}

void edge_client_half_close(struct edge_client *c, unsigned code, const char *reason)
{
	if (c->ended)
		return;
	send_close(c, code, reason);
	c->parting = true;
}

void edge_client_send(struct edge_client *c, const char *p, size_t n)
{
	if (c->ended)
		return;
	if (!c->frames)
		wire_send(c->wire, p, n);
	else if (c->io.open)
		send_frame(c, WSIO_TEXT, p, n);
}

void edge_client_pause(struct edge_client *c, bool pause)
{
	if (!c->ended)
		wire_pause(c->wire, pause);
}
