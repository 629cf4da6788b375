/* irc_event: what people say and do, as lines. */
#include <stdio.h>
#include <string.h>

#include "base/account.h"
#include "base/log.h"
#include "gatewayd/platform/irc_impl.h"
#include "line/id.h"
#include "line/line.h"

/* ---- a line ---- */

static void write_id(struct irc *c, struct writer *w, const struct irc_message *m)
{
	char text[300];
	struct buf b;

	/* A message's own number is the same for all who see it, and when a history plays it again. */
	buf_init(&b, 4 * IRC_IN_MAX);
	if ((irc_tag(m, "msgid", &b) || (c->conf.twitch && irc_tag(m, "id", &b))) && b.len < 256) {
		struct buf clean;

		buf_init(&clean, 1024);
		if (irc_name((struct span){b.p, b.len}, &clean) == 0) {
			snprintf(text, sizeof(text), "m-%.*s", (int)irc_cut(clean.p, clean.len, 256), clean.p);
			if (c->nth)
				snprintf(text + strlen(text), sizeof(text) - strlen(text), ".%u", c->nth);
			writer_attr(w, "id", text);
			buf_release(&clean);
			buf_release(&b);
			return;
		}
		buf_release(&clean);
	}
	buf_release(&b);
	snprintf(text, sizeof(text), "l-%016llx-%llu-%llu", (unsigned long long)c->boot, (unsigned long long)c->generation,
		(unsigned long long)++c->made);
	writer_attr(w, "id", text);
}

bool irc_time(const struct irc_message *m, int64_t *wall)
{
	struct span t = irc_tag_raw(m, "time");
	uint64_t ms;

	if (t.n && clock_parse(t.p, t.n, wall) == 0)
		return true;
	ms = irc_tag_u64(m, "tmi-sent-ts");
	/* 253402300800: the year 10000 */
	if (!ms || ms >= UINT64_C(9000000000000))
		return false;
	*wall = (int64_t)ms * CLOCK_MS;
	return true;
}

static void write_time(struct irc *c, struct writer *w, const struct irc_message *m)
{
	char text[CLOCK_RFC3339_MAX];
	int64_t wall;

	clock_rfc3339(text, irc_time(m, &wall) ? wall : c->heard_wall);
	writer_attr(w, "time", text);
}

void irc_line_text(struct irc *c, struct writer *w, const char *name, struct span s, bool plain)
{
	buf_clear(&c->text);
	if (plain ? irc_text(s, &c->text) : irc_name(s, &c->text))
		return;
	writer_str(w, name, c->text.p ? c->text.p : "", c->text.len);
}

void irc_line_tag(struct irc *c, struct writer *w, const char *name, const struct irc_message *m, const char *tag)
{
	struct buf b;

	buf_init(&b, 4 * IRC_IN_MAX);
	if (irc_tag(m, tag, &b))
		irc_line_text(c, w, name, (struct span){b.p, b.len}, false);
	buf_release(&b);
}

/* The id that people and programs know a channel by; a conversation of two has the other's name. */
static const char *place_id(struct irc *c, const struct irc_channel *ch, struct span whom, char out[IRC_NAME_MAX])
{
	if (ch && c->conf.twitch && *ch->room)
		return ch->room;
	if (ch)
		return ch->id;
	irc_fold_name(c, whom, out);
	return out;
}

void irc_line_begin(struct irc *c, struct writer *w, const struct irc_message *m, const char *type, const struct irc_channel *ch,
	struct span whom)
{
	const struct account *a = out_account(c->out);
	char trace[TRACEPARENT_LEN + 1], key[IRC_NAME_MAX + 8], other[IRC_NAME_MAX];
	const char *id = place_id(c, ch, whom, other);

	buf_clear(&c->line);
	writer_begin(w, &c->line, LINE_MAX_BYTES);
	writer_attr(w, "specversion", "1.0");
	write_id(c, w, m);
	writer_attr(w, "source", account_source(a));
	writer_attr(w, "type", type);
	write_time(c, w, m);
	if (*id)
		writer_attr(w, "subject", id);
	writer_attr(w, "tenant", account_tenant(a));
	snprintf(key, sizeof(key), "irc:%s", id);
	writer_attr(w, "partitionkey", *id ? key : account_source(a) + 1);
	id_trace_new(trace, out_random(c->out), out_random(c->out), out_random(c->out));
	writer_attr(w, "traceparent", trace);
	writer_open(w, "data");
	writer_str(w, "platform", "irc", 3);
	writer_str(w, "account", c->account, strlen(c->account));
	if (!*id)
		return;
	writer_open(w, "channel");
	writer_str(w, "id", id, strlen(id));
	/* For people, and as on other platforms: without the mark that they put before it everywhere. */
	if (ch)
		irc_line_text(c, w, "name", (struct span){ch->name + (*ch->name == '#'), strlen(ch->name) - (*ch->name == '#')}, false);
	else
		irc_line_text(c, w, "name", whom, false);
	writer_close(w);
}

static bool replayed(const struct irc *c, const struct irc_message *m)
{
	struct span ref = irc_tag_raw(m, "batch");

	if (irc_history_in(c, m))
		return true;
	for (size_t i = 0; ref.n && i < IRC_BATCHES; i++)
		if (*c->batches[i].ref && irc_is(ref, c->batches[i].ref))
			return true;
	return false;
}

void irc_line_end(struct irc *c, struct writer *w, const struct irc_message *m, bool raw)
{
	struct line_err err;

	if (replayed(c, m))
		writer_bool(w, "replayed", true);
	if (raw || c->conf.raw) {
		buf_clear(&c->text);
		/* As it came, but UTF-8. */
		if (irc_utf8(m->line, &c->text) == 0)
			writer_str(w, "raw", c->text.p, c->text.len);
	}
	writer_close(w);
	if (writer_end(w, &err) == 0) {
		out_line(c->out, 0, c->line.p, c->line.len, ++c->mark, 0);
		return;
	}
	log_warn("%s: no line can be made of a message: %s", c->connection, err.why);
	out_gap(c->out, 0, "no line could be made of a message of the server", "", "");
}

void irc_platform_event(struct irc *c, const struct irc_message *m, const struct irc_channel *ch)
{
	struct writer w;

	irc_line_begin(c, &w, m, "platform.event", ch, (struct span){NULL, 0});
	irc_line_text(c, &w, "name", m->command, false);
	irc_line_end(c, &w, m, true);
}

/* ---- people ---- */

/* Whoever is logged in to the network is known by that; a nick anybody may take, so the two are told apart. */
static void write_user(struct irc *c, struct writer *w, const struct irc_message *m, struct span nick, const struct irc_channel *ch,
	bool program)
{
	unsigned roles = irc_people_roles(c, ch, nick);
	char id[IRC_NAME_MAX + 8] = "account:";
	struct span account = irc_tag_raw(m, "account");
	bool self = irc_nick_is(c, nick);

	if (account.n && nick.p == m->nick.p)
		irc_fold_name(c, account, id + 8);
	else
		irc_fold_name(c, nick, id);
	writer_open(w, "user");
	writer_str(w, "id", id, strlen(id));
	irc_line_text(c, w, "name", nick, false);
	writer_open_array(w, "roles");
	if (roles & IRC_OWNER)
		writer_str(w, NULL, "owner", 5);
	if (roles & IRC_MODERATOR)
		writer_str(w, NULL, "moderator", 9);
	if (roles & IRC_VOICE)
		writer_str(w, NULL, "vip", 3);
	writer_close(w);
	if (self || program)
		writer_bool(w, "bot", true);
	writer_close(w);
	if (self)
		writer_bool(w, "self", true);
}

static bool is_program(const struct irc_message *m)
{
	return irc_tag_raw(m, "bot").p || irc_tag_raw(m, "draft/bot").p || irc_tag_raw(m, "inspircd.org/bot").p;
}

/* ---- messages ---- */

/* A text in 01 bytes is a CTCP: its word and what follows. */
static bool ctcp(struct span *text, struct span *word)
{
	const char *blank;

	if (text->n < 2 || text->p[0] != 1)
		return false;
	text->p++;
	text->n -= 1u + (text->p[text->n - 2] == 1);
	blank = memchr(text->p, ' ', text->n);
	*word = (struct span){text->p, blank ? (size_t)(blank - text->p) : text->n};
	text->p += word->n + (blank != NULL);
	text->n -= word->n + (blank != NULL);
	return true;
}

static void message(struct irc *c, const struct irc_message *m)
{
	bool notice = irc_is(m->command, "NOTICE"), self = irc_nick_is(c, m->nick), action = false;
	struct span target = m->params[0], text = m->params[1], word = {NULL, 0}, whom;
	struct irc_channel *ch;
	struct writer w;

	if (m->nparams < 2)
		return;
	/* "@#a": said to those with a role only. */
	while (target.n && strchr(c->prefixes[1], *target.p) && target.n > 1 && memchr(c->chantypes, target.p[1], strlen(c->chantypes))) {
		target.p++;
		target.n--;
	}
	ch = irc_channel_find(c, target);
	whom = self ? target : m->nick;
	if (ctcp(&text, &word)) {
		action = irc_is(word, "ACTION");
		if (!action && notice)
			return;		/* an answer to a question nobody asked */
	}
	/* What a server says itself, and questions of programs to programs. */
	if (m->nick.n == 0 || whom.n == 0 || (notice && !m->user.p && !c->conf.twitch) || (word.p && !action) || (!ch && irc_is_channel(c, target))) {
		irc_platform_event(c, m, ch);
		return;
	}
	irc_line_begin(c, &w, m, "chat.message", ch, whom);
	if (c->conf.twitch)
		irc_twitch_user(c, &w, m);
	else
		/* RFC 2812, 3.3.2: a NOTICE must not be answered by a program. */
		write_user(c, &w, m, m->nick, ch, notice || is_program(m));
	irc_line_text(c, &w, "text", text, true);
	irc_line_tag(c, &w, "message_id", m, c->conf.twitch ? "id" : "msgid");
	irc_line_tag(c, &w, "reply_to", m, c->conf.twitch ? "reply-parent-msg-id" :
		irc_tag_raw(m, "+reply").n ? "+reply" : "+draft/reply");
	/* Shared Chat, as with EventSub. The names of these tags are known from hearsay: where they are others, nothing is said. */
	if (c->conf.twitch && irc_tag_u64(m, "source-room-id") && irc_tag_u64(m, "source-room-id") != irc_tag_u64(m, "room-id"))
		irc_line_tag(c, &w, "shared_id", m, "source-id");
	if (action)
		writer_bool(&w, "action", true);
	if (notice)
		writer_bool(&w, "notice", true);
	irc_line_end(c, &w, m, false);
}

static void member(struct irc *c, const struct irc_message *m, const struct irc_channel *ch, struct span nick, const char *type,
	struct span reason)
{
	struct writer w;

	irc_line_begin(c, &w, m, type, ch, (struct span){NULL, 0});
	write_user(c, &w, m, nick, ch, false);
	if (reason.n)
		irc_line_text(c, &w, "reason", reason, true);
	if (nick.p != m->nick.p) {
		writer_open(&w, "by");
		irc_line_text(c, &w, "name", m->nick, false);
		writer_close(&w);
	}
	irc_line_end(c, &w, m, false);
}

/* A QUIT is a leave of every channel the person was in; each line needs an id of its own. */
static void quit(struct irc *c, const struct irc_message *m)
{
	char name[IRC_NAME_MAX];
	size_t n = irc_fold_name(c, m->nick, name);

	for (size_t i = 0; i < c->nchannels; i++) {
		if (!irc_members_find(&c->channels[i]->members, name, n))
			continue;
		c->nth++;
		member(c, m, c->channels[i], m->nick, "member.leave", m->nparams ? m->params[0] : (struct span){NULL, 0});
	}
	c->nth = 0;
}

void irc_event_batch(struct irc *c, const struct irc_message *m)
{
	struct span ref = m->nparams ? m->params[0] : (struct span){NULL, 0};
	size_t i;

	if (ref.n < 2 || ref.n > sizeof(c->batches[0].ref))
		return;
	if (*ref.p == '+') {
		if (m->nparams < 2 || !(irc_is(m->params[1], "chathistory") || irc_is(m->params[1], "znc.in/playback")))
			return;
		for (i = 0; i < IRC_BATCHES && *c->batches[i].ref; i++)
			;
		if (i < IRC_BATCHES)
			snprintf(c->batches[i].ref, sizeof(c->batches[i].ref), "%.*s", (int)ref.n - 1, ref.p + 1);
		return;
	}
	for (i = 0; i < IRC_BATCHES; i++)
		if (irc_is((struct span){ref.p + 1, ref.n - 1}, c->batches[i].ref))
			*c->batches[i].ref = '\0';
}

void irc_event(struct irc *c, const struct irc_message *m)
{
	struct span first = m->nparams ? m->params[0] : (struct span){NULL, 0}, none = {NULL, 0};
	struct irc_channel *ch = first.p ? irc_channel_find(c, first) : NULL;
	int64_t now = c->now;

	if (irc_is(m->command, "PRIVMSG") || irc_is(m->command, "NOTICE")) {
		/* What we said long ago is no answer to what we say now. */
		if (irc_nick_is(c, m->nick) && !replayed(c, m))
			irc_say_echo(c, m);
		if (!irc_history_in(c, m) || irc_history_line(c, m))
			message(c, m);
	} else if (irc_is(m->command, "BATCH")) {
		irc_event_batch(c, m);
		irc_history_batch(c, m);
	} else if (irc_is(m->command, "CHATHISTORY")) {
		irc_history_target(c, m);
	} else if (m->nick.n == 0) {
		return;		/* who? */
	} else if (irc_is(m->command, "JOIN") && first.p) {
		irc_channel_message(c, m, now);
		ch = irc_channel_find(c, first);
		if (ch && !c->lost)
			member(c, m, ch, m->nick, "member.join", none);
	} else if (irc_is(m->command, "PART") && ch) {
		member(c, m, ch, m->nick, "member.leave", m->nparams > 1 ? m->params[1] : none);
		irc_channel_message(c, m, now);
	} else if (irc_is(m->command, "KICK") && ch && m->nparams > 1) {
		member(c, m, ch, m->params[1], "member.leave", m->nparams > 2 ? m->params[2] : none);
		irc_channel_message(c, m, now);
	} else if (irc_is(m->command, "QUIT")) {
		quit(c, m);
		irc_channel_message(c, m, now);
	} else if (irc_is(m->command, "NICK") || irc_is(m->command, "MODE") || irc_is(m->command, "TOPIC") ||
		   irc_is(m->command, "INVITE")) {
		irc_platform_event(c, m, ch);
		irc_channel_message(c, m, now);
	}
}
