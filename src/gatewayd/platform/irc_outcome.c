/*
 * irc_outcome: how it is known what became of what was said.
 *
 *   labeled-response    the server's answer to the line carries its number: its echo, a refusal, or an empty ACK. Several that belong
 *                       together come in a batch that carries it
 *   echo-message        our message comes back, with its number; a PING behind it bounds the wait, for servers read in order
 *   without these       no refusal came before the answer to the PING: it was said
 *   Twitch              USERSTATE of the channel, or a NOTICE that refuses; PING is answered by another machine there and proves nothing
 *
 * Without labels refusals and echoes come in the order of what was said to the same target, so the oldest without an outcome is meant.
 * What was written and has no outcome when the connection ends may have been said (SAID_UNKNOWN).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gatewayd/platform/irc_impl.h"

void irc_say_free(struct irc_say *s)
{
	buf_release(&s->texts);
	free(s);
}

void irc_say_sweep(struct irc *c)
{
	struct irc_say **at = &c->says;

	while (*at) {
		struct irc_say *s = *at;

		if (!s->told || s->confirmed < s->written) {
			at = &s->next;
			continue;
		}
		*at = s->next;
		c->nsays--;
		irc_say_free(s);
	}
	c->says_end = at;
}

void irc_say_tell(struct irc *c, struct irc_say *s, enum said_as as, const char *text)
{
	if (s->told)
		return;
	s->told = true;
	out_said(c->out, s->ticket, as, text);
}

/* One more line of it has an outcome. */
static void outcome(struct irc *c, struct irc_say *s, enum said_as as, const char *why)
{
	char text[IRC_WHY_MAX + 64];

	s->confirmed++;
	if (as == SAID_DONE) {
		if (s->confirmed == s->parts)
			irc_say_tell(c, s, SAID_DONE, s->id);
		return;
	}
	/* What was said in part is not said again. */
	if (s->parts > 1) {
		snprintf(text, sizeof(text), "part %u of %u: %.*s", s->confirmed, s->parts, (int)IRC_WHY_MAX, why);
		why = text;
		if (as == SAID_LATER && !(s->confirmed == 1 && s->written == 1))
			as = SAID_REFUSED;
	}
	irc_say_tell(c, s, as, why);
}

void irc_say_end(struct irc *c, const char *why)
{
	char text[IRC_WHY_MAX + 80];

	while (c->says) {
		struct irc_say *s = c->says;

		if (s->written == 0)
			snprintf(text, sizeof(text), "not connected: %.*s", (int)IRC_WHY_MAX, why);
		else
			snprintf(text, sizeof(text), "the connection ended before the server answered; it may have been said: %.*s",
				(int)IRC_WHY_MAX - 20, why);
		irc_say_tell(c, s, s->written ? SAID_UNKNOWN : SAID_LATER, text);
		c->says = s->next;
		irc_say_free(s);
	}
	c->says_end = &c->says;
	c->nsays = 0;
}

/* ---- good ones ---- */

static void take_id(struct irc *c, struct irc_say *s, const struct irc_message *m)
{
	struct buf id;

	buf_init(&id, 4 * IRC_IN_MAX);
	if (s->confirmed == 0 && irc_tag(m, c->conf.twitch ? "id" : "msgid", &id) && id.len < sizeof(s->id) && !memchr(id.p, 0, id.len))
		snprintf(s->id, sizeof(s->id), "%.*s", (int)id.len, id.p);
	buf_release(&id);
}

/* The oldest line said to the target that has no outcome. */
static struct irc_say *oldest(struct irc *c, struct span target)
{
	char a[IRC_NAME_MAX], b[IRC_NAME_MAX];
	size_t n = irc_fold_name(c, target, a);

	for (struct irc_say *s = c->says; s; s = s->next)
		if (s->confirmed < s->written && irc_fold_name(c, (struct span){s->target, strlen(s->target)}, b) == n &&
		    memcmp(a, b, n) == 0)
			return s;
	return NULL;
}

void irc_say_echo(struct irc *c, const struct irc_message *m)
{
	struct irc_say *s;

	if (m->nparams == 0 || irc_labels(c) || (!c->conf.twitch && !((c->caps & CAP_ECHO_MESSAGE) && irc_is(m->command, "PRIVMSG"))))
		return;
	s = oldest(c, m->params[0]);
	if (!s)
		return;
	take_id(c, s, m);
	outcome(c, s, SAID_DONE, NULL);
	irc_say_sweep(c);
}

/* The number in the token of a PONG or in a label: "s17". 0: it is none of ours. */
static uint64_t number_of(struct span token)
{
	uint64_t n = 0;

	if (token.n < 2 || token.n > 18 || *token.p != 's')
		return 0;
	for (size_t i = 1; i < token.n; i++) {
		if (token.p[i] < '0' || token.p[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(token.p[i] - '0');
	}
	return n;
}

void irc_say_pong(struct irc *c, struct span token)
{
	uint64_t n = c->conf.twitch ? 0 : number_of(token);

	if (!n)
		return;
	for (struct irc_say *s = c->says; s && s->written; s = s->next)
		while (s->confirmed < s->written && s->number + s->confirmed <= n)
			outcome(c, s, c->caps & CAP_ECHO_MESSAGE ? SAID_REFUSED : SAID_DONE, "the server took it and did not show it");
	irc_say_sweep(c);
}

/* ---- refusals ---- */

/* What a refusal says, fit for a line; true: it may be tried later. */
static bool refusal(const struct irc_message *m, struct span why, char *text, size_t size)
{
	static const char *const later[] = {"msg_ratelimit", "msg_slowmode", NULL};
	struct span id = irc_tag_raw(m, "msg-id");
	bool retry = irc_is(m->command, "439") || irc_is(m->command, "263");
	struct buf b;

	for (size_t i = 0; later[i]; i++)
		retry = retry || irc_is(id, later[i]);
	buf_init(&b, 4 * IRC_IN_MAX);
	if (irc_name(why, &b))
		b.len = 0;
	snprintf(text, size, "%.*s%s%.*s", (int)(id.n < 40 ? id.n : 40), id.n ? id.p : "", id.n ? ": " : "",
		(int)irc_cut(b.p, b.len, 100), b.len ? b.p : "");
	buf_release(&b);
	return retry;
}

bool irc_say_refused(struct irc *c, const struct irc_message *m, struct span target, struct span why)
{
	struct irc_say *s = oldest(c, target);
	char text[IRC_WHY_MAX];
	bool retry;

	if (!s || irc_labels(c))
		return s != NULL;
	retry = refusal(m, why, text, sizeof(text));
	outcome(c, s, retry ? SAID_LATER : SAID_REFUSED, text);
	irc_say_sweep(c);
	return true;
}

/* ---- labels ---- */

bool irc_labels(const struct irc *c)
{
	unsigned all = CAP_LABELS | CAP_MESSAGE_TAGS | CAP_BATCH;

	return (c->caps & all) == all;
}

/* The number that m answers, by its label or that of the batch it is in; 0: none. Keeps the books of such batches. */
static uint64_t answered(struct irc *c, const struct irc_message *m, bool *over)
{
	struct span ref = irc_tag_raw(m, "batch"), name = m->nparams ? m->params[0] : (struct span){NULL, 0};
	uint64_t n = number_of(irc_tag_raw(m, "label"));
	bool batch = irc_is(m->command, "BATCH") && name.n > 1;

	if (batch && n && *name.p == '+' && name.n <= sizeof(c->answer.ref)) {
		c->answer.number = n;
		snprintf(c->answer.ref, sizeof(c->answer.ref), "%.*s", (int)name.n - 1, name.p + 1);
		return 0;
	}
	if (batch && *name.p == '-' && c->answer.number && irc_is((struct span){name.p + 1, name.n - 1}, c->answer.ref)) {
		n = c->answer.number;
		c->answer.number = 0;
		*over = true;
		return n;
	}
	if (!n && ref.n && c->answer.number && irc_is(ref, c->answer.ref))
		return c->answer.number;
	*over = irc_is(m->command, "ACK");
	return batch ? 0 : n;
}

static struct irc_say *numbered(const struct irc *c, uint64_t n)
{
	for (struct irc_say *s = c->says; s && s->written; s = s->next)
		if (n >= s->number && n - s->number < s->written)
			return s;
	return NULL;
}

bool irc_say_answer(struct irc *c, const struct irc_message *m)
{
	char code = m->command.n == 3 ? m->command.p[0] : 0, text[IRC_WHY_MAX];
	bool over = false, failed = code == '4' || code == '5' || irc_is(m->command, "FAIL");
	uint64_t n = irc_labels(c) ? answered(c, m, &over) : 0;
	struct irc_say *s = n ? numbered(c, n) : NULL;

	/* Of a line that has its outcome nothing more is asked; one that was passed over is told when the PONG comes. */
	if (!s || s->number + s->confirmed != n)
		return n && failed;
	if (irc_is(m->command, "PRIVMSG")) {
		take_id(c, s, m);
		outcome(c, s, SAID_DONE, NULL);
	} else if (failed) {
		bool retry = refusal(m, m->nparams ? m->params[m->nparams - 1] : (struct span){NULL, 0}, text, sizeof(text));

		outcome(c, s, retry ? SAID_LATER : SAID_REFUSED, text);
	} else if (over && !(c->caps & CAP_ECHO_MESSAGE)) {
		outcome(c, s, SAID_DONE, NULL);
	}
	irc_say_sweep(c);
	return failed || irc_is(m->command, "ACK");
}

/* ---- Twitch ---- */

void irc_say_due(struct irc *c, int64_t now)
{
	int64_t next = 0;

	for (struct irc_say *s = c->says; s; s = s->next) {
		/* Nothing at all came since: it is not being read, or the connection is dead, which is found elsewhere. */
		if (s->limit && s->limit <= now && c->pieces == s->pieces)
			s->limit = now + IRC_TWITCH_WAIT;
		if (s->limit && s->limit <= now && s->confirmed < s->written) {
			s->confirmed = s->written;
			irc_say_tell(c, s, SAID_UNKNOWN, "Twitch did not say what became of it; it may have been said");
		}
		if (s->limit && s->confirmed < s->written && (!next || s->limit < next))
			next = s->limit;
	}
	irc_say_sweep(c);
	out_timer(c->out, 0, T_SAID, next);
}
