/*
 * slice: a stream of bytes, given out as whole lines, up to `take` of them at a time and LINK_BATCH_BYTES (a single line may be longer). A line
 * over the cap, or a half one at the end, is dropped and said. Pure.
 *
 * Whoever reads writes behind `len`, into the room that slice_room made, and counts len up.
 */
#ifndef LINK_TRANSPORT_SLICE_H
#define LINK_TRANSPORT_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	/* set beforehand; the rest zeroed */
	size_t max_line;
	unsigned take;
	void (*drop)(void *arg, uint64_t number, const char *fault);
	void *arg;

	char *buf;
	size_t cap, start, len;		/* [start, len) is not taken yet */
	size_t given;			/* bytes from start that are given out */
	size_t scanned;			/* bytes from start without LF */
	bool skipping;			/* inside a line over the cap */
	uint64_t number;		/* lines so far */
};

size_t slice_room(struct slice *s);			/* bytes of room behind len; 0: no memory, errno */
bool slice_next(struct slice *s);			/* [start, start + given) are the next lines; false: there is no whole one */
bool slice_taken(struct slice *s);			/* they are not needed any more; true: bytes are left */
void slice_end(struct slice *s, const char *fault);	/* nothing more will come: a half line is dropped for this */
void slice_release(struct slice *s);

#endif
