/*
 * Dispatches to lines. The usual one (MESSAGE_CREATE) is read in one walk of its members and written once; nothing is allocated but what the buffers
 * grow to. What came is checked JSON, but for that one: the line that comes of it is checked instead.
 */
#include "gatewayd/platform/discord_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "line/line.h"
#include "line/writer.h"

/* A small whole number that stands there as digits; else -1. */
static int number(struct span s)
{
	int v = 0;

	if (!s.p || s.n > 6)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

typedef void event_fn(struct discord *d, const struct event *e);

/* What no other line says, for who asked for it. */
static void other(struct discord *d, const struct event *e)
{
	static const struct scan_name names[] = {SCAN_NAME("channel_id"), SCAN_NAME("guild_id"), SCAN_NAME("id")};
	char name[68], id[160];
	struct span v[3];
	struct line_err err;
	struct writer w;
	uint64_t place;
	int n = scan_cstr(e->name, name + 1, sizeof(name) - 2);

	if (n <= 0 || !e->d.p || e->d.p[0] != '{' || (!d->conf.raw && d->conf.events.len == 0) ||
	    name[1 + strspn(name + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")])
		return;
	name[0] = ' ';
	name[n + 1] = ' ';
	if (!d->conf.raw && !memmem(d->conf.events.p, d->conf.events.len, name, (size_t)n + 2))
		return;
	name[n + 1] = '\0';
	scan_pick(e->d, names, v, 3);
	place = names_id(v[0]) ? names_id(v[0]) : names_id(v[1]) ? names_id(v[1]) : names_id(v[2]);
	snprintf(id, sizeof(id), "%s-%s-", name + 1, d->conns[e->conn].session);
	event_begin(d, &w, id, e->seq, "platform.event", place, (struct span){NULL, 0});
	writer_str(&w, "name", name + 1, (size_t)n);
	writer_value(&w, "raw", e->d);
	writer_close(&w);
	if (writer_end(&w, &err)) {
		d->why = err.why;
		return;
	}
	d->made = true;
	out_line(d->out, e->conn, d->line.p, d->line.len, e->mark, e->ticket);
}

enum { M_ID, M_CHANNEL, M_GUILD, M_AUTHOR, M_MEMBER, M_CONTENT, M_TIME, M_EDITED, M_TYPE, M_WEBHOOK, M_REFERENCE, M_COUNT };
static const struct scan_name message_names[M_COUNT] = {
	[M_ID] = SCAN_NAME("id"), [M_CHANNEL] = SCAN_NAME("channel_id"), [M_GUILD] = SCAN_NAME("guild_id"), [M_AUTHOR] = SCAN_NAME("author"),
	[M_MEMBER] = SCAN_NAME("member"), [M_CONTENT] = SCAN_NAME("content"),
	[M_TIME] = SCAN_NAME("timestamp"), [M_EDITED] = SCAN_NAME("edited_timestamp"), [M_TYPE] = SCAN_NAME("type"),
	[M_WEBHOOK] = SCAN_NAME("webhook_id"), [M_REFERENCE] = SCAN_NAME("message_reference"),
};

/* Answered: a reply (type 0), not a message that was forwarded (type 1). */
static struct span reply_to(struct span reference)
{
	static const struct scan_name names[] = {SCAN_NAME("message_id"), SCAN_NAME("type")};
	struct span v[2];

	if (!reference.p)
		return reference;
	scan_pick(reference, names, v, 2);
	return (!v[1].p || number(v[1]) == 0) && names_id(v[0]) ? v[0] : (struct span){NULL, 0};
}

/* Is this type of message something that somebody said? default, reply; not joins, pins, boosts and the like, nor what a command shows. */
static bool said(struct span type)
{
	int n = type.p ? number(type) : 0;

	return n == 0 || n == 19;
}

void event_message(struct discord *d, const struct event *e)
{
	struct span v[M_COUNT];
	struct writer w;
	struct who who;
	uint64_t id, channel, guild;
	char room[24];
	int self;

	scan_pick(e->d, message_names, v, M_COUNT);
	id = names_id(v[M_ID]);
	channel = names_id(v[M_CHANNEL]);
	guild = v[M_GUILD].p ? names_id(v[M_GUILD]) : e->guild;
	if (!id || !channel || !event_is_string(v[M_CONTENT]) || !said(v[M_TYPE])) {
		if (e->replayed)
			return;
		return other(d, e);
	}
	if (!e->replayed)
		gap_seen(d, e, channel, guild, id);
	event_begin(d, &w, "m-", id, "chat.message", channel, v[M_TIME]);
	event_channel(d, &w, e, guild, channel);
	who = (struct who){v[M_AUTHOR], v[M_MEMBER]};
	self = event_user(d, &w, e, guild, &who, v[M_WEBHOOK].p != NULL);
	if (self < 0) {
		if (!e->replayed)
			other(d, e);
		return;
	}
	writer_value(&w, "text", v[M_CONTENT]);
	writer_value(&w, "message_id", event_digits(room, id));
	writer_value(&w, "reply_to", reply_to(v[M_REFERENCE]));
	if (self)
		writer_bool(&w, "self", true);
	event_end(d, &w, e, e->mark);
}

/* Digits of "2024-05-01T10:00:00.123" (with its quote) and not of what follows: the same for every report of one edit. */
static uint64_t edit_number(struct span time)
{
	uint64_t v = 0;

	for (size_t i = 1; i + 1 < time.n && i < 24; i++)
		if (time.p[i] >= '0' && time.p[i] <= '9')
			v = (v % UINT64_C(100000000000000000)) * 10 + (uint64_t)(time.p[i] - '0');
	return v;
}

/* Discord reports an update also when only previews of links were added: then there is no edited_timestamp. */
static void edited(struct discord *d, const struct event *e)
{
	struct span v[M_COUNT];
	struct writer w;
	uint64_t id, channel, guild;
	char kind[32], room[24];
	int self = 0;

	scan_pick(e->d, message_names, v, M_COUNT);
	id = names_id(v[M_ID]);
	channel = names_id(v[M_CHANNEL]);
	guild = names_id(v[M_GUILD]);
	if (!id || !channel || !event_is_string(v[M_CONTENT]) || !event_is_string(v[M_EDITED]) || !said(v[M_TYPE]))
		return other(d, e);
	snprintf(kind, sizeof(kind), "e-%" PRIu64 "-", id);
	event_begin(d, &w, kind, edit_number(v[M_EDITED]), "chat.edit", channel, v[M_EDITED]);
	event_channel(d, &w, e, guild, channel);
	if (v[M_AUTHOR].p) {
		struct who who = {v[M_AUTHOR], v[M_MEMBER]};

		self = event_user(d, &w, e, guild, &who, v[M_WEBHOOK].p != NULL);
	}
	writer_value(&w, "message_id", event_digits(room, id));
	writer_value(&w, "text", v[M_CONTENT]);
	if (self > 0)
		writer_bool(&w, "self", true);
	event_end(d, &w, e, e->mark);
}

static void deleted(struct discord *d, const struct event *e, uint64_t id, uint64_t channel, uint64_t guild, uint64_t mark)
{
	struct writer w;
	char room[24];

	event_begin(d, &w, "d-", id, "chat.delete", channel, (struct span){NULL, 0});
	event_channel(d, &w, e, guild, channel);
	writer_value(&w, "message_id", event_digits(room, id));
	event_end(d, &w, e, mark);
}

static const struct scan_name deleted_names[] = {SCAN_NAME("id"), SCAN_NAME("channel_id"), SCAN_NAME("guild_id"), SCAN_NAME("ids")};

static void delete_one(struct discord *d, const struct event *e)
{
	struct span v[4];

	scan_pick(e->d, deleted_names, v, 4);
	if (!names_id(v[0]) || !names_id(v[1]))
		return other(d, e);
	deleted(d, e, names_id(v[0]), names_id(v[1]), names_id(v[2]), e->mark);
}

struct bulk { struct discord *d; const struct event *e; uint64_t last, channel, guild; };

/* One behind: the mark goes with the last line. */
static int bulk_one(void *arg, struct span name, struct span value)
{
	struct bulk *b = arg;
	uint64_t id = names_id(value);

	(void)name;
	if (!id)
		return 0;
	if (b->last)
		deleted(b->d, b->e, b->last, b->channel, b->guild, b->e->before);
	b->last = id;
	return 0;
}

static void delete_bulk(struct discord *d, const struct event *e)
{
	struct bulk b = {.d = d, .e = e};
	struct span v[4];

	scan_pick(e->d, deleted_names, v, 4);
	b.channel = names_id(v[1]);
	b.guild = names_id(v[2]);
	if (b.channel && v[3].p && v[3].p[0] == '[')
		scan_each(v[3], bulk_one, &b);
	if (!b.last)
		return other(d, e);
	deleted(d, e, b.last, b.channel, b.guild, e->mark);
}

/* The place that somebody joins or leaves is the guild. */
static void member(struct discord *d, const struct event *e, const char *type)
{
	static const struct scan_name names[] = {SCAN_NAME("guild_id"), SCAN_NAME("user"), SCAN_NAME("joined_at")};
	struct span v[3];
	struct writer w;
	uint64_t guild;
	char kind[128];
	struct who who;
	int self;

	scan_pick(e->d, names, v, 3);
	guild = names_id(v[0]);
	if (!guild)
		return other(d, e);
	snprintf(kind, sizeof(kind), "%s-%s-", type, d->conns[e->conn].session);
	event_begin(d, &w, kind, e->seq, type, guild, v[2]);
	writer_open(&w, "channel");
	writer_value(&w, "id", v[0]);
	writer_close(&w);
	who = (struct who){v[1], e->d};
	self = event_user(d, &w, e, guild, &who, false);
	if (self < 0)
		return other(d, e);
	if (self)
		writer_bool(&w, "self", true);
	event_end(d, &w, e, e->mark);
}

static void joined_guild(struct discord *d, const struct event *e)
{
	member(d, e, "member.join");
}

static void left_guild(struct discord *d, const struct event *e)
{
	member(d, e, "member.leave");
}

static void command(struct discord *d, const struct event *e)
{
	if (!event_command(d, e))
		other(d, e);
}

/* ---- names ---- */

static void names_checked(struct discord *d, int rc)
{
	if (rc == 0 || d->names_full)
		return;
	d->names_full = true;
	log_warn("discord %s: no room for the names of more channels and roles", d->name);
}

static void guild_new(struct discord *d, const struct event *e)
{
	struct dconn *c = &d->conns[e->conn];

	if (!event_is_true(scan_member(e->d, "unavailable"))) {
		names_checked(d, names_put(&c->names, &d->names_bytes, e->d));
		gap_guild(d, e);
	}
	other(d, e);
}

static int guild_role(void *arg, struct span name, struct span value)
{
	const struct event *e = ((void **)arg)[1];
	struct discord *d = ((void **)arg)[0];

	(void)name;
	return names_set(&d->conns[e->conn].names, &d->names_bytes, names_id(scan_member(e->d, "id")), value, NAMES_ROLE, false);
}

static void guild_changed(struct discord *d, const struct event *e)
{
	void *both[2] = {d, (void *)(uintptr_t)e};
	struct dconn *c = &d->conns[e->conn];

	names_set_owner(&c->names, names_id(scan_member(e->d, "id")), names_id(scan_member(e->d, "owner_id")));
	names_checked(d, scan_each(scan_member(e->d, "roles"), guild_role, both));
	other(d, e);
}

/* unavailable is there: an outage, it will come back; absent: the bot was removed. */
static void guild_gone(struct discord *d, const struct event *e)
{
	bool removed = !scan_member(e->d, "unavailable").p;

	if (removed)
		names_drop(&d->conns[e->conn].names, &d->names_bytes, names_id(scan_member(e->d, "id")));
	gap_guild_gone(d, e, !removed);
	other(d, e);
}

static void one_name(struct discord *d, const struct event *e, struct span object, unsigned kind, bool removed)
{
	uint64_t guild = names_id(scan_member(e->d, "guild_id"));

	names_checked(d, names_set(&d->conns[e->conn].names, &d->names_bytes, guild, object, kind, removed));
	other(d, e);
}

static void channel_set(struct discord *d, const struct event *e)
{
	gap_deny(d, names_id(scan_member(e->d, "id")), false);	/* who may read it may have changed */
	one_name(d, e, e->d, 0, false);
}

static void channel_gone(struct discord *d, const struct event *e)
{
	one_name(d, e, e->d, 0, true);
}

static int may_be_read(void *arg, struct span name, struct span value)
{
	(void)name;
	gap_deny(arg, names_id(scan_member(value, "id")), false);
	return 0;
}

/* The threads of channels that may be seen from now on. */
static void threads_set(struct discord *d, const struct event *e)
{
	static const struct scan_name names[] = {SCAN_NAME("guild_id"), SCAN_NAME("threads")};
	struct span v[2];

	scan_pick(e->d, names, v, 2);
	if (v[1].p && v[1].p[0] == '[') {
		scan_each(v[1], may_be_read, d);
		names_checked(d, names_add(&d->conns[e->conn].names, &d->names_bytes, names_id(v[0]), v[1]));
	}
	other(d, e);
}

static void role_set(struct discord *d, const struct event *e)
{
	one_name(d, e, scan_member(e->d, "role"), NAMES_ROLE, false);
}

static void role_gone(struct discord *d, const struct event *e)
{
	char text[48], room[24];
	struct span id = event_digits(room, names_id(scan_member(e->d, "role_id")));
	int n = snprintf(text, sizeof(text), "{\"id\":%.*s}", (int)id.n, id.p);

	one_name(d, e, (struct span){text, (size_t)n}, NAMES_ROLE, true);
}

#define ROW(name, fn) {name, sizeof(name) - 1, fn}
static const struct { const char *name; size_t n; event_fn *fn; } rows[] = {
	ROW("MESSAGE_CREATE", event_message), ROW("MESSAGE_UPDATE", edited), ROW("MESSAGE_DELETE", delete_one), ROW("MESSAGE_DELETE_BULK", delete_bulk),
	ROW("GUILD_MEMBER_ADD", joined_guild), ROW("GUILD_MEMBER_REMOVE", left_guild), ROW("INTERACTION_CREATE", command),
	ROW("GUILD_CREATE", guild_new), ROW("GUILD_UPDATE", guild_changed), ROW("GUILD_DELETE", guild_gone),
	ROW("CHANNEL_CREATE", channel_set), ROW("CHANNEL_UPDATE", channel_set), ROW("CHANNEL_DELETE", channel_gone),
	ROW("THREAD_CREATE", channel_set), ROW("THREAD_UPDATE", channel_set), ROW("THREAD_DELETE", channel_gone),
	ROW("THREAD_LIST_SYNC", threads_set),
	ROW("GUILD_ROLE_CREATE", role_set), ROW("GUILD_ROLE_UPDATE", role_set), ROW("GUILD_ROLE_DELETE", role_gone),
	ROW("READY", NULL), ROW("RESUMED", NULL),
};

bool event_is_hot(struct span name)
{
	return name.n == sizeof("MESSAGE_CREATE") + 1 && memcmp(name.p + 1, "MESSAGE_CREATE", sizeof("MESSAGE_CREATE") - 1) == 0;
}

void event_tell(struct discord *d, const struct event *e)
{
	char which[24];

	if (!d->why)
		return;
	snprintf(which, sizeof(which), "%" PRIu64, e->replayed ? names_id(scan_member(e->d, "id")) : e->seq);
	log_warn("discord %s: %s %s cannot be a line: %s", d->name, e->replayed ? "message" : "dispatch", which, d->why);
	out_gap(d->out, e->conn, d->why, which, which);
	d->why = NULL;
}

bool event_dispatch(struct discord *d, const struct event *e)
{
	d->made = false;
	d->why = NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (e->name.n != rows[i].n + 2 || memcmp(e->name.p + 1, rows[i].name, rows[i].n) != 0)
			continue;
		if (rows[i].fn)
			rows[i].fn(d, e);
		return d->made;
	}
	other(d, e);
	return d->made;
}
