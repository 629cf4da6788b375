#include "supervise/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/fd.h"
#include "supervise/children.h"

#define NAP 5	/* ms */

/* Who holds it in the family of fcntl: 0, or -1: nobody. A number of 0: one that has ended, in a process namespace. */
static int owner_of(int dirfd, const char *path, pid_t *owner)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(dirfd, path, O_RDWR | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fcntl(fd, F_GETLK, &whole);

	if (fd >= 0)
		close(fd);
	if (rc < 0 || whole.l_type == F_UNLCK)
		return -1;
	*owner = whole.l_pid;
	return 0;
}

static bool has_died(pid_t pid)
{
	if (pid == 0)
		return true;
	if (pid < 0)
		return false;
	return (kill(pid, 0) < 0 && errno == ESRCH) || children_zombie(pid);
}

int lock_take(int dirfd, const char *path, pid_t *owner)
{
	static int64_t begun;
	int64_t now = clock_mono(), end = now + LOCK_PATIENCE;

	if (!begun)
		begun = now;
	for (;; now = clock_mono()) {
		int fd = fd_lock_at(dirfd, path);

		*owner = 0;
		if (fd >= 0 || errno != EWOULDBLOCK)
			return fd;
		if (owner_of(dirfd, path, owner) < 0 ? now > begun + LOCK_NOBODY : !has_died(*owner) || now > end) {
			errno = EWOULDBLOCK;
			return -1;
		}
		poll(NULL, 0, NAP);
	}
}
