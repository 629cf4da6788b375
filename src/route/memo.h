/*
 * memo: what was decided about the lines that were read from a file last. Other destinations come by them, and the one that goes back
 * (fill.h) comes by them several times; to look into a line again is most of what that costs. Pure.
 */
#ifndef ROUTE_MEMO_H
#define ROUTE_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#define MEMO_LINES 262144u	/* 8 MiB, once there is one */

struct spool_line;

/* Zeroed = empty. */
struct memo { struct memo_line { uint64_t seq, mask, lane, tenant; } *v; };

/* Mask, lane and tenant of the line with this number, all else zero; false: not known. */
bool memo_get(const struct memo *m, uint64_t seq, struct spool_line *out);
void memo_put(struct memo *m, uint64_t seq, const struct spool_line *line);	/* without memory nothing happens */
void memo_release(struct memo *m);	/* forgets all: what the bits of a mask mean has changed, or the end */

#endif
