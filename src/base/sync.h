/*
 * sync: fdatasync of many files at once.
 *
 * One after the other, the syncs of n files take n times as long as one: each waits for the device by itself. Given to the kernel
 * together (Linux AIO, IOCB_CMD_FDSYNC; no thread of ours) they share the journal's commit and the device's flush: 64 files
 * took 3 to 30 ms instead of 200 to 270 (ext4, a busy disk). Where AIO is not to be had they are synced one after the other.
 */
#ifndef BASE_SYNC_H
#define BASE_SYNC_H

#include <stddef.h>

/* err[i] is 0, or the errno of file i. Returns how many failed. */
size_t sync_files(const int *fd, int *err, size_t n);

/* One file, without waiting: eventfd becomes readable when it is over. One at a time. -1 errno: not here, see above. */
int sync_begin(int fd, int eventfd);
int sync_end(void);		/* waits for it, if need be: 0, or its errno */

#endif
