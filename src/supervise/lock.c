#include "supervise/lock.h"

#include "base/fd.h"

int lock_take(int dirfd, const char *path, pid_t *owner)
{
	static int64_t begun;
	int64_t now = clock_mono();

	if (!begun)
		begun = now;
	return fd_lock_wait(dirfd, path, FD_LOCK_PATIENCE, begun + LOCK_NOBODY - now, owner);
}
