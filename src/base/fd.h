/*
 * fd: descriptors and files.
 *
 * All descriptors made here are close-on-exec. Functions return -1 with errno set and print nothing,
 * unless it says otherwise: the caller knows what the file was for.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"

struct buf;

int fd_nonblock(int fd);
int fd_write_all(int fd, const void *p, size_t n);	/* blocking descriptor; retries EINTR and short writes */
int fd_read_file(const char *path, struct buf *out);	/* whole file, at most out->max bytes (EMSGSIZE) */

/* Replaces path whole and durably: path.new, write, fdatasync, rename, fsync of the folder. */
int fd_replace(const char *path, const void *p, size_t n, mode_t mode);
int fd_sync_dir(const char *path);			/* fsync of the folder that holds path */
int fd_mkdirs(const char *path, mode_t mode);		/* mkdir -p */

/* An exclusive lock on path (created 0600), both families (flock and fcntl); the descriptor, -1 EWOULDBLOCK when held.
 * While it is held its process must not open that file again, not even by these: POSIX drops the fcntl lock at any close. */
int fd_lock_at(int dirfd, const char *path);		/* at once; path relative to a folder */
int fd_lock(const char *path);				/* one that nobody alive holds is waited for, FD_LOCK_PATIENCE at most */

/*
 * The same with patience of the caller's, in ns. A process that dies gives back its fcntl locks first, those of flock a moment later,
 * and when it was killed while it made a child only with that child's exec. So a lock whose owner has ended (until it is collected it may
 * still hold it) is waited for, and one that nobody seems to hold; one of a living owner is not. Who knows flock alone looks like
 * nobody. No event tells when a lock is free: it is looked at every 5 ms. *owner, when -1 EWOULDBLOCK: who holds it, 0 not known.
 */
#define FD_LOCK_PATIENCE (3 * CLOCK_S)
int fd_lock_wait(int dirfd, const char *path, int64_t dead, int64_t nobody, pid_t *owner);

pid_t fd_lock_owner(const char *path);			/* who holds the fcntl lock; 0 nobody, -1 errno */

/* Sends sig to the process that holds the fcntl lock. The lock is looked at again when that process cannot become another any more. Its
 * pidfd, to be closed; -1: nobody holds it, or errno. */
int fd_lock_signal(const char *path, int sig);

#endif
