/*
 * files: the folder supervise/ of one service or logger, as runit's tools expect it.
 *
 *   lock      held in both families (flock: runsv; fcntl: s6), so that no other supervisor takes the directory
 *   control   fifo; letters come in, see control.h            ok       fifo; that it has a reader says "supervised"
 *   status    20 bytes, see status.h      stat    one line      pid      decimal, or empty; all three replaced by rename
 *
 * supervise may be a symbolic link, its target is made if it is not there. Modes: folder 0700, fifos and lock 0600, texts 0644,
 * less the umask. A file is written only when what it says changed. No fsync: the files describe processes, which end with the machine.
 */
#ifndef SUPERVISE_FILES_H
#define SUPERVISE_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "supervise/status.h"

#define FILES_WHY_MAX 300

struct files {
	int dirfd;		/* the service directory; borrowed */
	const char *path;	/* of it, for messages; borrowed */
	int lock, control, ok;	/* -1: not open */
	int64_t pid;		/* as last written; -1: never */
	char text[STATUS_TEXT_MAX];	/* stat as last written */
	bool failing;		/* the last write failed and was logged */
};

/* Makes the folder, takes the lock, opens control (O_RDWR, non-blocking: it never sees an end of file). 0, or -1 with the reason in why,
 * which names the file, and nothing held. */
int files_open(struct files *f, int dirfd, const char *path, char why[FILES_WHY_MAX]);

/* Opens ok, last of all: from now on sv sees a supervisor. 0, or -1 with the reason. */
int files_announce(struct files *f, char why[FILES_WHY_MAX]);

/* Writes status, and stat and pid if they changed. A failure is logged once until a write works again. */
void files_write(struct files *f, const struct state *s, uint32_t pid);

void files_close(struct files *f);

#endif
