#include "base/sync.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_ONCE 64

static aio_context_t context, later;	/* later: of sync_begin */
static bool refused;		/* no AIO here: seccomp, a limit, an old kernel */

static void one_by_one(const int *fd, int *err, size_t n)
{
	for (size_t i = 0; i < n; i++)
		err[i] = fdatasync(fd[i]) ? errno : 0;
}

static bool ready(void)
{
	if (!context && !refused)
		refused = syscall(SYS_io_setup, AT_ONCE, &context) != 0;
	return !refused;
}

/* Waits for n answers and puts them where they belong. */
static void collect(int *err, size_t n)
{
	struct io_event event[AT_ONCE];

	while (n) {
		long got = syscall(SYS_io_getevents, context, 1L, (long)n, event, NULL);

		if (got < 0 && errno != EINTR) {
			/* Never on a context of ours. What is not known to be synced is not: err says so from the start. */
			refused = true;
			return;
		}
		for (long i = 0; i < got; i++)
			err[event[i].data] = event[i].res < 0 ? (int)-event[i].res : 0;
		n -= got > 0 ? (size_t)got : 0;
	}
}

/* At most AT_ONCE files; how many were taken. */
static size_t together(const int *fd, int *err, size_t n)
{
	struct iocb block[AT_ONCE], *list[AT_ONCE];
	long taken;

	memset(block, 0, sizeof(block));
	for (size_t i = 0; i < n; i++) {
		block[i].aio_lio_opcode = IOCB_CMD_FDSYNC;
		block[i].aio_fildes = (uint32_t)fd[i];
		block[i].aio_data = i;
		list[i] = &block[i];
		err[i] = EIO;
	}
	taken = syscall(SYS_io_submit, context, (long)n, list);
	if (taken <= 0)
		return 0;
	collect(err, (size_t)taken);
	return (size_t)taken;
}

size_t sync_files(const int *fd, int *err, size_t n)
{
	size_t done = 0, bad = 0;

	while (n > 1 && done < n && ready()) {
		size_t part = n - done < AT_ONCE ? n - done : AT_ONCE;
		size_t taken = together(fd + done, err + done, part);

		if (taken == 0)
			break;
		done += taken;
	}
	/* One file, a file system that cannot, or what was not taken. */
	one_by_one(fd + done, err + done, n - done);
	for (size_t i = 0; i < n; i++) {
		if (err[i] == EINVAL || err[i] == ENOSYS)
			one_by_one(&fd[i], &err[i], 1);
		bad += err[i] != 0;
	}
	return bad;
}

int sync_begin(int fd, int eventfd)
{
	struct iocb block = {.aio_lio_opcode = IOCB_CMD_FDSYNC, .aio_fildes = (uint32_t)fd, .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = (uint32_t)eventfd};
	struct iocb *list[] = {&block};

	if (!later && (refused || syscall(SYS_io_setup, 1, &later) != 0))
		return -1;
	return syscall(SYS_io_submit, later, 1L, list) == 1 ? 0 : -1;
}

int sync_end(void)
{
	struct io_event event;
	long got;

	while ((got = syscall(SYS_io_getevents, later, 1L, 1L, &event, NULL)) < 0 && errno == EINTR)
		;
	if (got != 1)
		return got < 0 ? errno : EIO;
	return event.res < 0 ? (int)-event.res : 0;
}
