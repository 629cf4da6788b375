/*
 * Interactions to command.invoked. A slash command's sub-commands become words of its name ("music play"), its options become args; of a button or a
 * menu the custom_id is the command, of a form besides what was filled in. What answers it stands in data.interaction.
 */
#include "gatewayd/platform/discord_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "line/writer.h"

#define DEPTH 4			/* command, group, sub-command, options; rows of a form */

enum { I_ID, I_APPLICATION, I_TYPE, I_TOKEN, I_DATA, I_GUILD, I_CHANNEL, I_MEMBER, I_USER, I_COUNT };
static const struct scan_name names[I_COUNT] = {
	[I_ID] = SCAN_NAME("id"), [I_APPLICATION] = SCAN_NAME("application_id"), [I_TYPE] = SCAN_NAME("type"), [I_TOKEN] = SCAN_NAME("token"),
	[I_DATA] = SCAN_NAME("data"), [I_GUILD] = SCAN_NAME("guild_id"),
	[I_CHANNEL] = SCAN_NAME("channel_id"), [I_MEMBER] = SCAN_NAME("member"), [I_USER] = SCAN_NAME("user"),
};

struct walk { struct buf *name; struct writer *w; struct discord *d; int depth; };

/* The name of an argument as text, in d->plain: the frame is elsewhere by then or needs it no more than as spans. */
static const char *plain_name(struct walk *k, struct span raw, char *room, size_t size)
{
	(void)k;
	return scan_cstr(raw, room, size) > 0 ? room : NULL;
}

/* type 1 a sub-command, 2 a group of them: a word of the name; else an argument. */
static int option(void *arg, struct span unused, struct span value)
{
	static const struct scan_name of[] = {SCAN_NAME("name"), SCAN_NAME("type"), SCAN_NAME("value"), SCAN_NAME("options")};
	struct walk *k = arg;
	char room[128];
	struct span v[4];

	(void)unused;
	scan_pick(value, of, v, 4);
	if (v[1].p && v[1].n == 1 && (v[1].p[0] == '1' || v[1].p[0] == '2')) {
		const char *word = plain_name(k, v[0], room, sizeof(room));

		if (k->name && word)
			buf_printf(k->name, " %s", word);
		if (++k->depth < DEPTH)
			scan_each(v[3], option, k);
		k->depth--;
	} else if (k->w && plain_name(k, v[0], room, sizeof(room))) {
		writer_value(k->w, room, v[2]);
	}
	return 0;
}

/* Rows of a form: fields stand in "components" or, with a label, in "component". */
static int field(void *arg, struct span unused, struct span value)
{
	static const struct scan_name of[] = {SCAN_NAME("custom_id"), SCAN_NAME("value"), SCAN_NAME("values"), SCAN_NAME("components"), SCAN_NAME("component")};
	struct walk *k = arg;
	char room[128];
	struct span v[5];

	(void)unused;
	scan_pick(value, of, v, 5);
	if (plain_name(k, v[0], room, sizeof(room)) && (v[1].p || v[2].p))
		writer_value(k->w, room, v[1].p ? v[1] : v[2]);
	if (++k->depth < DEPTH) {
		scan_each(v[3], field, k);
		if (v[4].p && v[4].p[0] == '{')
			field(k, (struct span){NULL, 0}, v[4]);
	}
	k->depth--;
	return 0;
}

/* The name in d->text. */
static bool command_name(struct discord *d, int type, struct span data)
{
	struct walk k = {.name = &d->text, .d = d};

	buf_clear(&d->text);
	if (scan_string(scan_member(data, type == 2 ? "name" : "custom_id"), &d->text) || !d->text.len)
		return false;
	if (type == 2)
		scan_each(scan_member(data, "options"), option, &k);
	return true;
}

static void put_args(struct discord *d, struct writer *w, int type, struct span data)
{
	struct walk k = {.w = w, .d = d};

	writer_open(w, "args");
	if (type == 2) {
		scan_each(scan_member(data, "options"), option, &k);
		writer_value(w, "target_id", scan_member(data, "target_id"));
	} else if (type == 5) {
		scan_each(scan_member(data, "components"), field, &k);
	} else {
		writer_value(w, "values", scan_member(data, "values"));
	}
	writer_close(w);
}

/* An id was made at a time. */
static struct span time_of(uint64_t id, char room[CLOCK_RFC3339_MAX + 2])
{
	size_t n = clock_rfc3339(room + 1, (int64_t)((id >> 22) + DISCORD_EPOCH_MS) * CLOCK_MS);

	room[0] = '"';
	room[n + 1] = '"';
	return (struct span){room, n + 2};
}

bool event_command(struct discord *d, const struct event *e)
{
	struct span v[I_COUNT];
	char time[CLOCK_RFC3339_MAX + 2];
	uint64_t id, channel, guild;
	struct writer w;
	struct who who;
	int type;

	scan_pick(e->d, names, v, I_COUNT);
	id = names_id(v[I_ID]);
	type = v[I_TYPE].p && v[I_TYPE].n == 1 ? v[I_TYPE].p[0] - '0' : 0;
	who = (struct who){v[I_USER], v[I_MEMBER]};
	if (v[I_MEMBER].p)
		who.user = scan_member(v[I_MEMBER], "user");
	/* in a private conversation the channel may be missing: then it is the person */
	channel = names_id(v[I_CHANNEL]) ? names_id(v[I_CHANNEL]) : names_id(scan_member(who.user, "id"));
	guild = names_id(v[I_GUILD]);
	if (!id || !channel || (type != 2 && type != 3 && type != 5) || !v[I_DATA].p || !command_name(d, type, v[I_DATA]))
		return false;
	event_begin(d, &w, "i-", id, "command.invoked", channel, time_of(id, time));
	event_channel(d, &w, e, guild, channel);
	if (event_user(d, &w, e, guild, &who, false) < 0)
		return false;
	writer_str(&w, "command", d->text.p, d->text.len);
	put_args(d, &w, type, v[I_DATA]);
	writer_open(&w, "interaction");
	writer_value(&w, "id", v[I_ID]);
	writer_value(&w, "token", v[I_TOKEN]);
	writer_value(&w, "application_id", v[I_APPLICATION]);
	writer_value(&w, "type", v[I_TYPE]);
	writer_close(&w);
	event_end(d, &w, e, e->mark);
	return true;
}
