#include "stage/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "line/reader.h"
#include "stage/plain.h"
#include "stage/proc.h"
#include "stage/reap.h"

#define ERR_ROUND 16384u
#define MUTE (200 * CLOCK_MS)	/* a program that ends closes its output a moment before */

struct child {
	struct loop *loop;
	const struct child_ops *ops;
	void *arg;
	struct said *said;
	const char *who;
	pid_t pid;
	struct loop_io in, out, err, end;
	bool terminal, closing, closed, out_over, exited, killed, paused;
	int status;
	int64_t cpu;
	struct reader reader;
	int64_t said_at;
	char *plain;			/* a line without the escapes of a terminal */
	struct loop_timer linger, over, mute;
};

/* Not collected yet, so that the number of the group is still ours. */
static void collect(struct child *c)
{
	reap(c->pid, &c->status, &c->cpu);
	c->pid = 0;
}

static void shut(struct child *c, struct loop_io *io)
{
	if (io->fd < 0)
		return;
	loop_io_del(c->loop, io);
	close(io->fd);
	io->fd = -1;
}

/* ---- the end ---- */

static void over(void *arg)
{
	struct child *c = arg;

	c->ops->ended(c->arg, c->status);
}

static void check_over(struct child *c)
{
	if (!c->exited || !c->out_over || c->over.due)
		return;
	collect(c);
	for (char buf[ERR_ROUND]; c->err.fd >= 0; ) {
		ssize_t n = read(c->err.fd, buf, sizeof buf);
		if (n <= 0)
			break;
		said_bytes(c->said, c->who, loop_now(c->loop), buf, (size_t)n);
	}
	said_end(c->said, c->who, loop_now(c->loop));
	shut(c, &c->in);
	shut(c, &c->out);
	shut(c, &c->err);
	shut(c, &c->end);
	loop_timer_del(c->loop, &c->linger);
	loop_timer_in(c->loop, &c->over, 0);
}

static void on_exit_seen(void *arg, unsigned events)
{
	struct child *c = arg;

	(void)events;
	if (c->exited)
		return;
	c->exited = true;
	loop_io_want(c->loop, &c->end, 0);
	loop_io_del(c->loop, &c->end);
	if (!c->out_over)
		loop_timer_in(c->loop, &c->linger, CHILD_LINGER);
	check_over(c);
}

static void lingered(void *arg)
{
	struct child *c = arg;

	if (!c->killed)
		log_warn("%s: it has ended, but something it started still holds its output: killed", c->who);
	kill(-c->pid, SIGKILL);
	shut(c, &c->out);
	c->out_over = true;
	check_over(c);
}

/* ---- what it writes ---- */

static struct span uncoloured(struct child *c, struct span l)
{
	if (!c->terminal || !memchr(l.p, '\033', l.n))
		return l;
	c->plain = c->plain ? c->plain : malloc(c->reader.max + 1);
	if (!c->plain || l.n > c->reader.max)
		return l;
	return (struct span){ c->plain, plain_text(c->plain, l.p, l.n) };
}

static void lines(struct child *c)
{
	struct span l;
	struct line_err err;
	enum reader_result r;
	bool some = false;

	while ((r = reader_next(&c->reader, &l, &err)) != READER_MORE) {
		some = true;
		if (r == READER_LINE)
			l = uncoloured(c, l);
		c->ops->line(c->arg, l.p, l.n, r == READER_BAD ? err.why : NULL, false);
	}
	if (some)
		c->ops->heard(c->arg);
}

static void out_ends(struct child *c)
{
	struct span l;
	struct line_err err;

	if (reader_end(&c->reader, &l, &err) != READER_MORE) {
		l = uncoloured(c, l);
		c->ops->line(c->arg, l.p, l.n, NULL, true);
		c->ops->heard(c->arg);
	}
	shut(c, &c->out);
	c->out_over = true;
	if (!c->exited)
		loop_timer_in(c->loop, &c->mute, MUTE);
	check_over(c);
}

static void muted(void *arg)
{
	struct child *c = arg;

	if (!c->exited)
		c->ops->mute(c->arg);
}

static void on_out(void *arg, unsigned events)
{
	struct child *c = arg;
	size_t room;
	char *p;
	ssize_t n;

	(void)events;
	if (c->paused)
		return;
	p = reader_space(&c->reader, &room);
	if (!p) {
		log_error("%s: %s", c->who, strerror(ENOMEM));
		child_kill(c);
		out_ends(c);
		return;
	}
	n = read(c->out.fd, p, room);
	if (n > 0) {
		c->said_at = loop_now(c->loop);
		reader_filled(&c->reader, (size_t)n);
		lines(c);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		out_ends(c);	/* a terminal says EIO */
	}
}

static void on_err(void *arg, unsigned events)
{
	struct child *c = arg;
	char buf[ERR_ROUND];
	ssize_t n = read(c->err.fd, buf, sizeof buf);

	(void)events;
	if (n > 0)
		said_bytes(c->said, c->who, loop_now(c->loop), buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		shut(c, &c->err);
}

/* ---- what it reads ---- */

void child_feed(struct child *c)
{
	struct iovec v[CHILD_PARTS];
	int n;

	if (c->in.fd < 0 || c->closed)
		return;
	while ((n = c->ops->feed(c->arg, v)) > 0) {
		ssize_t got = writev(c->in.fd, v, n);
		if (got > 0) {
			c->ops->fed(c->arg, (size_t)got);
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN) {
			loop_io_want(c->loop, &c->in, LOOP_OUT);
			return;
		}
		/* It reads nothing more; what that means shows when it ends. */
		c->closed = true;
		shut(c, &c->in);
		return;
	}
	loop_io_want(c->loop, &c->in, 0);
	if (c->closing) {
		c->closed = true;
		shut(c, &c->in);
	}
}

static void on_in(void *arg, unsigned events)
{
	struct child *c = arg;

	if (events & LOOP_OUT) {
		child_feed(c);
	} else if (events & LOOP_HUP) {
		c->closed = true;
		shut(c, &c->in);
	}
}

void child_close(struct child *c)
{
	c->closing = true;
	child_feed(c);
}

bool child_closed(const struct child *c)
{
	return c->closing;
}

/* ---- is it waiting? ---- */

int64_t child_said(const struct child *c)
{
	return c->said_at;
}

int child_waits(const struct child *c)
{
	return c->in.fd < 0 || c->pid == 0 ? 0 : proc_waits(c->pid, c->in.fd, c->out.fd);
}

/* ---- life ---- */

pid_t child_pid(const struct child *c)
{
	return c->pid;
}

int64_t child_cpu(const struct child *c)
{
	return c->cpu;
}

void child_kill(struct child *c)
{
	if (!c->pid || c->killed)
		return;
	c->killed = true;
	kill(-c->pid, SIGKILL);
	kill(c->pid, SIGKILL);
	/* A process that went to another group may still hold the output. */
	if (!c->exited)
		loop_timer_in(c->loop, &c->linger, CHILD_LINGER);
}

void child_pause(struct child *c, bool on)
{
	if (c->paused == on || c->out.fd < 0)
		return;
	c->paused = on;
	loop_io_want(c->loop, &c->out, on ? 0 : LOOP_IN);
}

struct child *child_start(struct loop *l, const struct spawn *s, bool terminal, size_t max_line, struct said *said, const char *who,
	const struct child_ops *ops, void *arg)
{
	struct child *c = calloc(1, sizeof *c);
	struct spawned p;
	const char *what;

	if (!c) {
		log_error("%s: %s", who, strerror(errno));
		return NULL;
	}
	if (spawn_start(s, terminal, &p, &what)) {
		log_error("%s cannot be started: %s%s%s", s->argv[0], what, *what ? ": " : "", strerror(errno));
		free(c);
		return NULL;
	}
	*c = (struct child){ .loop = l, .ops = ops, .arg = arg, .said = said, .who = who, .pid = p.pid, .terminal = terminal };
	c->in = (struct loop_io){ .fd = p.in, .fn = on_in, .arg = c };
	c->out = (struct loop_io){ .fd = p.out, .fn = on_out, .arg = c };
	c->err = (struct loop_io){ .fd = p.err, .fn = on_err, .arg = c };
	c->end = (struct loop_io){ .fd = p.pidfd, .fn = on_exit_seen, .arg = c };
	c->linger = (struct loop_timer){ .fn = lingered, .arg = c };
	c->over = (struct loop_timer){ .fn = over, .arg = c };
	c->mute = (struct loop_timer){ .fn = muted, .arg = c };
	reader_init(&c->reader, max_line);
	reap_add(p.pid);
	said_clear(said);
	if (loop_io_add(l, &c->in, 0) || loop_io_add(l, &c->out, LOOP_IN) || loop_io_add(l, &c->err, LOOP_IN) ||
	    loop_io_add(l, &c->end, LOOP_IN)) {
		log_error("%s: %s", who, strerror(errno));
		child_free(c);
		return NULL;
	}
	return c;
}

void child_free(struct child *c)
{
	if (c->pid)
		collect(c);
	shut(c, &c->in);
	shut(c, &c->out);
	shut(c, &c->err);
	shut(c, &c->end);
	loop_timer_del(c->loop, &c->linger);
	loop_timer_del(c->loop, &c->over);
	loop_timer_del(c->loop, &c->mute);
	reader_release(&c->reader);
	free(c->plain);
	free(c);
}
