/*
 * The pieces of lines that events have in common: the envelope, channel, user with roles. Strings are copied as they stand in the frame.
 */
#include "gatewayd/platform/discord_impl.h"

#include <string.h>

#include "line/envelope.h"
#include "line/id.h"
#include "line/line.h"
#include "line/writer.h"

#define ROLES_MAX 250		/* of a guild, Discord's limit */

/* "12345" with its quotes. */
struct span event_digits(char out[24], uint64_t id)
{
	static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
		"5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
	char *p = out + 23;

	*--p = '"';
	for (; id >= 100; id /= 100)
		memcpy(p -= 2, pairs + id % 100 * 2, 2);
	if (id >= 10)
		memcpy(p -= 2, pairs + id * 2, 2);
	else
		*--p = (char)('0' + id);
	*--p = '"';
	return (struct span){p, (size_t)(out + 23 - p)};
}

static struct span span(const char *text)
{
	return (struct span){text, strlen(text)};
}

static size_t put(char *to, const char *text)
{
	size_t n = strlen(text);

	memcpy(to, text, n);
	return n;
}

/* "before123" with its quotes; at most 200 bytes of `before`, which needs no escaping. digits: with their quotes. */
static struct span joined(char *to, const char *before, struct span digits)
{
	size_t n = 0;

	to[n++] = '"';
	n += put(to + n, before);
	memcpy(to + n, digits.p + 1, digits.n - 1);
	return (struct span){to, n + digits.n - 1};
}

/* A thing that never repeats and looks like chance (splitmix64, Steele, Lea, Flood 2014): three times the kernel would cost more than the rest of the line. */
static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

/* A new one, with its quotes. */
static struct span trace(struct discord *d, char *to)
{
	uint64_t high, low;

	if (!d->traces[0]) {
		d->traces[0] = out_random(d->out) | 1;
		d->traces[1] = out_random(d->out);
	}
	d->traces[1] += UINT64_C(0x9e3779b97f4a7c15);
	to[0] = '"';
	high = mix(d->traces[1] ^ d->traces[0]);
	low = mix(d->traces[1]);
	id_trace_new(to + 1, high, low, mix(high + low));
	to[TRACEPARENT_LEN + 1] = '"';
	return (struct span){to, TRACEPARENT_LEN + 2};
}

/* kind: "m-" and the like, before the id. false: the time is none, and left out. */
bool event_begin(struct discord *d, struct writer *w, const char *kind, uint64_t id, const char *type, uint64_t channel, struct span time)
{
	char text[256], room[24];
	struct span number = event_digits(room, id);
	bool timed = event_is_string(time) && envelope_time_ok(time);

	buf_clear(&d->line);
	writer_begin(w, &d->line, LINE_MAX_BYTES);
	writer_attr_raw(w, "specversion", span("\"1.0\""));
	writer_attr_raw(w, "id", joined(text, kind, number));
	writer_attr_raw(w, "source", span(d->json.source));
	writer_attr(w, "type", type);
	if (timed)
		writer_attr_raw(w, "time", time);
	number = event_digits(room, channel);
	if (channel)
		writer_attr_raw(w, "subject", number);
	writer_attr_raw(w, "tenant", span(d->json.tenant));
	writer_attr_raw(w, "partitionkey", channel ? joined(text, "discord:", number) : span(d->json.source));
	writer_attr_raw(w, "traceparent", trace(d, text));
	writer_open(w, "data");
	writer_value(w, "platform", span("\"discord\""));
	writer_value(w, "account", span(d->json.name));
	return timed;
}

void event_channel(struct discord *d, struct writer *w, const struct event *e, uint64_t guild, uint64_t channel)
{
	const struct guild *g = guild ? names_find(&d->conns[e->conn].names, guild) : NULL;
	char room[24];

	writer_open(w, "channel");
	writer_value(w, "id", event_digits(room, channel));
	writer_value(w, "name", names_get(g, channel, NULL));
	writer_close(w);
}

struct roles { struct writer *w; const struct guild *g; unsigned n, moderator; bool write; };

/* "owner" and "moderator" mean what they mean on every platform: nobody gets them by the name of a role. */
static bool reserved(struct span name)
{
	return scan_is(name, "owner") || scan_is(name, "moderator");
}

static int role(void *arg, struct span unused, struct span value)
{
	struct roles *r = arg;
	unsigned flags;
	struct span name = names_get(r->g, names_id(value), &flags);

	(void)unused;
	if (!name.p || !(flags & NAMES_ROLE) || ++r->n > ROLES_MAX)
		return 0;
	r->moderator |= flags & NAMES_MODERATOR;
	if (r->write && !reserved(name))
		writer_value(r->w, NULL, name);
	return 0;
}

static void put_roles(struct writer *w, const struct guild *g, uint64_t user, struct span list)
{
	struct roles r = {.w = w, .g = g};

	if (!g)
		return;
	scan_each(list, role, &r);
	writer_open_array(w, "roles");
	if (user == names_owner(g))
		writer_str(w, NULL, "owner", 5);
	if (r.moderator)
		writer_str(w, NULL, "moderator", 9);
	r.write = true;
	r.n = 0;
	scan_each(list, role, &r);
	writer_close(w);
}

int event_user(struct discord *d, struct writer *w, const struct event *e, uint64_t guild, const struct who *who, bool webhook)
{
	static const struct scan_name names[] = {SCAN_NAME("id"), SCAN_NAME("username"), SCAN_NAME("global_name"), SCAN_NAME("bot")};
	static const struct scan_name in_guild[] = {SCAN_NAME("nick"), SCAN_NAME("roles")};
	struct span u[4], m[2];
	uint64_t id;
	char room[24];
	bool self;

	if (guild && !names_whole(&d->conns[e->conn].names, guild))
		fetch_guild(d, e->conn, guild, e->now);
	scan_pick(who->user, names, u, 4);
	scan_pick(who->member, in_guild, m, 2);
	id = names_id(u[0]);
	if (!id)
		return -1;
	self = id == d->self;
	writer_open(w, "user");
	writer_value(w, "id", event_digits(room, id));
	writer_value(w, "name", event_is_string(m[0]) ? m[0] : event_is_string(u[2]) ? u[2] : event_is_string(u[1]) ? u[1] : (struct span){NULL, 0});
	if (who->member.p && m[1].p && m[1].p[0] == '[')
		put_roles(w, names_whole(&d->conns[e->conn].names, guild), id, m[1]);
	if (self || webhook || event_is_true(u[3]))
		writer_bool(w, "bot", true);
	writer_close(w);
	return self;
}

void event_end(struct discord *d, struct writer *w, const struct event *e, uint64_t mark)
{
	struct line_err err;

	if (e->replayed)
		writer_bool(w, "replayed", true);
	if (d->conf.raw)
		writer_value(w, "raw", e->d);
	writer_close(w);
	if (writer_end(w, &err)) {
		d->why = err.why;
		return;
	}
	d->made = mark == e->mark;
	out_line(d->out, e->conn, d->line.p, d->line.len, mark, e->ticket);
}
