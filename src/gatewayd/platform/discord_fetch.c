/*
 * Names of channels and roles come with GUILD_CREATE, when a session begins. A process that resumes the session of another one never gets it: then the
 * guild is asked for (GET /guilds/{id}, GET /guilds/{id}/channels), as soon as it is known that it will be wanted. One request at a time and ten guilds a
 * second at most: the limit of all requests (50 a second) belongs to deliver. A guild is asked for once, whatever the answer was.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "gatewayd/platform/discord_impl.h"

#define PACE (100 * CLOCK_MS)
#define ANSWER_MAX (4u << 20)
#define TRIES 3

static uint64_t *asked(struct discord *d, uint64_t guild)
{
	return &d->fetch_asked[(guild >> 22 ^ guild) * UINT64_C(0x9e3779b97f4a7c15) >> 56];
}

static void request(struct discord *d)
{
	char path[80];

	snprintf(path, sizeof(path), "/guilds/%" PRIu64 "%s", d->fetch_queue[0].guild, d->fetch_guild.len ? "/channels" : "");
	d->fetch_call = discord_rest(d, path, ANSWER_MAX);
}

static void next(struct discord *d, int64_t now, int64_t wait)
{
	if (!d->fetch_n || d->fetch_call || d->fetch_wait)
		return;
	if (!wait) {
		request(d);
		return;
	}
	d->fetch_wait = true;
	out_timer(d->out, OUT_ACCOUNT, TIMER_FETCH, now + wait);
}

void fetch_guild(struct discord *d, unsigned conn, uint64_t guild, int64_t now)
{
	uint64_t *a = asked(d, guild);

	if (!guild || *a == guild || d->fetch_n == FETCH_MAX || d->token_refused || d->fetch_refused || names_whole(&d->conns[conn].names, guild))
		return;
	*a = guild;
	d->fetch_queue[d->fetch_n++] = (struct fetch){conn, guild};
	next(d, now, 0);
}

void fetch_due(struct discord *d, int64_t now)
{
	d->fetch_wait = false;
	next(d, now, 0);
}

static void done(struct discord *d, int64_t now)
{
	buf_clear(&d->fetch_guild);
	d->fetch_failed = 0;
	memmove(d->fetch_queue, d->fetch_queue + 1, --d->fetch_n * sizeof(*d->fetch_queue));
	next(d, now, PACE);
}

/* The guild, and its channels as a member of it: what GUILD_CREATE would have been. */
static void put(struct discord *d, const char *channels, size_t n)
{
	struct fetch *f = &d->fetch_queue[0];
	struct buf *g = &d->fetch_guild;
	struct dconn *c = &d->conns[f->conn];

	while (g->len && g->p[g->len - 1] != '}')
		g->len--;
	if (!g->len || names_whole(&c->names, f->guild))		/* or it came by itself meanwhile */
		return;
	g->len--;
	if (buf_adds(g, ",\"channels\":") || buf_add(g, channels, n) || buf_addc(g, '}'))
		return;
	if (names_id(scan_member((struct span){g->p, g->len}, "id")) == f->guild)
		names_put(&c->names, &d->names_bytes, (struct span){g->p, g->len});
}

void fetch_answer(struct discord *d, const struct http_answer *a, int64_t now)
{
	int64_t wait = discord_retry_after(a);
	struct line_err err;

	d->fetch_call = 0;
	if (a->status == 401) {		/* too many of these, and the address is banned */
		d->fetch_refused = true;
		d->fetch_n = 0;
		return;
	}
	if (a->status == 429 || a->status == 0 || a->status >= 500) {
		if (!wait)
			wait = CLOCK_S << d->fetch_failed;
		if (++d->fetch_failed < TRIES && wait < 600 * CLOCK_S)
			next(d, now, wait);
		else
			done(d, now);
		return;
	}
	if (a->status != 200 || scan_value(a->body, a->nbody, &err)) {
		done(d, now);
	} else if (d->fetch_guild.len == 0) {
		if (a->body[0] != '{' || buf_add(&d->fetch_guild, a->body, a->nbody))
			done(d, now);
		else
			next(d, now, 0);
	} else {
		put(d, a->body, a->nbody);
		done(d, now);
	}
}
