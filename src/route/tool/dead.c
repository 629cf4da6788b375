/*
 * route dead list|show|retry|drop|replace: the dead letters of a spool. penstock dead is its face.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "line/scan.h"
#include "route/tool/change.h"
#include "route/tool/pick.h"
#include "route/tool/show.h"
#include "route/tool/tool.h"

#define REFS_MOST 65536u	/* letters picked before they are changed */

static const char *spool, *run_dir, *where;
static bool json, all, yes, event, indent, new_id;

static const struct arg rows[] = {
	{ 'd', "spool", ARG_STR, &spool, 0, 0, "DIR", "the spool", NULL, ARG_NOFILE },
	{ 'R', "run-dir", ARG_STR, &run_dir, 0, 0, "DIR", "where the hub's control socket is, if one runs", NULL, ARG_NOFILE },
	{ 'w', "where", ARG_STR, &where, 0, 0, "EXPR", "only letters whose event matches: penstock-rules(5)", NULL, ARG_NOFILE },
	{ 'j', "json", ARG_FLAG, &json, 0, 0, NULL, "list, show: an object a line", NULL, ARG_NOFILE },
	{ 'e', "event", ARG_FLAG, &event, 0, 0, NULL, "show: only the event, as one line", NULL, ARG_NOFILE },
	{ 0, "indent", ARG_FLAG, &indent, 0, 0, NULL, "with --event: over several lines", NULL, ARG_NOFILE },
	{ 'a', "all", ARG_FLAG, &all, 0, 0, NULL, "retry, drop, show: all that -w or the destinations leave", NULL, ARG_NOFILE },
	{ 'y', "yes", ARG_FLAG, &yes, 0, 0, NULL, "drop: do not ask", NULL, ARG_NOFILE },
	{ 0, "new-id", ARG_FLAG, &new_id, 0, 0, NULL, "replace: id and source may be others", NULL, ARG_NOFILE },
};

static struct args args = {
	.synopsis = "list -d SPOOL [-w EXPR] [--json] [DEST|LETTER]...\n"
		"show -d SPOOL [--json|--event [--indent]] [-w EXPR] [--all] [DEST|LETTER]...\n"
		"retry|drop -d SPOOL [-R RUNDIR] [-y] [-w EXPR] [--all] [DEST|LETTER]...\n"
		"replace -d SPOOL [-R RUNDIR] [--new-id] LETTER < EVENT",
	.about = "Looks at dead letters, sends them to their destination again, drops them. LETTER is NUMBER or DEST:NUMBER.",
	.rows = rows, .n = sizeof(rows) / sizeof(*rows), .flags = ARGS_ANYWHERE,
};

/* ---- list, show ---- */

struct shown { bool heading; uint64_t n; void (*how)(const struct picked *l); };

static bool print_one(void *arg, const struct picked *l)
{
	struct shown *s = arg;

	if (s->n++ == 0 && s->heading)
		show_heading();
	else if (s->how == show_whole && s->n > 1)
		putchar('\n');
	s->how(l);
	return !ferror(stdout);
}

static int print_all(struct pick *k, struct shown *s)
{
	if (pick_each(k, print_one, s) < 0)
		return 1;
	if (fflush(stdout) < 0 || ferror(stdout)) {
		if (errno != EPIPE)
			log_error("standard output: %s", strerror(errno));
		return 1;
	}
	return pick_missing(k) > 0;
}

static int list(struct pick *k)
{
	struct shown s = { .heading = !json, .how = json ? show_json : show_row };

	return print_all(k, &s);
}

static int show(struct pick *k)
{
	struct shown s = { .how = json ? show_json : event ? (indent ? show_indented : show_event) : show_whole };

	return print_all(k, &s);
}

/* ---- retry, drop ---- */

/* What is to be changed: counted first, then destination by destination. */
struct work {
	struct pick *k;
	struct change c;
	int (*fn)(struct change *c, const char *dest, const struct dead_ref *refs, size_t n, struct change_result *r);
	uint64_t found, done, most;
	char (*dests)[RULES_DEST_NAME + 1];
	size_t ndests;
	const char *dest;		/* the one in work */
	struct dead_ref *refs;
	size_t n;
	uint64_t *bad;			/* numbers of its letters that stay */
	size_t nbad, all_bad;
};

static void *grown(void *v, size_t n, size_t size)
{
	/* At every power of two. */
	if ((n & (n - 1)) == 0 && !(v = realloc(v, (n ? 2 * n : 1) * size)))
		die(1, "no memory");
	return v;
}

static bool count_one(void *arg, const struct picked *l)
{
	struct work *w = arg;

	if (!w->ndests || strcmp(w->dests[w->ndests - 1], l->dest) != 0) {
		w->dests = grown(w->dests, w->ndests, sizeof(*w->dests));
		strcpy(w->dests[w->ndests++], l->dest);
	}
	w->found++;
	if (l->ref.seq > w->most)
		w->most = l->ref.seq;
	return true;
}

static bool collect(void *arg, const struct picked *l)
{
	struct work *w = arg;

	if (strcmp(w->dest, l->dest) != 0)
		return true;
	for (size_t i = 0; i < w->nbad; i++)
		if (w->bad[i] == l->ref.seq)
			return true;
	w->refs[w->n++] = l->ref;
	return w->n < REFS_MOST;
}

/* Changes the letters that were collected, until the file was packed and they stand elsewhere. -1 with a message. */
static int change_collected(struct work *w)
{
	struct change_result r = { .nbad = 0 };

	for (size_t at = 0, n; at < w->n; at += n - r.rest) {
		n = w->n - at < CHANGE_MOST ? w->n - at : CHANGE_MOST;
		if (w->fn(&w->c, w->dest, w->refs + at, n, &r) < 0)
			return -1;
		w->done += r.done;
		for (size_t i = 0; i < r.nbad; i++) {
			w->bad = grown(w->bad, w->nbad, sizeof(*w->bad));
			w->bad[w->nbad++] = r.bad[i];
		}
		if (r.missing || r.rest == n)
			break;
	}
	return 0;
}

static int change_dest(struct work *w)
{
	uint64_t before;

	w->nbad = 0;
	do {
		before = w->done;
		w->n = 0;
		if (pick_each(w->k, collect, w) < 0 || change_collected(w) < 0)
			return -1;
	} while (w->done > before);
	w->all_bad += w->nbad;
	return 0;
}

static bool agreed(uint64_t n)
{
	char answer[16] = "";

	if (yes || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return true;
	fprintf(stderr, "drop %" PRIu64 " dead letter%s for good? [y/N] ", n, num_s(n));
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int change_picked(struct pick *k, bool retry)
{
	struct work w = { .k = k, .c = { .spool = spool, .run_dir = run_dir, .lock = -1 }, .fn = retry ? change_retry : change_drop };
	int code = 1;

	if (pick_each(k, count_one, &w) < 0 || (!retry && w.found && !agreed(w.found)) || change_open(&w.c) < 0)
		goto done;
	code = pick_missing(k) > 0;
	/* What dies from now on, a letter that is retried perhaps, is not meant: it has a higher number. */
	k->most = w.most;
	w.refs = calloc(REFS_MOST, sizeof(*w.refs));
	if (!w.refs)
		die(1, "no memory");
	for (size_t i = 0; i < w.ndests; i++) {
		w.dest = w.dests[i];
		if (change_dest(&w) < 0)
			code = 1;
	}
	change_close(&w.c);
	printf("%s %" PRIu64 " dead letter%s\n", retry ? "retried" : "dropped", w.done, num_s(w.done));
	if (w.all_bad)
		code = 1;
done:
	free(w.refs);
	free(w.bad);
	free(w.dests);
	return code;
}

/* ---- replace ---- */

struct one { struct dead_ref ref; char dest[RULES_DEST_NAME + 1]; struct buf event; unsigned n; };

static bool take_one(void *arg, const struct picked *l)
{
	struct one *o = arg;

	if (o->n++)
		return false;
	o->ref = l->ref;
	strcpy(o->dest, l->dest);
	if (buf_add(&o->event, l->event, l->n) < 0)
		die(1, "no memory");
	return true;
}

static bool same(struct span a, struct span b)
{
	struct buf x, y;
	bool r;

	buf_init(&x, LETTER_MAX);
	buf_init(&y, LETTER_MAX);
	r = a.p && b.p && scan_string(a, &x) == 0 && scan_string(b, &y) == 0 && x.len == y.len && memcmp(x.p, y.p, x.len) == 0;
	buf_release(&x);
	buf_release(&y);
	return r;
}

/* Is it still the same event? With a message when not. */
static bool keeps_id(const struct one *o, const char *p, size_t n)
{
	struct envelope old, e;

	if (new_id || scan_lazy(o->event.p, o->event.len - 1, &old) < 0)
		return true;
	if (scan_lazy(p, n, &e) == 0 && same(old.a[LA_ID], e.a[LA_ID]) && same(old.a[LA_SOURCE], e.a[LA_SOURCE]))
		return true;
	log_error("id and source are not what they were: then it is another event, and who saw the first sees both; --new-id allows that");
	return false;
}

/* JSON text on one line, without the blanks that an editor or jq puts between values. In a string everything stays, a fault too. */
static void one_line(struct buf *b)
{
	bool in_string = false;
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++) {
		char c = b->p[i];
		if (!in_string && (c == ' ' || c == '\t' || c == '\r' || c == '\n'))
			continue;
		if (c == '"')
			in_string = !in_string;
		b->p[n++] = c;
		if (in_string && c == '\\' && i + 1 < b->len)
			b->p[n++] = b->p[++i];
	}
	b->len = n;
}

static int replace(struct pick *k)
{
	struct change c = { .spool = spool, .run_dir = run_dir };
	struct change_result r;
	struct one o = { .n = 0 };
	struct buf line;
	int code = 1;

	buf_init(&o.event, LETTER_MAX);
	buf_init(&line, LETTER_MAX);
	if (k->numbers != 1 || k->nids != 1)
		args_usage(&args, "replace needs one letter: NUMBER or DEST:NUMBER");
	if (pick_each(k, take_one, &o) < 0 || pick_missing(k))
		goto done;
	if (o.n > 1) {
		log_error("%" PRIu64 " is dead in more than one destination: say DEST:%" PRIu64, o.ref.seq, o.ref.seq);
		goto done;
	}
	if (fd_read_file("/dev/stdin", &line) < 0) {
		log_error("standard input: %s", strerror(errno));
		goto done;
	}
	one_line(&line);
	if (!keeps_id(&o, line.p ? line.p : "", line.len) || change_open(&c) < 0)
		goto done;
	if (change_edit(&c, o.dest, &o.ref, line.p ? line.p : "", line.len, &r) == 0) {
		code = r.done != 1;
		if (code)
			log_error("%s:%" PRIu64 ": there is no such dead letter any more", o.dest, o.ref.seq);
	}
	change_close(&c);
done:
	buf_release(&o.event);
	buf_release(&line);
	return code;
}

static int run(int argc, char **argv)
{
	args.prog = argv[0];

	int at = args_parse(&args, argc, argv), code;
	const char *verb = at < argc ? argv[at++] : "";
	struct pick k;

	if (!spool)
		args_usage(&args, "-d is missing: the spool");
	pick_init(&k, &args, spool, where, argv + at, argc - at);
	bool retry = strcmp(verb, "retry") == 0, drop = strcmp(verb, "drop") == 0;
	if ((retry || drop || strcmp(verb, "show") == 0) && !k.numbers && !where && !all)
		args_usage(&args, "%s: which letters? Their numbers, -w EXPR, or --all", verb);
	if (strcmp(verb, "list") == 0)
		code = list(&k);
	else if (strcmp(verb, "show") == 0)
		code = show(&k);
	else if (retry)
		code = change_picked(&k, true);
	else if (drop)
		code = change_picked(&k, false);
	else if (strcmp(verb, "replace") == 0)
		code = replace(&k);
	else
		args_usage(&args, "%s", verb[0] ? "the first word must be list, show, retry, drop or replace" : "list, show, retry, drop or replace?");
	pick_release(&k);
	return code;
}

const struct tool tool_dead = { "dead", run };
