/*
 * Messages of a socket: notifications to lines, and what is not one to where it is decided (twitch_conn.c).
 * Source: dev.twitch.tv "WebSocket Messages".
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "gatewayd/platform/twitch_impl.h"

#define SPOT_EVERY (60 * CLOCK_S)
#define GAPS_EVERY CLOCK_S
#define UNREADABLE "a message of Twitch could not be read"

/* What could not be read since, until the next message that could, is one gap. */
void tw_unread_tell(struct twitch *p, unsigned i, const char *to)
{
	struct tw_conn *c = &p->conns[i];

	if (!c->unread)
		return;
	c->unread = false;
	out_gap(p->out, i, UNREADABLE, c->unread_from, to);
}

/* On what a move or a hand-over left: that is older than what the other socket brings. */
static void unreadable_left(struct twitch *p, unsigned i, const char *why, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	tw_say(p, LOG_WARN, "connection %u: a message of Twitch cannot be read: %s", i, why);
	if (now < c->left_next || (!c->parting && !*c->lingers))
		return;
	out_gap(p->out, i, UNREADABLE, c->parting ? c->part_from : c->lingers, c->parting ? c->part_to : "");
	c->left_next = now + GAPS_EVERY;
}

/* A frame that makes no sense may have been an event. */
static void unreadable(struct twitch *p, unsigned i, unsigned sock, const char *why, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	if (sock == 2) {
		unreadable_left(p, i, why, now);
		return;
	}
	/* It may have been the welcome: waiting on would end in 4003. */
	if (c->state == CONN_GREETING) {
		tw_say(p, LOG_WARN, "connection %u: a message of Twitch cannot be read: %s", i, why);
		tw_conn_lost(p, i, NEXT_RESUME, 1000, "the welcome could not be read", 0);
		return;
	}
	if (c->unread)
		return;
	c->unread = true;
	memcpy(c->unread_from, c->last, sizeof(c->unread_from));
	tw_say(p, LOG_WARN, "connection %u: a message of Twitch cannot be read: %s", i, why);
}

/* Of many with others between, one a second is told: with the range of all. */
static void readable(struct twitch *p, unsigned i, const char *time, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	if (!c->unread || now < c->unread_next)
		return;
	tw_unread_tell(p, i, time);
	c->unread_next = now + GAPS_EVERY;
}

struct batch { struct twitch *p; unsigned conn; const struct tw_note *envelope; uint64_t *mark, ticket; int rc; };

static void one_line(struct twitch *p, unsigned i, const struct tw_note *n, uint64_t *mark, uint64_t ticket, int *rc)
{
	if (tw_event(p, n) == 0) {
		out_line(p->out, i, p->line.p, p->line.len, ++*mark, ticket);
		return;
	}
	if (!ticket)
		out_mark(p->out, i, ++*mark);
	*rc = -1;
}

static int batched(void *arg, struct span name, struct span value)
{
	struct batch *b = arg;
	struct tw_note n = *b->envelope;
	char id[TW_ID];

	(void)name;
	n.id = id;
	n.event = value.p[0] == '{' ? scan_member(value, "data") : (struct span){NULL, 0};
	if (!n.event.p || !tw_id(scan_member(value, "id"), id))
		b->rc = -1;
	else
		one_line(b->p, b->conn, &n, b->mark, b->ticket, &b->rc);
	return 0;
}

int tw_notify(struct twitch *p, unsigned i, const struct tw_note *envelope, struct span payload, uint64_t *mark, uint64_t ticket)
{
	struct batch b = {p, i, envelope, mark, ticket, 0};
	struct tw_note n = *envelope;
	struct span many;

	n.event = scan_member(payload, "event");
	if (n.event.p) {
		one_line(p, i, &n, mark, ticket, &b.rc);
		return b.rc;
	}
	/* Types that come in batches: each has an id of its own. */
	many = scan_member(payload, "events");
	if (!many.p || many.p[0] != '[')
		return -1;
	scan_each(many, batched, &b);
	return b.rc;
}

static void notification(struct twitch *p, unsigned i, unsigned sock, const struct tw_note *n, struct span payload, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	if (tw_notify(p, i, n, payload, &c->mark, 0))
		unreadable(p, i, sock, "no line could be made of it", now);
	if (strcmp(n->type, "conduit.shard.disabled") == 0)
		tw_conduit_disabled(p, scan_member(payload, "event"), now);
	else if (strcmp(n->type, "user.authorization.grant") == 0)
		tw_granted(p, scan_member(payload, "event"), now);
	/* A gap that is still to be told is not left behind. */
	if (!c->spot && !c->unread && now - c->spot_at >= SPOT_EVERY) {
		c->spot = c->mark;
		c->spot_at = now;
		memcpy(c->spot_time, c->last, sizeof(c->spot_time));
	}
}

/* A shard's message without the envelope: the page on conduits shows it so [unverified]. */
static void bare(struct twitch *p, unsigned i, unsigned sock, struct span whole, int64_t now)
{
	static const uint64_t key[2] = {0x7468652067617465, 0x616e642074686520};
	struct span subscription = scan_member(whole, "subscription");
	struct hash128 h;
	char type[TW_TYPE], id[40];

	if (!subscription.p || subscription.p[0] != '{' || scan_cstr(scan_member(subscription, "type"), type, sizeof(type)) <= 0) {
		unreadable(p, i, sock, "neither envelope nor subscription", now);
		return;
	}
	/* The same bytes are the same message. */
	h = sip_hash(key, whole.p, whole.n);
	snprintf(id, sizeof(id), "h-%016llx%016llx", (unsigned long long)h.a, (unsigned long long)h.b);
	readable(p, i, "", now);
	notification(p, i, sock, &(struct tw_note){.type = type, .id = id}, whole, now);
}

static void heard(struct twitch *p, unsigned i, const char time[TW_TIME], int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	readable(p, i, time, now);
	memcpy(c->last, time, TW_TIME);
	c->last_at = now;
}

struct head { struct span type, id, time, subscription_type; };

static int head_member(void *arg, struct span name, struct span value)
{
	struct head *h = arg;

	if (scan_is(name, "message_type"))
		h->type = value;
	else if (scan_is(name, "message_id"))
		h->id = value;
	else if (scan_is(name, "message_timestamp"))
		h->time = value;
	else if (scan_is(name, "subscription_type"))
		h->subscription_type = value;
	return 0;
}

static void message(struct twitch *p, unsigned i, unsigned sock, struct span whole, int64_t now)
{
	struct tw_conn *c = &p->conns[i];
	struct span meta = scan_member(whole, "metadata"), payload = scan_member(whole, "payload"), session;
	struct head h = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
	char type[TW_TYPE], id[TW_ID], time[TW_TIME];
	int64_t wall;

	if (!meta.p || meta.p[0] != '{' || !payload.p || payload.p[0] != '{') {
		bare(p, i, sock, whole, now);
		return;
	}
	scan_each(meta, head_member, &h);
	if (h.time.p && scan_cstr(h.time, time, sizeof(time)) > 0 && clock_parse(time, strlen(time), &wall) == 0) {
		if (sock != 2)
			heard(p, i, time, now);
	} else {
		time[0] = '\0';
	}
	session = scan_member(payload, "session");
	if ((session.p && session.p[0] != '{') || sock == 2)
		session.p = NULL;
	if (h.type.p && scan_is(h.type, "notification")) {
		if (!tw_id(h.id, id) || !h.subscription_type.p ||
		    scan_cstr(h.subscription_type, type, sizeof(type)) <= 0)
			unreadable(p, i, sock, "a notification without id or type", now);
		else
			notification(p, i, sock, &(struct tw_note){.type = type, .id = id, .time = time}, payload, now);
	} else if (sock == 2 && h.type.p && !scan_is(h.type, "revocation")) {
		return;		/* one that lingers: its session is no concern of ours any more */
	} else if (h.type.p && scan_is(h.type, "session_welcome")) {
		tw_welcome(p, i, sock, session, now);
	} else if (h.type.p && scan_is(h.type, "session_reconnect")) {
		tw_reconnect(p, i, sock, session, now);
	} else if (h.type.p && scan_is(h.type, "revocation")) {
		struct span s = scan_member(payload, "subscription");

		if (!tw_id(h.id, id) || !s.p || s.p[0] != '{')
			unreadable(p, i, sock, "a revocation without subscription", now);
		else
			tw_revoked(p, s, id, time, i, ++c->mark, 0, now);
	}
	/* Other types are for programs that know them. */
}

void tw_frame(void *arg, unsigned i, unsigned sock, const char *b, size_t n, bool binary, int64_t now)
{
	struct twitch *p = arg;
	struct span whole = {b, n};
	struct line_err err;

	if (i >= p->nconns)
		return;
	/* Keepalives are for times when nothing else is sent. Whether only notifications count as something is said nowhere: all do, so
	 * that none of them makes a connection look dead. */
	if (sock == 1 ? *p->conns[i].next != '\0' : p->conns[i].state >= CONN_READY)
		tw_watch(p, i, sock);
	if (binary) {
		unreadable(p, i, sock, "binary where text belongs", now);
	} else if (scan_value(b, n, &err)) {
		unreadable(p, i, sock, err.why, now);
	} else if (tw_flat(&whole, &p->flat)) {
		unreadable(p, i, sock, "no JSON", now);
	} else {
		while (whole.n && (*whole.p == ' ' || *whole.p == '\t')) {
			whole.p++;
			whole.n--;
		}
		if (whole.n && *whole.p == '{')
			message(p, i, sock, whole, now);
		else
			unreadable(p, i, sock, "no object", now);
	}
}
