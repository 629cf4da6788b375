/*
 * dead: the dead letters of one destination, spool/dead/NAME.ndjson (letter.h).
 *
 * Letters are collected, then kept together with one fdatasync; only then may the cursor pass their lines. A letter is named by its
 * number and the offset it stands at (a reference): who listed it says both, and finds out when the file was packed in between. One that is
 * dropped or retried is marked in its place; the file is packed, by rename, when most of its letters are marked.
 *
 * Only who holds the spool's lock may write. Reading needs no lock: a reader sees whole lines, each as it was at some moment.
 */
#ifndef ROUTE_DEAD_H
#define ROUTE_DEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "route/letter.h"

struct dead {
	char *path;
	const char *dest;	/* borrowed */
	struct buf letters;	/* collected, not kept yet */
	uint64_t collected;	/* how many */
	bool (*room)(void *arg, uint64_t n);	/* the disk is full: makes room for n bytes, if it can; may be NULL */
	void *arg;
	uint64_t alive;		/* letters in the file, after dead_scan */
	uint64_t gone;		/* letters that are marked */
};

struct dead_ref { uint64_t seq; off_t off; };

int dead_init(struct dead *d, const char *spool, const char *dest);	/* -1 with a message */
void dead_release(struct dead *d);

/* Reads a whole file of letters: fn for each line (without LF) with its offset; stops when fn returns false. No file: no letters. A line longer
 * than a letter can be, and what stands behind the last LF, is passed over. -1 with a message. */
int dead_each(const char *path, bool (*fn)(void *arg, off_t off, const char *p, size_t n), void *arg);

/* At start, once: counts; fn for each letter, gone ones too. Of an edited letter and its old form the later one stays. -1 with a message. */
int dead_scan(struct dead *d, void (*fn)(void *arg, const struct dead_ref *ref, bool alive), void *arg);

/* Collects one; line without LF. -1: no memory. */
int dead_add(struct dead *d, uint64_t seq, unsigned attempts, const char *error, const char *detail, const char *line, size_t n);
int dead_keep(struct dead *d);		/* writes and syncs what was collected; -1 with a message: none of it counts */

/* The living letter at ref; *l points into text. 1; 0: there is none (any more); -1 with a message. */
int dead_get(const struct dead *d, const struct dead_ref *ref, struct buf *text, struct letter *l);
/* Marks those of them that are alive and syncs; *marked counts them. -1 with a message: the last ones may not be. */
int dead_mark(struct dead *d, const struct dead_ref *refs, size_t n, uint64_t *marked);
/* Another text for the event of a living letter, under the same number. 1; 0: there is none; -1 with a message, all is as it was. */
int dead_edit(struct dead *d, const struct dead_ref *ref, const char *line, size_t n);

#endif
