#include "logd/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/metric.h"

#define OUT_MAX (4u << 20)	/* a chunk of nothing but line feeds, with stamps */
#define OUT_FLUSH (256u << 10)

static struct buf out, echo;	/* empty between two steps; never given back */

/* ---- holding ---- */

static void hold(struct source *s, const char *what)
{
	if (!s->said)
		log_error("%s: %s: %s: what is written to it waits in its pipe", s->name, what, strerror(errno));
	s->said = true;
	if (!s->held)
		metric_add(s->desk->held, 1);
	s->held = true;
	loop_io_want(s->desk->loop, &s->io, 0);
	if (!s->desk->retry.due)
		loop_timer_in(s->desk->loop, &s->desk->retry, SOURCE_RETRY);
}

static void on_source(void *arg, unsigned events);

void sources_retry(struct desk *d)
{
	for (struct source *s = d->all, *next; s; s = next) {
		next = s->next;
		if (!s->held)
			continue;
		s->held = false;
		metric_set(d->held, metric_get(d->held) - 1);
		if (loop_io_want(d->loop, &s->io, LOOP_IN) < 0)
			hold(s, "reading");
		else
			on_source(s, LOOP_IN);
	}
}

static bool open_folder(struct source *s)
{
	if (s->opened)
		return true;
	if (folder_open(&s->folder, s->name) < 0) {
		if (errno == EWOULDBLOCK)
			errno = EBUSY;
		hold(s, "the directory cannot be opened");
		return false;
	}
	s->opened = true;
	if (s->folder.torn && folder_write(&s->folder, "\n", 1) == 0)
		s->folder.torn = false;
	desk_age_of(s->desk, s);
	return true;
}

/* ---- lines ---- */

static bool flush(struct source *s)
{
	if (out.len && folder_write(&s->folder, out.p, out.len) < 0)
		return false;
	metric_add(s->desk->bytes, out.len);
	buf_clear(&out);
	return true;
}

static bool room_made(struct source *s)
{
	if (errno != ENOSPC && errno != EDQUOT)
		return false;
	return folder_prune(&s->folder, true) > 0;
}

/* All of out is written; the line that comes, of so many bytes, does not fit any more. */
static bool turn(struct source *s, size_t line)
{
	if (s->folder.size == 0 || s->folder.size + line <= s->folder.conf.size)
		return true;
	if (folder_rotate(&s->folder) < 0)
		return false;
	metric_add(s->desk->rotations, 1);
	desk_age_of(s->desk, s);
	return true;
}

/* Writes p as lines. How many of its bytes are in the folder: fewer than n, errno. */
static size_t write_lines(struct source *s, const char *p, size_t n)
{
	enum stamp kind = s->desk->stamp;
	size_t stamp = frame_stamp(NULL, kind, 0), kept = 0, at = 0;
	uint64_t limit = s->folder.conf.size;
	bool torn = s->folder.torn, full;
	int64_t wall = clock_wall();

	out.max = echo.max = OUT_MAX;
	buf_clear(&out);
	while (at < n) {
		bool mark = frame_is_mark(p + at, n - at);
		size_t len;

		if (mark && torn) {
			buf_addc(&out, '\n');
			torn = false;
		}
		len = mark ? 1 + frame_piece(p + at + 1, n - at - 1) : frame_piece(p + at, n - at);
		full = limit && s->folder.size + out.len + stamp + len > limit;
		if (!torn && (full || out.len > OUT_FLUSH)) {
			if (!flush(s))
				return kept;
			kept = at;
			s->folder.torn = false;
			if (full && !turn(s, stamp + len))
				return kept;
		}
		if (!torn)
			frame_stamp(&out, kind, wall);
		buf_add(&out, p + at + mark, len - mark);
		if (s->desk->echo && !mark)
			buf_add(&echo, p + at, len);
		torn = p[at + len - 1] != '\n';
		at += len;
	}
	if (!flush(s))
		return kept;
	s->folder.torn = torn;
	return n;
}

static void write_echo(void)
{
	if (echo.len)
		(void)!write(STDERR_FILENO, echo.p, echo.len);
	buf_clear(&echo);
}

/* ---- reading ---- */

static void take_out(int fd, size_t n)
{
	static char nowhere[SOURCE_CHUNK];

	while (n > 0) {
		ssize_t k = read(fd, nowhere, n < sizeof nowhere ? n : sizeof nowhere);

		if (k <= 0 && errno != EINTR)
			return;		/* cannot be: it was there */
		n -= k > 0 ? (size_t)k : 0;
	}
}

/* A copy of what is in the pipe, which stays in it. */
static ssize_t peek(struct source *s, char *p)
{
	ssize_t n = tee(s->io.fd, s->desk->scratch[1], SOURCE_CHUNK, SPLICE_F_NONBLOCK), got = 0;

	while (n > 0 && got < n) {
		ssize_t k = read(s->desk->scratch[0], p + got, (size_t)(n - got));

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		got += k;
	}
	return n;
}

static void source_end(struct source *s)
{
	struct desk *d = s->desk;

	if (s->opened && s->folder.torn && folder_write(&s->folder, "\n", 1) < 0)
		log_warn("%s/current: %s", s->name, strerror(errno));
	source_free(s);
	if (d->ended)
		d->ended(d);
}

/* One chunk: its length; 0 the end; -1 nothing now, or held. */
static ssize_t step(struct source *s)
{
	static char chunk[SOURCE_CHUNK];
	ssize_t n;
	size_t kept;

	if (!open_folder(s))
		return -1;
	n = s->peeks ? peek(s, chunk) : read(s->io.fd, chunk, sizeof chunk);
	if (n <= 0) {
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			hold(s, "reading");
		return n;
	}
	buf_clear(&echo);
	kept = write_lines(s, chunk, (size_t)n);
	if (kept < (size_t)n && room_made(s))
		kept += write_lines(s, chunk + kept, (size_t)n - kept);
	if (s->peeks)
		take_out(s->io.fd, kept);
	if (s->folder.unsynced && !s->desk->sync.due)
		loop_timer_in(s->desk->loop, &s->desk->sync, FOLDER_SYNC);
	if (kept < (size_t)n) {
		if (!s->peeks && (size_t)n > kept)
			log_error("%s: %zu bytes are lost: %s", s->name, (size_t)n - kept, strerror(errno));
		hold(s, "current cannot be written");
		return -1;
	}
	write_echo();
	s->said = false;
	if (s->folder.conf.age && s->folder.since && s->desk->age.due == 0)
		desk_age_of(s->desk, s);
	return n;
}

static void on_source(void *arg, unsigned events)
{
	struct source *s = arg;

	(void)events;
	if (step(s) == 0)
		source_end(s);
}

void source_drain(struct source *s)
{
	while (!s->held && step(s) > 0)
		;
}

/* ---- one of them ---- */

int source_add(struct desk *d, const char *name, int fd)
{
	struct source *old = desk_find(d, name), *s;
	struct stat st;

	if (old) {
		source_drain(old);
		source_free(old);
	}
	s = calloc(1, sizeof *s);
	if (!s || !(s->name = strdup(name)))
		goto fail;
	s->desk = d;
	s->folder = (struct folder){ .cur = -1, .lock = -1 };
	s->peeks = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
	s->io = (struct loop_io){ .fd = fd, .fn = on_source, .arg = s };
	if ((s->peeks && fd_nonblock(fd) < 0) || loop_io_add(d->loop, &s->io, LOOP_IN) < 0)
		goto fail;
	s->next = d->all;
	d->all = s;
	d->open++;
	open_folder(s);
	return 0;
fail:
	log_error("%s: not logged: %s", name, strerror(errno));
	if (s)
		free(s->name);
	free(s);
	close(fd);
	return -1;
}

void source_free(struct source *s)
{
	struct desk *d = s->desk;
	struct source **at = &d->all;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	d->open--;
	if (s->held)
		metric_set(d->held, metric_get(d->held) - 1);
	loop_io_del(d->loop, &s->io);
	close(s->io.fd);
	if (s->opened)
		folder_close(&s->folder);
	free(s->name);
	free(s);
}
