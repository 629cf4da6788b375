/*
 * What may be missing. Discord does not send what came while no session lived; messages are in the history of their channels, and are read from there
 * (discord_fill.c). Joins, interactions, edits and deletions are not in it: the gap is told in any case. From where: `sure` (discord_sure.c).
 *
 * Which channels: of guilds and persons whose messages are asked for at all (intents). GUILD_CREATE, which a new session sends for each guild, names the
 * last message of every channel and thread; those where it is newer than `sure`. Private conversations and threads that are not named there: if something
 * was heard in them before.
 *
 * A guild that was unavailable for a while within a session is the same thing on a small scale.
 */
#include "gatewayd/platform/discord_fill.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define COME (60 * CLOCK_S)	/* guilds that did not come after it are told of */
enum { INTENT_GUILDS = 1 << 0, INTENT_GUILD_MESSAGES = 1 << 9, INTENT_DIRECT_MESSAGES = 1 << 12 };

/* ---- what is missing ---- */

struct fill *fill_of(struct dconn *c)
{
	if (c->fill)
		return c->fill;
	c->fill = calloc(1, sizeof(*c->fill));
	if (!c->fill) {
		log_error("out of memory");
		return NULL;
	}
	buf_init(&c->fill->notes, FILL_NOTES + 256);
	return c->fill;
}

void fill_free(struct dconn *c)
{
	if (!c->fill)
		return;
	free(c->fill->v);
	free(c->fill->w);
	buf_release(&c->fill->notes);
	free(c->fill);
	c->fill = NULL;
}

bool gap_denied(const struct discord *d, uint64_t channel)
{
	return d->denied[(channel >> 22 ^ channel) % DENIED] == channel;
}

void gap_deny(struct discord *d, uint64_t channel, bool denied)
{
	uint64_t *at = &d->denied[(channel >> 22 ^ channel) % DENIED];

	if (denied || *at == channel)
		*at = denied ? channel : 0;
}

void fill_add(struct discord *d, struct dconn *c, uint64_t channel, uint64_t guild, uint64_t after)
{
	struct fill *f = fill_of(c);
	unsigned at;

	if (!f)
		return;
	f->open = true;
	if (!f->from || after < f->from)
		f->from = after;
	if (gap_denied(d, channel)) {
		fill_note(f, channel, after, "no access to its history");
		return;
	}
	for (unsigned i = 0; i < f->n; i++)
		if (f->v[i].channel == channel)
			return;		/* since longer ago */
	if (f->n == f->cap) {
		unsigned cap = f->cap ? f->cap * 2 : 16;
		struct missing *v = cap <= FILL_CHANNELS ? realloc(f->v, cap * sizeof(*v)) : NULL;

		if (!v) {
			f->left++;
			return;
		}
		f->v = v;
		f->cap = cap;
	}
	/* Those where something was heard first: they may be read. */
	at = c->seen && sure_slot(c, channel)->channel == channel ? 0 : f->n;
	memmove(f->v + at + 1, f->v + at, (f->n++ - at) * sizeof(*f->v));
	f->v[at] = (struct missing){.channel = channel, .guild = guild, .after = after};
}

void fill_wait(struct discord *d, struct dconn *c, uint64_t guild, uint64_t from)
{
	struct fill *f = fill_of(c);

	(void)d;
	if (!f || !guild)
		return;
	for (unsigned i = 0; i < f->nw; i++)
		if (f->w[i].guild == guild) {
			if (!f->w[i].from)
				f->w[i].from = from;
			return;		/* since longer ago */
		}
	if (f->nw == f->wcap) {
		unsigned cap = f->wcap ? f->wcap * 2 : 16;
		struct waiting *w = cap <= FILL_GUILDS ? realloc(f->w, cap * sizeof(*w)) : NULL;

		if (!w) {
			f->left += from != 0;
			return;
		}
		f->w = w;
		f->wcap = cap;
	}
	f->w[f->nw++] = (struct waiting){guild, from};
}

unsigned fill_missing_guilds(const struct fill *f)
{
	unsigned n = 0;

	for (unsigned i = 0; i < f->nw; i++)
		n += f->w[i].from != 0;
	return n;
}

/* ---- a session begins ---- */

struct guilds { struct discord *d; struct dconn *c; uint64_t from; };

static int ready_guild(void *arg, struct span name, struct span value)
{
	struct guilds *g = arg;

	(void)name;
	fill_wait(g->d, g->c, names_id(scan_member(value, "id")), g->from);
	return 0;
}

static bool asked_for(const struct discord *d, uint64_t guild)
{
	return d->conf.intents & (guild ? INTENT_GUILD_MESSAGES : INTENT_DIRECT_MESSAGES);
}

/* Where no GUILD_CREATE will say what there is. */
static void add_seen(struct discord *d, struct dconn *c, uint64_t from, bool all)
{
	for (unsigned i = 0; c->seen && i < SEEN_SETS * SEEN_WAYS; i++)
		if (c->seen[i].channel && (all || !c->seen[i].guild) && asked_for(d, c->seen[i].guild))
			fill_add(d, c, c->seen[i].channel, c->seen[i].guild, from);
}

void gap_moves(struct discord *d, uint64_t sure)
{
	if (sure && (!d->moved || sure < d->moved))
		d->moved = sure;
}

uint64_t gap_moved(struct discord *d)
{
	for (unsigned n = 0; d->moved && n < d->nconns; n++)
		if (!d->conns[n].settled || d->conns[n].shards != d->nconns)
			return d->moved;
	d->moved = 0;
	return 0;
}

static void open_fill(struct fill *f, const char *why, uint64_t from)
{
	if (!f->open)
		f->why = why;
	f->open = true;
	if (!f->from || from < f->from)
		f->from = from;
}

/* What is waited for now is told within a minute, whatever comes. */
static void wait_for(struct discord *d, unsigned n, int64_t now)
{
	d->conns[n].fill->late = false;
	out_timer(d->out, n, TIMER_FILL, now + COME);
}

/* An id of now, by Discord's clock or, where that is not known, by ours. */
static uint64_t id_of(const struct discord *d, int64_t now)
{
	uint64_t id = sure_at(d, now);

	return id ? id : sure_wall(out_wall(d->out));
}

uint64_t gap_begun(const struct discord *d, const struct dconn *c)
{
	uint64_t id = c->begun_id ? c->begun_id : sure_at(d, c->begun_at);

	return id ? id : sure_wall(c->begun_wall);
}

static void unavailable(struct discord *d, struct dconn *c, uint64_t guild, uint64_t from)
{
	open_fill(c->fill, "a guild was unavailable", from);
	if (asked_for(d, guild))
		fill_wait(d, c, guild, from);
}

/* Guilds that a session began with, nothing of them missing, and that have not come: what happens in them is. */
void gap_not_come(struct discord *d, unsigned n)
{
	struct dconn *c = &d->conns[n];
	struct fill *f = c->fill;

	for (unsigned i = f->nw; i--; ) {
		struct waiting w = f->w[i];

		if (w.from)
			continue;
		f->w[i] = f->w[--f->nw];
		unavailable(d, c, w.guild, gap_begun(d, c));
	}
}

const char *gap_begin(struct discord *d, unsigned n, struct span ready, bool lost, bool moved, int64_t now)
{
	struct dconn *c = &d->conns[n];
	struct guilds g = {d, c, 0};
	bool told = d->conf.intents & INTENT_GUILDS, any = d->conf.intents & (INTENT_GUILD_MESSAGES | INTENT_DIRECT_MESSAGES);
	uint64_t from = 0;

	/* No message is sure, but the first one is on its way to the hub: what came before it is none of ours. */
	if (lost)
		from = c->sure || !c->next_mark ? c->sure : c->next_sure;
	c->begun_at = now;
	c->begun_wall = out_wall(d->out);
	c->begun_id = 0;
	moved = moved && d->moved;
	if (moved && (!from || d->moved < from))
		from = d->moved;
	if (from && any && fill_of(c)) {
		c->fill->open = false;		/* what it was opened for is a smaller thing */
		open_fill(c->fill, lost ? "the session was lost" : "the number of shards changed", from);
		add_seen(d, c, from, !told);
	}
	if (asked_for(d, 1))
		g.from = from;
	if (told)
		scan_each(scan_member(ready, "guilds"), ready_guild, &g);
	if (c->fill)
		wait_for(d, n, now);
	if (!lost && !moved)
		return NULL;
	if (!any)
		return lost ? "the session was lost" : "the number of shards changed";
	if (!from)
		return "the session was lost, and no message is known from which the history could be read";
	return lost ? "the session was lost; messages are read again from the history, other events are missing" :
		"the number of shards changed; messages are read again from the history, other events are missing";
}

/* Which channels it concerns is not known: those where something was heard. */
void gap_holes(struct discord *d, unsigned n, uint64_t from)
{
	struct dconn *c = &d->conns[n];

	if (!from || !c->seen || !fill_of(c))
		return;
	open_fill(c->fill, "the sequence has a hole", from);
	add_seen(d, c, from, true);
}

void gap_hole(struct discord *d, unsigned n, int64_t now)
{
	gap_holes(d, n, d->conns[n].sure);
	fill_next(d, now);
	fill_end(d, n, now);
}

void gap_live(struct discord *d, unsigned n, int64_t now)
{
	if (d->conns[n].fill)
		wait_for(d, n, now);
	fill_next(d, now);
	fill_end(d, n, now);
}

/* ---- its guilds come ---- */

struct channels { struct discord *d; struct dconn *c; uint64_t guild, from; int64_t now; uint64_t named[SEEN_SETS * SEEN_WAYS / 64]; };

/* Categories, directories, forums and media channels hold no messages; the threads of the latter two stand beside them. */
static bool holds_messages(struct span type)
{
	return !type.p || !((type.n == 1 && *type.p == '4') || (type.n == 2 && *type.p == '1' && type.p[1] >= '4' && type.p[1] <= '6'));
}

static int guild_channel(void *arg, struct span name, struct span value)
{
	static const struct scan_name fields[] = {SCAN_NAME("id"), SCAN_NAME("last_message_id"), SCAN_NAME("type")};
	struct channels *a = arg;
	struct span v[3];
	uint64_t id, last;

	(void)name;
	scan_pick(value, fields, v, 3);
	id = names_id(v[0]);
	last = names_id(v[1]);
	sure_heard(a->d, last > id ? last : id, a->now);
	if (!id || !a->from)
		return 0;
	if (a->c->seen && sure_slot(a->c, id)->channel == id) {
		size_t i = (size_t)(sure_slot(a->c, id) - a->c->seen);

		a->named[i / 64] |= UINT64_C(1) << i % 64;
	}
	if (last > a->from && holds_messages(v[2]))
		fill_add(a->d, a->c, id, a->guild, a->from);
	return 0;
}

/* All that a new session has were named: nothing that is older than the newest of them was ever ours. */
static void all_came(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];

	if (c->sure || c->last || c->next_mark)
		return;
	c->sure = sure_at(d, now);
	if (c->sure && *c->session)
		session_save(d, n);
}

void gap_guild(struct discord *d, const struct event *e)
{
	struct dconn *c = &d->conns[e->conn];
	struct channels a = {.d = d, .c = c, .guild = names_id(scan_member(e->d, "id")), .now = e->now};
	struct fill *f = c->fill;
	unsigned i = 0;

	while (f && i < f->nw && f->w[i].guild != a.guild)
		i++;
	if (!f || i == f->nw)
		return;		/* one that the bot was added to, or whose return says nothing new */
	a.from = f->w[i].from;
	f->w[i] = f->w[--f->nw];
	scan_each(scan_member(e->d, "channels"), guild_channel, &a);
	scan_each(scan_member(e->d, "threads"), guild_channel, &a);
	for (i = 0; a.from && c->seen && i < SEEN_SETS * SEEN_WAYS; i++)
		if (c->seen[i].guild == a.guild && !(a.named[i / 64] >> i % 64 & 1))
			fill_add(d, c, c->seen[i].channel, a.guild, a.from);
	if (f->nw == 0)
		all_came(d, e->conn, e->now);
	else if (!f->late && fill_missing_guilds(f) < f->nw)
		wait_for(d, e->conn, e->now);	/* they are still coming */
	fill_next(d, e->now);
	fill_end(d, e->conn, e->now);
}

/* outage: what happens in it is not sent, until it comes back by GUILD_CREATE. Else the bot was removed from it. */
void gap_guild_gone(struct discord *d, const struct event *e, bool outage)
{
	struct dconn *c = &d->conns[e->conn];
	uint64_t guild = names_id(scan_member(e->d, "id"));
	struct fill *f = c->fill;

	if (outage) {
		if (!guild || !(f = fill_of(c)))
			return;
		unavailable(d, c, guild, c->sure ? c->sure : id_of(d, e->now));
		wait_for(d, e->conn, e->now);
	}
	for (unsigned i = 0; f && !outage && i < f->nw; i++) {
		if (f->w[i].guild != guild)
			continue;
		f->w[i] = f->w[--f->nw];
		break;
	}
	fill_end(d, e->conn, e->now);
}
