/* The ledger's file: written anew when it has grown, one of an earlier version taken in; and the same when it is killed in the middle. */
#include "check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "scratch.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "gatewayd/upstream/ledger.h"

#define DEAD 9

static bool die_in_rename, die_in_unlink;

/* In the place of the C library's: a kill between the new file and its name, or between the name and the end of the old one. */
int rename(const char *from, const char *to)
{
	if (die_in_rename)
		_exit(DEAD);
	return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int unlink(const char *path)
{
	if (die_in_unlink)
		_exit(DEAD);
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

static char dir[SCRATCH], path[128], old[128], new[128];

static long size_of(const char *file)
{
	struct stat st;

	return stat(file, &st) ? -1 : (long)st.st_size;
}

static void put(const char *file, const struct buf *b)
{
	if (fd_replace(file, b->p, b->len, 0600))
		exit(2);
}

/* As buf_printf; a test has room. */
#define SAY(b, ...) do { if (buf_printf(b, __VA_ARGS__)) exit(2); } while (0)

/* A budget, an identify of conn 0 that went out, and one of conn 1 that did not yet. */
static void said(struct buf *b, int64_t now)
{
	buf_init(b, 1u << 20);
	SAY(b, "budget %lld 2 5000000000 1000 900 %lld\n", (long long)now, (long long)(now + CLOCK_S * 3600));
	SAY(b, "identify %lld 0 0 77\nsent %lld 0\n", (long long)now, (long long)now + 1);
	SAY(b, "identify %lld 1 1 77\n", (long long)now + 2);
}

/* Many connects, behind what counts. */
static void grown(int64_t now)
{
	struct buf b;

	said(&b, now);
	for (int i = 0; i < 8000; i++)
		SAY(&b, "connect %lld 0 77777\n", (long long)now + 3 + i);
	put(path, &b);
	buf_release(&b);
}

static struct ledger load(void)
{
	struct ledger l;

	if (ledger_load(path, &l))
		exit(2);
	return l;
}

static void whole(const char *when)
{
	struct ledger l = load();

	CHECK(l.n == 2 && l.v[0].sent && !l.v[1].sent && l.has_budget && l.remaining == 900, "%s: all that counts is there, once", when);
	ledger_release(&l);
}

/* Calls fn in a process that dies in it. */
static void killed(int (*fn)(void), bool *where)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		*where = true;
		fn();
		_exit(0);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == DEAD, "killed there");
}

static int connects(void)
{
	return ledger_connect(path, 0);
}

static int absorbs(void)
{
	return ledger_absorb(path, old);
}

static void tell_connects(int64_t now)
{
	long size;

	grown(now);
	size = size_of(path);
	CHECK(size > 256 << 10, "a ledger of %ld bytes, nearly all of it connects", size);
	killed(connects, &die_in_rename);
	CHECK(size_of(path) == size && size_of(new) > 0, "between the new file and its name: the old one is as it was, and the new one beside it");
	whole("after the kill");
	CHECK(connects() == 0 && size_of(path) < 1000 && size_of(new) < 0, "connects alone have it written anew: %ld bytes", size_of(path));
	whole("written anew");
	size = size_of(path);
	CHECK(connects() == 0 && size_of(path) > size, "and the next ones only add to it");
}

static void tell_absorb(int64_t now)
{
	struct buf b;
	int fd;

	unlink(path);
	said(&b, now);
	put(old, &b);
	fd = open(old, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && flock(fd, LOCK_EX) == 0 && absorbs() == 1 && size_of(old) > 0, "another process has it: not now");
	close(fd);
	killed(absorbs, &die_in_rename);
	CHECK(size_of(old) == (long)b.len, "before the new one has its name nothing has changed");
	buf_release(&b);
	killed(absorbs, &die_in_unlink);
	CHECK(size_of(old) > 0, "the old one is still there");
	whole("killed before the old one goes");
	CHECK(absorbs() == 0 && size_of(old) < 0, "then it goes");
	whole("taken in twice");
	CHECK(absorbs() == 0, "and is not missed");
}

static void tell_again(int64_t now)
{
	struct buf b;
	struct ledger l;

	buf_init(&b, 4096);
	SAY(&b, "identify %lld 0 0 78\n", (long long)now - 1);
	put(old, &b);
	buf_release(&b);
	CHECK(absorbs() == 0, "an earlier version that runs beside may write it again");
	l = load();
	CHECK(l.n == 3 && l.v[0].at == now - 1 && l.remaining == 900, "its record is in its place");
	ledger_release(&l);
}

int main(void)
{
	int64_t now = clock_wall() - 60 * CLOCK_S;

	scratch_make(dir);
	log_init("test_gw_ledger");
	snprintf(path, sizeof(path), "%s/shared", dir);
	snprintf(new, sizeof(new), "%s/shared.new", dir);
	snprintf(old, sizeof(old), "%s/ledger", dir);
	tell_connects(now);
	tell_absorb(now);
	tell_again(now);
	return check_done();
}
