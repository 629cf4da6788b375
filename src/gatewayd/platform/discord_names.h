/*
 * discord_names: what the channels and roles of guilds are called, and who owns a guild. Pure but for memory.
 *
 * A guild is one block of memory: its entries sorted by id, and the names behind them as JSON text (quotes included), ready to be copied into a line.
 * One table for each connection (a shard has at most 2500 guilds); a ceiling for all of an account: what does not fit has no names.
 */
#ifndef GATEWAYD_PLATFORM_DISCORD_NAMES_H
#define GATEWAYD_PLATFORM_DISCORD_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/line.h"

#define NAMES_MAX (64u << 20)		/* bytes, of all tables of an account */
#define NAMES_GUILD_MAX 8192u		/* entries of a guild: 500 channels, 1000 threads, 250 roles are Discord's own limits */
#define NAMES_TEXT_MAX 640u		/* bytes of a name as JSON text: 100 characters */

/* A guild's role for everybody has the guild's id, and in old guilds so has a channel: that role is left out, for nobody has it by name. */
enum names_flag {
	NAMES_ROLE = 1,			/* else it is a channel */
	NAMES_MODERATOR = 2,		/* the role may moderate (Administrator, Kick, Ban, Manage Guild, Manage Messages, Moderate Members) */
};

struct guild;
struct names { struct guild **v; size_t n, cap; };	/* sorted by id */

void names_release(struct names *t, size_t *bytes);
const struct guild *names_find(const struct names *t, uint64_t guild);
const struct guild *names_whole(const struct names *t, uint64_t guild);	/* NULL also when only some of its names came (names_set) */
uint64_t names_owner(const struct guild *g);		/* 0: not known */
/* The JSON text of a name; p NULL: not known. flags may be NULL. */
struct span names_get(const struct guild *g, uint64_t id, unsigned *flags);

/* A guild whole (GUILD_CREATE): replaces what was known. -1: no room or no memory; then it has no names. */
int names_put(struct names *t, size_t *bytes, struct span guild_object);
void names_drop(struct names *t, size_t *bytes, uint64_t guild);
/* One entry, an object with id and name (and permissions); the guild may be unknown, and is not whole then. removed: it is gone. */
int names_set(struct names *t, size_t *bytes, uint64_t guild, struct span object, unsigned kind, bool removed);
/* The same for an array of them that are channels. */
int names_add(struct names *t, size_t *bytes, uint64_t guild, struct span array);
int names_set_owner(struct names *t, uint64_t guild, uint64_t owner);

uint64_t names_id(struct span raw);			/* "123" (JSON text) as a number; 0: none */

#endif
