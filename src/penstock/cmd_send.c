/* penstock send: lines of a file, of stdin, or one made from --text, to route. */
#include "penstock/penstock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/num.h"
#include "base/utf8.h"
#include "line/err.h"
#include "line/line.h"
#include "line/reader.h"
#include "penstock/compose.h"
#include "penstock/outbox.h"

#define PROGRESS (200 * CLOCK_MS)

static const char *text, *room = "lobby", *name, *tenant;
static int64_t patience = 60 * CLOCK_S;

static const struct arg rows[] = {
	{ 't', "text", ARG_STR, &text, 0, 0, "TEXT", "say TEXT instead of reading events", NULL, 0 },
	{ 'r', "room", ARG_STR, &room, 0, 0, "ROOM", "... in this room of the chat page", NULL, 0 },
	{ 'n', "name", ARG_STR, &name, 0, 0, "NAME", "... under this name ($USER)", NULL, 0 },
	{ 0, "tenant", ARG_STR, &tenant, 0, 0, "TENANT", "... for this tenant (default)", NULL, 0 },
	{ 'w', "wait", ARG_TIME, &patience, CLOCK_MS, 86400 * CLOCK_S, "TIME", "give up when nothing is acknowledged for TIME", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock send", .synopsis = "[--wait TIME] [FILE]\n--text TEXT [--room ROOM] [--name NAME] [--tenant TENANT]",
	.about = "Gives events, one JSON object a line, to the tree. Exit code 1 when a line was refused; the others were sent all the same.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

struct sending {
	struct loop *loop;
	struct outbox *box;
	struct reader reader;
	struct loop_io input;
	const char *from;		/* name of the input, for messages */
	struct span held;		/* a line for which there was no room; lives in reader */
	uint64_t held_number;
	uint64_t lines, bad;		/* read; refused here */
	bool reading;			/* input is watched */
	bool ended, terminal, told_later, failed;
	char refusal[200];		/* the last one that is for now; "": none since something was acknowledged */
	int64_t begun;
	struct loop_timer late, show;
};

static void refuse(struct sending *s, uint64_t number, const char *why)
{
	if (s->terminal)
		fprintf(stderr, "\r\033[K");
	log_error("%s:%" PRIu64 ": %s", s->from, number, why);
}

static void on_refused(void *arg, uint64_t number, const char *why)
{
	refuse(arg, number, why);
}

static void on_later(void *arg, const char *why)
{
	struct sending *s = arg;

	if (!s->told_later)
		log_warn("route refuses for now, and is asked again: %s", why);
	s->told_later = true;
	snprintf(s->refusal, sizeof(s->refusal), "%s", why);
}

static void show(struct sending *s)
{
	int64_t ns = clock_mono() - s->begun;
	uint64_t done = outbox_acked(s->box);

	fprintf(stderr, "\r\033[K%" PRIu64 " acknowledged, %" PRIu64 " refused, %" PRIu64 " on their way, %.0f lines/s%s",
		done, outbox_refused(s->box) + s->bad, outbox_waiting(s->box),
		ns > 0 ? (double)done * 1e9 / (double)ns : 0.0, outbox_connected(s->box) ? "" : " (route is not there)");
}

static void on_show(void *arg)
{
	struct sending *s = arg;

	show(s);
	loop_timer_in(s->loop, &s->show, PROGRESS);
}

static void on_late(void *arg)
{
	struct sending *s = arg;

	if (s->terminal)
		fputc('\n', stderr);
	if (outbox_connected(s->box) && s->refusal[0])
		log_error("%" PRIu64 " line%s not acknowledged: route refuses for now: %s", outbox_waiting(s->box), num_s(outbox_waiting(s->box)),
			s->refusal);
	else
		log_error("%" PRIu64 " line%s without an answer from route: it %s (penstock status)", outbox_waiting(s->box),
			num_s(outbox_waiting(s->box)), outbox_connected(s->box) ? "is there, but acknowledges nothing" : "is not there");
	s->failed = true;
	loop_stop(s->loop);
}

static void arm_late(struct sending *s)
{
	if (outbox_waiting(s->box) == 0)
		loop_timer_del(s->loop, &s->late);
	else if (!s->late.due)
		loop_timer_in(s->loop, &s->late, patience);
}

/* Gives lines to the outbox until it or the reader has no more. False: the outbox is full. */
static bool deal(struct sending *s, bool at_end)
{
	for (;;) {
		char why[LINE_ERR_TEXT];
		struct line_err err;
		enum reader_result what;
		int rc;

		if (!s->held.p) {
			what = at_end ? reader_end(&s->reader, &s->held, &err) : reader_next(&s->reader, &s->held, &err);
			if (what == READER_MORE) {
				s->held.p = NULL;
				return true;
			}
			s->held_number = s->reader.number;
			s->lines++;
			if (what == READER_BAD) {
				s->bad++;
				refuse(s, s->held_number, line_err_text(&err, why));
				s->held.p = NULL;
				continue;
			}
		}
		rc = outbox_add(s->box, s->held.p, s->held.n, s->held_number);
		if (rc == 0)
			return false;
		if (rc < 0)
			die(1, "%s:%" PRIu64 ": no memory", s->from, s->held_number);
		s->held.p = NULL;
	}
}

static void finish_if_done(struct sending *s)
{
	if (s->ended && !s->held.p && outbox_waiting(s->box) == 0)
		loop_stop(s->loop);
}

/* Not watched at all while there is no room: the end of a pipe's writer would be told again and again. */
static void watch_input(struct sending *s, bool yes)
{
	if (yes == s->reading)
		return;
	if (!yes)
		loop_io_del(s->loop, &s->input);
	else if (loop_io_add(s->loop, &s->input, LOOP_IN) < 0)
		die(1, "%s: %s", s->from, strerror(errno));
	s->reading = yes;
}

static void end_input(struct sending *s)
{
	s->ended = true;
	watch_input(s, false);
	deal(s, true);	/* at most one line, which is bad: whole lines were dealt before */
}

/* Reads one piece when there is room for it. */
static void pull(struct sending *s)
{
	size_t n;
	char *p;
	ssize_t got;

	p = reader_space(&s->reader, &n);
	if (!p)
		die(1, "no memory");
	got = read(s->input.fd, p, n);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		log_error("%s: %s", s->from, strerror(errno));
		s->failed = true;
	}
	if (got <= 0) {
		end_input(s);
	} else {
		reader_filled(&s->reader, (size_t)got);
		deal(s, false);
	}
}

/* After every step: send what is ready, read on only if there is room, see whether it is over. */
static void settle(struct sending *s)
{
	outbox_flush(s->box);
	if (!s->ended)
		watch_input(s, !s->held.p);
	arm_late(s);
	finish_if_done(s);
}

static void on_input(void *arg, unsigned events)
{
	struct sending *s = arg;

	(void)events;
	pull(s);
	settle(s);
}

static void on_progress(void *arg)
{
	struct sending *s = arg;

	loop_timer_del(s->loop, &s->late);
	s->told_later = false;
	s->refusal[0] = '\0';
	if (s->held.p)
		deal(s, false);
	settle(s);
}

static void open_input(struct sending *s, const char *file)
{
	s->from = file && strcmp(file, "-") != 0 ? file : "stdin";
	s->input.fd = s->from == file ? open(file, O_RDONLY | O_CLOEXEC) : 0;
	if (s->input.fd < 0)
		die(1, "%s: %s", file, strerror(errno));
	watch_input(s, true);
}

/* What would be an invisible part of a chat message is a slip of the hand: said before anything is opened. */
static void check_word(const char *option, const char *word)
{
	const char *end = word + strlen(word), *p = word;
	uint32_t c;

	if (!*word)
		args_usage(&args, "--%s: nothing is in it", option);
	for (unsigned n; p < end; p += n) {
		n = utf8_len(p, end);
		if (n == 0)
			args_usage(&args, "--%s: byte %zu is not UTF-8", option, (size_t)(p - word) + 1);
		c = utf8_point(p, n);
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			args_usage(&args, "--%s: byte %zu is a control character (U+%04X)", option, (size_t)(p - word) + 1, (unsigned)c);
	}
}

static void check_message(void)
{
	const char *user = getenv("USER");

	check_word("text", text);
	check_word("room", room);
	if (name)
		check_word("name", name);
	else
		name = user && *user ? user : "penstock";
}

/* Another user's tree would be waited for in vain. */
static void check_access(const struct tree *t)
{
	const char *path = tree_path(t, "run/in");

	if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 && errno == EACCES)
		die(1, "%s: %s: only the user who started the tree may send", path, strerror(errno));
}

static void add_text(struct sending *s)
{
	const char *why;
	struct message m = { .text = text, .room = room, .name = name, .tenant = tenant };
	uint64_t random[4];
	struct buf line;

	for (int i = 0; i < 4; i++)
		random[i] = hash_random();
	buf_init(&line, 2 * LINE_MAX_BYTES);
	if (compose(&line, &m, random, clock_wall(), &why) < 0)
		args_usage(&args, "--text: %s", why);
	s->from = "--text";
	s->lines = 1;
	s->ended = true;
	if (outbox_add(s->box, line.p, line.len - 1, 1) < 0)
		die(1, "no memory");
	buf_release(&line);
}

static int run(struct sending *s, const char *file)
{
	s->input = (struct loop_io){ .fd = -1, .fn = on_input, .arg = s };
	s->late = (struct loop_timer){ .fn = on_late, .arg = s };
	s->show = (struct loop_timer){ .fn = on_show, .arg = s };
	s->begun = clock_mono();
	s->terminal = isatty(2) && !text;
	reader_init(&s->reader, LINE_MAX_BYTES);
	if (text)
		add_text(s);
	else
		open_input(s, file);
	if (s->terminal)
		loop_timer_in(s->loop, &s->show, PROGRESS);
	outbox_flush(s->box);
	arm_late(s);
	if (loop_run(s->loop) < 0)
		die(1, "waiting: %s", strerror(errno));
	if (s->terminal) {
		show(s);
		fputc('\n', stderr);
	}
	if (s->failed || (!s->terminal && outbox_refused(s->box) + s->bad > 0))
		log_warn("%" PRIu64 " line%s acknowledged, %" PRIu64 " refused%s", outbox_acked(s->box), num_s(outbox_acked(s->box)),
			outbox_refused(s->box) + s->bad,
			s->failed ? "; the others may be sent again with them: route drops repeats" : "");
	return s->failed || outbox_refused(s->box) + s->bad > 0 ? 1 : 0;
}

int cmd_send(struct tree *t, int argc, char **argv)
{
	static struct sending s;
	struct outbox_calls calls = { on_refused, on_later, on_progress, &s };
	int at = args_parse(&args, argc, argv), code;

	if (argc - at > 1 || (text && argc > at))
		args_usage(&args, text ? "--text or a file, not both" : "one file only");
	if (text)
		check_message();
	tree_open(t);
	check_access(t);
	s.loop = loop_new();
	if (!s.loop)
		die(1, "no event loop: %s", strerror(errno));
	s.box = outbox_open(s.loop, tree_url(t, "in"), &calls);
	if (!s.box)
		return 1;
	code = run(&s, at < argc ? argv[at] : NULL);
	outbox_close(s.box);
	reader_release(&s.reader);
	loop_free(s.loop);
	return code;
}
