#include "gatewayd/browser/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "gatewayd/metrics.h"

#define JOIN_TIME (10 * CLOCK_S)
#define FRAMES_RATE 20u		/* frames of any kind a second, on average; a flood ends the connection */
#define FRAMES_BURST 100u
#define FRAMES_AT_ONCE 64	/* written before others get their turn */
#define CONTROLS_MAX 256u	/* frames that a client has not read */
#define CLOSE_TIME (3 * CLOCK_S)	/* for the last control frames to be read */

/* ---- out ---- */

void client_want_write(struct client *c)
{
	if (!c->ws)
		return;
	if (!c->wants)
		c->wants = clock_mono();
	ws_want_write(c->ws);
}

static void drop_controls(struct client *c)
{
	while (c->ctl) {
		struct control *f = c->ctl;

		c->ctl = f->next;
		free(f);
	}
	c->ctl_last = &c->ctl;
	c->nctl = 0;
}

static void on_not_read(void *arg)
{
	struct client *c = arg;

	ws_close(c->ws, c->close_code, c->close_why);
}

void client_close(struct client *c, unsigned code, const char *why)
{
	if (!c->ws || c->state == CLIENT_CLOSING)
		return;
	c->state = CLIENT_CLOSING;
	c->close_code = code;
	c->close_why = why;
	catchup_stop(c);
	c->timer.fn = on_not_read;
	loop_timer_in(c->b->loop, &c->timer, CLOSE_TIME);
	if (code == CLOSE_BUSY)
		drop_controls(c);	/* it does not read them */
	log_debug("%s: closing: %u %s", c->peer, code, why);
	client_want_write(c);
}

void client_tell(struct client *c, const char *fmt, ...)
{
	struct control *f;
	va_list ap;
	int n;

	if (!c->ws || c->state == CLIENT_CLOSING)
		return;
	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	f = malloc(sizeof(*f) + EDGE_PRE + (size_t)n + 1);
	if (!f || c->nctl == CONTROLS_MAX) {
		free(f);
		metric_add(metrics[M_TOO_SLOW], 1);
		client_close(c, CLOSE_BUSY, "too far behind; join again with after");
		return;
	}
	memset(f->bytes, 0, EDGE_PRE);
	va_start(ap, fmt);
	vsnprintf(f->bytes + EDGE_PRE, (size_t)n + 1, fmt, ap);
	va_end(ap);
	f->len = (size_t)n;
	f->next = NULL;
	*c->ctl_last = f;
	c->ctl_last = &f->next;
	c->nctl++;
	client_want_write(c);
}

static void send_control(struct client *c)
{
	struct control *f = c->ctl;

	c->ctl = f->next;
	if (!c->ctl)
		c->ctl_last = &c->ctl;
	c->nctl--;
	ws_send(c->ws, f->bytes, f->len);
	free(f);
}

/* Sends the next line of the page that is due: true; false when there is none. */
static bool send_page(struct client *c)
{
	const char *line;
	uint64_t seq;
	size_t n;

	while ((line = page_next(&c->page, &n, &seq))) {
		struct buf frame;

		if (seq <= c->pos)
			continue;
		c->pos = seq;
		if (!event_shown(line, n))
			continue;
		buf_init(&frame, n + 128);
		if (buf_add(&frame, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", EDGE_PRE) || event_frame(&frame, line, n, seq))
			client_close(c, CLOSE_BUSY, "no memory; join again with after");
		else
			ws_send(c->ws, frame.p, frame.len - EDGE_PRE);
		buf_release(&frame);
		return true;
	}
	return false;
}

/* Sends the next line of the ring: true if another may wait. */
static bool send_ring(struct client *c)
{
	struct room_line *l;

	if (!catchup_covered(c)) {
		catchup_start(c);
		return false;
	}
	l = room_after(c->room, c->pos);
	if (!l)
		return false;
	c->pos = l->seq;
	if (ws_send(c->ws, l->bytes, l->len))
		return false;
	catchup_tell(c);
	return true;
}

void client_watch(struct client *c, int64_t now)
{
	if (!c->wants || now - c->wants < c->b->opts.slow_time || c->state == CLIENT_CLOSING)
		return;
	metric_add(metrics[M_TOO_SLOW], 1);
	client_close(c, CLOSE_BUSY, "too slow; join again with after");
}

/* Sends one frame: true if another may wait. */
static bool send_one(struct client *c)
{

	if (c->ctl) {
		send_control(c);
		return true;
	}
	if (c->state == CLIENT_CLOSING) {
		ws_close(c->ws, c->close_code, c->close_why);
	} else if (c->state == CLIENT_CATCHUP && c->page.n) {
		if (send_page(c))
			return true;
		catchup_go_on(c);
	} else if (c->state == CLIENT_LIVE) {
		return send_ring(c);
	}
	return false;
}

/* As many frames as the socket takes at once, but not for ever: others are waiting, too. */
static void on_writable(void *arg)
{
	struct client *c = arg;
	int n = 0;

	c->wants = 0;
	while (send_one(c)) {
		if (++n == FRAMES_AT_ONCE || !ws_room(c->ws)) {
			client_want_write(c);
			return;
		}
	}
}

/* ---- joining ---- */

static void on_join(struct client *c, const struct frame *f)
{
	struct browser *b = c->b;
	struct buf name;

	if (c->room) {
		client_tell(c, "{\"error\":{\"code\":\"joined\",\"error\":\"this connection has joined already\"}}");
		client_close(c, CLOSE_BAD_FRAME, "joined twice");
		return;
	}
	if (f->has_after && f->after > (uint64_t)(clock_wall() / CLOCK_US) + UINT64_C(86400000000)) {
		client_tell(c, "{\"error\":{\"code\":\"bad-after\",\"error\":\"after is a number that no event has yet\"}}");
		return;
	}
	c->room = rooms_get(&b->rooms, f->room);
	if (!c->room) {
		client_close(c, CLOSE_BUSY, "too many rooms; try again later");
		return;
	}
	c->room_next = c->room->members;
	if (c->room_next)
		c->room_next->room_prev = c;
	c->room->members = c;
	metric_set(metrics[M_ROOMS], b->rooms.count);
	strcpy(c->name, f->name);
	if (*f->session)
		strcpy(c->session, f->session);
	else
		snprintf(c->session, sizeof(c->session), "%016llx%016llx", (unsigned long long)hash_random(),
			(unsigned long long)hash_random());
	frame_user_id(c->session, c->user);
	buf_init(&name, 4096);
	if (buf_add_json(&name, c->name, strlen(c->name)) || !buf_cstr(&name)) {
		client_close(c, CLOSE_BUSY, "no memory; try again later");
		buf_release(&name);
		return;
	}
	client_tell(c, "{\"welcome\":{\"session\":\"%s\",\"user\":\"%s\",\"room\":\"%s\",\"name\":%s,\"version\":\"" VERSION "\","
		"\"receives\":%s}}", c->session, c->user, c->room->name, name.p, b->opts.take ? "true" : "false");
	buf_release(&name);
	if (!b->delivery)
		client_tell(c, "{\"status\":{\"delivery\":false}}");
	c->pos = f->has_after ? f->after : 0;
	c->last = !f->has_after;
	catchup_start(c);
}

static void on_late(void *arg)
{
	struct client *c = arg;

	client_tell(c, "{\"error\":{\"code\":\"join-first\",\"error\":\"no join came in time\"}}");
	client_close(c, CLOSE_JOIN_LATE, "no join came in time");
}

/* ---- in ---- */

static void on_fault(struct client *c, const struct frame_fault *f)
{
	struct buf why;

	if (f->has_n) {
		client_refuse(c, f->n, f->code, f->why, 0);
		return;
	}
	buf_init(&why, 4096);
	if (buf_add_json(&why, f->why, strlen(f->why)) == 0 && buf_cstr(&why))
		client_tell(c, "{\"error\":{\"code\":\"%s\",\"error\":%s,\"at\":%zu}}", f->code, why.p, f->at);
	buf_release(&why);
	if (f->fatal)
		client_close(c, CLOSE_BAD_FRAME, f->why);
}

static void on_text(void *arg, const char *p, size_t n)
{
	struct client *c = arg;
	struct frame *f = &c->b->frame;
	struct frame_fault fault;

	if (c->state == CLIENT_CLOSING)
		return;
	if (bucket_take(&c->frames, clock_mono())) {
		client_tell(c, "{\"error\":{\"code\":\"flood\",\"error\":\"too many frames in a short time\"}}");
		client_close(c, CLOSE_FLOOD, "too many frames in a short time");
	} else if (frame_parse(p, n, f, &fault)) {
		on_fault(c, &fault);
	} else if (f->kind == FRAME_PING) {
		client_tell(c, "{\"pong\":%llu}", (unsigned long long)f->n);
	} else if (f->kind == FRAME_JOIN) {
		on_join(c, f);
	} else if (!c->room) {
		client_tell(c, "{\"error\":{\"code\":\"join-first\",\"error\":\"join a room before saying something\"}}");
		client_close(c, CLOSE_JOIN_FIRST, "join first");
	} else {
		client_say(c, f);
	}
}

/* ---- life ---- */

struct client *client_new(struct browser *b, const struct place *place, const char *peer)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->b = b;
	c->place = *place;
	snprintf(c->peer, sizeof(c->peer), "%s", peer);
	c->ctl_last = &c->ctl;
	c->timer = (struct loop_timer){.fn = on_late, .arg = c};
	bucket_init(&c->says, b->opts.say_rate, b->opts.say_burst);
	bucket_init(&c->frames, FRAMES_RATE, FRAMES_BURST);
	c->next = b->first;
	if (c->next)
		c->next->prev = c;
	b->first = c;
	b->nclients++;
	metric_set(metrics[M_CLIENTS], b->nclients);
	return c;
}

static void on_open(void *arg, struct ws *ws)
{
	struct client *c = arg;

	c->ws = ws;
	if (c->b->draining)
		client_close(c, CLOSE_GOING_AWAY, "the gateway stops");
	else
		loop_timer_in(c->b->loop, &c->timer, JOIN_TIME);
}

static void leave_room(struct client *c)
{
	if (c->room_prev)
		c->room_prev->room_next = c->room_next;
	else
		c->room->members = c->room_next;
	if (c->room_next)
		c->room_next->room_prev = c->room_prev;
}

static void on_gone(void *arg)
{
	struct client *c = arg;
	struct browser *b = c->b;

	catchup_stop(c);
	client_forget_says(c);
	drop_controls(c);
	if (c->room)
		leave_room(c);
	if (c->prev)
		c->prev->next = c->next;
	else
		b->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	b->nclients--;
	metric_set(metrics[M_CLIENTS], b->nclients);
	server_left(b->server, &c->place);
	free(c);
}

const struct ws_handler client_events = {on_open, on_text, on_writable, on_gone};
