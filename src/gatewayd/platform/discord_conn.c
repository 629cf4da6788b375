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
#define LONGEST (24 * 3600 * CLOCK_S)	/* upstream's own limit for a greeting: ours is finer */
#define RESUMES_URL 3		/* resumes that came to nothing at the session's own URL, then at the main one: */
#define RESUMES_MAX 5		/* then the session is given up */
#define CLOSED_URL 2		/* connections that failed before Hello: then the main URL, in turn */

/* What a close code of Discord's means (topics/opcodes-and-status-codes; those for which it is silent as discord.js does). */
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
	{4011, AFTER_STOP, 0, "sharding required"},
	{4012, AFTER_STOP, 0, "invalid API version"},
	{4013, AFTER_STOP, 0, "invalid intents"},
	{4014, AFTER_STOP, 0, "disallowed intents: enable them in the developer portal"},
};

void shard_release(struct discord *d, struct dconn *c)
{
	inflate_free(c->inflate);
	names_release(&c->names, &d->names_bytes);
	fill_free(c);
	free(c->seen);
}

/* No socket, so no timer. */
static void idle(struct discord *d, unsigned n)
{
	struct dconn *c = &d->conns[n];

	inflate_free(c->inflate);
	c->inflate = NULL;
	c->state = CONN_IDLE;
	c->greet_by = c->ack_by = c->expecting = c->beat_at = 0;
	out_timer(d->out, n, TIMER_BEAT, 0);
	out_timer(d->out, n, TIMER_SEND, 0);
	if (c->save_armed)
		shard_due(d, n, TIMER_SAVE, 0);
}

/*
 * The end of a socket, for whatever reason. The session is as good as before unless it is called dead; the next dial sees that, and the gap is told
 * when the new session is known (so NEXT_FRESH, at which upstream tells one of its own, is not used).
 */
void shard_lost(struct discord *d, unsigned n, enum after after, unsigned code, const char *reason, int64_t wait)
{
	struct dconn *c = &d->conns[n];

	if (c->state == CONN_OPENING || c->state == CONN_HELLO)
		c->closed++;
	else if (c->state == CONN_GREETING && c->resuming)
		c->refused++;
	/* Before Resume Discord cannot know whose connection it is: the end of it says nothing about our session. */
	if (after == AFTER_FRESH && c->state < CONN_GREETING)
		after = AFTER_RESUME;
	if (c->refused >= RESUMES_MAX && after == AFTER_RESUME) {
		after = AFTER_FRESH;
		reason = "no resume came to anything";
	}
	if (after == AFTER_FRESH)
		strcpy(c->dead, c->session);
	shard_holes(d, n);
	idle(d, n);
	out_lost(d->out, n, after == AFTER_STOP ? NEXT_STOP : NEXT_RESUME, code, reason, wait);
}

/* ---- liveness ---- */

void shard_expect(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];
	bool ack;
	int64_t by;

	/* In the past: nothing was read meanwhile, for upstream waits for the hub. The peer has its time again. */
	if (c->ack_by && c->ack_by <= now)
		c->ack_by = now + c->interval / 2;
	if (c->greet_by && c->greet_by <= now)
		c->greet_by = now + DISCORD_GREET;
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

static void scheduled_beat(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];

	send_beat(d, n, now);
	if (!c->ack_by)
		c->ack_by = now + c->interval / 2;
	shard_expect(d, n, now);
	out_timer(d->out, n, TIMER_BEAT, now + c->interval);
}

/* ---- connecting ---- */

static void put_url(struct dial *to, const char *base, enum inflate_kind compress)
{
	static const char *const words[INFLATE_KINDS] = {
		[INFLATE_NONE] = "", [INFLATE_ZLIB] = "&compress=zlib-stream", [INFLATE_ZSTD] = "&compress=zstd-stream",
	};
	const char *host = strstr(base, "://");

	snprintf(to->url, sizeof(to->url), "%s%s?v=10&encoding=json%s", base, host && strchr(host + 3, '/') ? "" : "/",
		words[compress]);
}

static bool may_dial(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];

	if (d->token_refused && (c->stopped || d->ask_call || d->ask_wait)) {	/* somebody has it tried again: a request tells, and no identify */
		c->stopped = false;
		discord_ask(d, now);
		out_lost(d->out, n, NEXT_RESUME, 0, "asking Discord whether the token is good now", CLOCK_S);
	} else if (d->token_refused) {
		c->stopped = true;
		out_lost(d->out, n, NEXT_STOP, 0, "401 the token is wrong", 0);
	} else if (c->turned_away && d->outgrown) {
		out_lost(d->out, n, NEXT_RESUME, 0, "asking Discord how many shards it wants", CLOCK_S);
	} else if (c->turned_away) {
		c->turned_away = false;		/* somebody may have it tried again */
		out_lost(d->out, n, NEXT_STOP, 0, "Discord refuses so many shards and recommends no more: set shards", 0);
	} else {
		c->stopped = false;
		return true;
	}
	return false;
}

int shard_dial(struct discord *d, unsigned n, const char *saved, size_t nsaved, struct dial *to, int64_t now)
{
	struct dconn *c = &d->conns[n];
	bool main_url;

	if (!may_dial(d, n, now))
		return -1;
	session_load(d, n, saved, nsaved);
	if (c->shards != d->nconns)
		session_look(d, n);
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
	c->compress = d->conf.compress;
	put_url(to, main_url ? d->gateway : c->url, c->compress);
	to->costs_identify = !c->resuming;
	to->budget_key = d->concurrency ? n % d->concurrency : 0;
	to->opening = OPENING;
	to->greeting = LONGEST;
	c->state = CONN_OPENING;
	for (unsigned i = 0; c->resuming && c->seen && i < SEEN_SETS * SEEN_WAYS; i++)
		fetch_guild(d, n, c->seen[i].guild, now);
	return 0;
}

void shard_opened(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];

	if (c->compress && !c->inflate && !(c->inflate = inflate_new(c->compress))) {
		shard_lost(d, n, AFTER_RESUME, DISCORD_CLOSE, "no memory", 0);
		return;
	}
	memset(c->sent, 0, sizeof(c->sent));
	c->jumps = 0;
	c->state = CONN_HELLO;
	c->greet_by = now + DISCORD_GREET;
	shard_expect(d, n, now);
}

void shard_live(struct discord *d, unsigned n, bool resumed, int64_t now)
{
	struct dconn *c = &d->conns[n];

	c->state = CONN_LIVE;
	c->refused = c->closed = 0;
	c->greet_by = 0;
	shard_expect(d, n, now);
	out_live(d->out, n, resumed);
	shard_presence(d, n, now);
	gap_live(d, n, now);
}

void shard_gone(struct discord *d, unsigned n, unsigned code, const char *reason, int64_t now)
{
	char text[192];

	if (d->conns[n].state == CONN_IDLE)
		return;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (codes[i].code != code)
			continue;
		snprintf(text, sizeof(text), "%u %s", code, codes[i].text);
		if ((code == 4010 || code == 4011) && !d->conf.shards) {
			d->outgrown = d->conns[n].turned_away = true;
			discord_ask(d, now);
			shard_lost(d, n, AFTER_FRESH, 0, text, CLOCK_S);
			return;
		}
		/* Is it wrong for all of them? Then the others need not find out, with an identify each. */
		if (code == 4004) {
			d->conns[n].stopped = true;
			discord_ask(d, now);
		}
		shard_lost(d, n, codes[i].after, 0, text, codes[i].wait * CLOCK_S);
		return;
	}
	if (code)
		snprintf(text, sizeof(text), "%u %.150s", code, reason);
	shard_lost(d, n, AFTER_RESUME, 0, code ? text : reason, 0);
}

void shard_due(struct discord *d, unsigned n, unsigned timer, int64_t now)
{
	struct dconn *c = &d->conns[n];

	if (timer == TIMER_BEAT && c->state >= CONN_GREETING) {
		scheduled_beat(d, n, now);
	} else if (timer == TIMER_SEND) {
		shard_presence(d, n, now);
	} else if (timer == TIMER_SAVE) {
		c->save_armed = false;
		if (*c->session && c->kept > c->saved)
			session_save(d, n);
	} else if (timer == TIMER_FILL) {
		gap_late(d, n, now);
	}
}

/* Another process resumes where this one's lines are acknowledged. From now on what is saved belongs to it. */
void shard_drain(struct discord *d, unsigned n)
{
	struct dconn *c = &d->conns[n];
	bool open = c->state >= CONN_OPENING;

	shard_holes(d, n);
	if (*c->session)
		session_save(d, n);
	gap_forget(d, n);
	*c->session = '\0';
	c->seq = 0;
	c->base = c->top;
	c->save_armed = false;
	out_timer(d->out, n, TIMER_SAVE, 0);
	idle(d, n);
	if (open)
		out_close(d->out, n, 0, DISCORD_CLOSE, "drain");
}
