/*
 * job: one batch in a stage's hands: what was made from which line, what of that is still to be put, what was refused. Pure.
 *
 * Output lines are numbered from 0 in the order they were made. They are put in chunks; what the next hop refuses with retry
 * makes the next chunk, before anything that was made later.
 *
 * Most stages work a line at a time: job_made. Who learns line by line what was made from which, in any order, uses job_keep.
 */
#ifndef LINK_JOB_H
#define LINK_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "link/link.h"
#include "link/refusal_list.h"

#define JOB_OUT_MAX (256u << 20)	/* most that may be made from one batch, bytes */

struct chunk {
	const char *p;
	size_t len;
	uint32_t n;
	uint32_t first;		/* number of its first line, if ids is NULL */
	uint32_t *ids;		/* numbers of its lines when they do not follow each other */
};

struct job {
	struct job *next;	/* the owner's */
	struct batch *batch;
	const char *at;		/* next line of the batch to be worked on */
	uint32_t lines;		/* worked on already */
	bool put_waits;		/* a chunk is on its way, or waits for its time */
	struct buf out;
	size_t counted;		/* bytes of out, and */
	uint32_t made;		/* lines, that are booked to a line of the batch */
	uint32_t *upto;		/* upto[i]: lines made from the batch's lines 0 to i */
	uint32_t *causes, capcauses;	/* job_keep: the batch's line (from 1) that each line was made from */
	size_t put_at;		/* byte of out, and */
	uint32_t put_n;		/* line, that is put next */
	struct chunk chunk;	/* the one on its way */
	struct buf again;	/* chunk's bytes, when ids is set */
	struct refusal_list refused;
	unsigned char seen[LINK_BATCH_LINES / 8 + 1];	/* lines that are refused already */
};

struct job *job_new(struct batch *b);		/* NULL: no memory */
void job_free(struct job *j);

/* One more line of the batch is done; it made what stands in out since the last call. false: that is not whole lines. */
bool job_made(struct job *j);
/* One whole line stands in out since the last call. It was made from the batch's line n (from 1; 0: nobody knows). Not together with
 * job_made. -1: no memory. */
int job_keep(struct job *j, uint32_t n);
/* Where the work stands; job_undo takes back what was made and refused since, and the next line is the one of then. */
struct job_mark { const char *at; uint32_t lines, made; size_t counted, nrefused; };
struct job_mark job_mark(const struct job *j);
void job_undo(struct job *j, const struct job_mark *m);
/* Line number n (from 1) of the batch is refused; the first reason stays. -1: no memory. */
int job_refuse(struct job *j, uint32_t n, bool retry, const char *error);
/* What was said on stderr about line n, which was refused before; the first detail stays. -1: no memory. */
int job_explain(struct job *j, uint32_t n, const char *detail);

/* The next chunk into j->chunk; false: nothing is left to put. */
bool job_chunk(struct job *j);
const char *job_chunk_bytes(struct job *j);	/* j->chunk.p, which moves when out grows */
/* What became of j->chunk. Lines to be put again make up j->chunk afterwards: then *again is true. -1: no memory. */
int job_answered(struct job *j, const struct put_result *r, bool *again);

#endif
