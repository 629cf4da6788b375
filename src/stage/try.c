#include "stage/try.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "stage/proc.h"

struct tried {
	struct try *t;
	struct spawned p;
	const char *in;
	size_t left;
	bool out_open, exited;
	int64_t heard;
};

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void end_input(struct tried *r)
{
	if (r->p.in < 0)
		return;
	shut(&r->p.in);
	r->t->before = r->t->out.len;
	r->t->took = clock_mono();
}

static void feed(struct tried *r)
{
	ssize_t n = write(r->p.in, r->in, r->left);

	if (n > 0) {
		r->in += n;
		r->left -= (size_t)n;
		r->heard = clock_mono();
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		r->t->unread = r->left;
		end_input(r);	/* it reads no more */
	}
}

static void hear(struct tried *r)
{
	struct buf *out = &r->t->out;
	ssize_t n;

	if (buf_reserve(out, 65536)) {
		kill(-r->p.pid, SIGKILL);
		r->out_open = false;
		return;
	}
	n = read(r->p.out, out->p + out->len, out->cap - out->len);
	if (n > 0) {
		out->len += (size_t)n;
		r->heard = clock_mono();
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		r->out_open = false;
	}
}

static void hear_err(struct tried *r)
{
	char buf[4096];
	ssize_t n = read(r->p.err, buf, sizeof buf);

	if (n > 0)
		said_keep(&r->t->said, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		shut(&r->p.err);
}

/* What stands in the pipe now nobody reads any more. */
static void see_exit(struct tried *r)
{
	int unread = 0;

	r->exited = true;
	if (r->p.in >= 0 && ioctl(r->p.in, FIONREAD, &unread) == 0)
		r->t->unread = r->left + (size_t)unread;
}

/* For so long, and not because it has not come to it: on a busy machine a program may start for longer than that. */
static bool is_silent(const struct tried *r, int64_t wait, int64_t limit)
{
	int64_t silent = clock_mono() - r->heard;

	return silent >= wait && (wait == 0 || silent >= limit / 2 || proc_waits(r->p.pid, r->p.in, r->p.out) != 0);
}

/* One round; false: it is over. */
static bool step(struct tried *r, int64_t wait, int64_t limit)
{
	struct pollfd fd[4] = {
		{ .fd = r->left ? r->p.in : -1, .events = POLLOUT }, { .fd = r->out_open ? r->p.out : -1, .events = POLLIN },
		{ .fd = r->p.err, .events = POLLIN }, { .fd = r->exited ? -1 : r->p.pidfd, .events = POLLIN },
	};

	if (poll(fd, 4, 10) < 0 && errno != EINTR)
		return false;
	if (fd[0].revents)
		feed(r);
	if (fd[1].revents)
		hear(r);
	if (fd[2].revents)
		hear_err(r);
	if (fd[3].revents && !r->exited)
		see_exit(r);
	if (r->exited && (!r->out_open || !(fd[1].revents & POLLIN)))
		return false;
	if (r->p.in >= 0 && !r->left && is_silent(r, wait, limit))
		end_input(r);
	if (clock_mono() - (r->p.in < 0 ? r->t->took : r->heard) < limit)
		return true;
	r->t->late = true;
	return false;
}

int try_run(struct try *t, const struct spawn *s, const char *in, size_t n, int64_t wait, int64_t limit)
{
	struct tried r = { .t = t, .in = in, .left = n, .out_open = true, .heard = clock_mono() };
	const char *what;

	*t = (struct try){ .took = 0 };
	buf_init(&t->out, TRY_OUT_MAX);
	if (spawn_start(s, false, &r.p, &what)) {
		log_error("%s cannot be started: %s%s%s", s->argv[0], what, *what ? ": " : "", strerror(errno));
		return -1;
	}
	while (step(&r, wait, limit))
		;
	end_input(&r);
	kill(-r.p.pid, SIGKILL);
	while (waitpid(r.p.pid, &t->status, 0) < 0 && errno == EINTR)
		;
	t->took = clock_mono() - t->took;
	while (r.p.err >= 0 && poll(&(struct pollfd){ .fd = r.p.err, .events = POLLIN }, 1, 0) > 0)
		hear_err(&r);
	shut(&r.p.out);
	shut(&r.p.err);
	shut(&r.p.pidfd);
	return 0;
}

void try_release(struct try *t)
{
	buf_release(&t->out);
}
