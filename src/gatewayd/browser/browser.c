#include "gatewayd/browser/browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "gatewayd/browser/client.h"
#include "gatewayd/metrics.h"
#include "gatewayd/outlet.h"
#include "line/envelope.h"
#include "link/batch.h"
#include "link/link.h"

#define WATCH (250 * CLOCK_MS)
#define RING_BYTES (1u << 20)		/* of one room */
#define RINGS_BYTES (64u << 20)		/* of all rooms together */
#define TAKE_LINES 256u
#define KEY_PREFIX "browser:"

/* ---- lines from the hub ---- */

bool event_shown(const char *line, size_t n)
{
	static const char *const shown[] = {"chat.message", "message.send", "analysis.emotion", "chat.edit", "chat.delete"};
	struct envelope e;

	if (scan_lazy(line, n, &e))
		return false;
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		if (scan_is(e.a[LA_TYPE], shown[i]))
			return true;
	return false;
}

int event_frame(struct buf *out, const char *line, size_t n, uint64_t seq)
{
	return buf_adds(out, "{\"event\":") || buf_add(out, line, n) ||
		buf_printf(out, ",\"seq\":%llu}", (unsigned long long)seq) ? -1 : 0;
}

/* The room a line belongs to: its name, or false. */
static bool room_of(const struct browser *b, const char *line, size_t n, char name[ROOM_NAME_MAX + 1])
{
	char key[sizeof(KEY_PREFIX) + ROOM_NAME_MAX], tenant[TENANT_MAX + 1];
	const size_t prefix = sizeof(KEY_PREFIX) - 1;
	struct envelope e;
	int len;

	if (scan_lazy(line, n, &e))
		return false;
	len = e.a[LA_PARTITIONKEY].p ? scan_cstr(e.a[LA_PARTITIONKEY], key, sizeof(key)) : -1;
	if (len < 0 || strncmp(key, KEY_PREFIX, prefix) != 0 || !frame_room_ok(key + prefix, (size_t)len - prefix))
		return false;
	envelope_tenant(&e, tenant);
	if (strcmp(tenant, b->opts.tenant) != 0)
		return false;
	strcpy(name, key + prefix);
	return true;
}

/* Something new is in the room: those who have seen all before are sent it. */
static void wake(struct room *room)
{
	for (struct client *c = room->members; c; c = c->room_next)
		if (c->state == CLIENT_LIVE)
			client_want_write(c);
}

static void show(struct browser *b, const char *line, size_t n, uint64_t seq, struct buf *frame)
{
	char name[ROOM_NAME_MAX + 1];
	struct room *room = NULL;

	if (!room_of(b, line, n, name) || !event_shown(line, n) || !(room = rooms_get(&b->rooms, name))) {
		metric_add(metrics[M_NOT_SHOWN], 1);
		return;
	}
	buf_clear(frame);
	if (event_frame(frame, line, n, seq)) {
		log_warn("no memory to show a line in room %s: clients find it in the history", name);
		return;
	}
	if (room_push(&b->rooms, room, seq, frame->p, frame->len) == 0)
		return;
	metric_add(metrics[M_SHOWN], 1);
	wake(room);
}

static void on_batch(void *arg, struct batch *batch)
{
	struct browser *b = arg;
	const char *at = batch->lines, *end = batch->lines + batch->len, *line;
	struct buf frame;
	size_t n;

	buf_init(&frame, LINK_MESSAGE_BYTES + 128);
	for (uint32_t i = 0; (line = batch_next(&at, end, &n)); i++) {
		uint64_t now = (uint64_t)(clock_wall() / CLOCK_US);

		b->made_up = now > b->made_up ? now : b->made_up + 1;
		show(b, line, n, batch->seq ? batch->seq[i] : b->made_up, &frame);
	}
	buf_release(&frame);
	metric_set(metrics[M_ROOMS], b->rooms.count);
	link_take_done(b->take, batch, NULL, 0);
}

/* ---- is the hub there? who does not read? ---- */

static void on_watch(void *arg)
{
	struct browser *b = arg;
	bool now = outlet_connected(b->outlet);

	if (now != b->delivery) {
		b->delivery = now;
		for (struct client *c = b->first; c; c = c->next)
			if (c->room)
				client_tell(c, "{\"status\":{\"delivery\":%s}}", now ? "true" : "false");
	}
	for (struct client *c = b->first; c; c = c->next)
		client_watch(c, loop_now(b->loop));
	if (b->first)
		loop_timer_in(b->loop, &b->watch, WATCH);
}

/* ---- connections ---- */

/* Is the page that connects our own, or one that the operator allows? Other programs than browsers send no Origin. */
static bool origin_ok(const struct browser *b, const struct http_head *h)
{
	struct span origin = http_field(h, "origin"), host = http_field(h, "host");
	const char *slashes;

	if (!origin.p)
		return true;
	for (size_t i = 0; i < b->opts.origins.n; i++)
		if (strcmp(b->opts.origins.v[i], "*") == 0 || http_span_is(origin, b->opts.origins.v[i]))
			return true;
	slashes = memmem(origin.p, origin.n, "://", 3);
	if (!slashes || !host.p)
		return false;
	origin.n -= (size_t)(slashes + 3 - origin.p);
	origin.p = slashes + 3;
	return origin.n == host.n && strncasecmp(origin.p, host.p, host.n) == 0;
}

static bool key_ok(struct span key)
{
	if (key.n != 24 || key.p[22] != '=' || key.p[23] != '=')
		return false;
	for (size_t i = 0; i < 22; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", key.p[i]))
			return false;
	return true;
}

/* What is wrong with the handshake: 0 nothing, -1 *p. */
static int check_handshake(const struct browser *b, const struct http_head *h, struct problem *p)
{
	static const char wanted[] = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";

	if (!h->upgrade || !http_list_has(http_field(h, "upgrade"), "websocket") ||
	    !http_span_is(http_field(h, "sec-websocket-version"), "13")) {
		problem_set(p, 426, "upgrade-required", "WebSocket only", "this is a WebSocket endpoint, version 13");
		p->headers = wanted;
	} else if (h->minor == 0 || !key_ok(http_field(h, "sec-websocket-key"))) {
		problem_set(p, 400, "bad-handshake", "Malformed handshake", "the key is not 16 bytes in Base64");
		strcpy(p->header, "sec-websocket-key");
	} else if (!http_list_has(http_field(h, "sec-websocket-protocol"), FRAME_PROTOCOL)) {
		problem_set(p, 400, "bad-protocol", "Unknown subprotocol", "the one subprotocol spoken here is " FRAME_PROTOCOL);
		strcpy(p->header, "sec-websocket-protocol");
	} else if (!origin_ok(b, h)) {
		problem_set(p, 403, "bad-origin", "Page not allowed", "pages of this origin may not connect");
		strcpy(p->header, "origin");
	} else if (b->draining || b->nclients >= b->opts.max_clients) {
		problem_set(p, 503, "too-many", "Too many clients", b->draining ? "the gateway stops" : "too many clients");
		p->retry_after = 5;
	} else {
		return 0;
	}
	return -1;
}

void browser_chat(struct browser *b, struct request *r)
{
	const struct http_head *h = request_head(r);
	struct problem p;
	struct place place;
	struct client *c;
	const char *rest;
	char key[25], peer[48];
	size_t nrest;
	int fd;

	if (check_handshake(b, h, &p)) {
		request_problem(r, &p);
		return;
	}
	memcpy(key, http_field(h, "sec-websocket-key").p, 24);
	snprintf(peer, sizeof(peer), "%s", request_peer(r));
	fd = request_take(r, &place, &rest, &nrest);
	c = client_new(b, &place, peer);
	if (!c) {
		log_warn("no memory for another client");
		close(fd);
		server_left(b->server, &place);
		return;
	}
	if (edge_upgrade(b->edge, fd, key, 24, rest, nrest, &client_events, c)) {
		log_warn("no memory for another client");
		client_events.on_gone(c);
		return;
	}
	if (b->watch.due == 0)
		on_watch(b);
}

/* ---- life ---- */

struct browser *browser_open(struct loop *l, struct edge *e, struct server *s, struct outlet *o,
	const struct browser_opts *opts)
{
	struct browser *b = calloc(1, sizeof(*b));
	uint64_t key[2] = {hash_random(), hash_random()};

	if (!b || rooms_init(&b->rooms, opts->max_rooms, opts->ring_lines, RING_BYTES, RINGS_BYTES, key)) {
		log_error("out of memory");
		free(b);
		return NULL;
	}
	b->loop = l;
	b->edge = e;
	b->server = s;
	b->outlet = o;
	b->opts = *opts;
	b->delivery = true;
	b->watch = (struct loop_timer){.fn = on_watch, .arg = b};
	frame_init(&b->frame);
	b->history = history_open(l, opts->query);
	if (!b->history)
		goto fail;
	if (opts->take) {
		struct link_opts lo = {.take = TAKE_LINES};

		b->take = link_take_open(l, opts->take, &lo, on_batch, NULL, b);
		if (!b->take)
			goto fail;
	}
	return b;
fail:
	browser_close(b);
	return NULL;
}

bool browser_connected(const struct browser *b)
{
	return !b->take || link_take_connected(b->take);
}

bool browser_history(const struct browser *b)
{
	return history_here(b->history);
}

size_t browser_clients(const struct browser *b)
{
	return b->nclients;
}

static void on_drained(void *arg)
{
	(void)arg;
}

void browser_drain(struct browser *b)
{
	struct client *next;

	if (b->draining)
		return;
	b->draining = true;
	for (struct client *c = b->first; c; c = next) {
		next = c->next;
		client_close(c, CLOSE_GOING_AWAY, "the gateway stops");
	}
	if (b->take)
		link_take_drain(b->take, on_drained);
}

void browser_close(struct browser *b)
{
	if (!b)
		return;
	loop_timer_del(b->loop, &b->watch);
	if (b->take)
		link_take_close(b->take);
	if (b->history)
		history_close(b->history);
	rooms_release(&b->rooms);
	frame_release(&b->frame);
	free(b);
}
