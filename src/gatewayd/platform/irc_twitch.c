/*
 * irc_twitch: what only Twitch's dialect has. Sources: dev.twitch.tv "Twitch IRC" (commands, tags), as far as known to the writer: no
 * stored copy was read [unverified]; so every field may be absent, and what is not known becomes a platform.event.
 *
 * Numbers of people and channels (user-id, room-id) are those of EventSub, so a channel has the same id by either way.
 */
#include <string.h>

#include "gatewayd/platform/irc_impl.h"

static bool badge(struct span badges, const char *name)
{
	const char *p = badges.p, *end = p ? p + badges.n : p;
	size_t n = strlen(name);

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p)), *stop = comma ? comma : end;

		if ((size_t)(stop - p) > n && memcmp(p, name, n) == 0 && p[n] == '/')
			return true;
		p = comma ? comma + 1 : end;
	}
	return false;
}

static void user(struct irc *c, struct writer *w, const struct irc_message *m, struct span login, const char *id, const char *name)
{
	struct span badges = irc_tag_raw(m, "badges");
	bool self = irc_nick_is(c, login);

	writer_open(w, "user");
	if (irc_tag_raw(m, id).n)
		irc_line_tag(c, w, "id", m, id);
	else
		irc_line_text(c, w, "id", login, false);
	if (irc_tag_raw(m, name).n)
		irc_line_tag(c, w, "name", m, name);
	else
		irc_line_text(c, w, "name", login, false);
	writer_open_array(w, "roles");
	if (badge(badges, "broadcaster"))
		writer_str(w, NULL, "owner", 5);
	if (badge(badges, "moderator") || badge(badges, "lead_moderator"))
		writer_str(w, NULL, "moderator", 9);
	if (badge(badges, "vip"))
		writer_str(w, NULL, "vip", 3);
	if (badge(badges, "subscriber") || badge(badges, "founder"))
		writer_str(w, NULL, "subscriber", 10);
	writer_close(w);
	if (self)
		writer_bool(w, "bot", true);
	writer_close(w);
	if (self)
		writer_bool(w, "self", true);
}

void irc_twitch_user(struct irc *c, struct writer *w, const struct irc_message *m)
{
	user(c, w, m, m->nick, "user-id", "display-name");
}

/* Every message of a channel says its number; the first one is enough. */
static void learn_room(struct irc_channel *ch, const struct irc_message *m)
{
	struct span room = irc_tag_raw(m, "room-id");

	if (*ch->room || room.n == 0 || room.n >= sizeof(ch->room) || !irc_tag_u64(m, "room-id"))
		return;
	memcpy(ch->room, room.p, room.n);
	ch->room[room.n] = '\0';
}

static void clear_chat(struct irc *c, const struct irc_message *m, const struct irc_channel *ch)
{
	struct writer w;

	irc_line_begin(c, &w, m, "chat.delete", ch, (struct span){NULL, 0});
	if (irc_is(m->command, "CLEARMSG")) {
		irc_line_tag(c, &w, "message_id", m, "target-msg-id");
	} else if (m->nparams > 1) {
		writer_open(&w, "user");
		if (irc_tag_raw(m, "target-user-id").n)
			irc_line_tag(c, &w, "id", m, "target-user-id");
		else
			irc_line_text(c, &w, "id", m->params[1], false);
		irc_line_text(c, &w, "name", m->params[1], false);
		writer_close(&w);
	}
	irc_line_end(c, &w, m, false);
}

static bool one_of(struct span s, const char *const *words)
{
	for (; *words; words++)
		if (irc_is(s, *words))
			return true;
	return false;
}

static void subscription(struct irc *c, const struct irc_message *m, const struct irc_channel *ch)
{
	struct span id = irc_tag_raw(m, "msg-id"), login = irc_tag_raw(m, "login");
	bool gift = irc_is(id, "subgift") || irc_is(id, "anonsubgift");
	struct writer w;

	irc_line_begin(c, &w, m, "channel.subscribe", ch, (struct span){NULL, 0});
	/* Whose subscription it is: of a gift, who got it. */
	if (gift)
		user(c, &w, m, irc_tag_raw(m, "msg-param-recipient-user-name"), "msg-param-recipient-id",
			"msg-param-recipient-display-name");
	else
		user(c, &w, m, login, "user-id", "display-name");
	irc_line_tag(c, &w, "tier", m, "msg-param-sub-plan");
	writer_bool(&w, "gift", gift);
	if (m->nparams > 1)
		irc_line_text(c, &w, "text", m->params[1], true);
	irc_line_end(c, &w, m, false);
}

static void raid(struct irc *c, const struct irc_message *m, const struct irc_channel *ch)
{
	struct writer w;

	irc_line_begin(c, &w, m, "channel.raid", ch, (struct span){NULL, 0});
	writer_open(&w, "from");
	irc_line_tag(c, &w, "id", m, "user-id");
	irc_line_tag(c, &w, "name", m, "display-name");
	writer_close(&w);
	writer_int(&w, "viewers", (int64_t)irc_tag_u64(m, "msg-param-viewerCount"));
	irc_line_end(c, &w, m, false);
}

static void user_notice(struct irc *c, const struct irc_message *m, const struct irc_channel *ch)
{
	static const char *const subs[] = {"sub", "resub", "subgift", "anonsubgift", "giftpaidupgrade", "anongiftpaidupgrade",
		"primepaidupgrade", NULL};
	struct span id = irc_tag_raw(m, "msg-id");

	if (one_of(id, subs))
		subscription(c, m, ch);
	else if (irc_is(id, "raid"))
		raid(c, m, ch);
	else
		irc_platform_event(c, m, ch);
}

/* NOTICE: of the login, or what became of something we said. */
static void notice(struct irc *c, const struct irc_message *m, struct irc_channel *ch, int64_t now)
{
	static const char *const login[] = {"Login authentication failed", "Improperly formatted auth", "Login unsuccessful",
		"Invalid NICK", NULL};
	struct span text = m->nparams ? m->params[m->nparams - 1] : (struct span){"", 0};
	struct span id = irc_tag_raw(m, "msg-id");

	if (c->stage <= IRC_WELCOMED && one_of(text, login)) {
		irc_lose(c, NEXT_STOP, 0, "Twitch: %.*s", (int)text.n, text.p);
		return;
	}
	if (ch && ch->where == CH_ASKED && (irc_is(id, "msg_channel_suspended") || irc_is(id, "msg_banned") || irc_is(id, "tos_ban"))) {
		irc_channel_refused(c, ch, text, now);
		return;
	}
	if (ch && id.n > 4 && strncmp(id.p, "msg_", 4) == 0 && irc_say_refused(c, m, m->params[0], text))
		return;
	if (c->stage >= IRC_WELCOMED)
		irc_platform_event(c, m, ch);
}

bool irc_twitch(struct irc *c, const struct irc_message *m, int64_t now)
{
	struct irc_channel *ch = m->nparams ? irc_channel_find(c, m->params[0]) : NULL;

	if (ch)
		learn_room(ch, m);
	if (irc_is(m->command, "NOTICE"))
		notice(c, m, ch, now);
	else if (irc_is(m->command, "RECONNECT"))
		irc_lose(c, NEXT_RESUME, CLOCK_MS, "Twitch asked to connect again");
	else if (ch && irc_is(m->command, "USERNOTICE"))
		user_notice(c, m, ch);
	else if (ch && (irc_is(m->command, "CLEARCHAT") || irc_is(m->command, "CLEARMSG")))
		clear_chat(c, m, ch);
	else if (irc_is(m->command, "USERSTATE"))
		irc_say_echo(c, m);
	else if (!irc_is(m->command, "ROOMSTATE") && !irc_is(m->command, "GLOBALUSERSTATE") && !irc_is(m->command, "HOSTTARGET"))
		return false;
	return true;
}
