/*
 * writer: the files in supervise/ are written by a thread of their own, so that a death waits for no disk.
 *
 * What is shown of one service counts as it is last: a service that changes faster than the disk takes it is written less often.
 * Jobs of one struct files are done in order. What cannot be written, as on a full disk, is tried again each WRITER_AGAIN until it can.
 * Where no thread is to be had, writer_go does the work itself. The thread allocates nothing and sleeps when there is nothing to do.
 *
 * All functions are for the one thread that owns the writer.
 */
#ifndef SUPERVISE_WRITER_H
#define SUPERVISE_WRITER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "supervise/files.h"

#define WRITER_AGAIN CLOCK_S

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work, idle;
	struct files *head, *tail;	/* to be written */
	struct files *late;		/* could not be written */
	int64_t again_at;		/* when these are tried again */
	unsigned closing;	/* jobs among these that close */
	bool threaded, busy, stop, held;
};

void writer_init(struct writer *w);
void writer_release(struct writer *w);	/* all that is queued is done first */

/* To be written as *shown says. It is begun at writer_go. first: before what others wait for: it is an answer to a command. */
void writer_show(struct writer *w, struct files *f, const struct shown *shown, bool first);

/* The flags that a letter changed, at once: sv writes no letter where the record shows that it is wanted already. The rest comes with
 * writer_show. */
void writer_answer(struct writer *w, struct files *f, const struct shown *shown);

/* Takes f: what is to be written is written, then it is closed and freed. */
void writer_close(struct writer *w, struct files *f);

void writer_go(struct writer *w);	/* the end of a round */

/* Held, the thread leaves what is queued alone: what changes several times in a moment is then written once, as it is last. */
void writer_hold(struct writer *w, bool held);

/* Waits until everything has been written, or was tried; ends a hold. */
void writer_drain(struct writer *w);

bool writer_idle(struct writer *w);	/* everything has been */

bool writer_closing(struct writer *w);	/* something is still to be closed */

/* A directory that is still being closed cannot be opened again: waits for that, if there is one. */
void writer_drain_closing(struct writer *w);

#endif
