/*
 * pieces: what is good in a segment file that may be damaged, and where. Reads all of it, checking every group; where something stands that
 * is no group it looks for the next good one: the place that a commit line further on counts back to, if number of lines,
 * bytes and checksum agree. Bytes that cannot be read are passed over like damaged ones.
 *
 * Memory: a group at a time. Changes nothing.
 */
#ifndef ROUTE_PIECES_H
#define ROUTE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whole good groups, one behind the other. */
struct piece {
	off_t off, end;		/* bytes of the file */
	uint64_t first, next;	/* numbers: of the first line, and behind the last */
	uint64_t gen;
};

struct fault {
	off_t off, end;		/* bytes that are no good group */
	uint64_t from, next;	/* numbers that are missing here; from == next: none is known to be */
	const char *why;
	bool tail;		/* nothing good comes behind it */
	bool torn;		/* and it looks like a write that did not end: no whole commit line */
	uint64_t claim;		/* tail: number behind the last line that a commit line in it speaks of; next when there is none */
};

struct pieces {
	struct piece *v; size_t n, cap;
	struct fault *faults; size_t nfaults, faults_cap;
	bool head;		/* it begins with a commit line of a segment that tells: */
	uint64_t prev, lines;
	off_t size;		/* of the file */
};

/* `first` is the number in the file's name; no group with a line at or behind `limit` is looked for behind damage. 0, or -1 with errno
 * (no memory, no such descriptor): nothing is known. */
int pieces_scan(struct pieces *p, int fd, uint64_t first, uint64_t limit);
void pieces_release(struct pieces *p);
/* For who reads on by himself: the first good group that begins at or behind `from`, with a number from seq on. 1: *at is where and *first
 * its number; 0: there is none; -1: errno. */
int pieces_next(int fd, off_t from, uint64_t seq, uint64_t limit, off_t *at, uint64_t *first);

#endif
