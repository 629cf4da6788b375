#include "route/try.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "line/envelope.h"
#include "line/err.h"
#include "line/reader.h"
#include "line/types.h"
#include "route/decide.h"
#include "route/explain.h"
#include "route/lint.h"

#define OUT_MAX (64u << 20)
#define RUNS 256			/* pieces of the input that one writev passes on */
#define PIPE_BYTES (1 << 20)

struct try {
	struct rules *rules;
	uint64_t want;			/* filter: the destination's bit */
	struct reader in;
	struct buf out;			/* what is written; of a filter nothing: it passes on pieces of its input */
	struct iovec runs[RUNS];	/* lines that stand one behind the other in the reader's memory */
	int nruns;
	uint64_t refused;
	int (*line)(struct try *t, struct span line, const struct envelope *e);
	int (*bad)(struct try *t, struct span line, const struct line_err *err);
};

static int write_runs(struct try *t)
{
	struct iovec *v = t->runs, *end = v + t->nruns;

	t->nruns = 0;
	while (v < end) {
		ssize_t n = writev(STDOUT_FILENO, v, (int)(end - v));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		for (; v < end && (size_t)n >= v->iov_len; v++)
			n -= (ssize_t)v->iov_len;
		if (v < end) {
			v->iov_base = (char *)v->iov_base + n;
			v->iov_len -= (size_t)n;
		}
	}
	return 0;
}

/* 0; 1: stdout is closed, which ends a filter; -1 with a message. */
static int flush(struct try *t)
{
	int r = t->nruns ? write_runs(t) : fd_write_all(STDOUT_FILENO, t->out.p, t->out.len);

	buf_clear(&t->out);
	if (r < 0 && errno == EPIPE)
		return 1;
	if (r < 0)
		log_error("standard output: %s", strerror(errno));
	return r;
}

static int one(struct try *t, enum reader_result what, struct span line, const struct line_err *read_err)
{
	struct line_err err = *read_err;
	struct envelope e;

	if (what == READER_BAD || types_check_line(line.p, line.n, LINE_MAX_BYTES, &e, &err) < 0) {
		t->refused++;
		return t->bad(t, line, &err);
	}
	return t->line(t, line, &e);
}

static int no_memory(void)
{
	log_error("no memory");
	return -1;
}

static int undecided(void)
{
	log_error("%s", decide_trouble());
	return -1;
}

/* Reads stdin to its end; output goes out whenever input would have to be waited for. */
static int run(struct try *t)
{
	enum reader_result what;
	struct line_err err = { 0, "" };
	struct span line;
	size_t n;
	int r = 0;

	signal(SIGPIPE, SIG_IGN);
	fcntl(STDIN_FILENO, F_SETPIPE_SZ, PIPE_BYTES);		/* no pipe, or beyond the user's share of pipe memory: no harm */
	fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
	reader_init(&t->in, LINE_MAX_BYTES);
	for (;;) {
		char *p = reader_space(&t->in, &n);
		if (!p) {
			r = no_memory();
			break;
		}
		ssize_t got = read(STDIN_FILENO, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			log_error("standard input: %s", strerror(errno));
			r = -1;
		}
		if (got <= 0)
			break;
		reader_filled(&t->in, (size_t)got);
		while (r == 0 && (what = reader_next(&t->in, &line, &err)) != READER_MORE)
			r = one(t, what, line, &err);
		if (r == 0)
			r = flush(t);
		if (r)
			break;
	}
	if (r == 0 && (what = reader_end(&t->in, &line, &err)) != READER_MORE)
		r = one(t, what, line, &err);
	if (r == 0)
		r = flush(t);
	reader_release(&t->in);
	buf_release(&t->out);
	decide_release();
	rules_free(t->rules);
	return r < 0 || t->refused ? 1 : 0;
}

/* ---- route -t ---- */

static int say_dests(struct try *t, struct span line, const struct envelope *e)
{
	struct spool_line what;
	const char *comma = "";
	int r;

	if (decide(t->rules, line.p, line.n, e, &what) < 0)
		return undecided();
	r = scan_string(e->a[LA_ID], &t->out) | buf_addc(&t->out, '\t');
	for (unsigned i = 0; i < t->rules->set.ndests; i++) {
		if (what.mask >> i & 1) {
			r |= buf_printf(&t->out, "%s%s", comma, t->rules->set.names[i]);
			comma = ",";
		}
	}
	r |= buf_adds(&t->out, what.mask ? "\n" : "-\n");
	return r ? no_memory() : 0;
}

static int say_refused(struct try *t, struct span line, const struct line_err *err)
{
	char text[LINE_ERR_TEXT];

	(void)line;
	return buf_printf(&t->out, "-\trefused: line %" PRIu64 ", %s\n", t->in.number, line_err_text(err, text)) < 0 ?
		no_memory() : 0;
}

static void warn_of(void *arg, unsigned line, const char *text)
{
	log_warn("%s:%u: %s", (const char *)arg, line, text);
}

/* NULL with a message. */
static struct rules *read_rules(const char *file, const char *flags, bool warn)
{
	char why[RULES_WHY];
	struct rules *r = rules_read(file, flags, why);

	if (r && rules_ready(r, file, why) < 0) {
		rules_free(r);
		r = NULL;
	}
	if (!r)
		log_error("%s", why);
	else if (warn)
		lint_rules(&r->set, warn_of, (void *)(uintptr_t)file);
	return r;
}

int try_rules(const char *rules_file, const char *flags)
{
	struct try t = { .rules = read_rules(rules_file, flags, true), .line = say_dests, .bad = say_refused };

	if (!t.rules)
		return 1;
	buf_init(&t.out, OUT_MAX);
	return run(&t);
}

/* ---- route -x ---- */

static const char *explained;		/* the rules file */

static int explain_line(struct try *t, struct span line, const struct envelope *e, bool json)
{
	int r = explain(&t->out, t->rules, explained, line.p, line.n, e, json);

	if (r == 0)
		return 0;
	log_error("%s", r < 0 ? "no memory" : "a condition cannot be asked now (its jq does not answer)");
	return -1;
}

static int explain_text(struct try *t, struct span line, const struct envelope *e)
{
	return explain_line(t, line, e, false);
}

static int explain_json(struct try *t, struct span line, const struct envelope *e)
{
	return explain_line(t, line, e, true);
}

static int refused_json(struct try *t, struct span line, const struct line_err *err)
{
	char text[LINE_ERR_TEXT], whole[LINE_ERR_TEXT + 40];

	(void)line;
	snprintf(whole, sizeof(whole), "line %" PRIu64 ", %s", t->in.number, line_err_text(err, text));
	return buf_adds(&t->out, "{\"refused\":") | buf_add_json(&t->out, whole, strlen(whole)) | buf_adds(&t->out, "}\n") ? no_memory() : 0;
}

int try_explain(const char *rules_file, const char *flags, bool json)
{
	struct try t = { .rules = read_rules(rules_file, flags, true), .line = json ? explain_json : explain_text,
		.bad = json ? refused_json : say_refused };

	if (!t.rules)
		return 1;
	explained = rules_file;
	buf_init(&t.out, OUT_MAX);
	return run(&t);
}

/* ---- the filter ---- */

static int pass(struct try *t, struct span line, const struct envelope *e)
{
	struct iovec *last = t->nruns ? &t->runs[t->nruns - 1] : NULL;
	uint64_t mask;
	int r = 0;

	if (decide_mask(t->rules, line.p, line.n, e, &mask) < 0) {
		log_error("standard input, line %" PRIu64 ": no rule can be asked: %s", t->in.number, decide_trouble());
		return -1;
	}
	if (!(mask & t->want))
		return 0;
	/* The LF behind the line is there too: what has none is no line. */
	if (last && (char *)last->iov_base + last->iov_len == line.p) {
		last->iov_len += line.n + 1;
		return 0;
	}
	if (t->nruns == RUNS)
		r = flush(t);
	t->runs[t->nruns++] = (struct iovec){ (char *)(uintptr_t)line.p, line.n + 1 };
	return r;
}

static int log_refused(struct try *t, struct span line, const struct line_err *err)
{
	char text[LINE_ERR_TEXT];

	log_error("standard input, line %" PRIu64 " refused: %s: %.*s%s", t->in.number, line_err_text(err, text),
		line.n > 120 ? 120 : (int)line.n, line.p ? line.p : "", line.n > 120 ? "..." : "");
	return 0;
}

int try_filter(const char *rules_file, const char *flags, const char *dest)
{
	struct try t = { .rules = read_rules(rules_file, flags, false), .line = pass, .bad = log_refused };

	if (!t.rules)
		return 1;
	for (unsigned i = 0; i < t.rules->set.ndests; i++)
		if (strcmp(t.rules->set.names[i], dest) == 0)
			t.want = UINT64_C(1) << i;
	if (!t.want) {
		log_error("-D %s: no rule of %s has this destination", dest, rules_file);
		rules_free(t.rules);
		return 1;
	}
	buf_init(&t.out, OUT_MAX);
	return run(&t);
}
