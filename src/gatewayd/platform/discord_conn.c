/*
 * One connection to the gateway, a shard: what it says and when, what its ends mean.
 *
 * Liveness: a heartbeat is answered (op 11) within half an interval, or the connection is dead: so a peer that stops answering is noticed at most
 * one and a half intervals after its last sign. Discord's documentation asks for the next scheduled heartbeat, half an interval later; the
 * answer normally takes milliseconds. Until READY or RESUMED something has to come every 30 s, however long a replay takes.
 */
#include "gatewayd/platform/discord_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define OPENING (20 * CLOCK_S)
#define GREET (30 * CLOCK_S)
#define LONGEST (24 * 3600 * CLOCK_S)	/* upstream's own limit for a greeting: ours is finer */
#define INTERVAL_MIN (100 * CLOCK_MS)
#define INTERVAL_MAX (120 * CLOCK_S)
#define WINDOW_MS 60000u
#define SENDS_OTHER 110		/* of the 120; the rest is for heartbeats */
#define SENDS_ASKED 118		/* heartbeats that Discord asked for by op 1 */
#define RESUMES_URL 3		/* resumes that came to nothing at the session's own URL, then at the main one: */
#define RESUMES_MAX 5		/* then the session is given up */
#define CLOSED_URL 2		/* connections that failed before Hello: then the main URL, in turn */
#define JUMPS_MAX 16		/* told holes in the sequence of a socket */
#define CLOSE_OURS 4200		/* any code but 1000 and 1001 leaves the session alive */

/* What a close code of Discord's means (topics/opcodes-and-status-codes; those for which it is silent as discord.js does). */
enum after { AFTER_RESUME, AFTER_FRESH, AFTER_STOP };
static const struct { unsigned code; enum after after; unsigned wait; const char *text; } codes[] = {
	{1000, AFTER_FRESH, 0, "closed by Discord"},
	{1001, AFTER_FRESH, 0, "closed by Discord, going away"},
	{4000, AFTER_RESUME, 0, "unknown error"},
	{4001, AFTER_RESUME, 0, "unknown opcode"},
	{4002, AFTER_RESUME, 0, "decode error"},
	{4003, AFTER_FRESH, 0, "not authenticated"},
	{4004, AFTER_STOP, 0, "authentication failed: the token is wrong"},
	{4005, AFTER_FRESH, 0, "already authenticated"},
	{4007, AFTER_FRESH, 0, "invalid sequence"},
	{4008, AFTER_FRESH, 5, "rate limited"},
	{4009, AFTER_FRESH, 0, "session timed out"},
	{4010, AFTER_STOP, 0, "invalid shard"},
	{4011, AFTER_STOP, 0, "sharding required: raise shards"},
	{4012, AFTER_STOP, 0, "invalid API version"},
	{4013, AFTER_STOP, 0, "invalid intents"},
	{4014, AFTER_STOP, 0, "disallowed intents: enable them in the developer portal"},
};

void dconn_release(struct discord *d, struct dconn *c)
{
	inflate_free(c->inflate);
	names_release(&c->names, &d->names_bytes);
	free(c->seen);
}

/* No socket, so no timer. */
static void idle(struct discord *d, unsigned n)
{
	struct dconn *c = &d->conns[n];

	inflate_free(c->inflate);
	c->inflate = NULL;
	c->state = CONN_IDLE;
	c->greet_by = c->ack_by = c->expecting = 0;
	c->presence_due = false;
	out_timer(d->out, n, TIMER_BEAT, 0);
	out_timer(d->out, n, TIMER_SEND, 0);
	if (c->save_armed)
		conn_due(d, n, TIMER_SAVE, 0);
}

/*
 * The end of a socket, for whatever reason. The session is as good as before unless it is called dead; the next dial sees that, and the gap is told
 * when the new session is known (so NEXT_FRESH, at which upstream tells one of its own, is not used).
 */
static void lost(struct discord *d, unsigned n, enum after after, unsigned code, const char *reason, int64_t wait)
{
	struct dconn *c = &d->conns[n];

	if (c->state == CONN_OPENING || c->state == CONN_HELLO)
		c->closed++;
	else if (c->state == CONN_GREETING && c->resuming)
		c->refused++;
	if (c->refused >= RESUMES_MAX && after == AFTER_RESUME) {
		after = AFTER_FRESH;
		reason = "no resume came to anything";
	}
	if (after == AFTER_FRESH)
		strcpy(c->dead, c->session);
	idle(d, n);
	out_lost(d->out, n, after == AFTER_STOP ? NEXT_STOP : NEXT_RESUME, code, reason, wait);
}

/* ---- liveness ---- */

static void expect(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];
	bool ack;
	int64_t by;

	/* In the past: nothing was read meanwhile, for upstream waits for the hub. The peer has its time again. */
	if (c->ack_by && c->ack_by <= now)
		c->ack_by = now + c->interval / 2;
	if (c->greet_by && c->greet_by <= now)
		c->greet_by = now + GREET;
	ack = c->ack_by && (!c->greet_by || c->ack_by < c->greet_by);
	by = ack ? c->ack_by : c->greet_by;
	if (by == c->expecting)
		return;
	c->expecting = by;
	if (!by)
		out_expect(d->out, n, 0, 0, NULL);
	else
		out_expect(d->out, n, 0, by - now, ack ? "zombie: a heartbeat was not acknowledged" :
			c->state == CONN_HELLO ? "no Hello" : c->resuming ? "no RESUMED" : "no READY");
}

/* ---- sending ---- */

static unsigned sends(const struct dconn *c, int64_t now)
{
	uint32_t at = (uint32_t)(now / CLOCK_MS);
	unsigned k = 0;

	for (unsigned i = 0; i < DISCORD_SEND_LIMIT; i++)
		k += c->sent[i] && at - c->sent[i] < WINDOW_MS;
	return k;
}

static void send_text(struct discord *d, unsigned n, const char *p, size_t len, int64_t now)
{
	struct dconn *c = &d->conns[n];

	c->sent[c->sent_at] = (uint32_t)(now / CLOCK_MS) | 1;
	c->sent_at = (c->sent_at + 1) % DISCORD_SEND_LIMIT;
	out_send(d->out, n, 0, p, len);
}

static void beat(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];
	char text[48];
	int len;

	/* Before READY nothing of a new session was received; of one that is resumed, what came last. */
	if (c->seq && (c->resuming || c->state == CONN_LIVE))
		len = snprintf(text, sizeof(text), "{\"op\":1,\"d\":%" PRIu64 "}", c->seq);
	else
		len = snprintf(text, sizeof(text), "{\"op\":1,\"d\":null}");
	send_text(d, n, text, (size_t)len, now);
}

static void scheduled_beat(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];

	beat(d, n, now);
	if (!c->ack_by)
		c->ack_by = now + c->interval / 2;
	expect(d, n, now);
	out_timer(d->out, n, TIMER_BEAT, now + c->interval);
}

/* "watching TEXT" and the like; without such a word: playing. */
static void put_presence(struct discord *d, struct buf *to)
{
	static const struct { const char *word; int type; } kinds[] = {
		{"playing ", 0}, {"listening ", 2}, {"watching ", 3}, {"competing ", 5},
	};
	const char *text = d->conf.presence;
	int type = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strncmp(text, kinds[i].word, strlen(kinds[i].word)) != 0)
			continue;
		type = kinds[i].type;
		text += strlen(kinds[i].word);
		break;
	}
	buf_adds(to, "{\"since\":null,\"activities\":[");
	if (*text) {
		buf_adds(to, "{\"name\":");
		buf_add_json(to, text, strlen(text));
		buf_printf(to, ",\"type\":%d}", type);
	}
	buf_printf(to, "],\"status\":\"%s\",\"afk\":false}", d->conf.status);
}

static void identify(struct discord *d, unsigned n, int64_t now)
{
	struct buf *t = &d->text;

	buf_clear(t);
	buf_adds(t, "{\"op\":2,\"d\":{\"token\":");
	buf_add_json(t, d->conf.token.p, d->conf.token.len);
	buf_printf(t, ",\"intents\":%" PRIu64 ",\"properties\":{\"os\":\"linux\",\"browser\":\"penstock\",\"device\":\"penstock\"},\"compress\":false,"
		"\"large_threshold\":50,\"shard\":[%u,%u],\"presence\":", d->conf.intents, n, d->nconns);
	put_presence(d, t);
	if (buf_adds(t, "}}") == 0)
		send_text(d, n, t->p, t->len, now);
	buf_clear(t);
}

static void resume(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];
	struct buf *t = &d->text;

	buf_clear(t);
	buf_adds(t, "{\"op\":6,\"d\":{\"token\":");
	buf_add_json(t, d->conf.token.p, d->conf.token.len);
	if (buf_printf(t, ",\"session_id\":\"%s\",\"seq\":%" PRIu64 "}}", c->session, c->seq) == 0)
		send_text(d, n, t->p, t->len, now);
	buf_clear(t);
}

void conn_presence(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];
	struct buf *t = &d->text;

	c->presence_due = false;
	if (c->state != CONN_LIVE)
		return;		/* Identify says it; a resumed session keeps what it had, and is told when it is live */
	if (sends(c, now) >= SENDS_OTHER) {
		c->presence_due = true;
		out_timer(d->out, n, TIMER_SEND, now + 5 * CLOCK_S);
		return;
	}
	buf_clear(t);
	buf_adds(t, "{\"op\":3,\"d\":");
	put_presence(d, t);
	if (buf_addc(t, '}') == 0)
		send_text(d, n, t->p, t->len, now);
}

/* ---- connecting ---- */

static void put_url(struct dial *to, const char *base, bool zlib)
{
	const char *host = strstr(base, "://");

	snprintf(to->url, sizeof(to->url), "%s%s?v=10&encoding=json%s", base, host && strchr(host + 3, '/') ? "" : "/",
		zlib ? "&compress=zlib-stream" : "");
}

int conn_dial(struct discord *d, unsigned n, const char *saved, size_t nsaved, struct dial *to, int64_t now)
{
	struct dconn *c = &d->conns[n];
	bool main_url;

	if (d->token_refused) {
		out_lost(d->out, n, NEXT_STOP, 0, "401 the token is wrong", 0);
		return -1;
	}
	session_load(d, n, saved, nsaved);
	c->resuming = session_resumable(d, c);
	main_url = !c->resuming || !*c->url || c->refused >= RESUMES_URL || (c->closed >= CLOSED_URL && c->closed % 2 == 0);
	if (c->resuming && *c->url && !*d->gateway)
		main_url = false;
	if (main_url && !discord_gateway_known(d, !c->resuming, now)) {
		out_lost(d->out, n, NEXT_RESUME, 0, "asking Discord for the gateway first", CLOCK_S);
		return -1;
	}
	if (c->closed && c->closed % 5 == 0)
		discord_ask(d, now);
	put_url(to, main_url ? d->gateway : c->url, d->conf.zlib);
	to->costs_identify = !c->resuming;
	to->budget_key = d->concurrency ? n % d->concurrency : 0;
	to->opening = OPENING;
	to->greeting = LONGEST;
	c->state = CONN_OPENING;
	for (unsigned i = 0; c->resuming && c->seen && i < SEEN_SETS * SEEN_WAYS; i++)
		fetch_guild(d, n, c->seen[i].guild, now);
	return 0;
}

void conn_opened(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];

	if (d->conf.zlib && !c->inflate && !(c->inflate = inflate_new())) {
		lost(d, n, AFTER_RESUME, CLOSE_OURS, "no memory", 0);
		return;
	}
	memset(c->sent, 0, sizeof(c->sent));
	c->jumps = 0;
	c->state = CONN_HELLO;
	c->greet_by = now + GREET;
	expect(d, n, now);
}

static void live(struct discord *d, unsigned n, bool resumed, int64_t now)
{
	struct dconn *c = &d->conns[n];

	c->state = CONN_LIVE;
	c->refused = c->closed = 0;
	c->greet_by = 0;
	expect(d, n, now);
	out_live(d->out, n, resumed);
	if (c->presence_due)
		conn_presence(d, n, now);
	gap_next(d, now);
}

/* ---- what comes ---- */

struct payload { struct span whole, op, d, s, t; };
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
	lost(d, n, AFTER_RESUME, CLOSE_OURS, "a frame that is no JSON", 0);
	return false;
}

/* A new session in the place of one that is gone: what came between the two is missing, and partly in the history. */
static void succeeded(struct discord *d, unsigned n, const char *old, uint64_t seq)
{
	char from[DISCORD_SESSION + 32], to[DISCORD_SESSION + 32];

	snprintf(from, sizeof(from), "%s:%" PRIu64, old, seq);
	snprintf(to, sizeof(to), "%s:%" PRIu64, d->conns[n].session, d->conns[n].seq);
	gap_begin(&d->conns[n]);
	out_gap(d->out, n, d->conns[n].fill ? "the session was lost; messages are read again from the history, other events are missing" :
		"the session was lost, and no message is known from which the history could be read", from, to);
}

static void ready(struct discord *d, unsigned n, const struct payload *p, uint64_t s, int64_t now)
{
	struct dconn *c = &d->conns[n];
	char old[DISCORD_SESSION + 1];
	uint64_t seq = c->seq;

	strcpy(old, c->session);
	session_begin(d, n, p->d, s);
	if (*old)
		succeeded(d, n, old, seq);
	if (*c->session)
		session_save(d, n);
	live(d, n, false, now);
}

static void hole(struct discord *d, unsigned n, uint64_t s)
{
	struct dconn *c = &d->conns[n];
	char from[24], to[24];

	if (c->jumps == JUMPS_MAX)
		return;
	snprintf(from, sizeof(from), "%" PRIu64, c->seq + 1);
	snprintf(to, sizeof(to), "%" PRIu64, s - 1);
	out_gap(d->out, n, ++c->jumps == JUMPS_MAX ? "the sequence has holes; no more of them are told for this connection" : "the sequence has a hole",
		from, to);
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
		if (c->greet_by < now + GREET - CLOCK_S) {
			c->greet_by = now + GREET;
			expect(d, n, now);
		}
	}
	if (e.seq > c->seq + 1)
		hole(d, n, e.seq);
	if (e.seq > c->seq)
		c->refused = 0;		/* it goes on: no resume that comes to nothing */
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
	if (c->state == CONN_GREETING && scan_is(p->t, "RESUMED"))
		live(d, n, true, now);
}

static void op_heartbeat(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	(void)p;
	if (sends(&d->conns[n], now) < SENDS_ASKED && d->conns[n].state > CONN_OPENING)
		beat(d, n, now);
}

static void op_reconnect(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	(void)p, (void)now;
	lost(d, n, AFTER_RESUME, CLOSE_OURS, "Discord asked for a new connection (op 7)", 0);
}

/* Older documentation asked for a random wait of 1 to 5 s before Identify; it does no harm. */
static void op_invalid(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	bool again = p->d.p && p->d.p[0] == 't';

	(void)now;
	lost(d, n, again ? AFTER_RESUME : AFTER_FRESH, CLOSE_OURS, again ? "invalid session, may be resumed (op 9)" : "invalid session (op 9)",
		discord_jitter(d, CLOCK_S, 5 * CLOCK_S));
}

static void op_hello(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	struct dconn *c = &d->conns[n];
	uint64_t ms = 0;

	if (c->state != CONN_HELLO)
		return;
	if (!number(scan_member(p->d, "heartbeat_interval"), UINT32_MAX, &ms)) {
		lost(d, n, AFTER_RESUME, CLOSE_OURS, "a Hello without heartbeat_interval", 0);
		return;
	}
	c->interval = (int64_t)ms * CLOCK_MS;
	c->interval = c->interval < INTERVAL_MIN ? INTERVAL_MIN : c->interval > INTERVAL_MAX ? INTERVAL_MAX : c->interval;
	c->state = CONN_GREETING;
	c->closed = 0;
	out_timer(d->out, n, TIMER_BEAT, now + discord_jitter(d, 0, c->interval));
	c->greet_by = now + GREET;
	c->expecting = 0;	/* of something else */
	expect(d, n, now);
	if (c->resuming)
		resume(d, n, now);
	else
		identify(d, n, now);
}

static void op_ack(struct discord *d, unsigned n, const struct payload *p, int64_t now)
{
	(void)p;
	d->conns[n].ack_by = 0;
	expect(d, n, now);
}

static op_fn *const ops[] = {
	[0] = op_dispatch, [1] = op_heartbeat, [7] = op_reconnect, [9] = op_invalid, [10] = op_hello, [11] = op_ack,
};

static int member(void *arg, struct span name, struct span value)
{
	struct payload *p = arg;

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
static void too_long(struct discord *d, unsigned n, const struct buf *head)
{
	struct dconn *c = &d->conns[n];
	const char *text = head->p, *end = head->p + head->len, *at;
	char number_[24] = "";
	uint64_t s = 0;

	at = memmem(text, head->len, "\"s\":", 4);
	if (at) {
		at += 4;
		while (at < end && *at >= '0' && *at <= '9' && s < UINT64_MAX / 100)
			s = s * 10 + (uint64_t)(*at++ - '0');
	}
	snprintf(number_, sizeof(number_), "%" PRIu64, s);
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

static void payload(struct discord *d, unsigned n, const char *b, size_t len, int64_t now)
{
	struct payload p = {.whole = one_line(d, b, len)};
	struct envelope e;
	uint64_t op;

	/* scan_lazy sees that the object ends where it ought to. What it holds is checked now, or (the usual one) as a line. */
	if (p.whole.p && scan_lazy(p.whole.p, p.whole.n, &e) == 0)
		scan_each(p.whole, member, &p);
	if (!(p.t.p && p.d.p && event_is_hot(p.t)) && !checked(d, n, p.whole))
		return;
	if (number(p.op, 255, &op) && op < sizeof(ops) / sizeof(*ops) && ops[op])
		ops[op](d, n, &p, now);		/* others have no meaning for us */
}

void conn_frame(struct discord *d, unsigned n, const char *b, size_t len, bool binary, int64_t now)
{
	struct dconn *c = &d->conns[n];
	const char *why = "";

	if (c->state < CONN_HELLO)
		return;		/* given up; what still comes will come again */
	if (binary != (c->inflate != NULL)) {
		lost(d, n, AFTER_RESUME, CLOSE_OURS, binary ? "a binary frame, and no compression" : "a text frame in a compressed stream", 0);
		return;
	}
	if (!binary) {
		payload(d, n, b, len, now);
		return;
	}
	switch (inflate_message(c->inflate, b, len, d->conf.payload_max, &d->plain, &why)) {
	case INFLATE_WHOLE:
		payload(d, n, d->plain.p, d->plain.len, now);
		break;
	case INFLATE_LONG:
		too_long(d, n, &d->plain);
		break;
	case INFLATE_BAD:
		lost(d, n, AFTER_RESUME, CLOSE_OURS, why, 0);
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

void conn_gone(struct discord *d, unsigned n, unsigned code, const char *reason, int64_t now)
{
	char text[192];

	(void)now;
	if (d->conns[n].state == CONN_IDLE)
		return;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (codes[i].code != code)
			continue;
		snprintf(text, sizeof(text), "%u %s", code, codes[i].text);
		lost(d, n, codes[i].after, 0, text, codes[i].wait * CLOCK_S);
		return;
	}
	if (code)
		snprintf(text, sizeof(text), "%u %.150s", code, reason);
	lost(d, n, AFTER_RESUME, 0, code ? text : reason, 0);
}

void conn_due(struct discord *d, unsigned n, unsigned timer, int64_t now)
{
	struct dconn *c = &d->conns[n];

	if (timer == TIMER_BEAT && c->state >= CONN_GREETING) {
		scheduled_beat(d, n, now);
	} else if (timer == TIMER_SEND && c->presence_due) {
		conn_presence(d, n, now);
	} else if (timer == TIMER_SAVE) {
		c->save_armed = false;
		if (*c->session && c->kept > c->saved)
			session_save(d, n);
	}
}

/* Another process resumes where this one's lines are acknowledged. From now on what is saved belongs to it. */
void conn_drain(struct discord *d, unsigned n)
{
	struct dconn *c = &d->conns[n];
	bool open = c->state >= CONN_OPENING;

	if (*c->session)
		session_save(d, n);
	*c->session = '\0';
	c->seq = 0;
	c->base = c->top;
	c->save_armed = false;
	out_timer(d->out, n, TIMER_SAVE, 0);
	idle(d, n);
	if (open)
		out_close(d->out, n, 0, CLOSE_OURS, "drain");
}
