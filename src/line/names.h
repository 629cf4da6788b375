/*
 * names: has this name been in this object before? Private to the scanner. No allocation: the room for
 * names is a part of the struct, about 64 KiB that are only touched as far as they are used.
 *
 * Names are compared decoded ("a" and "\u0061" are the same). Objects of up to NAMES_FEW names are searched
 * one by one through fingerprints; bigger ones get an index under a random key, so that nobody can aim at collisions.
 * Together the objects open at one time may hold LINE_MAX_NAMES names.
 */
#ifndef LINE_NAMES_H
#define LINE_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "line/line.h"

#define NAMES_FEW 16u
#define NAMES_SLOTS (2u * LINE_MAX_NAMES)

struct names {
	const char *line;		/* start of the text that `at` counts from */
	uint32_t used;			/* names of all open objects; the innermost one's are last */
	bool slots_clean;		/* slot[] has been zeroed for this line */
	uint64_t key[2];		/* of the index */
	uint64_t mark[LINE_MAX_NAMES];	/* fingerprint of the decoded name; its keyed hash where the object is indexed */
	uint32_t at[LINE_MAX_NAMES];	/* offset of the opening quote */
	uint32_t size[LINE_MAX_NAMES];	/* raw length with quotes */
	uint16_t slot[NAMES_SLOTS];	/* index of bigger objects: place in at[] plus 1, 0 = free */
};

struct names_object {			/* one open object */
	uint32_t base;			/* its first name in at[] */
	bool indexed;
};

enum names_result { NAMES_NEW, NAMES_REPEATED, NAMES_FULL };

static inline void names_init(struct names *s, const char *line)
{
	s->line = line;
	s->used = 0;
	s->slots_clean = false;
}

static inline void names_open(const struct names *s, struct names_object *o)
{
	o->base = s->used;
	o->indexed = false;
}

void names_unindex(struct names *s, const struct names_object *o);

static inline void names_close(struct names *s, const struct names_object *o)
{
	if (__builtin_expect(o->indexed, 0))
		names_unindex(s, o);
	s->used = o->base;
}

uint64_t names_mark_escaped(struct span raw);	/* the same number for a name with escapes */
bool names_same(struct span a, struct span b);
enum names_result names_add_indexed(struct names *s, struct names_object *o, struct span raw);

/* head and tail: the first and the last 8 bytes of a name of n bytes; below 8 bytes head is padded with zeros, tail is 0. */
static inline uint64_t names_mark_of(uint64_t head, uint64_t tail, size_t n)
{
	if (n < 8)
		return head | (uint64_t)n << 56;
	return head ^ (tail << 23 | tail >> 41) ^ (uint64_t)n << 40;
}

/* A number that is equal for equal names. p: the text without escapes; readable: bytes that may be read from p. */
static inline uint64_t names_mark(const char *p, size_t n, size_t readable)
{
	uint64_t head = 0, tail = 0;

	if (n >= 8) {
		memcpy(&head, p, 8);
		memcpy(&tail, p + n - 8, 8);
	} else if (readable >= 8) {
		memcpy(&head, p, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		head &= ((uint64_t)1 << 8 * n) - 1;
#else
		head = n ? head >> (64 - 8 * n) : 0;
#endif
	} else {
		memcpy(&head, p, n);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
		head = n ? head >> (64 - 8 * n) : 0;
#endif
	}
	return names_mark_of(head, tail, n);
}

/* raw: a name with its quotes. mark: names_mark of it, or names_mark_escaped when it has escapes. */
static inline enum names_result names_add(struct names *s, struct names_object *o, struct span raw, uint64_t mark)
{
	uint32_t i, used = s->used;

	if (__builtin_expect(used - o->base >= NAMES_FEW || used >= LINE_MAX_NAMES, 0))
		return names_add_indexed(s, o, raw);
	for (i = o->base; i < used; i++)
		if (s->mark[i] == mark &&
		    names_same(raw, (struct span){ s->line + s->at[i], s->size[i] }))
			return NAMES_REPEATED;
	s->mark[used] = mark;
	s->at[used] = (uint32_t)(raw.p - s->line);
	s->size[used] = (uint32_t)raw.n;
	s->used = used + 1;
	return NAMES_NEW;
}

#endif
