/* irc_people: who is in a channel, and what they are there; our own nick when it changes. */
#include <stdio.h>
#include <string.h>

#include "gatewayd/platform/irc_impl.h"

size_t irc_fold_name(const struct irc *c, struct span name, char out[IRC_NAME_MAX])
{
	struct buf b;
	size_t n;

	buf_init(&b, 3 * IRC_IN_MAX + 1);
	if (irc_name(name, &b))
		b.len = 0;
	n = irc_cut(b.p, b.len, IRC_NAME_MAX - 1);
	if (n)
		memcpy(out, b.p, n);
	out[n] = '\0';
	buf_release(&b);
	irc_fold(out, n, c->fold);
	return n;
}

void irc_people_enter(struct irc *c, struct irc_channel *ch, struct span nick, const char *modes)
{
	char name[IRC_NAME_MAX];
	size_t n = irc_fold_name(c, nick, name);
	struct irc_member *m = n ? irc_members_add(&ch->members, name, n) : NULL;

	for (; m && *modes; modes++)
		irc_member_set(m, *modes, true);
}

void irc_people_leave(struct irc *c, struct irc_channel *ch, struct span nick)
{
	char name[IRC_NAME_MAX];

	irc_members_remove(&ch->members, name, irc_fold_name(c, nick, name));
}

unsigned irc_people_roles(const struct irc *c, const struct irc_channel *ch, struct span nick)
{
	char name[IRC_NAME_MAX];
	size_t n = irc_fold_name(c, nick, name);

	return ch && n ? irc_member_roles(irc_members_find(&ch->members, name, n)) : 0;
}

/* 353 NICK = #a :@ada +bob carl */
void irc_people_names(struct irc *c, const struct irc_message *m)
{
	struct irc_channel *ch = m->nparams > 2 ? irc_channel_find(c, m->params[m->nparams - 2]) : NULL;
	struct span s = m->nparams ? m->params[m->nparams - 1] : (struct span){NULL, 0};
	const char *p = s.p, *end = p ? p + s.n : p;

	while (ch && p < end) {
		const char *stop = memchr(p, ' ', (size_t)(end - p)), *mark, *bang;
		char modes[8] = "";
		size_t n = 0;

		stop = stop ? stop : end;
		while (p < stop && (mark = strchr(c->prefixes[1], *p))) {
			if (n < sizeof(modes) - 1)
				modes[n++] = c->prefixes[0][mark - c->prefixes[1]];
			p++;
		}
		bang = memchr(p, '!', (size_t)(stop - p));
		if (p < stop)
			irc_people_enter(c, ch, (struct span){p, (size_t)((bang ? bang : stop) - p)}, modes);
		p = stop + (stop < end);
	}
}

void irc_people_mode(struct irc *c, struct irc_channel *ch, const struct irc_message *m)
{
	bool on = true;
	unsigned at = 2;

	for (size_t i = 0; m->nparams > 1 && i < m->params[1].n; i++) {
		char letter = m->params[1].p[i], name[IRC_NAME_MAX];
		struct irc_member *who;
		size_t n;

		if (letter == '+' || letter == '-') {
			on = letter == '+';
		} else if (letter && strchr(c->prefixes[0], letter)) {
			if (at >= m->nparams)
				return;
			n = irc_fold_name(c, m->params[at++], name);
			who = n ? irc_members_find(&ch->members, name, n) : NULL;
			if (who)
				irc_member_set(who, letter, on);
		} else if (strchr(c->chanmodes[0], letter) || strchr(c->chanmodes[1], letter) ||
			   (on && strchr(c->chanmodes[2], letter))) {
			at++;
		}
	}
}

void irc_people_nick(struct irc *c, const struct irc_message *m)
{
	char from[IRC_NAME_MAX], to[IRC_NAME_MAX];
	size_t nfrom = irc_fold_name(c, m->nick, from), nto;

	if (m->nparams < 1 || m->params[0].n == 0 || m->params[0].n >= IRC_NAME_MAX)
		return;
	if (irc_nick_is(c, m->nick)) {
		snprintf(c->nick, sizeof(c->nick), "%.*s", (int)m->params[0].n, m->params[0].p);
		c->nick_waits = strcmp(c->nick, c->conf.nick) != 0;
	}
	nto = irc_fold_name(c, m->params[0], to);
	for (size_t i = 0; i < c->nchannels; i++) {
		struct irc_member *old = irc_members_find(&c->channels[i]->members, from, nfrom), *now;
		uint8_t modes[sizeof(old->modes)];

		if (!old)
			continue;
		memcpy(modes, old->modes, sizeof(modes));
		irc_members_remove(&c->channels[i]->members, from, nfrom);
		now = irc_members_add(&c->channels[i]->members, to, nto);
		if (now)
			memcpy(now->modes, modes, sizeof(modes));
	}
}
