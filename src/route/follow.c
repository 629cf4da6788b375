#include "route/follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "route/again.h"
#include "route/decide.h"
#include "route/parse.h"
#include "route/pieces.h"
#include "route/walk.h"

struct follow {
	const struct follow_opts *o;
	struct pred *where;
	int inotify, watched;	/* the folder's watch is always there; watched: of the current file, -1 none */
	int fd;				/* current file, -1: none */
	uint64_t first;			/* its name */
	struct walk walk;
	uint64_t from;			/* lines below are not shown, */
	uint64_t end;			/* nor those from here on: the next file has them */
	struct buf out;
};

/* The file with the highest name below or at seq when `below`, else the lowest above it. -1: none; -2 with a message. */
static int find(const struct follow *f, uint64_t seq, bool below, uint64_t *first)
{
	DIR *d = opendir(f->o->dir);
	uint64_t got;
	int r = -1;

	if (!d) {
		log_error("%s: %s", f->o->dir, strerror(errno));
		return -2;
	}
	for (const struct dirent *e; (e = readdir(d)); ) {
		if (segment_name_parse(e->d_name, &got) < 0 || (below ? got > seq : got <= seq))
			continue;
		if (r < 0 || (below ? got > *first : got < *first)) {
			*first = got;
			r = 0;
		}
	}
	closedir(d);
	return r;
}

static void shut(struct follow *f)
{
	if (f->fd < 0)
		return;
	walk_release(&f->walk);
	close(f->fd);
	f->fd = -1;
	if (f->watched >= 0)
		inotify_rm_watch(f->inotify, f->watched);
	f->watched = -1;
}

/* 0; 1: it is gone again; -1 with a message. */
static int enter(struct follow *f, uint64_t first)
{
	char path[4096], name[SEGMENT_NAME_MAX];

	shut(f);
	segment_name(name, first);
	snprintf(path, sizeof(path), "%s/%s", f->o->dir, name);
	f->first = first;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 && errno == ENOENT)
		return 1;
	if (f->fd < 0) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	walk_init(&f->walk, f->fd, first);
	/* Watched before it is read, so that nothing written in between is missed. */
	f->watched = f->o->once ? -1 : inotify_add_watch(f->inotify, path, IN_MODIFY);
	return 0;
}

/* The event of the line. */
static int show(struct follow *f, const char *p, size_t n)
{
	struct again a;

	again_open(p, n, &a);
	return buf_add(&f->out, a.p, a.n) < 0 || buf_addc(&f->out, '\n') < 0 ? -1 : 0;
}

/* 0; 1: stdout is closed; -1 with a message. */
static int print(struct follow *f, const struct commit *c, const char *p)
{
	int r;

	for (uint32_t i = 0; i < c->n; i++) {
		const char *lf = rawmemchr(p, '\n');
		size_t n = (size_t)(lf + 1 - p);
		if (c->seq + i >= f->from && c->seq + i < f->end && (!f->where || decide_where(f->where, p, n)) && show(f, p, n) < 0) {
			log_error("no memory");
			return -1;
		}
		p = lf + 1;
	}
	r = fd_write_all(STDOUT_FILENO, f->out.p, f->out.len);
	buf_clear(&f->out);
	if (r < 0 && errno == EPIPE)
		return 1;
	if (r < 0)
		log_error("standard output: %s", strerror(errno));
	return r;
}

/* Prints what the current file has more. 0 at its end, else as print. */
static int read_on(struct follow *f, bool final)
{
	enum walk_result w;
	struct commit c;
	bool again = false;
	const char *p;
	size_t n;
	int r;

	for (;;) {
		w = walk_next(&f->walk, &c, &p, &n);
		if (w == WALK_END)
			return 0;
		if (w == WALK_ERROR) {
			log_error("%s: segment %llu: %s", f->o->dir, (unsigned long long)f->first, strerror(errno));
			return -1;
		}
		if (w == WALK_GROUP) {
			if ((r = print(f, &c, p)))
				return r;
			continue;
		}
		/* What was read may have been cut off since and written anew. */
		walk_again(&f->walk);
		if (again) {
			off_t at, was = f->walk.off;
			uint64_t first;
			if (pieces_next(f->fd, f->walk.off, f->walk.seq, f->end, &at, &first) > 0) {
				log_warn("%s: segment %llu, bytes %lld to %lld: %s", f->o->dir, (unsigned long long)f->first, (long long)was,
					(long long)at - 1, f->walk.why);
				walk_release(&f->walk);
				walk_init(&f->walk, f->fd, first);
				f->walk.off = at;
				again = false;
				continue;
			}
			if (final)
				log_warn("%s: segment %llu, byte %lld: %s", f->o->dir, (unsigned long long)f->first,
					(long long)f->walk.off, f->walk.why);
			return 0;
		}
		again = true;
	}
}

/* Prints all there is in the current file and those behind it. 0 at the end of all, else as print. */
static int drain(struct follow *f)
{
	uint64_t next;
	int more, r;

	for (;;) {
		/* Looked for before the current file is read: once there is a next one, this one gets no more. */
		more = find(f, f->first, false, &next);
		if (more < -1)
			return -1;
		f->end = more == 0 ? next : UINT64_MAX;
		if (f->fd >= 0 && (r = read_on(f, more == 0)))
			return r;
		if (more < 0)
			return 0;
		if (enter(f, next) < 0)
			return -1;
	}
}

/* The number that -n LAST begins at: the end less LAST. Reads the last file. */
static int end_of_spool(struct follow *f, uint64_t *end)
{
	struct commit c;
	const char *p;
	size_t n;
	int r;

	*end = 0;
	r = find(f, UINT64_MAX, true, &f->first);
	if (r < 0)
		return r == -1 ? 0 : -1;
	if (enter(f, f->first) < 0)
		return -1;
	while (f->fd >= 0 && walk_next(&f->walk, &c, &p, &n) == WALK_GROUP)
		;
	*end = f->fd >= 0 ? f->walk.seq : f->first;
	return 0;
}

static int start(struct follow *f)
{
	uint64_t end;
	int r;

	if (f->o->from) {
		f->from = f->o->from;
	} else {
		if (end_of_spool(f, &end) < 0)
			return -1;
		f->from = end > f->o->last ? end - f->o->last : 0;
	}
	r = find(f, f->from, true, &f->first);
	if (r == -1) {
		f->first = 0;
		shut(f);
		return 0;
	}
	return r < 0 || enter(f, f->first) < 0 ? -1 : 0;
}

/* Until something happens to the files, or stdout is closed (2). */
static int wait_for_more(const struct follow *f)
{
	struct pollfd p[2] = { { .fd = f->inotify, .events = POLLIN }, { .fd = STDOUT_FILENO, .events = 0 } };
	char events[4096];

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return -1;
	if (p[1].revents & (POLLERR | POLLHUP))
		return 1;
	while (read(f->inotify, events, sizeof(events)) > 0)
		;
	return 0;
}

static int run(struct follow *f)
{
	int r = start(f);

	while (r == 0 && (r = drain(f)) == 0) {
		if (f->o->once)
			return 0;
		r = wait_for_more(f);
		if (r < 0)
			log_error("poll: %s", strerror(errno));
	}
	return r < 0;
}

int follow(const struct follow_opts *o)
{
	struct follow f = { .o = o, .watched = -1, .fd = -1 };
	struct parse_error err;
	int code = 1;

	signal(SIGPIPE, SIG_IGN);
	buf_init(&f.out, SEGMENT_GROUP_MAX);
	if (o->where && !(f.where = parse_expr(o->where, strlen(o->where), &err))) {
		log_error("-w: %u:%u: %s", err.line, err.column, err.text);
		return 2;
	}
	f.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f.inotify < 0 || inotify_add_watch(f.inotify, o->dir, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0)
		log_error("%s: %s", o->dir, errno == ENOENT ? "there is no spool" : strerror(errno));
	else
		code = run(&f);
	shut(&f);
	if (f.inotify >= 0)
		close(f.inotify);
	pred_free(f.where);
	buf_release(&f.out);
	decide_release();
	return code;
}
