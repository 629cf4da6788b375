/*
 * Connection 0 of an account whose notifications come over HTTP. It has no socket: to hold it means to look after what is one process's
 * work, subscriptions and the conduit's shards, while any process takes the notifications. It is live while Twitch sends them.
 *
 * What outlives the process: "hook TIME SECRET CALLBACK": when it was live last, a digest of the secret and the URL that what is
 * subscribed was made with. Twitch shows no secret; one that was changed makes all subscriptions anew. With a conduit a fifth word is the
 * callback of webhooks that there were before it and may still be, "-" when there are none. The first word is "hole" while something is missing
 * since TIME that is not told yet.
 */
#include <stdio.h>
#include <string.h>

#include "base/sign.h"
#include "gatewayd/platform/twitch_impl.h"

#define ALIVE_EVERY (60 * CLOCK_S)
#define SETTLE (8 * CLOCK_S)
#define VERIFY (30 * CLOCK_S)		/* from the first look until at least one callback is verified */

static void digest(const struct twitch *p, char hex[2 * SIGN_SHA256 + 1])
{
	static const char text[] = "penstock: which secret";
	unsigned char mac[SIGN_SHA256] = {0};

	if (sign_hmac(mac, p->conf.secret.p, p->conf.secret.len, &(struct sign_part){text, sizeof(text) - 1}, 1))
		memset(mac, 0, sizeof(mac));
	sign_hex(hex, mac, sizeof(mac));
	hex[32] = '\0';
}

void tw_callback_save(struct twitch *p)
{
	char hex[2 * SIGN_SHA256 + 1];
	const struct tw_conn *c = &p->conns[0];
	bool conduit = p->conf.transport == TW_CONDUIT, live = c->state == CONN_LIVE, hole = c->hole || (!live && c->gap);
	const char *time = tw_sure(c, live ? c->safe : c->from), *url = live || !*p->callback_was ? p->conf.callback : p->callback_was;

	if (!live && !hole && !*time)
		return;		/* there was nothing before */
	digest(p, hex);
	buf_clear(&p->saved);
	buf_printf(&p->saved, "%s %s %s %s%s%s", hole ? "hole" : "hook", *time ? time : "-",
		live || !*p->secret_was ? hex : p->secret_was, url, conduit ? " " : "", !conduit ? "" : tw_stale_left(p) ? p->stale : "-");
	tw_keep(p, 0);
}

void tw_callback_spot(struct twitch *p)
{
	struct tw_conn *c = &p->conns[0];
	char wall[CLOCK_RFC3339_MAX];

	clock_rfc3339(wall, out_wall(p->out));
	if (c->kept >= c->mark) {
		c->spot = 0;
		memcpy(c->safe, wall, sizeof(wall));
	} else if (!c->spot) {
		c->spot = c->mark;
		memcpy(c->spot_time, wall, sizeof(wall));
	}
	tw_callback_save(p);
}

void tw_stale(struct twitch *p, const char *url)
{
	p->stale[0] = '\0';
	p->stale_gone = false;
	if (strcmp(url, "-") == 0)
		return;
	if (p->conf.transport == TW_CONDUIT)
		snprintf(p->stale, sizeof(p->stale), "%s", url);
	else if (tw_sockets(p))
		tw_say(p, LOG_WARN, "subscriptions of webhooks to %s stay until Twitch gives them up: an app token could delete them", url);
	p->sweep_due = *p->stale != '\0';
}

void tw_callback_recall(struct twitch *p, const char *saved, size_t n)
{
	char text[2 * TW_URL + 128], how[8], time[TW_TIME], was[40], url[TW_URL], stale[TW_URL], hex[2 * SIGN_SHA256 + 1];
	struct tw_conn *c = &p->conns[0];
	const char *why = NULL;
	int64_t at;
	bool hole;
	int words;

	if (!tw_first_words(p, 0, saved, n, text, sizeof(text)))
		return;
	words = sscanf(text, "%7s %39s %39s %511s %511s", how, time, was, url, stale);
	hole = words > 0 && strcmp(how, "hole") == 0;
	if (words < 4 || (!hole && strcmp(how, "hook") != 0)) {
		c->gap = true;
		snprintf(c->why, sizeof(c->why), "the sockets were given up for webhooks");
		return;
	}
	/* Without a fifth word there were webhooks, or an earlier version had a conduit. */
	tw_stale(p, words > 4 ? stale : url);
	digest(p, hex);
	p->remake = strcmp(was, hex) != 0;
	snprintf(p->secret_was, sizeof(p->secret_was), "%s", p->remake ? was : "");
	if (strcmp(url, p->conf.callback) != 0)
		memcpy(p->callback_was, url, sizeof(p->callback_was));
	if (p->remake)
		why = "the secret of webhooks is another one: what was signed with the one before is refused";
	else if (*p->callback_was)
		why = "the callback is another one";
	else if (words > 4 && *p->stale)
		why = "the webhooks were given up for a conduit";
	else if (hole)
		why = "the process before ended while something was missing";
	else if (clock_parse(time, strlen(time), &at) || out_wall(p->out) > at + TW_AWAY)
		why = "nobody took webhooks for longer than Twitch may send them again";
	c->resumable = !why;
	c->gap = why != NULL;
	snprintf(c->why, sizeof(c->why), "%s", why ? why : "");
	snprintf(c->from, sizeof(c->from), "%s", strcmp(time, "-") == 0 ? "" : time);
	if (!*p->since)
		memcpy(p->since, c->from, sizeof(p->since));
}

void tw_callback_opened(struct twitch *p, int64_t now)
{
	struct tw_conn *c = &p->conns[0];

	c->state = CONN_READY;
	c->welcome_at = now;
	clock_rfc3339(c->last, out_wall(p->out));
	c->made[0] = '\0';
	p->listed = false;
	out_timer(p->out, 0, TIMER_SETTLE, now + VERIFY);
	if (p->conf.transport == TW_CONDUIT) {
		p->hooked = p->hooks_known = false;
		memset(p->hook, 0, sizeof(p->hook));
		tw_conduit_pump(p, now);
	}
	tw_list(p, now);
	tw_callback_settle(p, now);
}

static void live(struct twitch *p, int64_t now)
{
	struct tw_conn *c = &p->conns[0];
	bool gap = c->gap;
	size_t enabled;

	c->state = CONN_LIVE;
	memcpy(c->safe, *c->from ? c->from : c->last, sizeof(c->safe));
	out_timer(p->out, 0, TIMER_SETTLE, 0);
	if (!*c->made)
		clock_rfc3339(c->last, out_wall(p->out));
	if (c->gap)
		out_gap(p->out, 0, c->why, c->from, *c->made ? c->made : c->last);
	out_live(p->out, 0, c->resumable && !c->gap);
	c->gap = c->resumable = false;
	p->callback_was[0] = p->secret_was[0] = '\0';
	tw_callback_alive(p, now);
	if (gap && p->listed && !tw_settled(p, 0, &enabled))
		tw_hole(p, 0, "some subscriptions were made late", c->from);
	tw_hole_tell(p, 0);
}

void tw_callback_settle(struct twitch *p, int64_t now)
{
	struct tw_conn *c = &p->conns[0];
	size_t enabled = 0, waiting = 0, pending = 0;
	bool late, conduit = p->conf.transport == TW_CONDUIT;
	char why[TW_URL + 120];

	if (!tw_leads(p) || c->state != CONN_READY)
		return;
	late = now >= c->welcome_at + VERIFY;
	for (size_t i = 0; i < p->subs.n && !conduit; i++) {
		enum sub_state s = p->subs.v[i].state;

		enabled += s == SUB_ENABLED;
		pending += s == SUB_PENDING;
		waiting += s == SUB_MISSING || s == SUB_ASKED;
	}
	if (conduit ? p->hooked : p->listed && enabled && ((!waiting && !pending) || now >= c->welcome_at + SETTLE)) {
		live(p, now);
	} else if (!conduit && p->listed && !enabled && !waiting && !pending) {
		tw_no_use(p, 0, why, sizeof(why));
		tw_conn_lost(p, 0, NEXT_STOP, 0, why, 0);
	} else if (late) {
		if (pending)
			snprintf(why, sizeof(why), "Twitch has not verified the callback: does %s lead here?", p->conf.callback);
		else
			snprintf(why, sizeof(why), "%s", *p->error ? p->error : "Twitch has not answered yet");
		tw_conn_lost(p, 0, NEXT_RESUME, 0, why, 0);
	} else if (enabled && !c->settling) {
		c->settling = true;
		out_timer(p->out, 0, TIMER_SETTLE, now < c->welcome_at + SETTLE ? c->welcome_at + SETTLE : c->welcome_at + VERIFY);
	}
}

void tw_callback_alive(struct twitch *p, int64_t now)
{
	if (p->conns[0].state != CONN_LIVE)
		return;
	tw_callback_spot(p);
	out_timer(p->out, 0, TIMER_ALIVE, now + ALIVE_EVERY);
}
