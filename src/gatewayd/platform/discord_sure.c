/*
 * Until when every message is with the hub. Ids are times, so one id is enough for all channels: `sure` says that every message up to it is with the hub, or older
 * than the first session. It goes on when the hub has a message (by that one's id), and when a heartbeat is answered while the hub has everything: what was said
 * before it was sent came before the answer. Discord's clock is taken from its own ids, never from ours, and the estimate is never ahead of it. Events of
 * different channels are not in the order of their ids: so SLACK is left; what is read twice has the id it had, and the hub drops it.
 */
#include "gatewayd/platform/discord_fill.h"

#include <stdlib.h>

#define SLACK_MS 10000
#define DAY_MS INT64_C(86400000)

/* ---- Discord's clock ---- */

static int64_t id_ms(uint64_t id)
{
	return (int64_t)((id >> 22) + DISCORD_EPOCH_MS);
}

static uint64_t ms_id(int64_t ms)
{
	return ms > (int64_t)DISCORD_EPOCH_MS ? (uint64_t)(ms - (int64_t)DISCORD_EPOCH_MS) << 22 : 0;
}

/* An id is not of the future, whatever it says. */
static bool plausible(uint64_t id)
{
	return id_ms(id) < clock_wall() / CLOCK_MS + DAY_MS;
}

void sure_heard(struct discord *d, uint64_t id, int64_t now)
{
	int64_t ahead = id_ms(id) - now / CLOCK_MS;

	if (id && (!d->clocked || ahead > d->ahead) && plausible(id)) {
		d->ahead = ahead;
		d->clocked = true;
	}
}

uint64_t sure_at(const struct discord *d, int64_t at)
{
	return d->clocked ? ms_id(at / CLOCK_MS + d->ahead - SLACK_MS) : 0;
}

uint64_t sure_wall(int64_t wall)
{
	return ms_id(wall / CLOCK_MS - SLACK_MS);
}

/* ---- channels heard ---- */

struct seen *sure_slot(struct dconn *c, uint64_t channel)
{
	struct seen *set = c->seen + ((channel >> 22 ^ channel) * UINT64_C(0x9e3779b97f4a7c15) >> 59) * SEEN_WAYS, *old = set;

	for (struct seen *s = set; s < set + SEEN_WAYS; s++) {
		if (s->channel == channel)
			return s;
		if (s->last < old->last)
			old = s;
	}
	return old;
}

void gap_channel(struct dconn *c, uint64_t channel, uint64_t guild, uint64_t message)
{
	struct seen *s;

	if (!channel || (!c->seen && !(c->seen = calloc(SEEN_SETS * SEEN_WAYS, sizeof(*c->seen)))))
		return;
	s = sure_slot(c, channel);
	*s = (struct seen){channel, guild ? guild : s->channel == channel ? s->guild : 0, message};
}

/* ---- what is sure ---- */

static void goes_on(struct dconn *c, uint64_t to)
{
	if (to > c->sure)
		c->sure = to;
}

void gap_seen(struct discord *d, const struct event *e, uint64_t channel, uint64_t guild, uint64_t message)
{
	struct dconn *c = &d->conns[e->conn];

	gap_channel(c, channel, guild, message);
	sure_heard(d, message, e->now);
	if (message > c->last)
		c->last = message;
	if (!c->next_mark && plausible(message)) {
		c->next_sure = ms_id(id_ms(message) - SLACK_MS);
		c->next_mark = e->mark;
	}
}

void gap_acked(struct dconn *c, uint64_t mark)
{
	if (!c->next_mark || mark < c->next_mark)
		return;
	goes_on(c, c->next_sure);
	c->next_mark = 0;
}

void gap_alive(struct discord *d, unsigned n, int64_t at)
{
	struct dconn *c = &d->conns[n];
	uint64_t to = sure_at(d, at);

	if (c->state != CONN_LIVE || to <= c->sure)
		return;
	if (c->kept != c->seq) {
		if (!c->next_mark) {
			c->next_sure = to;
			c->next_mark = c->top;
		}
		return;
	}
	c->sure = to;
	/* On disk, too, when it says more: that nothing of what was heard has to be read again. */
	if (*c->session && c->last > c->saved_sure && c->last <= to)
		session_save(d, n);
}
