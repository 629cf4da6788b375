/*
 * room: what was said lately in each room, and who listens. Pure.
 *
 * A room is the lines with one tenant and the partitionkey "browser:NAME". Its ring holds the newest of them, each as
 * the frame that clients are sent, in the order of the hub's sequence numbers; a client needs no queue of its own, only the number of the
 * last event it was sent (its position). A line whose number is not above the newest is a repeat and is dropped.
 *
 * What a ring does not hold lies in the history: everything up to room_gap(room).
 */
#ifndef GATEWAYD_ROOM_H
#define GATEWAYD_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gatewayd/browser/frame.h"

#define ROOM_PAD 16u	/* bytes before each frame that the socket edge may write to (edge.h, EDGE_PRE) */

struct room_line {
	uint64_t seq;
	size_t len;		/* of the frame */
	char bytes[];		/* ROOM_PAD, then the frame */
};

struct room {
	char name[ROOM_NAME_MAX + 1];
	struct room_line **ring;	/* power of two places, grown as needed */
	size_t cap, head, count;	/* head: index of the oldest */
	size_t bytes;
	uint64_t newest;		/* seq of the newest line ever put in; 0 = none yet */
	uint64_t evicted;		/* seq of the newest line that fell out; 0 = none yet */
	void *members;			/* the caller's list of clients; a room with members is never given up */
	struct room *next;		/* private: hash chain */
	struct room *older, *newer;	/* private: by last use */
};

struct rooms {
	struct room **v;		/* hash table */
	size_t cap, count, max;		/* rooms */
	size_t max_lines, max_ring;	/* of one ring, lines and bytes (one line may always stay) */
	size_t bytes, max_bytes;	/* of all rings; above it rooms without members are given up, the longest unused first */
	struct room *oldest, *newest;
	uint64_t key[2];
};

int rooms_init(struct rooms *r, size_t max_rooms, size_t max_lines, size_t max_ring, size_t max_bytes,
	const uint64_t key[2]);		/* -1: no memory */
void rooms_release(struct rooms *r);

/* The room of that name, or NULL. */
struct room *rooms_find(struct rooms *r, const char *name);
/* The same, made if it is new; NULL: no memory, or as many rooms as allowed and all have members. */
struct room *rooms_get(struct rooms *r, const char *name);

/* Puts a frame in: 1; 0: a repeat; -1: no memory (the line counts as evicted: it is in the history only). */
int room_push(struct rooms *r, struct room *room, uint64_t seq, const char *frame, size_t n);

/* The oldest line of the ring behind position pos; NULL: none. */
struct room_line *room_after(const struct room *room, uint64_t pos);
/* How many lines of the ring are behind pos. */
size_t room_behind(const struct room *room, uint64_t pos);

/* Positions from here on can go on from the ring; below it the history may hold more. 0: the ring was never used, and nobody knows. */
uint64_t room_gap(const struct room *room);

#endif
