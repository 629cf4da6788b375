/*
 * folder: one log directory, in svlogd's layout.
 *
 *   current          the file that is written: mode 0644, and 0744 after a clean end
 *   @LABEL.s         rotated files, whole and synced; LABEL is the TAI64N time of the rotation; mode 0744
 *   lock             held while the directory is written (flock, as svlogd; fcntl, so that the holder can be named)
 *   config           see conf.h
 *
 * Power loss: what was written is on the disk after FOLDER_SYNC at the latest, and a rotated file before it gets its name. What follows the
 * last sync may be missing, torn, or zeros, by the file system's habit: at the next opening zeros at the end are cut off and a torn line is closed.
 * Files named .u (svlogd was killed, or its processor has not run) count as rotated ones.
 *
 * Paths are relative to the current directory, which must not change. Errors: -1 with errno, no message, unless it says so.
 */
#ifndef LOGD_FOLDER_H
#define LOGD_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "logd/conf.h"

#define FOLDER_SYNC CLOCK_S

struct folder {
	const char *path;	/* borrowed */
	int cur, lock;		/* -1: not open */
	struct conf conf;
	uint64_t size;		/* of current */
	int64_t since;		/* wall: when current got its first byte, or was found at the start; 0: it is empty */
	int64_t oldest;		/* wall: of the oldest rotated file; 0 none */
	bool torn;		/* current ends in the middle of a line */
	bool unsynced;
};

/* Makes the directory if need be (0755 less umask), locks it, reads config (a bad line is a warning), opens current for appending. -1: errno
 * EWOULDBLOCK when another holds it. */
int folder_open(struct folder *f, const char *path);

/* Syncs, marks current as cleanly ended. */
void folder_close(struct folder *f);

/* Reads config again. */
void folder_configure(struct folder *f);

/* All n bytes or none: what was written of them is cut off again. */
int folder_write(struct folder *f, const char *p, size_t n);

/* current gets its name, if it is not empty, and too many or too old files are removed. */
int folder_rotate(struct folder *f);

/* Removes what is beyond the limits; full: beyond those for a full disk. The number of files removed. */
int folder_prune(struct folder *f, bool full);

/* When folder_age wants to be called next, wall; 0 never. */
int64_t folder_due(const struct folder *f);
void folder_age(struct folder *f);	/* rotates and removes what is too old */

#endif
