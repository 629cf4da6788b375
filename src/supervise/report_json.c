#include "supervise/report_json.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/tai.h"
#include "base/utf8.h"
#include "supervise/lines.h"
#include "supervise/supervise.h"
#include "supervise/usage.h"

#define LINE_SHOWN 400	/* bytes of a last line */

const char *report_word(const struct board_row *r, const struct board_slot *s)
{
	if (r->fault[0])
		return "fault";
	if (s->at == SV_WAIT && s->loop)
		return "crash-loop";
	return state_word(s->at);
}

uint64_t report_restarts(const struct board_slot *s)
{
	return s->starts > 1 ? s->starts - 1 : 0;
}

static void add_time(struct buf *b, const char *name, int64_t wall)
{
	char text[CLOCK_RFC3339_MAX];

	if (wall == 0)
		return;
	clock_rfc3339(text, wall);
	buf_printf(b, ",\"%s\":\"%s\"", name, text);
}

static const char *yes(bool is)
{
	return is ? "true" : "false";
}

/* code or signal, both null when nobody told. */
static void add_exit(struct buf *b, int status)
{
	if (status == STATE_UNKNOWN)
		buf_adds(b, "\"code\":null,\"signal\":null,\"core\":false");
	else if (WIFEXITED(status))
		buf_printf(b, "\"code\":%d,\"signal\":null,\"core\":false", WEXITSTATUS(status));
	else
		buf_printf(b, "\"code\":null,\"signal\":%d,\"core\":%s", WTERMSIG(status), yes(WCOREDUMP(status)));
}

static void add_slot(struct buf *b, const struct board_row *r, const struct board_slot *s, int64_t now)
{
	struct usage u;

	buf_printf(b, "\"state\":\"%s\",\"pid\":", report_word(r, s));
	if (s->pid)
		buf_printf(b, "%" PRIu32, s->pid);
	else
		buf_adds(b, "null");
	add_time(b, "since", s->since);
	if (s->since)
		buf_printf(b, ",\"seconds\":%" PRId64, now > s->since ? (now - s->since) / CLOCK_S : 0);
	if (s->at == SV_RUN)
		buf_printf(b, ",\"uptime\":%" PRId64, now > s->since ? (now - s->since) / CLOCK_S : 0);
	buf_printf(b, ",\"want\":\"%s\",\"ready\":", state_want_word(s->want));
	if (s->notifies || s->at != SV_RUN)
		buf_adds(b, yes(s->ready));
	else
		buf_adds(b, "null");
	if (s->ready)
		add_time(b, "ready_since", s->ready_since);
	buf_printf(b, ",\"paused\":%s,\"restarts\":%" PRIu64, yes(s->paused), report_restarts(s));
	if (s->pid && usage_read((pid_t)s->pid, &u) == 0)
		buf_printf(b, ",\"memory\":%" PRIu64 ",\"cpu_seconds\":%.2f", u.memory, (double)u.cpu / CLOCK_S);
	if (s->at == SV_WAIT)
		add_time(b, "next_start", s->due);
	if (s->died_at) {
		buf_adds(b, ",\"last_exit\":{");
		add_exit(b, s->died);
		add_time(b, "at", s->died_at);
		buf_addc(b, '}');
	}
}

/* ---- the last deaths ---- */

/* The last bytes of a file, at most room; 0: there are none. */
static size_t tail_of(int dirfd, const char *file, char *text, size_t room)
{
	struct stat st;
	ssize_t n = 0;
	int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = pread(fd, text, room, st.st_size > (off_t)room ? st.st_size - (off_t)room : 0);
	close(fd);
	return n > 0 ? (size_t)n : 0;
}

/* The name of the newest rotated file, logd's @LABEL.s; "": there is none. Closes dirfd. */
static void newest_of(int dirfd, char name[TAI_LABEL + 3])
{
	DIR *d = fdopendir(dirfd);
	struct dirent *e;

	name[0] = 0;
	if (!d)
		close(dirfd);
	while (d && (e = readdir(d)) != NULL)
		if (e->d_name[0] == '@' && strlen(e->d_name) == TAI_LABEL + 2 && strcmp(e->d_name + TAI_LABEL, ".s") == 0 &&
		    strcmp(e->d_name, name) > 0)
			memcpy(name, e->d_name, TAI_LABEL + 3);
	if (d)
		closedir(d);
}

/* The end of the service's log, over the last rotation; 0 bytes when it has none. */
static size_t log_end(const char *dir, const char *name, char text[LINES_TAIL])
{
	char path[4096 + BOARD_NAME_MAX + 64], newest[TAI_LABEL + 3], before[LINES_TAIL];
	size_t n, m;
	int fd, again;

	snprintf(path, sizeof path, "%.4096s/" SUPERVISE_LOGS "/%.255s", dir, name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = tail_of(fd, "current", text, LINES_TAIL);
	again = n < LINES_TAIL ? openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (again >= 0) {
		newest_of(again, newest);
		m = newest[0] ? tail_of(fd, newest, before, LINES_TAIL - n) : 0;
		memmove(text + m, text, n);
		memcpy(text, before, m);
		n += m;
	}
	close(fd);
	return n;
}

/* What is no UTF-8 is shown as '?'. */
static void add_line(struct buf *b, struct line l)
{
	char text[LINE_SHOWN];
	size_t n = l.n < sizeof text ? l.n : sizeof text;
	const char *bad;

	memcpy(text, l.p, n);
	while ((bad = utf8_bad(text, text + n)) != NULL)
		text[bad - text] = '?';
	buf_add_json(b, text, n);
}

static void add_death(struct buf *b, const struct past_death *d, const char *text, size_t n)
{
	struct line line[LINES_KEPT];
	unsigned count = n ? lines_before(text, n, d->pid, line) : 0;

	buf_printf(b, "{\"pid\":%" PRIu32 ",", d->pid);
	add_exit(b, d->status);
	add_time(b, "at", d->at);
	buf_printf(b, ",\"lived\":%.3f,\"ready\":%s,\"asked\":%s,\"lines\":[", (double)d->lived / CLOCK_S, yes(d->ready), yes(d->asked));
	for (unsigned i = 0; i < count; i++) {
		if (i)
			buf_addc(b, ',');
		add_line(b, line[i]);
	}
	buf_adds(b, "]}");
}

static void add_past(struct buf *b, const struct board_row *r, const char *dir, int64_t now)
{
	char text[LINES_TAIL];
	const struct past_death *d;
	size_t n = r->past.deaths ? log_end(dir, r->name, text) : 0;

	buf_printf(b, ",\"restarts_last_hour\":%u,\"deaths\":[", past_hour(&r->past, now));
	for (unsigned i = 0; (d = past_get(&r->past, i)) != NULL; i++) {
		if (i)
			buf_addc(b, ',');
		add_death(b, d, text, n);
	}
	buf_addc(b, ']');
}

int report_json(struct buf *b, const struct board_row *r, const char *dir, int64_t now)
{
	buf_adds(b, "{\"name\":");
	buf_add_json(b, r->name, strlen(r->name));
	buf_addc(b, ',');
	add_slot(b, r, &r->main, now);
	if (r->fault[0]) {
		buf_adds(b, ",\"fault\":");
		buf_add_json(b, r->fault, strlen(r->fault));
	}
	if (r->waits[0]) {
		buf_adds(b, ",\"waits_for\":");
		buf_add_json(b, r->waits, strlen(r->waits));
	}
	add_past(b, r, dir, now);
	if (r->log.present) {
		buf_adds(b, ",\"log\":{");
		add_slot(b, r, &r->log, now);
		buf_addc(b, '}');
	}
	return buf_addc(b, '}');
}
