#include "stage/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "line/scan.h"
#include "link/batch.h"
#include "stage/hint.h"
#include "stage/stage.h"
#include "stage/try.h"

#define SILENCE (500 * CLOCK_MS)	/* what has not come by then is held back */
#define TIME (5 * CLOCK_S)
#define LONG_TEXT 200000u
#define SAMPLES_MAX 16u

struct sample { const char *what, *line; };

#define HEAD(id, type) "{\"specversion\":\"1.0\",\"id\":\"check-" id "\",\"source\":\"/penstock/check\",\"type\":\"" type "\","
#define CHAT(id, room, text) HEAD(id, "chat.message") "\"tenant\":\"default\",\"partitionkey\":\"browser:" room "\",\"time\":\"2026-01-02T03:04:05Z\"," \
	"\"data\":{\"channel\":{\"id\":\"" room "\",\"name\":\"" room "\"},\"user\":{\"id\":\"u1\",\"name\":\"ann\"},\"text\":\"" text "\"}}"

static const struct sample fixed[] = {
	{ "a chat.message", CHAT("1", "lobby", "hello") },
	{ "a chat.message of another conversation", CHAT("2", "garden", "!ping what about this?") },
	{ "a chat.message with signs of other languages", CHAT("3", "lobby", "\xc3\xa4 \xe4\xbd\xa0\xe5\xa5\xbd \xf0\x9f\x98\x80 \\u00e9 \\\"quoted\\\" \\\\ \\n") },
	{ "a member.join", HEAD("4", "member.join") "\"partitionkey\":\"browser:lobby\",\"data\":{\"channel\":{\"id\":\"lobby\",\"name\":\"lobby\"},"
		"\"user\":{\"id\":\"u2\",\"name\":\"bob\"}}}" },
	{ "an analysis.emotion", HEAD("5", "analysis.emotion") "\"partitionkey\":\"browser:lobby\",\"causationid\":\"check-1\",\"data\":{\"channel\":{\"id\":\"lobby\","
		"\"name\":\"lobby\"},\"user\":{\"id\":\"u1\",\"name\":\"ann\"},\"message_id\":\"check-1\",\"top\":\"joy\",\"scores\":{\"joy\":0.75}}}" },
	{ "an event of an unknown type", HEAD("6", "x.unknown") "\"xextension\":7,\"data\":{\"deep\":[1,2.50,{\"a\":null}]}}" },
	{ "an event of an unknown type without data", "{\"specversion\":\"1.0\",\"id\":\"check-7\",\"source\":\"/penstock/check\",\"type\":\"x.bare\"}" },
	{ "a penstock.sync line", "{\"specversion\":\"1.0\",\"id\":\"check-sync\",\"source\":\"/penstock/stage\",\"type\":\"penstock.sync\",\"data\":{}}" },
};
#define FIXED (sizeof fixed / sizeof *fixed)
#define UNKNOWN 5u	/* their places */
#define BARE 6u
#define SYNC 7u

struct found {
	struct sample sample[SAMPLES_MAX];
	unsigned n;
	bool back[SAMPLES_MAX];			/* it came back */
	unsigned passed, same;			/* so many did, so many byte for byte */
	unsigned lines, answers, stray, fresh;	/* lines; those that mode line counts; no events; new events */
	unsigned lacking, causeless;	/* new ones without id, source or specversion; and without causationid */
	unsigned broken;			/* that are no events, for no reason that could be completed */
	bool unordered, held;			/* not in order; not written at once */
	bool unread;				/* it ends without having read anything */
	int alone;				/* its exit code when it has nothing to say, and that means failure; 0: no such */
	char why[200];				/* of the first broken one */
};

/* ---- what came out ---- */

static int find(const struct found *f, const struct envelope *e)
{
	struct envelope s;

	for (unsigned i = 0; i < f->n; i++) {
		char a[64], b[64];
		if (scan_lazy(f->sample[i].line, strlen(f->sample[i].line), &s))
			continue;
		if (scan_cstr(s.a[LA_ID], a, sizeof a) > 0 && scan_cstr(e->a[LA_ID], b, sizeof b) > 0 && strcmp(a, b) == 0 &&
		    scan_cstr(s.a[LA_SOURCE], a, sizeof a) > 0 && scan_cstr(e->a[LA_SOURCE], b, sizeof b) > 0 && strcmp(a, b) == 0)
			return (int)i;
	}
	return -1;
}

static void look_at_line(struct found *f, const char *p, size_t n, int *last)
{
	struct task t = { .open = true, .key = "none" };
	struct envelope e;
	struct line_err err;
	enum mode_says says = mode_line.line(&t, p, n);
	int at;

	f->lines++;
	f->answers += says == MODE_ANSWER || says == MODE_NOTHING;
	if (says == MODE_NOTHING)
		return;
	if (says != MODE_ANSWER) {
		f->stray++;
		return;
	}
	if (scan_strict(p, n, &e, &err)) {
		if (!f->broken++)
			snprintf(f->why, sizeof f->why, "byte %zu: %s", err.at, err.why);
		return;
	}
	at = find(f, &e);
	if (at >= 0) {
		f->unordered |= at < *last;
		*last = at;
		f->passed += !f->back[at];
		f->same += !f->back[at] && strlen(f->sample[at].line) == n && memcmp(f->sample[at].line, p, n) == 0;
		f->back[at] = true;
		return;
	}
	if (!e.a[LA_TYPE].p) {
		if (!f->broken++)
			snprintf(f->why, sizeof f->why, "an event without type");
		return;
	}
	f->fresh++;
	if (!e.a[LA_ID].p || !e.a[LA_SOURCE].p || !e.a[LA_SPECVERSION].p) {
		f->lacking++;
		f->causeless += !e.a[LA_CAUSATIONID].p;
	}
}

static void look(struct found *f, const struct try *t)
{
	const char *p = t->out.p, *end = p + t->out.len, *line;
	int last = -1;
	size_t n;

	while (t->out.len && (line = batch_next(&p, end, &n)))
		look_at_line(f, line, n, &last);
}

/* ---- telling ---- */

static void say(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%-16s", what);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

static bool good_end(const struct settings *set, const struct try *t)
{
	return !t->late && WIFEXITED(t->status) && set->ok[WEXITSTATUS(t->status)];
}

/* "ends with code 0 after 3 ms"; into out. */
static const char *end_text(const struct try *t, char out[320])
{
	char last[200];

	said_last(&t->said, last, sizeof last);
	if (t->late)
		snprintf(out, 320, "does not end within %d s", (int)(TIME / CLOCK_S));
	else if (WIFEXITED(t->status))
		snprintf(out, 320, "ends with code %d after %lld ms%s%s", WEXITSTATUS(t->status), (long long)(t->took / CLOCK_MS),
			*last ? ", and says: " : "", last);
	else
		snprintf(out, 320, "dies of signal %d (%s)%s%s", WTERMSIG(t->status), strsignal(WTERMSIG(t->status)),
			*last ? ", and says: " : "", last);
	return out;
}

static int run_sample(const struct settings *set, const struct sample *sample, struct try *t)
{
	struct buf in;
	int rc = -1;

	buf_init(&in, 2u << 20);
	if (buf_adds(&in, sample->line) == 0 && buf_addc(&in, '\n') == 0)
		rc = try_run(t, &set->spawn, in.p, in.len, 0, TIME);
	buf_release(&in);
	return rc;
}

/* Which of the samples does it fail on? */
static void tell_culprits(const struct settings *set, const struct found *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		struct try t;
		char text[320];
		if (run_sample(set, &f->sample[i], &t))
			return;
		if (!good_end(set, &t))
			say("  fails on", "%s: %s", f->sample[i].what, end_text(&t, text));
		try_release(&t);
		if (t.late)
			return;
	}
}

/* One that ends with another code when it says nothing, as grep does: a batch may be of one line. Its code then, or 0. */
static int find_silent_code(const struct settings *set, const struct found *f)
{
	int code = 0;

	for (unsigned i = 0; i < f->n && !code; i++) {
		struct try t;
		if (run_sample(set, &f->sample[i], &t))
			return 0;
		if (!t.late && !t.out.len && WIFEXITED(t.status) && !set->ok[WEXITSTATUS(t.status)])
			code = WEXITSTATUS(t.status);
		try_release(&t);
	}
	return code;
}

static void tell_events(const struct found *f, const char *program)
{
	if (f->passed == f->n)
		say("ids", "kept: every line came back with its source and id%s", f->same == f->n ? ", byte for byte" : ", written anew");
	else
		say("ids", "%u of %u lines came back with their source and id", f->passed, f->n);
	say("unknown types", f->back[UNKNOWN] && f->back[BARE] ? "passed on" : "not passed on");
	say("penstock.sync", f->back[SYNC] ? "passed on" : "not passed on");
	say("order", f->unordered ? "not kept" : f->passed ? "kept" : "nothing came back");
	if (!f->fresh)
		say("new events", "none");
	else if (!f->lacking)
		say("new events", "%u, complete", f->fresh);
	else
		say("new events", "%u, of which stage completes %u%s", f->fresh, f->lacking, !f->causeless ? " through their causationid" :
			": they name no cause (causationid), so only -a line knows it; the other modes give one line at a time");
	if (f->stray)
		say("other output", "%u %s: to the log", f->stray, f->stray == 1 ? "line that is no event" : "lines that are no events");
	if (f->broken)
		say("bad events", "%u, the first one: %s%s", f->broken, f->why, strcmp(program, "jq") == 0 ? "; jq wants -c" : "");
}

/* ---- the whole ---- */

static int fill(struct found *f, struct buf *in)
{
	static char text[LONG_TEXT + 512];
	int n = snprintf(text, sizeof text, "%s", HEAD("long", "chat.message") "\"partitionkey\":\"browser:lobby\",\"data\":{\"channel\":{\"id\":\"lobby\",\"name\":\"lobby\"},"
		"\"user\":{\"id\":\"u1\",\"name\":\"ann\"},\"text\":\"");

	memset(text + n, 'x', LONG_TEXT);
	memcpy(text + n + LONG_TEXT, "\"}}", 4);
	memcpy(f->sample, fixed, sizeof fixed);
	f->sample[FIXED] = (struct sample){ "a chat.message of 200 kB", text };
	f->n = FIXED + 1;
	for (unsigned i = 0; i < f->n; i++)
		if (buf_adds(in, f->sample[i].line) || buf_addc(in, '\n'))
			return -1;
	return 0;
}

static bool usable(const struct found *f, const struct mode *m, bool ends)
{
	if (!ends || f->broken || f->unread)
		return false;
	if (m == &mode_eof)
		return !f->alone;
	if (f->unordered)
		return false;
	return m == &mode_line ? f->answers == f->n : f->back[SYNC];
}

/* One that holds back its output works in the others, too, but would be ended and started for each answer. */
static const struct mode *best(const struct found *f, bool ends)
{
	if (f->causeless && usable(f, &mode_line, ends))
		return &mode_line;
	if (f->held && usable(f, &mode_eof, ends))
		return &mode_eof;
	if (usable(f, &mode_sync, ends))
		return &mode_sync;
	return usable(f, &mode_line, ends) ? &mode_line : usable(f, &mode_eof, ends) ? &mode_eof : NULL;
}

static void tell_mode(const struct found *f, const struct mode *m, bool ends)
{
	char name[32];

	snprintf(name, sizeof name, "-a %s", m->name);
	if (usable(f, m, ends))
		say(name, "can be used%s", m == &mode_eof && f->unordered ? ", but the lines of a batch leave in another order" :
			m->lives && f->held ? ", but it holds back its output" : "");
	else if (!ends)
		say(name, "cannot: it does not handle all samples, or does not end well when its input does");
	else if (f->broken)
		say(name, "cannot: it makes events that are none");
	else if (f->unread)
		say(name, "cannot: it does not read its input");
	else if (m == &mode_eof)
		say(name, "cannot: for a batch to which it says nothing it ends with code %d, which means failure; --ok 0,%d says that it does not", f->alone,
			f->alone);
	else if (f->unordered)
		say(name, "cannot: lines do not stay in order");
	else if (m == &mode_line)
		say(name, "cannot: it wrote %u lines for %u (events, and empty lines for nothing to say)", f->answers, f->n);
	else
		say(name, "not well: the penstock.sync line does not come back");
}

static int tell_modes(const struct settings *set, const struct found *f, bool ends)
{
	const struct mode *use = set->mode ? (usable(f, set->mode, ends) ? set->mode : NULL) : best(f, ends);

	for (const struct mode *const *m = modes; *m; m++)
		if (!set->mode || *m == set->mode)
			tell_mode(f, *m, ends);
	if (use && use == &mode_eof && f->held && usable(f, &mode_sync, ends) && !set->mode)
		say("use", "-a eof; when it writes at once -a sync, which spares a start for each batch");
	else if (use)
		say("use", "-a %s", use->name);
	else if (f->alone && (!set->mode || set->mode == &mode_eof))
		say("use", "not as it is; with --ok 0,%d: -a eof", f->alone);
	else
		say("use", "not as it is");
	return use ? 0 : 1;
}

int check_program(const struct settings *set)
{
	struct found f = { .n = 0 };
	struct try empty, all, twice;
	struct buf in;
	char text[320];
	bool ends, silent;
	int code = 1;

	if (spawn_find(&set->spawn))
		return 1;
	buf_init(&in, 8u << 20);
	if (fill(&f, &in) || try_run(&empty, &set->spawn, "", 0, 0, TIME))
		goto done;
	say("empty input", "%s%s", end_text(&empty, text), empty.out.len ? ", writes something" : "");
	silent = good_end(set, &empty);
	try_release(&empty);
	if (empty.late) {
		say("use", "not as it is: it must end when its input does");
		goto done;
	}
	if (try_run(&all, &set->spawn, in.p, in.len, SILENCE, TIME))
		goto done;
	look(&f, &all);
	f.held = all.before < all.out.len;
	f.unread = all.unread == in.len;
	ends = good_end(set, &all);
	say("end of input", "%s", end_text(&all, text));
	if (!ends)
		tell_culprits(set, &f);
	else if (!silent)
		f.alone = find_silent_code(set, &f);
	if (all.unread)
		say("reads", "%s; what it does not read counts as done in -a eof", f.unread ? "nothing" : "a part of its input only");
	tell_events(&f, set->program);
	if (all.out.len)
		say("writes", "%s%s", all.before == all.out.len ? "at once" : all.before ? "a part of it only" : "only",
			all.before == all.out.len ? "" : " when its input ends; -a line and -a sync would end and start it for that");
	if (all.before < all.out.len)
		say("  better", "%s", hint_flush(set->program));
	if (try_run(&twice, &set->spawn, in.p, in.len, 0, TIME) == 0) {
		say("the same twice", twice.out.len == all.out.len && memcmp(twice.out.p ? twice.out.p : "", all.out.p ? all.out.p : "", all.out.len) == 0 ?
			"yes" : "no: what is done again after a crash is said twice, unless the ids are the same");
		try_release(&twice);
	}
	try_release(&all);
	code = tell_modes(set, &f, ends);
done:
	buf_release(&in);
	if (fflush(stdout))
		code = 1;
	return code;
}
