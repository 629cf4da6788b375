#include "supervise/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/place.h"
#include "supervise/fifo.h"
#include "supervise/spawn.h"
#include "supervise/state.h"
#include "supervise/supervise.h"

#define LOOK (100 * CLOCK_MS)	/* between two looks whether a fifo that nobody needs any more is empty */
#define CONTROL_FD 3

struct outlet {
	struct outlet *next;
	int fd;			/* the fifo, both ends */
	bool told;		/* logd has it */
	bool closing;		/* its service is gone */
	char name[];
};

static struct {
	struct loop *loop;
	const char *dir, *stamp;
	bool on, echo, ending, said;	/* ending: logd was told to leave */
	pid_t pid;			/* 0: it does not run */
	int64_t started;
	unsigned untold, closing;	/* outlets that are so */
	struct loop_io io;
	struct loop_timer again, look;
	struct backoff backoff;
	struct outlet *all;
} logs = { .io = { .fd = -1 } };

/* ---- logd ---- */

static void hang_up(void)
{
	if (logs.io.fd < 0)
		return;
	loop_io_del(logs.loop, &logs.io);
	close(logs.io.fd);
	logs.io.fd = -1;
}

static int start(void)
{
	static char path[4200];
	const char *argv[] = { "logd", "--control", "3", "-t", logs.stamp, "-L", log_form_word(), logs.dir, logs.echo ? "-e" : NULL, NULL };
	struct spawn sp = { .argv = argv, .path = path, .in = -1, .out = -1, .notify_to = CONTROL_FD };
	int pair[2] = { -1, -1 };

	snprintf(path, sizeof path, "%.4096s/logd", place_folder());
	sp.dirfd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sp.dirfd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		goto fail;
	sp.notify = pair[1];
	logs.io.fd = pair[0];
	if (loop_io_add(logs.loop, &logs.io, 0) < 0)
		goto fail;
	logs.pid = spawn(&sp);
	if (logs.pid < 0)
		goto fail;
	close(pair[1]);
	close(sp.dirfd);
	logs.started = clock_mono();
	logs.said = false;
	logs.untold = 0;
	for (struct outlet *o = logs.all; o; o = o->next) {
		o->told = false;
		logs.untold++;
	}
	return 0;
fail:
	if (!logs.said)
		log_error("logd: %s: what services write waits in their pipes", strerror(errno));
	logs.said = true;
	logs.pid = 0;
	hang_up();
	if (pair[1] >= 0)
		close(pair[1]);
	if (sp.dirfd >= 0)
		close(sp.dirfd);
	return -1;
}

static void start_later(int64_t wait)
{
	if (loop_timer_in(logs.loop, &logs.again, wait) < 0)
		log_error("logd: no memory for a timer: it is not started again");
}

static void on_again(void *arg)
{
	(void)arg;
	if (logs.pid > 0)
		logs_tell();
	else if (start() < 0)
		start_later(backoff_next(&logs.backoff, hash_random()));
	else
		logs_tell();
}

bool logs_is(pid_t pid)
{
	return logs.pid > 0 && pid == logs.pid;
}

bool logs_reaped(pid_t pid, int status)
{
	char how[STATE_HOW_MAX];

	if (!logs_is(pid))
		return false;
	logs.pid = 0;
	hang_up();
	if (!logs.on || (logs.ending && WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return true;
	logs.ending = false;
	log_warn("logd: process %ld %s: started again", (long)pid, state_how(status, how));
	if (clock_mono() - logs.started >= CLOCK_S)
		backoff_reset(&logs.backoff);
	/* The first time at once. */
	start_later(logs.backoff.tries++ ? backoff_next(&logs.backoff, hash_random()) : 1);
	return true;
}

/* ---- telling ---- */

static void on_socket(void *arg, unsigned events)
{
	(void)arg;
	if (!(events & LOOP_OUT)) {
		loop_io_want(logs.loop, &logs.io, 0);	/* it is gone: its death says the rest */
		return;
	}
	loop_io_want(logs.loop, &logs.io, 0);
	logs_tell();
}

/* The message and, with it, a descriptor (-1: none). 0; -1 with errno. */
static int say(const char *text, size_t n, int fd)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(int))]; } ctl = { 0 };
	struct iovec iov = { (void *)text, n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		m.msg_control = &ctl;
		m.msg_controllen = sizeof ctl;
		ctl.head.cmsg_level = SOL_SOCKET;
		ctl.head.cmsg_type = SCM_RIGHTS;
		ctl.head.cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(&ctl.head), &fd, sizeof fd);
	}
	return sendmsg(logs.io.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

static int tell(struct outlet *o)
{
	char text[300];
	int fd = fifo_reading_end(o->fd), n, rc, e;

	if (fd < 0)
		return -1;
	n = snprintf(text, sizeof text, "+%s", o->name);
	rc = say(text, (size_t)n, fd);
	e = errno;
	close(fd);
	errno = e;
	return rc;
}

void logs_tell(void)
{
	if (!logs.untold || logs.io.fd < 0)
		return;
	for (struct outlet *o = logs.all; o && logs.untold; o = o->next) {
		if (o->told)
			continue;
		if (tell(o) < 0) {
			if (errno == EAGAIN)
				loop_io_want(logs.loop, &logs.io, LOOP_OUT);
			else if (errno != EPIPE && errno != ECONNRESET)
				start_later(CLOCK_S);	/* no descriptors: on_again tells again */
			return;
		}
		o->told = true;
		logs.untold--;
	}
}

/* ---- outlets ---- */

struct outlet *logs_add(const char *name, int dirfd, char why[FILES_WHY_MAX])
{
	struct outlet *o = malloc(sizeof *o + strlen(name) + 1);

	if (!o) {
		snprintf(why, FILES_WHY_MAX, "%.150s: no memory", name);
		return NULL;
	}
	*o = (struct outlet){ .next = logs.all, .fd = fifo_open(dirfd) };
	if (o->fd < 0) {
		snprintf(why, FILES_WHY_MAX, "%.150s/" FIFO_NAME ": %s", name, strerror(errno));
		free(o);
		return NULL;
	}
	strcpy(o->name, name);
	logs.all = o;
	logs.untold++;
	return o;
}

static void drop(struct outlet *o)
{
	struct outlet **at = &logs.all;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	logs.untold -= !o->told;
	logs.closing -= o->closing;
	close(o->fd);
	free(o);
}

static void on_look(void *arg)
{
	struct outlet *next;

	(void)arg;
	for (struct outlet *o = logs.all; o; o = next) {
		next = o->next;
		if (o->closing && fifo_is_empty(o->fd))
			drop(o);
	}
	if (logs.closing)
		loop_timer_in(logs.loop, &logs.look, LOOK);
}

void logs_del(struct outlet *o)
{
	if (!o)
		return;
	if (fifo_is_empty(o->fd)) {
		drop(o);
		return;
	}
	o->closing = true;
	logs.closing++;
	if (!logs.look.due)
		loop_timer_in(logs.loop, &logs.look, LOOK);
}

int logs_fd(const struct outlet *o)
{
	return o->fd;
}

/* ---- begin and end ---- */

/* The logd of a supervise that was killed goes on with its folder: where that was another one, it is told that its time is over, or two would read
 * one pipe. */
static void send_home(const char *dir)
{
	char old[4096], lock[4200];
	ssize_t n = readlink(SUPERVISE_LOGS, old, sizeof old - 1);
	int fd;

	if (n <= 0)
		return;
	old[n] = 0;
	snprintf(lock, sizeof lock, "%s/.logd", old);
	fd = strcmp(old, dir) == 0 ? -1 : fd_lock_signal(lock, SIGTERM);
	if (fd >= 0)
		close(fd);
}

void logs_open(struct loop *l, const char *dir, const char *stamp, bool echo)
{
	logs.loop = l;
	logs.dir = dir;
	logs.stamp = stamp;
	logs.echo = echo;
	logs.on = true;
	logs.io = (struct loop_io){ .fd = -1, .fn = on_socket };
	logs.again = (struct loop_timer){ .fn = on_again };
	logs.look = (struct loop_timer){ .fn = on_look };
	logs.backoff = (struct backoff){ .base = CLOCK_S, .max = 30 * CLOCK_S };
	send_home(dir);
	unlink(SUPERVISE_LOGS);
	if (symlink(dir, SUPERVISE_LOGS) < 0)
		log_warn(SUPERVISE_LOGS ": %s: supervise -s will know no last lines", strerror(errno));
	if (start() < 0)
		start_later(CLOCK_S);
}

bool logs_on(void)
{
	return logs.on;
}

bool logs_gone(void)
{
	if (!logs.on)
		return true;
	if (logs.pid == 0) {
		/* Gone without having read everything: once more, until patience is over. */
		for (const struct outlet *o = logs.all; o; o = o->next)
			if (!fifo_is_empty(o->fd))
				return false;
		return true;
	}
	logs_tell();
	if (logs.ending || logs.untold)
		return false;
	if (say(".", 1, -1) == 0)
		logs.ending = true;
	else if (errno == EAGAIN)
		loop_io_want(logs.loop, &logs.io, LOOP_OUT);
	return false;
}

void logs_kill(void)
{
	if (!logs.on)
		return;
	logs.on = false;	/* not again */
	loop_timer_del(logs.loop, &logs.again);
	if (logs.pid > 0) {
		log_warn("logd: process %ld did not end in time: killed; what it has not written is lost", (long)logs.pid);
		kill(logs.pid, SIGKILL);
	} else {
		log_warn("logd does not run: what is left in the pipes of services is lost");
	}
}

void logs_close(void)
{
	if (!logs.loop)
		return;
	while (logs.all)
		drop(logs.all);
	hang_up();
	loop_timer_del(logs.loop, &logs.again);
	loop_timer_del(logs.loop, &logs.look);
}
