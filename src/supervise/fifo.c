#include "supervise/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int fifo_open(int dirfd)
{
	struct stat st;
	int fd;

	if (mkfifoat(dirfd, FIFO_NAME, 0600) < 0 && errno != EEXIST)
		return -1;
	fd = openat(dirfd, FIFO_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)))
		return fd;
	close(fd);
	errno = EEXIST;
	return -1;
}

int fifo_reading_end(int fifo)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fifo);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? fcntl(fifo, F_DUPFD_CLOEXEC, 3) : fd;
}

bool fifo_is_empty(int fifo)
{
	int n = 0;

	return ioctl(fifo, FIONREAD, &n) < 0 || n == 0;
}

/* Through a descriptor of its own, which does not wait: the fifo's flags belong to the service, too. */
void fifo_mark(int dirfd, const char *text)
{
	char line[512];
	int fd = openat(dirfd, FIFO_NAME, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW), n;

	if (fd < 0)
		return;
	/* Less than PIPE_BUF: whole or not at all. logd knows it by its first byte. */
	n = snprintf(line, sizeof line, "\x1esupervise: %.400s\n", text);
	(void)!write(fd, line, (size_t)n);
	close(fd);
}
