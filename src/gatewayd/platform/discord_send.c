/*
 * What is sent to the gateway: heartbeats, Identify, Resume, presence. At most 120 payloads in 60 s are allowed on a connection, heartbeats included; those
 * of the schedule always go, the others leave room for them.
 */
#include "gatewayd/platform/discord_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_MS 61000u		/* 60 s, as Discord sees them */
#define ASKED_ROOM 8			/* of others, for heartbeats that Discord asks for */

/* 0 means never; the counter of milliseconds is that once in 49 days, and then a payload counts as sent a millisecond later. */
static uint32_t stamp(int64_t now)
{
	uint32_t at = (uint32_t)(now / CLOCK_MS);

	return at ? at : 1;
}

/* Payloads of the last minute. */
static unsigned send_count(const struct dconn *c, int64_t now)
{
	uint32_t at = stamp(now);
	unsigned k = 0;

	for (unsigned i = 0; i < DISCORD_SEND_LIMIT; i++)
		k += c->sent[i] && at - c->sent[i] < WINDOW_MS;
	return k;
}

bool send_room(const struct dconn *c, unsigned others, int64_t now)
{
	unsigned beats = c->interval ? (unsigned)(WINDOW_MS * CLOCK_MS / c->interval) + 1 : 1;

	return send_count(c, now) + beats + others < DISCORD_SEND_LIMIT;
}

static void send_text(struct discord *d, unsigned n, const char *p, size_t len, int64_t now)
{
	struct dconn *c = &d->conns[n];

	c->sent[c->sent_at] = stamp(now);
	c->sent_at = (c->sent_at + 1) % DISCORD_SEND_LIMIT;
	out_send(d->out, n, 0, p, len);
}

void send_beat(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];
	char text[48];
	int len;

	/*
	 * "The last sequence received", by the documentation, which does not say whether Discord then forgets what it would replay: so the last one that
	 * the hub has, for a kill -9 asks from there. Before READY nothing of a new session was received.
	 */
	if (c->kept && (c->resuming || c->state == CONN_LIVE))
		len = snprintf(text, sizeof(text), "{\"op\":1,\"d\":%" PRIu64 "}", c->kept);
	else
		len = snprintf(text, sizeof(text), "{\"op\":1,\"d\":null}");
	if (!c->beat_at)
		c->beat_at = now;
	send_text(d, n, text, (size_t)len, now);
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

void send_identify(struct discord *d, unsigned n, int64_t now)
{
	struct buf *t = &d->text;

	buf_clear(t);
	d->conns[n].told = discord_conf_presence(&d->conf);
	buf_adds(t, "{\"op\":2,\"d\":{\"token\":");
	buf_add_json(t, d->conf.token.p, d->conf.token.len);
	buf_printf(t, ",\"intents\":%" PRIu64 ",\"properties\":{\"os\":\"linux\",\"browser\":\"penstock\",\"device\":\"penstock\"},\"compress\":false,"
		"\"large_threshold\":50,\"shard\":[%u,%u],\"presence\":", d->conf.intents, n, d->nconns);
	put_presence(d, t);
	if (buf_adds(t, "}}") == 0)
		send_text(d, n, t->p, t->len, now);
	buf_clear(t);
}

void send_resume(struct discord *d, unsigned n, int64_t now)
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

void shard_presence(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];
	struct buf *t = &d->text;

	/* Identify says it; a session that is resumed keeps what it had, and is told when it is live. */
	if (c->state != CONN_LIVE || c->told == discord_conf_presence(&d->conf))
		return;
	if (!send_room(c, ASKED_ROOM, now)) {
		out_timer(d->out, n, TIMER_SEND, now + 5 * CLOCK_S);
		return;
	}
	buf_clear(t);
	buf_adds(t, "{\"op\":3,\"d\":");
	put_presence(d, t);
	if (buf_addc(t, '}'))
		return;
	c->told = discord_conf_presence(&d->conf);
	send_text(d, n, t->p, t->len, now);
}
