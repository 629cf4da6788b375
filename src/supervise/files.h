/*
 * files: the folder supervise/ of one service or logger, as runit's tools expect it.
 *
 *   lock      held in both families (flock: runsv; fcntl: s6), so that no other supervisor takes the directory
 *   control   fifo; letters come in, see control.h            ok       the same fifo; that it has a reader says "supervised"
 *   status    20 bytes, see status.h      stat    one line      pid      decimal, or empty; all three replaced by rename, but
 *             for what a letter changed in status, which is there before the next letter is read (files_answer)
 *   death_tally   only where the directory has a file max-death-tally: see tally.h
 *
 * supervise may be a symbolic link, its target is made if it is not there. Modes: folder 0700, fifos and lock 0600, texts 0644,
 * less the umask. A file is written only when what it says changed. No fsync: the files describe processes, which end with the machine.
 *
 * What is opened here is used by the loop (control, dirfd), which also writes the first status, before the first process is
 * made, and answers letters; else the three files are written by the writer alone (writer.h), which also closes all of it.
 */
#ifndef SUPERVISE_FILES_H
#define SUPERVISE_FILES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervise/status.h"

#define FILES_WHY_MAX 300

struct shown {			/* what the three files are to say */
	struct status status;
	char text[STATUS_TEXT_MAX];
};

struct files {
	int dirfd;		/* the service directory */
	int lock, control;	/* -1: not open */
	int ok;			/* -1: it is a second name of control, or not announced */
	bool announced;
	int64_t pid;		/* as last written; -1: never */
	char text[STATUS_TEXT_MAX];	/* stat as last written */
	bool failing;		/* the last write failed and was logged */
	pthread_mutex_t turn;	/* who gives the record its name, or changes it in place; with it: */
	unsigned answered;	/* the number of the newest answer in place */
	unsigned char flags[STATUS_FLAGS_END - STATUS_FLAGS];	/* what it said */
	/* the writer's */
	struct shown shown;
	unsigned answers;	/* so many are in shown */
	bool told;		/* there is something to write: what an earlier run left stays until then */
	bool queued, closing, late;
	struct files *next, *next_late;
	char path[];		/* of the directory, for messages */
};

/* Makes the folder `name`, or, where that is a dangling link, its target. 0 also if it is there; -1 with errno. */
int files_folder(int dirfd, const char *name);

/* Makes the folder and takes the lock. Takes dirfd. NULL with the reason in why, which names the file, and nothing held, dirfd closed. */
struct files *files_new(int dirfd, const char *path, char why[FILES_WHY_MAX]);

/* Makes beforehand what files_new and files_open would, where there is no folder yet: so many threads can wait for the disk at a time.
 * What cannot be made is left to them. */
void files_prepare(const char *path);

/* Writes the first status, then opens control (O_RDWR, non-blocking: it never sees an end of file) and makes ok: sv sees a supervisor.
 * -1 with the reason in why. */
int files_open(struct files *f, const struct shown *shown, char why[FILES_WHY_MAX]);

/* The flags of status (paused, wanted, TERM was sent), in place: the answer of this number, counted from 1. Silent: the writer comes
 * behind it. */
void files_answer(struct files *f, const struct shown *shown, unsigned number);

void shown_of(struct shown *out, const struct state *s, uint32_t pid);

/* Writes status, and stat and pid if they changed; ok, if files_open could not. Of the answers so many are in *shown: the flags of a later
 * one stay, for no reader may see those of before again. -1: not all of it could be done; that is logged once until all works again. */
int files_write(struct files *f, const struct shown *shown, unsigned answers);

void files_free(struct files *f);

#endif
