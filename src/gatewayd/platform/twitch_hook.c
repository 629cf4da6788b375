/*
 * Webhooks. Source: dev.twitch.tv "Getting Events Using Webhook Callbacks". Nothing is looked at before the signature is right;
 * nothing that is an event gets 2xx before the hub has it, so that Twitch sends again what we may not have kept.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/sign.h"
#include "gatewayd/platform/twitch_impl.h"

#define WINDOW (600 * CLOCK_S)
#define RETRIES (3600 * CLOCK_S)
#define HEARD 4096u		/* message ids that are remembered */

struct message { char id[TW_ID], time[TW_TIME], kind[48], type[TW_TYPE]; size_t nid, ntime; bool again; };

static void reply(struct twitch *p, const struct hook *h, int status, const char *text)
{
	out_hook_reply(p->out, h->ticket, status, "text/plain", text, strlen(text), false);
}

/* A field, as it came. -1: absent, too long or nothing that Twitch would send. */
static int take(const struct hook *h, const char *name, char *to, size_t size, size_t *n)
{
	const char *v = h->field(h, name, n);

	if (!v || *n == 0 || *n >= size)
		return -1;
	for (size_t i = 0; i < *n; i++)
		if (v[i] < ' ' || v[i] > '~')
			return -1;
	memcpy(to, v, *n);
	to[*n] = '\0';
	return 0;
}

static bool signature_ok(const struct twitch *p, const struct hook *h, const struct message *m)
{
	const struct sign_part parts[] = {{m->id, m->nid}, {m->time, m->ntime}, {h->body, h->nbody}};
	unsigned char want[SIGN_SHA256], got[SIGN_SHA256];
	size_t n;
	const char *v = h->field(h, "Twitch-Eventsub-Message-Signature", &n);

	return v && n > 7 && memcmp(v, "sha256=", 7) == 0 && sign_unhex(got, sizeof(got), v + 7, n - 7) == 0 &&
		sign_hmac(want, p->conf.secret.p, p->conf.secret.len, parts, 3) == 0 && sign_equal(want, got, sizeof(want));
}

/* Was it heard in time before? A retry keeps its id; whether it keeps its time is said nowhere, so the id comes first. But no retry
 * comes hours later, when the hub may have forgotten the id. */
static bool heard(const struct twitch *p, const struct message *m, int64_t wall)
{
	uint64_t key = sip_hash(p->heard_key, m->id, m->nid).a | 1;

	for (unsigned i = 0; p->heard && i < HEARD; i++)
		if (p->heard[i].key == key && wall < p->heard[i].wall + RETRIES)
			return true;
	return false;
}

static void remember(struct twitch *p, const struct message *m, int64_t wall)
{
	if (!p->heard) {
		p->heard = calloc(HEARD, sizeof(*p->heard));
		if (!p->heard)
			return;
		p->heard_key[0] = out_random(p->out);
		p->heard_key[1] = out_random(p->out);
	}
	p->heard[p->heard_at++ % HEARD] = (struct tw_heard){sip_hash(p->heard_key, m->id, m->nid).a | 1, wall};
}

/* Not older than ten minutes, nor as far ahead; or one that was (the hub knows what it has). */
static bool in_time(struct twitch *p, const struct hook *h, const struct message *m)
{
	int64_t at;

	if (heard(p, m, h->wall))
		return true;
	if (clock_parse(m->time, m->ntime, &at) || at < h->wall - WINDOW || at > h->wall + WINDOW)
		return false;
	remember(p, m, h->wall);
	return true;
}

/* ---- the three kinds ---- */

static void verification(struct twitch *p, const struct hook *h, struct span body, int64_t now)
{
	struct span sub = scan_member(body, "subscription"), shard;
	struct json_error err;
	struct json *doc;
	struct sub *s;
	char text[512], number[6];
	int n = scan_cstr(scan_member(body, "challenge"), text, sizeof(text));

	if (n <= 0) {
		reply(p, h, 400, "no challenge");
		return;
	}
	/* A conduit's shard is verified without a subscription. */
	doc = sub.p && sub.p[0] == '{' ? json_parse(sub.p, sub.n, &err) : NULL;
	if (doc && subs_key(json_str(json_member(doc, "type"), NULL), json_str(json_member(doc, "version"), NULL),
			    json_member(doc, "condition"), &p->text) == 0) {
		s = subs_find(&p->subs, p->text.p);
		/* It may come before the answer to the request that it belongs to. */
		if (s && s->state == SUB_PENDING)
			sub_set(s, SUB_ENABLED, s->http, NULL);
		else if (s)
			s->verified = s->state == SUB_ASKED;
	}
	json_free(doc);
	shard = scan_member(body, "conduit_shard");
	if (shard.p && shard.p[0] == '{' && scan_cstr(scan_member(shard, "shard"), number, sizeof(number)) > 0 &&
	    strspn(number, "0123456789") == strlen(number))
		tw_shard_verified(p, (unsigned)strtoul(number, NULL, 10), now);
	/* The challenge and nothing else, as text/plain. */
	out_hook_reply(p->out, h->ticket, 200, "text/plain", text, (size_t)n, false);
	tw_callback_settle(p, now);
	if (!tw_sockets(p))
		tw_hole_tell(p, 0);
}

/* Told once, however often it is sent again. */
static void unreadable(struct twitch *p, const struct message *m)
{
	if (!m->again && tw_leads(p))
		out_gap(p->out, 0, "a message of Twitch could not be read", m->time, m->time);
}

static void notification(struct twitch *p, const struct hook *h, const struct message *m, struct span body, int64_t now)
{
	unsigned conn = tw_leads(p) ? 0 : OUT_ACCOUNT;
	uint64_t none = 0, *mark = conn ? &none : &p->conns[0].mark, before = *mark;

	if (strcmp(m->type, "conduit.shard.disabled") == 0)
		tw_conduit_disabled(p, scan_member(body, "event"), now);
	else if (strcmp(m->type, "user.authorization.grant") == 0)
		tw_granted(p, scan_member(body, "event"), now);
	if (tw_notify(p, conn, &(struct tw_note){.type = m->type, .id = m->id, .time = m->time}, body, mark, h->ticket)) {
		tw_say(p, LOG_WARN, "a notification of type %s cannot be read", m->type);
		unreadable(p, m);
		if (!tw_leads(p)) {
			/* To be sent again, to the one that tells what is missing: what was read of it the hub knows then. */
			reply(p, h, 503, "not all could be read");
			return;
		}
		if (*mark == before) {
			reply(p, h, 400, "no event");
			return;
		}
	}
	out_hook_reply(p->out, h->ticket, 204, NULL, NULL, 0, true);
}

static void revocation(struct twitch *p, const struct hook *h, const struct message *m, struct span body, int64_t now)
{
	struct span s = scan_member(body, "subscription");

	if (!s.p || s.p[0] != '{') {
		reply(p, h, 400, "no subscription");
		return;
	}
	tw_revoked(p, s, m->id, m->time, tw_leads(p) ? 0 : OUT_ACCOUNT, tw_leads(p) ? ++p->conns[0].mark : 0, h->ticket, now);
	out_hook_reply(p->out, h->ticket, 204, NULL, NULL, 0, true);
}

void tw_hook(void *arg, const struct hook *h, int64_t now)
{
	struct twitch *p = arg;
	struct span body = {h->body, h->nbody};
	struct line_err err;
	struct message m;
	size_t n;

	if (!p->conf.secret.len) {
		reply(p, h, 404, "this account takes no webhooks");
		return;
	}
	if (take(h, "Twitch-Eventsub-Message-Id", m.id, sizeof(m.id), &m.nid) ||
	    take(h, "Twitch-Eventsub-Message-Timestamp", m.time, sizeof(m.time), &m.ntime) || !signature_ok(p, h, &m)) {
		reply(p, h, 403, "wrong signature");
		return;
	}
	m.again = heard(p, &m, h->wall);
	if (!in_time(p, h, &m)) {
		tw_say(p, LOG_WARN, "a webhook of %s is refused: not within ten minutes of now", m.time);
		reply(p, h, 403, "too old");
		return;
	}
	if (take(h, "Twitch-Eventsub-Message-Type", m.kind, sizeof(m.kind), &n))
		m.kind[0] = '\0';
	if (take(h, "Twitch-Eventsub-Subscription-Type", m.type, sizeof(m.type), &n))
		m.type[0] = '\0';
	if (scan_value(body.p, body.n, &err) || tw_flat(&body, &p->flat) || body.n == 0 || body.p[0] != '{') {
		tw_say(p, LOG_WARN, "a webhook with the right signature is no JSON object");
		unreadable(p, &m);
		reply(p, h, 400, "not a JSON object");
	} else if (strcmp(m.kind, "notification") == 0 && *m.type) {
		notification(p, h, &m, body, now);
	} else if (strcmp(m.kind, "webhook_callback_verification") == 0) {
		verification(p, h, body, now);
	} else if (strcmp(m.kind, "revocation") == 0) {
		revocation(p, h, &m, body, now);
	} else {
		/* Kinds to come: Twitch's own sample answers them so. */
		out_hook_reply(p->out, h->ticket, 204, NULL, NULL, 0, false);
	}
}
