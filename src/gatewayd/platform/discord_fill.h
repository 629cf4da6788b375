/*
 * discord_fill: what is missing of a connection behind a lost session, and what is known of reading it again. Shared by discord_gap.c (which channels, from
 * where), discord_fill.c (the requests) and discord_session.c (which keeps it on disk). There is one only while something is missing or expected.
 */
#ifndef GATEWAYD_PLATFORM_DISCORD_FILL_H
#define GATEWAYD_PLATFORM_DISCORD_FILL_H

#include "base/buf.h"
#include "gatewayd/platform/discord_impl.h"

#define FILL_CHANNELS 512u	/* waiting to be read, of a connection */
#define FILL_GUILDS 4096u	/* waited for; Discord's own limit is 2500 for a shard */
#define FILL_GUILDS_SAVED 300u	/* so that what is saved stays below 64 KiB */
#define FILL_NOTES 1500u	/* bytes of reasons in an event */

/* Messages of a channel after this id are to be read; every one up to it is with the hub. */
struct missing {
	uint64_t channel, guild, after;
	int64_t at;		/* not before */
	unsigned pages, tries;
};

/* A guild that will come (GUILD_CREATE). from 0: none of its messages is missing. */
struct waiting { uint64_t guild, from; };

struct fill {
	struct missing *v;
	struct waiting *w;
	unsigned n, cap, nw, wcap;
	/* to be told when it is done */
	bool open;		/* something is */
	bool late;		/* guilds that did not come yet are not waited for with that */
	const char *why;	/* the gap's cause */
	uint64_t from, to;	/* the oldest `after`, the newest message that was read */
	unsigned channels, messages, left, unnoted;	/* read; channels that there was no room for, notes that there was none for */
	struct buf notes;	/* "; channel 5: why" */
};

/* discord_sure.c */
void sure_heard(struct discord *d, uint64_t id, int64_t now);	/* an id that came: it was made before now */
uint64_t sure_at(const struct discord *d, int64_t at);		/* what has come when something sent at `at` is answered; 0: not known */
uint64_t sure_wall(int64_t wall);				/* by our own clock, where nothing better is known */
struct seen *sure_slot(struct dconn *c, uint64_t channel);	/* where a channel stands in c->seen, or would */
/* discord_gap.c */
struct fill *fill_of(struct dconn *c);				/* made when there is none; NULL: no memory, which was said */
void fill_add(struct discord *d, struct dconn *c, uint64_t channel, uint64_t guild, uint64_t after);
void fill_wait(struct discord *d, struct dconn *c, uint64_t guild, uint64_t from);
unsigned fill_missing_guilds(const struct fill *f);
bool gap_denied(const struct discord *d, uint64_t channel);
uint64_t gap_begun(const struct discord *d, const struct dconn *c);	/* an id of the time when the session began */
void gap_not_come(struct discord *d, unsigned n);	/* guilds that ought to have, by now */
/* discord_fill.c */
void fill_next(struct discord *d, int64_t now);			/* asks, if it is time and somebody has something to ask for */
void fill_note(struct fill *f, uint64_t channel, uint64_t after, const char *why);
void fill_end(struct discord *d, unsigned n, int64_t now);	/* tells, if it is done */

#endif
