/* What people give and take back: subscriptions that were refused or revoked, and when they are tried again. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "gatewayd/platform/twitch_impl.h"

#define REFUSED_AGAIN (3600 * CLOCK_S)

void tw_retry_refused(struct twitch *p)
{
	for (size_t i = 0; i < p->subs.n; i++)
		if (p->subs.v[i].state == SUB_REFUSED)
			tw_anew(p, &p->subs.v[i], p->subs.v[i].said);
	p->clean = true;
}

void tw_retry_late(struct twitch *p, int64_t now)
{
	bool some = false;

	for (size_t i = 0; i < p->subs.n; i++) {
		struct sub *s = &p->subs.v[i];

		if (s->state != SUB_REFUSED || s->http != 403 || now - s->refused_at < REFUSED_AGAIN)
			continue;
		tw_anew(p, s, s->said);
		some = true;
	}
	if (some)
		tw_connections(p);
}

/* Is this one of the condition's values? */
static bool names(const struct sub *s, const char *value)
{
	size_t n = strlen(value);

	for (const char *at = strchr(s->key, '='); at; at = strchr(at + 1, '='))
		if (strncmp(at + 1, value, n) == 0 && (at[1 + n] == ' ' || !at[1 + n]))
			return true;
	return false;
}

void tw_granted(struct twitch *p, struct span event, int64_t now)
{
	char user[24];
	bool some = false;

	if (!event.p || event.p[0] != '{' || scan_cstr(scan_member(event, "user_id"), user, sizeof(user)) <= 0)
		return;
	for (size_t i = 0; i < p->subs.n; i++) {
		struct sub *s = &p->subs.v[i];

		if (s->state != SUB_REFUSED || !names(s, user))
			continue;
		tw_say(p, LOG_INFO, "user %s has consented: subscription %s is tried again", user, s->key);
		tw_anew(p, s, s->said);
		some = true;
	}
	if (!some)
		return;
	tw_connections(p);
	tw_pump(p, now);
}

void tw_revoked(struct twitch *p, struct span subscription, const char *id, const char *time, unsigned conn, uint64_t mark,
	uint64_t ticket, int64_t now)
{
	struct json_error err;
	struct json *doc = json_parse(subscription.p, subscription.n, &err);
	const char *status = json_str(json_member(doc, "status"), NULL), *type = json_str(json_member(doc, "type"), NULL);
	char line_id[TW_ID + 2];
	const struct tw_note note = {.type = "revocation", .id = line_id, .time = time, .event = subscription};
	struct sub *s = NULL;

	if (subs_key(type, json_str(json_member(doc, "version"), NULL), json_member(doc, "condition"), &p->text) == 0)
		s = subs_find(&p->subs, p->text.p);
	if (!status)
		status = "revoked";
	tw_say(p, LOG_ERROR, "Twitch took back the subscription %s: %s", s ? s->key : type ? type : "?", status);
	if (s && tw_taken_back(status)) {
		sub_set(s, SUB_REFUSED, 0, status);
	} else if (s) {
		/* What could not be delivered was before. */
		tw_hole(p, s->conn, status, strcmp(status, "notification_failures_exceeded") == 0 ? tw_last_list(p) : time);
		tw_anew(p, s, status);
	}
	snprintf(line_id, sizeof(line_id), "r-%s", id);
	/* Nothing of this kind will come any more: whoever reads the events has to know. */
	if (tw_platform_event(p, &note, note.type) == 0)
		out_line(p->out, conn, p->line.p, p->line.len, mark, ticket);
	else if (!ticket)
		out_mark(p->out, conn, mark);
	json_free(doc);
	if (s && s->state == SUB_MISSING && p->conf.transport != TW_WEBSOCKET)
		tw_list(p, now);	/* it is still listed, dead, and has to be deleted first */
	else
		tw_pump(p, now);
}
