/*
 * files: the folder supervise/ of one service or logger, as runit's tools expect it.
 *
 *   lock      held in both families (flock: runsv; fcntl: s6), so that no other supervisor takes the directory
 *   control   fifo; letters come in, see control.h            ok       the same fifo; that it has a reader says "supervised"
 *   status    20 bytes, see status.h      stat    one line      pid      decimal, or empty; all three replaced by rename
 *   death_tally   only where the directory has a file max-death-tally: see tally.h
 *
 * supervise may be a symbolic link, its target is made if it is not there. Modes: folder 0700, fifos and lock 0600, texts 0644,
 * less the umask. A file is written only when what it says changed. No fsync: the files describe processes, which end with the machine.
 *
 * What is opened here is used by the loop (control, dirfd); the three files are written by the writer alone (writer.h), which
 * also closes all of it.
 */
#ifndef SUPERVISE_FILES_H
#define SUPERVISE_FILES_H

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
	/* the writer's */
	struct shown shown;
	bool queued, closing, late;
	struct files *next, *next_late;
	char path[];		/* of the directory, for messages */
};

/* Makes the folder, takes the lock, opens control (O_RDWR, non-blocking: it never sees an end of file). Takes dirfd. NULL with
 * the reason in why, which names the file, and nothing held, dirfd closed. */
struct files *files_new(int dirfd, const char *path, char why[FILES_WHY_MAX]);

void shown_of(struct shown *out, const struct state *s, uint32_t pid);

/* Writes status, and stat and pid if they changed; after the first time opens ok: from then on sv sees a supervisor. -1: not all of it
 * could be done; that is logged once until all works again. */
int files_write(struct files *f, const struct shown *shown);

void files_free(struct files *f);

#endif
