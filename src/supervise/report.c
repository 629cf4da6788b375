#include "supervise/report.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "supervise/board.h"
#include "supervise/report_json.h"
#include "supervise/supervise.h"

#define BOARD_BYTES (BOARD_HEAD + (size_t)BOARD_ROWS_MAX * sizeof(struct board_row))
#define ROW_TEXT_MAX (256 << 10)
#define PARTS 4
#define PART_MIN 50		/* rows */
#define READ_AGAIN CLOCK_MS
#define READ_TIME CLOCK_S	/* a writer may stand still between two stores, for the disk or on a busy machine */

struct rows {
	struct board_row *v;
	size_t n, cap;
	bool torn, no_memory;
	bool as_is;		/* what is torn counts, too */
	struct board_head head;
};

static void keep(void *arg, const struct board_row *row, bool torn)
{
	struct rows *r = arg;

	r->torn |= torn;
	if (torn && !(r->as_is && board_row_sound(row)))
		return;
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 64;
		struct board_row *v = realloc(r->v, cap * sizeof *v);

		if (!v) {
			r->no_memory = true;
			return;
		}
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n++] = *row;
}

/*
 * Reads until two reads one after the other agree and no row is caught half written: a row left out would be a service that is not there.
 * One that stays so, its writer was killed or is held up, is taken as it stands.
 */
static int read_board(const char *path, struct rows *r)
{
	int64_t end = clock_mono() + READ_TIME;
	struct buf b[2];
	const char *why = NULL;
	int rc = -1;

	buf_init(&b[0], BOARD_BYTES);
	buf_init(&b[1], BOARD_BYTES);
	for (int i = 0; !r->as_is; i++) {
		struct buf *now = &b[i % 2], *before = &b[!(i % 2)];

		buf_clear(now);
		if (fd_read_file(path, now) < 0) {
			why = strerror(errno);
			break;
		}
		r->as_is = clock_mono() > end;
		if (!r->as_is && (i == 0 || now->len != before->len || memcmp(now->p, before->p, now->len) != 0))
			continue;
		r->n = 0;
		r->torn = false;
		rc = board_each(now->p, now->len, &r->head, keep, r, &why);
		if (rc < 0 || !r->torn)
			break;
		/* Mapped memory tells nobody that it changed. */
		nanosleep(&(struct timespec){ .tv_nsec = READ_AGAIN }, NULL);
	}
	if (rc < 0)
		log_error("%s: %s", path, why);
	buf_release(&b[0]);
	buf_release(&b[1]);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct board_row *)a)->name, ((const struct board_row *)b)->name);
}

static bool as_wanted(const struct board_slot *s)
{
	if (!s->present || s->want != WANT_UP)
		return true;
	return s->at == SV_RUN && (!s->notifies || s->ready);
}

static bool row_as_wanted(const struct board_row *r)
{
	return !r->fault[0] && as_wanted(&r->main) && as_wanted(&r->log);
}

/* Memory and time of a process are asked of the kernel, which takes longer than all else: with many, by several threads. */
struct part {
	const struct board_row *from, *to;
	const char *dir;
	int64_t now;
	struct buf text;
	int rc;
	bool threaded;
	pthread_t thread;
};

static void *write_part(void *arg)
{
	struct part *p = arg;

	for (const struct board_row *r = p->from; r < p->to && p->rc == 0; r++)
		if (report_json(&p->text, r, p->dir, p->now) < 0 || buf_addc(&p->text, '\n') < 0)
			p->rc = -1;
	return NULL;
}

static int print_json(const struct rows *r, const char *dir, int64_t now)
{
	size_t n = r->n == 0 ? 0 : r->n < PARTS * PART_MIN ? 1 : PARTS;
	struct part part[PARTS];
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		struct part *p = &part[i];

		*p = (struct part){ .from = r->v + r->n * i / n, .to = r->v + r->n * (i + 1) / n, .dir = dir, .now = now };
		buf_init(&p->text, (size_t)(p->to - p->from) * ROW_TEXT_MAX);
		p->threaded = i + 1 < n && pthread_create(&p->thread, NULL, write_part, p) == 0;
		if (!p->threaded)
			write_part(p);
	}
	for (size_t i = 0; i < n; i++) {
		struct part *p = &part[i];

		if (p->threaded)
			pthread_join(p->thread, NULL);
		if (rc == 0 && (p->rc < 0 || fwrite(p->text.p, 1, p->text.len, stdout) != p->text.len))
			rc = -1;
		buf_release(&p->text);
	}
	return rc;
}

static void ago(char *out, size_t size, int64_t ns)
{
	int64_t s = ns > 0 ? ns / CLOCK_S : 0;

	if (s < 120)
		snprintf(out, size, "%" PRId64 "s", s);
	else if (s < 7200)
		snprintf(out, size, "%" PRId64 "m", s / 60);
	else if (s < 172800)
		snprintf(out, size, "%" PRId64 "h", s / 3600);
	else
		snprintf(out, size, "%" PRId64 "d", s / 86400);
}

static void print_row(const struct board_row *r, const char *suffix, const struct board_slot *s, int64_t now)
{
	char pid[16] = "-", since[24] = "-", name[BOARD_NAME_MAX + 8], note[64] = "";

	snprintf(name, sizeof name, "%s%s", r->name, suffix);
	if (s->pid)
		snprintf(pid, sizeof pid, "%" PRIu32, s->pid);
	if (s->since)
		ago(since, sizeof since, now - s->since);
	if (r->waits[0] && !*suffix)
		snprintf(note, sizeof note, "waits for %.50s", r->waits);
	else if (s->died_at && s->died == STATE_UNKNOWN)
		snprintf(note, sizeof note, "last exit: not known");
	else if (s->died_at && WIFEXITED(s->died))
		snprintf(note, sizeof note, "last exit: code %d", WEXITSTATUS(s->died));
	else if (s->died_at)
		snprintf(note, sizeof note, "last exit: signal %d", WTERMSIG(s->died));
	printf("%-20s %-10s %8s %6s  %-5s %-6s %8" PRIu64 "  %s%s\n", name, report_word(r, s), pid, since, state_want_word(s->want),
		s->at != SV_RUN ? "-" : !s->notifies ? "?" : s->ready ? "yes" : "no", report_restarts(s),
		r->fault[0] && !*suffix ? r->fault : note, s->paused ? ", paused" : "");
}

static void print_table(const struct rows *r, int64_t now)
{
	printf("%-20s %-10s %8s %6s  %-5s %-6s %8s\n", "NAME", "STATE", "PID", "SINCE", "WANT", "READY", "RESTARTS");
	for (size_t i = 0; i < r->n; i++) {
		print_row(&r->v[i], "", &r->v[i].main, now);
		if (r->v[i].log.present)
			print_row(&r->v[i], "/log", &r->v[i].log, now);
	}
}

int report(const char *dir, bool json)
{
	struct rows r = { 0 };
	char path[4200];
	pid_t owner;
	int code = SUPERVISE_SYSTEM;

	snprintf(path, sizeof path, "%.4096s/" SUPERVISE_LOCK, dir);
	owner = fd_lock_owner(path);
	if (owner <= 0) {
		log_error("%s: nobody supervises it%s%s", dir, owner < 0 && errno != ENOENT ? ": " : "",
			owner < 0 && errno != ENOENT ? strerror(errno) : "");
		return code;
	}
	snprintf(path, sizeof path, "%.4096s/" SUPERVISE_STATE, dir);
	if (read_board(path, &r) < 0)
		goto out;
	if (!board_is_of(&r.head, owner)) {
		log_error("%s: process %ld, which supervises it, is starting: nothing is known yet", dir, (long)owner);
		goto out;
	}
	if (r.no_memory) {
		log_error("no memory");
		goto out;
	}
	if (r.n)
		qsort(r.v, r.n, sizeof *r.v, by_name);
	code = 0;
	for (size_t i = 0; i < r.n; i++)
		if (!row_as_wanted(&r.v[i]))
			code = 1;
	if (json && print_json(&r, dir, clock_wall()) < 0)
		code = SUPERVISE_SYSTEM;
	if (!json)
		print_table(&r, clock_wall());
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_error("stdout: %s", strerror(errno));
		code = SUPERVISE_SYSTEM;
	}
out:
	free(r.v);
	return code;
}
