/*
 * irc_member: who is in a channel, and what they are there. Pure. Needed twice: a QUIT names no channel, and a message names no role.
 *
 * Names are folded by the caller. At most `max` members are kept: beyond it a person simply has no roles, and their QUIT no channel.
 */
#ifndef GATEWAYD_PLATFORM_IRC_MEMBER_H
#define GATEWAYD_PLATFORM_IRC_MEMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IRC_OWNER = 1, IRC_MODERATOR = 2, IRC_VOICE = 4 };

struct irc_member {
	struct irc_member *next;
	uint8_t modes[8];	/* letters of PREFIX the person has here, 0 behind the last */
	size_t n;
	char name[];
};

struct irc_members {
	struct irc_member **v;	/* hash table, a power of two places */
	size_t cap, count, max;
	uint64_t key[2];
};

void irc_members_init(struct irc_members *s, size_t max, const uint64_t key[2]);
void irc_members_release(struct irc_members *s);	/* empty; may be used again */

struct irc_member *irc_members_find(const struct irc_members *s, const char *name, size_t n);
struct irc_member *irc_members_add(struct irc_members *s, const char *name, size_t n);	/* found or made; NULL: full, or no memory */
bool irc_members_remove(struct irc_members *s, const char *name, size_t n);	/* false: was not there */

void irc_member_set(struct irc_member *m, char letter, bool on);
/* IRC_OWNER ...: of q; a, o and h; v. */
unsigned irc_member_roles(const struct irc_member *m);

#endif
