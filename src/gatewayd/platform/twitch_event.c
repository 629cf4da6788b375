#include <string.h>

#include "base/json.h"
#include "gatewayd/platform/twitch_impl.h"
#include "line/id.h"
#include "line/line.h"
#include "line/writer.h"

/* The members of events that are looked at. Source: twurple's typings and Twitch's mock, sections 6 and 7 of the fact sheet. */
enum field {
	F_BROADCASTER_ID, F_BROADCASTER_LOGIN, F_BROADCASTER_NAME,
	F_CHATTER_ID, F_CHATTER_LOGIN, F_CHATTER_NAME,
	F_USER_ID, F_USER_LOGIN, F_USER_NAME,
	F_TARGET_ID, F_TARGET_LOGIN, F_TARGET_NAME,
	F_FROM_ID, F_FROM_LOGIN, F_FROM_NAME,
	F_TO_ID, F_TO_LOGIN, F_TO_NAME,
	F_MESSAGE, F_MESSAGE_ID, F_BADGES, F_REPLY, F_VIEWERS, F_TIER, F_GIFT, F_SOURCE_ID, F_SOURCE_MESSAGE,
	F_COUNT
};

#define NAME(s) {s, sizeof(s) - 1}
static const struct { const char *p; size_t n; } names[F_COUNT] = {
	[F_BROADCASTER_ID] = NAME("broadcaster_user_id"), [F_BROADCASTER_LOGIN] = NAME("broadcaster_user_login"),
	[F_BROADCASTER_NAME] = NAME("broadcaster_user_name"), [F_CHATTER_ID] = NAME("chatter_user_id"),
	[F_CHATTER_LOGIN] = NAME("chatter_user_login"), [F_CHATTER_NAME] = NAME("chatter_user_name"), [F_USER_ID] = NAME("user_id"),
	[F_USER_LOGIN] = NAME("user_login"), [F_USER_NAME] = NAME("user_name"), [F_TARGET_ID] = NAME("target_user_id"),
	[F_TARGET_LOGIN] = NAME("target_user_login"), [F_TARGET_NAME] = NAME("target_user_name"),
	[F_FROM_ID] = NAME("from_broadcaster_user_id"), [F_FROM_LOGIN] = NAME("from_broadcaster_user_login"),
	[F_FROM_NAME] = NAME("from_broadcaster_user_name"), [F_TO_ID] = NAME("to_broadcaster_user_id"),
	[F_TO_LOGIN] = NAME("to_broadcaster_user_login"), [F_TO_NAME] = NAME("to_broadcaster_user_name"), [F_MESSAGE] = NAME("message"),
	[F_MESSAGE_ID] = NAME("message_id"), [F_BADGES] = NAME("badges"), [F_REPLY] = NAME("reply"), [F_VIEWERS] = NAME("viewers"),
	[F_TIER] = NAME("tier"), [F_GIFT] = NAME("is_gift"), [F_SOURCE_ID] = NAME("source_broadcaster_user_id"),
	[F_SOURCE_MESSAGE] = NAME("source_message_id"),
};

struct fields { struct span f[F_COUNT]; };	/* raw values; p NULL: absent or null */

/* ---- what an event becomes ---- */

#define NOBODY F_COUNT

/* channel and user: the first of three fields (id, login, name). EventSub types that are not here become platform.event. */
static const struct row {
	const char *twitch, *type;
	enum field channel, user;
	enum { EXTRA_NONE, EXTRA_CHAT, EXTRA_DELETE, EXTRA_DELETE_ALL, EXTRA_SUBSCRIBE, EXTRA_RAID } extra;
} rows[] = {
	{"channel.chat.message", "chat.message", F_BROADCASTER_ID, F_CHATTER_ID, EXTRA_CHAT},
	{"channel.chat.message_delete", "chat.delete", F_BROADCASTER_ID, NOBODY, EXTRA_DELETE},
	{"channel.chat.clear_user_messages", "chat.delete", F_BROADCASTER_ID, NOBODY, EXTRA_DELETE_ALL},
	{"channel.chat.clear", "chat.delete", F_BROADCASTER_ID, NOBODY, EXTRA_NONE},
	{"channel.follow", "channel.follow", F_BROADCASTER_ID, F_USER_ID, EXTRA_NONE},
	{"channel.subscribe", "channel.subscribe", F_BROADCASTER_ID, F_USER_ID, EXTRA_SUBSCRIBE},
	{"channel.subscription.message", "channel.subscribe", F_BROADCASTER_ID, F_USER_ID, EXTRA_SUBSCRIBE},
	{"channel.raid", "channel.raid", F_TO_ID, NOBODY, EXTRA_RAID},
	{"stream.online", "stream.online", F_BROADCASTER_ID, NOBODY, EXTRA_NONE},
	{"stream.offline", "stream.offline", F_BROADCASTER_ID, NOBODY, EXTRA_NONE},
};

static const struct row *find_row(const char *type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(rows[i].twitch, type) == 0)
			return &rows[i];
	return NULL;
}

/* ---- fields ---- */

static int take(void *arg, struct span name, struct span value)
{
	struct fields *f = arg;

	if (value.n == 4 && value.p[0] == 'n')
		return 0;
	for (int i = 0; i < F_COUNT; i++)
		if (names[i].n + 2 == name.n && memcmp(names[i].p, name.p + 1, names[i].n) == 0) {
			f->f[i] = value;
			break;
		}
	return 0;
}

static bool is_text(struct span v)
{
	return v.p && v.n > 2 && v.p[0] == '"';
}

static bool same(struct span a, struct span b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

/* The first of two that is a text and not empty. */
static struct span either(struct span a, struct span b)
{
	return is_text(a) ? a : b;
}

/* ---- parts of data ---- */

static void write_channel(struct writer *w, const struct fields *f, enum field at)
{
	writer_open(w, "channel");
	writer_value(w, "id", f->f[at]);
	/* The login, as IRC has it: what stands in the channel's address. */
	writer_value(w, "name", either(f->f[at + 1], f->f[at + 2]));
	writer_close(w);
}

struct roles { struct writer *w; bool owner, moderator, vip, subscriber, bot; };

static int badge(void *arg, struct span name, struct span value)
{
	struct roles *r = arg;
	struct span id = scan_member(value, "set_id");

	(void)name;
	if (!id.p)
		return 0;
	r->owner = r->owner || scan_is(id, "broadcaster");
	r->moderator = r->moderator || scan_is(id, "moderator") || scan_is(id, "lead_moderator");
	r->vip = r->vip || scan_is(id, "vip");
	r->subscriber = r->subscriber || scan_is(id, "subscriber") || scan_is(id, "founder");
	/* The badge of programs that said so [unverified]: not to answer one of them is the safe side. */
	r->bot = r->bot || scan_is(id, "bot-badge");
	return 0;
}

static int element_is_object(void *arg, struct span name, struct span value)
{
	(void)arg, (void)name;
	return value.p[0] != '{';
}

static void write_user(struct twitch *p, struct writer *w, const struct fields *f, enum field at)
{
	bool self = scan_is(f->f[at], p->conf.user);
	struct roles r = {.w = w};
	struct span b = f->f[F_BADGES];

	if (b.p && b.p[0] == '[' && scan_each(b, element_is_object, NULL) == 0)
		scan_each(b, badge, &r);
	writer_open(w, "user");
	writer_value(w, "id", f->f[at]);
	writer_value(w, "name", either(f->f[at + 2], f->f[at + 1]));
	writer_open_array(w, "roles");
	if (r.owner)
		writer_str(w, NULL, "owner", 5);
	if (r.moderator)
		writer_str(w, NULL, "moderator", 9);
	if (r.vip)
		writer_str(w, NULL, "vip", 3);
	if (r.subscriber)
		writer_str(w, NULL, "subscriber", 10);
	writer_close(w);
	if (self || r.bot)
		writer_bool(w, "bot", true);
	writer_close(w);
	if (self)
		writer_bool(w, "self", true);
}

static void write_extra(struct writer *w, const struct row *row, const struct fields *f)
{
	struct span message = f->f[F_MESSAGE];
	struct span text = message.p && message.p[0] == '{' ? scan_member(message, "text") : (struct span){NULL, 0};
	struct span reply = f->f[F_REPLY];

	switch (row->extra) {
	case EXTRA_CHAT:
		writer_value(w, "text", text);
		writer_value(w, "message_id", f->f[F_MESSAGE_ID]);
		if (reply.p && reply.p[0] == '{' && is_text(scan_member(reply, "parent_message_id")))
			writer_value(w, "reply_to", scan_member(reply, "parent_message_id"));
		/* Shared Chat: every channel that takes part has the message, each under a number of its own. */
		if (is_text(f->f[F_SOURCE_MESSAGE]) && is_text(f->f[F_SOURCE_ID]) && !same(f->f[F_SOURCE_ID], f->f[F_BROADCASTER_ID]))
			writer_value(w, "shared_id", f->f[F_SOURCE_MESSAGE]);
		break;
	case EXTRA_DELETE:
		writer_value(w, "message_id", f->f[F_MESSAGE_ID]);
		break;
	case EXTRA_DELETE_ALL:
		writer_open(w, "user");
		writer_value(w, "id", f->f[F_TARGET_ID]);
		writer_value(w, "name", either(f->f[F_TARGET_NAME], f->f[F_TARGET_LOGIN]));
		writer_close(w);
		break;
	case EXTRA_SUBSCRIBE:
		writer_value(w, "tier", f->f[F_TIER]);
		writer_value(w, "gift", f->f[F_GIFT]);
		if (text.p && text.p[0] == '"')
			writer_value(w, "text", text);
		break;
	case EXTRA_RAID:
		writer_open(w, "from");
		writer_value(w, "id", f->f[F_FROM_ID]);
		writer_value(w, "name", either(f->f[F_FROM_LOGIN], f->f[F_FROM_NAME]));
		writer_close(w);
		writer_value(w, "viewers", f->f[F_VIEWERS]);
		break;
	case EXTRA_NONE:
		break;
	}
}

/* Does the event hold what its row needs? Else it is a platform.event: nothing is lost because Twitch changed a payload. */
static bool fits(const struct row *row, const struct fields *f)
{
	if (!is_text(f->f[row->channel]) || (row->user != NOBODY && !is_text(f->f[row->user])))
		return false;
	if (row->extra == EXTRA_CHAT)
		return is_text(f->f[F_MESSAGE_ID]) && f->f[F_MESSAGE].p && f->f[F_MESSAGE].p[0] == '{' &&
			scan_member(f->f[F_MESSAGE], "text").p && scan_member(f->f[F_MESSAGE], "text").p[0] == '"';
	/* Without them it would mean more than it does: all of a channel. */
	if (row->extra == EXTRA_DELETE_ALL)
		return is_text(f->f[F_TARGET_ID]);
	return row->extra != EXTRA_DELETE || is_text(f->f[F_MESSAGE_ID]);
}

/* ---- a line ---- */

static void begin(struct twitch *p, struct writer *w, const struct tw_note *n, const char *type, const char *id, struct span channel)
{
	char trace[TRACEPARENT_LEN + 1], time[CLOCK_RFC3339_MAX], key[TW_ID + 8] = "twitch:", *place = key + 7;
	int64_t wall;

	if (!channel.p || scan_cstr(channel, place, TW_ID) <= 0)
		*place = '\0';
	buf_clear(&p->line);
	writer_begin(w, &p->line, LINE_MAX_BYTES);
	writer_attr(w, "specversion", "1.0");
	writer_attr(w, "id", id);
	writer_attr(w, "source", p->source);
	writer_attr(w, "type", type);
	/* Some samples in the documentation are malformed; an event without a time is better than none. */
	if (n->time && clock_parse(n->time, strlen(n->time), &wall) == 0) {
		clock_rfc3339(time, wall);
		writer_attr(w, "time", time);
	}
	if (*place)
		writer_attr(w, "subject", place);
	writer_attr(w, "tenant", p->tenant);
	writer_attr(w, "partitionkey", *place ? key : p->source + 1);
	id_trace_new(trace, out_random(p->out), out_random(p->out), out_random(p->out));
	writer_attr(w, "traceparent", trace);
	writer_open(w, "data");
	writer_str(w, "platform", "twitch", 6);
	writer_str(w, "account", p->name, strlen(p->name));
}

static int end(struct twitch *p, struct writer *w, const struct tw_note *n)
{
	struct line_err err;

	writer_close(w);
	if (writer_end(w, &err) == 0)
		return 0;
	tw_say(p, LOG_WARN, "no line can be made of an event of type %.60s: %s", n->type, err.why);
	return -1;
}

static int foreign(struct twitch *p, const struct tw_note *n, const char *name, const struct fields *f)
{
	enum field channel = is_text(f->f[F_BROADCASTER_ID]) ? F_BROADCASTER_ID : F_TO_ID;
	struct writer w;

	begin(p, &w, n, "platform.event", n->id, f->f[channel]);
	if (is_text(f->f[channel]))
		write_channel(&w, f, channel);
	writer_str(&w, "name", name, strlen(name));
	writer_value(&w, "raw", n->event);
	return end(p, &w, n);
}

int tw_platform_event(struct twitch *p, const struct tw_note *n, const char *name)
{
	struct fields f = {{{NULL, 0}}};

	if (n->event.n && n->event.p[0] == '{')
		scan_each(n->event, take, &f);
	return foreign(p, n, name, &f);
}

int tw_event(struct twitch *p, const struct tw_note *n)
{
	const struct row *row = find_row(n->type);
	struct fields f = {{{NULL, 0}}};
	char id[TW_ID + 2] = "m-";
	struct writer w;

	if (n->event.n && n->event.p[0] == '{')
		scan_each(n->event, take, &f);
	if (!row || !fits(row, &f))
		return foreign(p, n, n->type, &f);
	/* The message's own number: it is the same when it comes again by another way. */
	if (row->extra != EXTRA_CHAT || scan_cstr(f.f[F_MESSAGE_ID], id + 2, TW_ID) <= 0)
		strcpy(id, n->id);
	begin(p, &w, n, row->type, id, f.f[row->channel]);
	write_channel(&w, &f, row->channel);
	if (row->user != NOBODY)
		write_user(p, &w, &f, row->user);
	write_extra(&w, row, &f);
	if (p->conf.raw)
		writer_value(&w, "raw", n->event);
	if (end(p, &w, n) == 0)
		return 0;
	/* With other types in its fields than expected, or an id with odd characters. */
	return foreign(p, n, n->type, &f);
}

int tw_flat(struct span *in, struct buf *to)
{
	struct json_error err;
	struct json *doc;
	int rc;

	if (!memchr(in->p, '\n', in->n) && !memchr(in->p, '\r', in->n))
		return 0;
	doc = json_parse(in->p, in->n, &err);
	buf_clear(to);
	rc = doc ? json_print(doc, to) : -1;
	json_free(doc);
	if (rc == 0)
		*in = (struct span){to->p, to->len};
	return rc;
}
