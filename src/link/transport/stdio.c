/*
 * stdio: "-", standard input or standard output.
 *
 * The descriptors are shared with other programs (a terminal, stderr of the same pipe), so O_NONBLOCK is not set on them if it
 * can be helped: a pipe or a terminal is opened once more through /proc, a socket is used with MSG_DONTWAIT, and a
 * file never makes wait.
 */
#include "link/transport/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "link/transport/slice.h"

#define PIPE_BYTES (1 << 20)		/* a pipe of 64 KiB halves the rate */
#define LINE_CAP (1u << 20)		/* when link_opts.max_line says nothing */

struct stdio {
	struct endpoint ep;		/* first */
	struct loop *loop;
	enum transport_role role;
	const struct dial_events *ev;
	void *arg;
	struct loop_io io;
	bool socket, own;		/* own: io.fd is ours to close */
	struct loop_timer later;	/* no callback comes from inside a call */
	bool asking, eof, paused, ended;
	struct slice in;
	/* output */
	struct iovec parts[TRANSPORT_PARTS];
	int at, nparts;
};

/* ---- input ---- */

static void drop_line(void *arg, uint64_t number, const char *fault)
{
	struct stdio *s = arg;

	s->ep.dropped++;
	log_error("standard input, line %llu: %s: dropped", (unsigned long long)number, fault);
}

static void end(struct stdio *s, const char *why)
{
	if (s->ended)
		return;
	s->ended = true;
	loop_io_del(s->loop, &s->io);
	loop_timer_del(s->loop, &s->later);
	s->ev->end(s->arg, why);
}

static void give(struct stdio *s)
{
	if (slice_next(&s->in)) {
		s->asking = false;
		loop_io_want(s->loop, &s->io, 0);
		if (s->ev->reply(s->arg, s->in.buf + s->in.start, s->in.given))
			end(s, "lines were refused by their reader");
		return;
	}
	if (!s->eof && !s->paused) {
		loop_io_want(s->loop, &s->io, LOOP_IN);
		return;
	}
	slice_end(&s->in, s->eof ? "not ended by a line feed" : "only half of it had come before the program was stopped");
	end(s, NULL);
}

static void on_input(struct stdio *s)
{
	if (!s->asking || s->paused)
		return;
	size_t room = slice_room(&s->in);
	if (!room) {
		log_error("standard input: %s", strerror(errno));
		end(s, "no memory");
		return;
	}
	char *p = s->in.buf + s->in.len;
	ssize_t n = s->socket ? recv(s->io.fd, p, room, MSG_DONTWAIT) : read(s->io.fd, p, room);
	if (n > 0) {
		s->in.len += (size_t)n;
	} else if (n == 0) {
		s->eof = true;
	} else if (errno == EAGAIN || errno == EINTR) {
		return;
	} else {
		log_error("standard input: %s", strerror(errno));
		end(s, "reading failed");
		return;
	}
	give(s);
}

/* ---- output ---- */

static void on_output(struct stdio *s)
{
	while (s->at < s->nparts) {
		struct iovec *v = s->parts + s->at;
		size_t left = (size_t)(s->nparts - s->at);
		struct msghdr m = { .msg_iov = v, .msg_iovlen = left };
		ssize_t n = s->socket ? sendmsg(s->io.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) :
			writev(s->io.fd, v, (int)left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			loop_io_want(s->loop, &s->io, LOOP_OUT);
			return;
		}
		if (n < 0) {
			log_error("standard output: %s", errno == EPIPE ? "closed by its reader" : strerror(errno));
			s->at = s->nparts = 0;
			s->eof = true;		/* told in the next round */
			break;
		}
		for (left = (size_t)n; s->at < s->nparts && left >= s->parts[s->at].iov_len; s->at++)
			left -= s->parts[s->at].iov_len;
		if (left) {
			s->parts[s->at].iov_base = (char *)s->parts[s->at].iov_base + left;
			s->parts[s->at].iov_len -= left;
		}
	}
	loop_io_want(s->loop, &s->io, 0);
	loop_timer_in(s->loop, &s->later, 0);
}

static void on_io(void *arg, unsigned events)
{
	struct stdio *s = arg;

	if (s->role == TRANSPORT_TAKE) {
		if (events & (LOOP_IN | LOOP_HUP))
			on_input(s);
	} else if (events & LOOP_OUT) {
		on_output(s);
	} else if ((events & LOOP_HUP) && !s->eof) {
		log_error("standard output: closed by its reader");
		end(s, "closed");
	}
}

static void later(void *arg)
{
	struct stdio *s = arg;

	if (!s->asking)
		return;
	if (s->role == TRANSPORT_TAKE) {
		give(s);
	} else if (s->eof) {
		end(s, "writing failed");
	} else {
		s->asking = false;
		s->ev->reply(s->arg, "", 0);
	}
}

/* ---- the contract ---- */

/* A descriptor that never makes the program wait: sets fd, own and socket. */
static int open_stream(struct stdio *s, int fd)
{
	struct stat st;
	char path[32];

	s->io.fd = fd;
	if (fstat(fd, &st)) {
		log_error("%s: %s", fd ? "standard output" : "standard input", strerror(errno));
		return -1;
	}
	s->socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) && !isatty(fd))
		return 0;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int again = open(path, (fd ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (again >= 0) {
		s->io.fd = again;
		s->own = true;
	} else if (fd_nonblock(fd)) {
		log_error("%s: %s", fd ? "standard output" : "standard input", strerror(errno));
		return -1;
	}
	if (S_ISFIFO(st.st_mode))
		fcntl(s->io.fd, F_SETPIPE_SZ, PIPE_BYTES);	/* refused beyond the user's share of pipe memory: no harm */
	return 0;
}

static struct endpoint *stdio_dial(struct loop *l, const char *url, enum transport_role role,
	const struct link_opts *o, const struct dial_events *ev, void *arg)
{
	struct stdio *s;

	if (role == TRANSPORT_ASK) {
		log_error("%s: nobody can be asked over a pipe; give a URL", url);
		return NULL;
	}
	s = calloc(1, sizeof *s);
	if (!s) {
		log_error("%s: %s", url, strerror(errno));
		return NULL;
	}
	s->ep = (struct endpoint){ .t = &transport_stdio, .up = true, .url = url, .trouble = "" };
	s->loop = l;
	s->role = role;
	s->ev = ev;
	s->arg = arg;
	s->in = (struct slice){ .max_line = o && o->max_line ? o->max_line : LINE_CAP, .take = o && o->take ? o->take : LINK_TAKE_DEFAULT,
		.drop = drop_line, .arg = s };
	s->io = (struct loop_io){ .fn = on_io, .arg = s };
	s->later = (struct loop_timer){ .fn = later, .arg = s };
	/* A reader that goes away is an error of writing, not the end of the program. */
	if (role == TRANSPORT_PUT)
		signal(SIGPIPE, SIG_IGN);
	if (open_stream(s, role == TRANSPORT_PUT))
		goto fail;
	if (loop_io_add(l, &s->io, 0)) {
		log_error("%s: %s", role == TRANSPORT_PUT ? "standard output" : "standard input", strerror(errno));
		goto fail_open;
	}
	return &s->ep;
fail_open:
	if (s->own)
		close(s->io.fd);
fail:
	free(s);
	return NULL;
}

static struct endpoint *stdio_listen(struct loop *l, const char *url, const struct link_opts *o, bool newest_wins,
	const struct listen_events *ev, void *arg)
{
	(void)l, (void)o, (void)newest_wins, (void)ev, (void)arg;
	log_error("%s: nobody can dial a pipe; give a URL to listen on", url);
	return NULL;
}

static void stdio_ask(struct endpoint *e, const struct iovec *parts, int n)
{
	struct stdio *s = (struct stdio *)e;

	s->asking = true;
	if (s->role == TRANSPORT_PUT) {
		memcpy(s->parts, parts, (size_t)n * sizeof *parts);
		s->at = 0;
		s->nparts = n;
		on_output(s);
		return;
	}
	if (slice_taken(&s->in) || s->eof || s->paused)
		loop_timer_in(s->loop, &s->later, 0);
	else
		loop_io_want(s->loop, &s->io, LOOP_IN);
}

static void stdio_forget(struct endpoint *e)
{
	struct stdio *s = (struct stdio *)e;

	s->asking = false;
	s->at = s->nparts = 0;
	loop_timer_del(s->loop, &s->later);
	if (!s->ended)
		loop_io_want(s->loop, &s->io, 0);
}

static void stdio_pause(struct endpoint *e, bool on)
{
	struct stdio *s = (struct stdio *)e;

	s->paused = on;
	if (on && s->asking && s->role == TRANSPORT_TAKE && !s->ended) {
		loop_io_want(s->loop, &s->io, 0);
		loop_timer_in(s->loop, &s->later, 0);
	}
}

static void stdio_reply(struct link_peer *peer, const struct iovec *parts, int n)
{
	(void)peer, (void)parts, (void)n;
}

static void stdio_release(struct link_peer *peer)
{
	(void)peer;
}

static void stdio_drop(struct link_peer *peer, const char *why)
{
	(void)peer, (void)why;
}

static void stdio_close(struct endpoint *e)
{
	struct stdio *s = (struct stdio *)e;

	loop_timer_del(s->loop, &s->later);
	loop_io_del(s->loop, &s->io);
	if (s->own)
		close(s->io.fd);
	slice_release(&s->in);
	free(s);
}

const struct transport transport_stdio = {
	.name = "stdio",
	.schemes = "-",
	.traits = TRANSPORT_STREAM,
	.dial = stdio_dial,
	.listen = stdio_listen,
	.ask = stdio_ask,
	.forget = stdio_forget,
	.pause = stdio_pause,
	.reply = stdio_reply,
	.release = stdio_release,
	.drop = stdio_drop,
	.close = stdio_close,
};
