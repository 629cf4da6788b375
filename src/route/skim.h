/*
 * skim: a sketch of the part of the spool that was passed over: which tenants have lines where. Pure.
 *
 * The part is cut into pieces of some thousand lines. Of each it knows the place in the files and 256 bits, one of which is set for each tenant
 * that has a line there; so who looks for lines of some tenants reads only pieces that may have some. At most SKIM_PIECES pieces
 * are kept (256 KiB): when there are more, neighbours are put together, and pieces are twice as large from then on.
 */
#ifndef ROUTE_SKIM_H
#define ROUTE_SKIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "route/spool.h"

#define SKIM_PIECES 4096u
#define SKIM_LINES 2048u	/* of a piece, at first */

struct skim_bits { uint64_t w[4]; };
struct skim_piece { struct spool_pos pos; struct skim_bits bits; };

struct skim {
	struct skim_piece *v;
	size_t n, cap;
	uint64_t lines;		/* a piece has at least so many numbers */
};

void skim_init(struct skim *s);
void skim_release(struct skim *s);
void skim_clear(struct skim *s);
/* The first reader is about to read on from pos. */
void skim_at(struct skim *s, const struct spool_pos *pos);
void skim_add(struct skim *s, uint64_t tenant);		/* it saw a line of this tenant */
void skim_add_all(struct skim *s);			/* it may have seen lines of all in this piece */
void skim_forget(struct skim *s, uint64_t low);		/* nothing below is looked for any more */

/* Moves pos forward to the beginning of the piece that holds seq, if that is known and not behind it. true: it is known. */
bool skim_seek(const struct skim *s, struct spool_pos *pos, uint64_t seq);

void skim_bit(struct skim_bits *b, uint64_t tenant);
/* Moves pos to the first place from it on that may have lines of these tenants, at most to `end`; it stays where nothing is known. A
 * pos that was only sought (spool_seek) may move back to the beginning of its piece. */
void skim_next(const struct skim *s, struct spool_pos *pos, const struct skim_bits *want, const struct spool_pos *end);

#endif
