/*
 * What the gateway sends: frames to payloads, payloads by their op code to what is to be done.
 */
#include "gatewayd/platform/discord_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define INTERVAL_MIN (600 * CLOCK_MS)	/* more often is more than the send limit has room for */
#define INTERVAL_MAX (120 * CLOCK_S)
#define JUMPS_MAX 16		/* told holes in the sequence of a socket */

struct payload { struct span whole, op, d, s, t; const char *end; };		/* end: of the last value */
typedef void op_fn(struct discord *d, unsigned n, const struct payload *p, int64_t now);

static bool number(struct span s, uint64_t max, uint64_t *to)
{
	uint64_t v = 0;

	if (!s.p || s.n > 19)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
	}
	*to = v;
	return v <= max;
}

/* false: the connection was given up, for what came on it is no JSON. */
static bool checked(struct discord *d, unsigned n, struct span whole)
{
	struct line_err err = {.why = "no memory"};

	if (whole.p && scan_value(whole.p, whole.n, &err) == 0)
		return true;
	log_warn("discord %s/%u: a frame is no JSON: %s", d->name, n, err.why);
	shard_lost(d, n, AFTER_RESUME, DISCORD_CLOSE, "a frame that is no JSON", 0);
	return false;
}

/* A new session in the place of one that is gone: what came between the two is missing, and partly in the history. since: an id from which on guilds may have
 * been another shard's; 0: none were. */
static void succeeded(struct discord *d, unsigned n, const char *old, uint64_t seq, uint64_t since, const char *reason)
{
	char from[DISCORD_SESSION + 32] = "", to[DISCORD_SESSION + 32];

	if (!since && !*old)
		since = d->conns[n].sure;
	if (since && (!*old || since < d->conns[n].sure))
		snprintf(from, sizeof(from), "%" PRIu64, since);
	else if (*old)
		snprintf(from, sizeof(from), "%s:%" PRIu64, old, seq);
	snprintf(to, sizeof(to), "%s:%" PRIu64, d->conns[n].session, d->conns[n].seq);
	out_gap(d->out, n, reason, from, to);
}

static void ready(struct discord *d, unsigned n, const struct payload *p, uint64_t s, int64_t now)
{
	struct dconn *c = &d->conns[n];
	char old[DISCORD_SESSION + 1];
	const char *reason;
	uint64_t seq = c->seq;
	bool moved = c->shards != d->nconns, lost = *c->session || c->begun;

	strcpy(old, c->session);
	session_begin(d, n, p->d, s);
	reason = gap_begin(d, n, p->d, lost, moved, now);
	if (reason)
		succeeded(d, n, old, seq, moved ? d->moved : 0, reason);
	if (reason && moved)
		session_told(d, n);
	if (*c->session)
		session_save(d, n);
	shard_live(d, n, false, now);
}

static void hole(struct discord *d, unsigned n, uint64_t s, int64_t now)
{
	struct dconn *c = &d->conns[n];
	char from[24], to[24];

	if (c->jumps == JUMPS_MAX)
		return;
	snprintf(from, sizeof(from), "%" PRIu64, c->seq + 1);
	snprintf(to, sizeof(to), "%" PRIu64, s - 1);
	if (++c->jumps == JUMPS_MAX) {
		*to = '\0';
		c->jump = c->seq + 1;
		c->jump_sure = c->sure;
	}
	out_gap(d->out, n, *to ? "the sequence has a hole" : "the sequence has holes; from here on they are told together, at the end of the connection", from, to);
	gap_hole(d, n, now);
}

void shard_holes(struct discord *d, unsigned n)
{
	struct dconn *c = &d->conns[n];
	char from[24], to[24];

	if (c->jumps < JUMPS_MAX)
		return;
	c->jumps = 0;
	snprintf(from, sizeof(from), "%" PRIu64, c->jump);
	snprintf(to, sizeof(to), "%" PRIu64, c->seq);
	out_gap(d->out, n, "the sequence had holes", from, to);
	gap_holes(d, n, c->jump_sure);
}

static void op_dispatch(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	struct dconn *c = &d->conns[n];
	struct event e = {.conn = n, .name = p->t, .d = p->d, .now = now};
	uint64_t before = c->seq;

	if (!number(p->s, UINT64_MAX >> 2, &e.seq) || !p->t.p || c->state < CONN_GREETING)
		return;
	if (c->state == CONN_GREETING) {
		if (!c->resuming) {
			if (scan_is(p->t, "READY"))
				ready(d, n, p, e.seq, now);
			return;		/* nothing comes before READY */
		}
		if (c->greet_by < now + DISCORD_GREET - CLOCK_S) {
			c->greet_by = now + DISCORD_GREET;
			shard_expect(d, n, now);
		}
	}
	if (e.seq > c->seq + 1)
		hole(d, n, e.seq, now);
	e.before = c->top;
	e.mark = session_mark(c, e.seq);
	if (!event_dispatch(d, &e)) {
		if (event_is_hot(p->t) && !checked(d, n, p->whole)) {
			c->seq = before;	/* it did not come yet */
			return;
		}
		out_mark(d->out, n, e.mark);
	}
	event_tell(d, &e);
	if (e.seq > before)
		c->refused = 0;		/* it goes on: no resume that comes to nothing */
	if (c->state == CONN_GREETING && scan_is(p->t, "RESUMED"))
		shard_live(d, n, true, now);
}

static void op_heartbeat(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	(void)p;
	if (send_room(&d->conns[n], 0, now) && d->conns[n].state > CONN_OPENING)
		send_beat(d, n, now);
}

static void op_reconnect(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	(void)p, (void)now;
	shard_lost(d, n, AFTER_RESUME, DISCORD_CLOSE, "Discord asked for a new connection (op 7)", 0);
}

/* Older documentation asked for a random wait of 1 to 5 s before Identify; it does no harm. */
static void op_invalid(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	bool again = p->d.p && p->d.p[0] == 't';

	(void)now;
	shard_lost(d, n, again ? AFTER_RESUME : AFTER_FRESH, DISCORD_CLOSE, again ? "invalid session, may be resumed (op 9)" : "invalid session (op 9)",
		discord_jitter(d, CLOCK_S, 5 * CLOCK_S));
}

static void op_hello(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	struct dconn *c = &d->conns[n];
	uint64_t ms = 0;

	if (c->state != CONN_HELLO)
		return;
	if (!number(scan_member(p->d, "heartbeat_interval"), UINT32_MAX, &ms)) {
		shard_lost(d, n, AFTER_RESUME, DISCORD_CLOSE, "a Hello without heartbeat_interval", 0);
		return;
	}
	c->interval = (int64_t)ms * CLOCK_MS;
	c->interval = c->interval < INTERVAL_MIN ? INTERVAL_MIN : c->interval > INTERVAL_MAX ? INTERVAL_MAX : c->interval;
	c->state = CONN_GREETING;
	c->closed = 0;
	out_timer(d->out, n, TIMER_BEAT, now + discord_jitter(d, 0, c->interval));
	c->greet_by = now + DISCORD_GREET;
	c->expecting = 0;	/* of something else */
	shard_expect(d, n, now);
	if (c->resuming)
		send_resume(d, n, now);
	else
		send_identify(d, n, now);
}

static void op_ack(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	(void)p;
	struct dconn *c = &d->conns[n];

	if (c->beat_at)
		gap_alive(d, n, c->beat_at);
	c->ack_by = c->beat_at = 0;
	shard_expect(d, n, now);
}

static op_fn *const ops[] = {
	[0] = op_dispatch, [1] = op_heartbeat, [7] = op_reconnect, [9] = op_invalid, [10] = op_hello, [11] = op_ack,
};

static int member(void *arg, struct span name, struct span value)
{
	struct payload *p = arg;

	p->end = value.p + value.n;
	if (name.n == 3 && name.p[1] == 'd')
		p->d = value;
	else if (name.n == 3 && name.p[1] == 's')
		p->s = value;
	else if (name.n == 3 && name.p[1] == 't' && value.p[0] == '"')
		p->t = value;
	else if (name.n == 4 && name.p[1] == 'o' && name.p[2] == 'p')
		p->op = value;
	return 0;
}

/* A payload that is too long to be looked at: its beginning tells which it was. It is behind us; what it said is lost, and that is told. */
static void too_long(struct discord *d, unsigned n, const char *text, size_t len, int64_t now)
{
	struct dconn *c = &d->conns[n];
	const char *end = text + len, *at;
	char number_[24] = "";
	uint64_t s = 0;

	if (c->state == CONN_GREETING && !c->resuming) {	/* the next session would begin in the same way */
		shard_lost(d, n, AFTER_STOP, DISCORD_CLOSE, "READY is longer than large-payload: raise it", 0);
		return;
	}
	at = memmem(text, len, "\"s\":", 4);
	if (at) {
		at += 4;
		while (at < end && *at >= '0' && *at <= '9' && s < UINT64_MAX / 100)
			s = s * 10 + (uint64_t)(*at++ - '0');
	}
	snprintf(number_, sizeof(number_), "%" PRIu64, s);
	if (s > c->seq + 1 && c->state >= CONN_GREETING)
		hole(d, n, s, now);
	log_warn("discord %s/%u: a payload (%s) is longer than large-payload, and left out", d->name, n, number_);
	out_gap(d->out, n, "a payload is longer than large-payload", number_, number_);
	if (s > c->seq && c->state >= CONN_GREETING && (c->resuming || c->state == CONN_LIVE))
		out_mark(d->out, n, session_mark(c, s));
}

/* Line ends between tokens become blanks: what is copied into a line has none. */
static struct span one_line(struct discord *d, const char *b, size_t len)
{
	if (!memchr(b, '\n', len) && !memchr(b, '\r', len))
		return (struct span){b, len};
	if (b != d->plain.p) {
		buf_clear(&d->plain);
		if (buf_add(&d->plain, b, len))
			return (struct span){NULL, 0};
	}
	for (size_t i = 0; i < len; i++)
		if (d->plain.p[i] == '\n' || d->plain.p[i] == '\r')
			d->plain.p[i] = ' ';
	return (struct span){d->plain.p, len};
}

/* Is the bracket that closes the object all there is behind its last value? */
static bool ends_there(const struct payload *p)
{
	const char *end = p->whole.p + p->whole.n, *at = p->end;

	while (at < end && *at == ' ')
		at++;
	return at + 1 == end && *at == '}';
}

static void payload(struct discord *d, unsigned n, const char *b, size_t len, int64_t now)
{
	struct payload p = {.whole = one_line(d, b, len)};
	uint64_t op;

	/* What the object holds is checked now, or (the usual one, if it ends where it ought to) as a line. */
	scan_each(p.whole, member, &p);
	if (!(p.t.p && p.d.p && event_is_hot(p.t) && ends_there(&p)) && !checked(d, n, p.whole))
		return;
	if (number(p.op, 255, &op) && op < sizeof(ops) / sizeof(*ops) && ops[op])
		ops[op](d, n, &p, now);		/* others have no meaning for us */
}

void shard_frame(struct discord *d, unsigned n, const char *b, size_t len, bool binary, int64_t now)
{
	struct dconn *c = &d->conns[n];
	const char *why = "";

	if (c->state < CONN_HELLO)
		return;		/* given up; what still comes will come again */
	if (binary != (c->inflate != NULL)) {
		shard_lost(d, n, AFTER_RESUME, DISCORD_CLOSE, binary ? "a binary frame, and no compression" : "a text frame in a compressed stream", 0);
		return;
	}
	if (!binary) {
		if (len > d->conf.payload_max)
			too_long(d, n, b, INFLATE_HEAD, now);
		else
			payload(d, n, b, len, now);
		return;
	}
	switch (inflate_message(c->inflate, b, len, d->conf.payload_max, &d->plain, &why)) {
	case INFLATE_WHOLE:
		payload(d, n, d->plain.p, d->plain.len, now);
		break;
	case INFLATE_LONG:
		too_long(d, n, d->plain.p, d->plain.len, now);
		break;
	case INFLATE_BAD:
		shard_lost(d, n, AFTER_RESUME, DISCORD_CLOSE, why, 0);
		break;
	case INFLATE_MORE:
		break;
	}
	if (d->plain.cap > 1 << 20) {	/* once a day at the beginning; not kept for that */
		size_t max = d->plain.max;

		buf_release(&d->plain);
		buf_init(&d->plain, max);
	}
}
