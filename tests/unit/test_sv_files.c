/* supervise's formats: the 20 bytes and the line that sv reads, notification-fd, /proc/PID/stat, the board. */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scratch.h"

#include "base/clock.h"
#include "base/buf.h"
#include "base/fd.h"
#include "supervise/board.h"
#include "supervise/children.h"
#include "supervise/files.h"
#include "supervise/keep.h"
#include "supervise/status.h"
#include "supervise/svdir.h"
#include "supervise/tally.h"

static void record(void)
{
	/* runit 2.1.2: a service that is up, pid 0x01020304, since Unix second 0x65000000 and 0.5 s; TERM sent. */
	static const unsigned char want[STATUS_BYTES] = {
		0x40, 0, 0, 0, 0x65, 0, 0, 10, 0x1d, 0xcd, 0x65, 0, 4, 3, 2, 1, 0, 'u', 1, 1,
	};
	struct status s = { .since = INT64_C(0x65000000) * CLOCK_S + CLOCK_S / 2, .pid = 0x01020304, .want = 'u', .term_sent = true, .at = 1 }, t;
	unsigned char got[STATUS_BYTES + 15] = { 0 };

	status_pack(&s, got);
	CHECK(memcmp(got, want, sizeof want) == 0, "20 bytes as runit writes them");
	CHECK(status_unpack(got, sizeof got, &t) == 0 && t.since == s.since && t.pid == s.pid && t.want == 'u' && t.term_sent &&
		!t.paused && t.at == 1, "read again, the first 20 of more");
	CHECK(status_unpack(got, STATUS_BYTES - 1, &t) < 0, "19 bytes are none");
	for (int i = 16; i < 20; i++) {
		unsigned char bad[STATUS_BYTES];

		memcpy(bad, want, sizeof bad);
		bad[i] = 9;
		CHECK(status_unpack(bad, sizeof bad, &t) < 0, "byte %d out of range", i);
	}
	memset(got, 0xff, sizeof got);
	CHECK(status_unpack(got, sizeof got, &t) < 0, "a time beyond all clocks");
}

static void line(void)
{
	struct state_now now = { 1, 1, 1 };
	struct state s;
	char text[STATUS_TEXT_MAX];

	state_init(&s, true, false, &now);
	status_text(&s, text);
	CHECK(strcmp(text, "down\n") == 0, "down says no want");
	s.at = SV_RUN;
	s.paused = s.term_sent = true;
	s.want = WANT_EXIT;
	status_text(&s, text);
	CHECK(strcmp(text, "run, paused, got TERM, want exit\n") == 0, "the longest line");
	s = (struct state){ .at = SV_FINISH, .want = WANT_DOWN };
	status_text(&s, text);
	CHECK(strcmp(text, "finish, want down\n") == 0, "finish");
}

static void notify(void)
{
	static const struct { const char *text; int want; } row[] = {
		{ "3", 3 }, { "3\n", 3 }, { " 10 \r\n", 10 }, { "1023", 1023 }, { "0", -1 }, { "2\n", -1 }, { "1024", -1 }, { "", -1 }, { "\n", -1 },
		{ "-3", -1 }, { "+3", -1 }, { "3 4", -1 }, { "0x3", -1 }, { "99999999999999999999", -1 },
	};
	const char *why;

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		why = NULL;
		CHECK(svdir_parse_notify(row[i].text, strlen(row[i].text), &why) == row[i].want && (row[i].want > 0 || why),
			"notification-fd, text %zu: %d", i, row[i].want);
	}
	CHECK(svdir_parse_notify("3\0", 2, &why) == -1, "a NUL");
}

static void stat_text(void)
{
#define REST " 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 "	/* fields 7 to 21 */
	static const struct { const char *text; struct child_stat st; } row[] = {
		{ "12 (sh) S 7 12 11" REST "988 1", { 7, 11, 'S', 988 } }, { "12 (a) b) (c) Z 44 1 2" REST "0 0", { 44, 2, 'Z', 0 } },
		{ "1 () R 0 1 1" REST "5 ", { 0, 1, 'R', 5 } },
	};
	static const char *const bad[] = {
		"12 (sh) S ", "12 (sh) S 7", "12 (sh", "", "1 (x) S x 1 1" REST "1 1", "1 (x) S 99999999999 1 1" REST "1 1", "1 (x)", "1 (x) S 1 1 1" REST,
		"1 (x) S 1 1 1" REST "1", "1 (x) S 1 1 1" REST "99999999999999999999 1", "1 (x) S 1 1 1 ", "1 (x) S 1 1 -1" REST "1 1",
	};
	struct child_stat st;

	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		CHECK(children_parse(row[i].text, strlen(row[i].text), &st) == 0 && st.parent == row[i].st.parent &&
			st.session == row[i].st.session && st.state == row[i].st.state && st.birth == row[i].st.birth, "stat \"%s\"", row[i].text);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(children_parse(bad[i], strlen(bad[i]), &st) < 0, "no stat \"%s\"", bad[i]);
}

static void signals(void)
{
	static const struct { const char *text; int want; } row[] = {
		{ "TERM", 15 }, { "SIGTERM\n", 15 }, { "sigquit", 3 }, { " 9\n", 9 }, { "64", 64 }, { "65", -1 }, { "0", -1 }, { "", -1 }, { "SIG", -1 },
		{ "TERM KILL", -1 }, { "SIGSIGTERM", -1 }, { "-1", -1 },
	};
	const char *why = "";

	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		CHECK(svdir_parse_signal(row[i].text, strlen(row[i].text), &why) == row[i].want, "down-signal, text %zu: %d", i, row[i].want);
}

static void tally(void)
{
	static const unsigned char want[TALLY_RECORD] = { 0x40, 0, 0, 0, 0x65, 0, 0, 37, 0x1d, 0xcd, 0x65, 0, 137, 9 };
	unsigned char got[TALLY_RECORD];

	tally_pack(got, INT64_C(0x65000000) * CLOCK_S + CLOCK_S / 2, 9);
	CHECK(memcmp(got, want, sizeof got) == 0, "14 bytes as s6 writes them");
	tally_pack(got, 0, 7 << 8);
	CHECK(got[12] == 7 && got[13] == 0, "an exit code");
}

static void keep(void)
{
	char dir[SCRATCH], path[128];
	struct state_now now = { 1, 1, 1 };
	struct keep k, next;
	struct state st;
	int row[100];

	scratch_make(dir);
	snprintf(path, sizeof path, "%s/keep", dir);
	CHECK(keep_open(&k, path) == 0, "a record is made");
	for (int i = 0; i < 100; i++) {
		row[i] = keep_take(&k, 7, (ino_t)i, "name");
		if (row[i] != i)
			CHECK(0, "row %d", i);
	}
	state_init(&st, true, false, &now);
	st.at = SV_RUN;
	*keep_birth(&k.row[5].main, false) = 4711;
	keep_state(&k.row[5].main, &st);
	st.at = SV_FINISH;
	keep_state(&k.row[5].main, &st);
	keep_give(&k, 6);
	CHECK(keep_open(&next, path) == 0, "and opened by the next");
	CHECK(keep_take(&next, 7, 5, "name") == 5 && next.row[5].main.pid == 4711 && next.row[5].main.before > 0 &&
		next.row[5].main.after == 0 && keep_last(&next.row[5].main)->at == SV_FINISH, "what was noted is known, the last state counts");
	CHECK(keep_take(&next, 7, 1000, "other") == 6 && !keep_last(&next.row[6].main), "a free row is given to another");
	CHECK(keep_take(&next, 7, 99, "name") == 99 && !keep_last(&next.row[99].log), "a slot of which nothing was noted");
	keep_close(&next, false);
	CHECK(access(path, F_OK) == 0, "it stays when something runs");
	keep_close(&k, true);
	CHECK(access(path, F_OK) < 0, "it goes when nothing does");
	rmdir(dir);
}

struct seen { unsigned n, torn; char last[BOARD_NAME_MAX]; };

static void see(void *arg, const struct board_row *r, bool torn)
{
	struct seen *s = arg;

	s->n++;
	s->torn += torn;
	if (!torn)
		strcpy(s->last, r->name);
}

static int read_board(const char *path, struct seen *s, struct buf *b, struct board_head *head, const char **why)
{
	memset(s, 0, sizeof *s);
	buf_clear(b);
	if (fd_read_file(path, b) < 0)
		return -1;
	return board_each(b->p, b->len, head, see, s, why);
}

static void board(void)
{
	char dir[SCRATCH], path[128];
	struct board_head head;
	struct board b;
	struct seen s;
	struct buf buf;
	const char *why = "";
	int row[200], again;

	scratch_make(dir);
	snprintf(path, sizeof path, "%s/state", dir);
	buf_init(&buf, 64u << 20);
	CHECK(board_open(&b, path) == 0, "open");
	for (int i = 0; i < 200; i++) {
		char name[16];

		snprintf(name, sizeof name, "s%d", i);
		row[i] = board_take(&b, name);
		if (row[i] != i)
			CHECK(0, "row %d", i);
	}
	CHECK(read_board(path, &s, &buf, &head, &why) == 0 && s.n == 200 && s.torn == 0 && strcmp(s.last, "s199") == 0 &&
		head.pid == (uint32_t)getpid(), "200 rows are read by another");
	board_give(&b, row[5]);
	CHECK(read_board(path, &s, &buf, &head, &why) == 0 && s.n == 199, "one is given back");
	again = board_take(&b, "again");
	CHECK(again == 5, "and used again");
	board_begin(&b, 7)->main.pid = 1;
	CHECK(read_board(path, &s, &buf, &head, &why) == 0 && s.n == 200 && s.torn == 1, "a row that is being written is torn");
	board_end(&b, 7);
	board_begin(&b, 7)->main.at = 99;
	board_end(&b, 7);
	CHECK(read_board(path, &s, &buf, &head, &why) == 0 && s.torn == 1, "a state that is none is torn");
	CHECK(board_each(buf.p, buf.len - 100000, &head, see, &s, &why) < 0, "cut short: %s", why);
	CHECK(board_each(buf.p, 10, &head, see, &s, &why) < 0, "no head: %s", why);
	buf.p[0] ^= 1;
	CHECK(board_each(buf.p, buf.len, &head, see, &s, &why) < 0, "no magic: %s", why);
	board_close(&b);
	buf_release(&buf);
	unlink(path);
	rmdir(dir);
}

static char wanted(int dirfd)
{
	char b[STATUS_BYTES] = "";
	int fd = openat(dirfd, "supervise/status", O_RDONLY);
	ssize_t n = read(fd, b, sizeof b);

	close(fd);
	return n == STATUS_BYTES ? b[17] : 0;
}

/* The writer has what was shown before a letter, and the letter is answered while it writes. */
static void answers(void)
{
	static const char *const made[] = { "lock", "control", "ok", "status", "stat", "pid" };
	char dir[SCRATCH], path[128], why[FILES_WHY_MAX];
	struct shown up = { .status = { .pid = 7, .want = 'u', .at = 1 }, .text = "run\n" }, down = up;
	struct files *f;
	int fd;

	scratch_make(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	f = files_new(fd, dir, why);
	CHECK(f && files_open(f, &up, why) == 0 && files_write(f, &up, 0) == 0 && wanted(fd) == 'u', "a service that is up");
	down.status.want = 'd';
	files_answer(f, &down, 1);
	CHECK(wanted(fd) == 'd', "a letter is answered in place");
	CHECK(files_write(f, &up, 0) == 0 && wanted(fd) == 'd', "and what was to be written before it does not take it back");
	up.status.pid = 8;
	CHECK(files_write(f, &up, 1) == 0 && wanted(fd) == 'u', "what comes behind it counts");
	files_free(f);
	for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
		snprintf(path, sizeof path, "%s/supervise/%s", dir, made[i]);
		CHECK(unlink(path) == 0, "%s", made[i]);
	}
	snprintf(path, sizeof path, "%s/supervise", dir);
	CHECK(rmdir(path) == 0 && rmdir(dir) == 0, "and nothing else");
}

int main(void)
{
	record();
	line();
	notify();
	stat_text();
	signals();
	tally();
	keep();
	board();
	answers();
	return check_done();
}
