/*
 * takeover: finding again what an earlier supervise, which was killed, has left: its processes, and the pipes between them.
 */
#ifndef SUPERVISE_TAKEOVER_H
#define SUPERVISE_TAKEOVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervise/files.h"
#include "supervise/keep.h"
#include "supervise/status.h"

/* Is the process on record alive, and proven to be it (its time of birth)? Its pidfd; or -1: it is not; or -2: that cannot be
 * known, with the reason in why. */
int takeover_process(const struct keep_slot *s, char why[FILES_WHY_MAX]);

/* The wait status of a process that is not our child, after its pidfd became readable: 0; 1 not yet told; -1 never. Kernels
 * from 6.15 on tell it once its parent has collected it. */
int takeover_status(int pidfd, int *status);

int64_t takeover_ticks(int64_t ns);	/* of the boot clock, as /proc/PID/stat counts */

/* Opens the pipe with this inode through a process that has it, `likely` being its descriptor there; flags: O_RDONLY or O_WRONLY. Blocking.
 * -1 with errno; ENOENT: it has it not (any more). */
int takeover_pipe(pid_t pid, int likely, uint64_t ino, int flags);
uint64_t takeover_pipe_inode(int fd);		/* 0: none */

/* Without a record: does a process live that the files of supervise/ (of another supervisor, or another version) tell of? Its id, which
 * may be one by chance: it was born between the begin of the state and the last change of the file, or its current directory is this
 * one; 0: no. */
pid_t takeover_suspect(int dirfd);

#endif
