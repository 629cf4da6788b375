#include "supervise/tally.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervise/state.h"
#include "supervise/svdir.h"

#define TAI_BASE ((UINT64_C(1) << 62) + 37)

static void put(unsigned char *p, uint64_t v, int bytes)
{
	while (bytes-- > 0) {
		p[bytes] = (unsigned char)v;
		v >>= 8;
	}
}

void tally_pack(unsigned char out[TALLY_RECORD], int64_t wall, int status)
{
	bool killed = status != STATE_UNKNOWN && WIFSIGNALED(status);

	put(out, TAI_BASE + (uint64_t)(wall / CLOCK_S), 8);
	put(out + 8, (uint64_t)(wall % CLOCK_S), 4);
	out[12] = (unsigned char)(killed ? 128 + WTERMSIG(status) : status == STATE_UNKNOWN ? 255 : WEXITSTATUS(status));
	out[13] = (unsigned char)(killed ? WTERMSIG(status) : 0);
}

void tally_add(int dirfd, const char *label, int status)
{
	static unsigned char records[(TALLY_MAX + 1) * TALLY_RECORD];
	uint64_t most;
	size_t n = 0, keep;
	ssize_t got;
	int fd;

	if (svdir_number(dirfd, label, "max-death-tally", TALLY_MAX, &most) != 0 || most == 0)
		return;
	fd = openat(dirfd, "supervise/death_tally", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		goto fail;
	got = read(fd, records, TALLY_MAX * TALLY_RECORD);
	if (got > 0)
		n = (size_t)got / TALLY_RECORD;
	keep = n < most ? n : (size_t)most - 1;
	memmove(records, records + (n - keep) * TALLY_RECORD, keep * TALLY_RECORD);
	tally_pack(records + keep * TALLY_RECORD, clock_wall(), status);
	n = (keep + 1) * TALLY_RECORD;
	if (got >= 0 && pwrite(fd, records, n, 0) == (ssize_t)n && ftruncate(fd, (off_t)n) == 0) {
		close(fd);
		return;
	}
fail:
	log_warn("%s/supervise/death_tally: %s: this death is not in it", label, strerror(errno));
	if (fd >= 0)
		close(fd);
}
