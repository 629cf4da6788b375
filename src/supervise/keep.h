/*
 * keep: what a supervise that is killed leaves to the next one, in a mapped file, DIR/.supervise/keep: which process is whose, the proof
 * that it still is, and the state of each service. Plain stores: it costs no system call and survives kill -9 (not the machine).
 *
 * A process is on record before it is another program: the child itself writes its id (see spawn.h). The proof of a process is its id
 * with its time of birth: `before` and `after` are the boot clock around it, and the kernel's own note of it (/proc/PID/stat) must lie
 * between them. A state is written beside the one in force, then put in force by one store, so that one of them is always whole.
 *
 * The file is of use to the same version (magic, row size), the same boot and the same process namespace only; else it is made anew. Rows
 * are in the machine's byte order; they are the next supervise's own memory, so only what would break it is checked (state_fits).
 */
#ifndef SUPERVISE_KEEP_H
#define SUPERVISE_KEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervise/state.h"

#define KEEP_ROWS_MAX 20000
#define KEEP_NAME_MAX 64

struct keep_slot {
	uint32_t pid;		/* 0: none */
	uint32_t finish;	/* 1: it is finish */
	int64_t before, after;	/* CLOCK_BOOTTIME, nanoseconds; after 0: not noted */
	uint64_t notify;	/* inode of the pipe on which it tells that it is ready; 0: none */
	uint32_t which;		/* the state in force is st[which & 1] */
	uint32_t noted;		/* 1: there is one */
	struct state st[2];
};

struct keep_row {
	uint32_t used;
	uint64_t dev, ino;	/* of the service directory */
	uint64_t pipe;		/* inode of the pipe to the logger; 0: none */
	char name[KEEP_NAME_MAX];	/* cut; for messages */
	struct keep_slot main, log;
};

struct keep {
	struct keep_head *head;	/* the mapping; private memory when there is no file to be had */
	struct keep_row *row;	/* in it; moves when it grows */
	unsigned char *claimed;	/* of each row: by a service of this run */
	const char *path;	/* borrowed */
	size_t size;
	int fd;
	uint32_t rows;		/* room in the mapping */
	uint32_t low;		/* no unused row is below */
	uint32_t left, hint;	/* rows of before that nobody has claimed; where the next one is likely */
};

/* Opens what an earlier run left, or makes it anew. Where there is no file to be had there is a warning. -1: no memory. */
int keep_open(struct keep *k, const char *path);
void keep_close(struct keep *k, bool done);	/* done: nothing runs any more, the file goes */

/* The row of a directory, with what is known of it, or a new one. -1 with a message. */
int keep_take(struct keep *k, dev_t dev, ino_t ino, const char *name);
void keep_give(struct keep *k, int row);

/* A process is about to be made for the slot: returns where it writes its id. After that keep_born, or keep_dead. */
uint32_t *keep_birth(struct keep_slot *s, bool finish);
void keep_born(struct keep_slot *s);
void keep_dead(struct keep_slot *s);

void keep_state(struct keep_slot *s, const struct state *st);
const struct state *keep_last(const struct keep_slot *s);	/* NULL: none */
void keep_forget(struct keep_slot *s);				/* no process, no state */

/* Rows of directories that no service of this run has taken. */
void keep_unclaimed(struct keep *k, void (*fn)(void *arg, int row), void *arg);

#endif
