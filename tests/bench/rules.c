/*
 * rules < lines: what each kind of condition costs. Reads all of stdin into memory and asks each condition about each line, ROUNDS times;
 * prints a row for each: kind and ns a line (median). Before them what every line costs anyway: envelope_check, types_check; after
 * them rules of a hundred lines, and a hostile text of 64 KiB for the two that look at every byte, in ns a byte.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "line/envelope.h"
#include "line/types.h"
#include "route/parse.h"
#include "route/rules.h"

#define ROUNDS 3
#define LINES_MAX 20000u
#define BLOCK 32u
#define TIMES 8

struct line { const char *p; size_t n; struct envelope e; };

static struct line *lines;
static size_t nlines;
static struct buf scratch = { .max = LINE_MAX_BYTES };
static volatile unsigned long hits;

static const struct { const char *kind, *expr; } KINDS[] = {
	{ "all", "all" },
	{ "compare", "type == \"chat.message\"" },
	{ "compare_data", "data.user.id == \"5099548\"" },
	{ "compare_number", "data.n > 5" },
	{ "prefix", "partitionkey ^= \"chan-4\"" },
	{ "glob", "data.text ~ \"*great*\"" },
	{ "regex", "data.text =~ 'great'" },
	{ "regex_anchored", "data.text =~ '^!(help|h|commands)( .*)?$'" },
	{ "regex_search", "data.text =~ '(?i)(great|boss|she) +[a-z]{3,8}'" },
	{ "set_4", "type in (\"chat.edit\", \"member.join\", \"webhook.received\", \"chat.message\")" },
	{ "exists", "exists data.reply_to" },
	{ "percent", "25%" },
	{ "flag", NULL },
	{ "logic_and_2", "type == \"chat.message\" and tenant == \"t001\"" },
	{ "logic_not", "not type == \"chat.message\"" },
};

static void slurp(struct buf *in)
{
	ssize_t got;

	do {
		if (buf_reserve(in, 1 << 20) != 0)
			exit((perror("rules: input"), 1));
		got = read(0, in->p + in->len, in->cap - in->len);
		if (got < 0)
			exit((perror("rules: stdin"), 1));
		in->len += (size_t)got;
	} while (got > 0);
}

static void split(const struct buf *in)
{
	struct line_err err;

	lines = calloc(LINES_MAX, sizeof(*lines));
	if (!lines)
		exit((perror("rules"), 1));
	for (const char *p = in->p, *end = p + in->len, *lf; nlines < LINES_MAX && p < end && (lf = memchr(p, '\n', (size_t)(end - p))); p = lf + 1) {
		struct line *l = &lines[nlines++];
		l->p = p;
		l->n = (size_t)(lf - p);
		if (envelope_check(l->p, l->n, LINE_MAX_BYTES, &l->e, &err) < 0)
			exit((fprintf(stderr, "rules: line %zu is no event: %s\n", nlines, err.why), 1));
	}
	if (!nlines)
		exit((fprintf(stderr, "rules: no lines on stdin\n"), 2));
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

enum what { CHECK, TYPES, PRED, RULES };

static void ask(enum what what, const struct pred *p, const struct rules *r, size_t from, size_t to)
{
	struct line_err err;
	struct envelope e;

	for (size_t i = from; i < to; i++) {
		const struct line *l = &lines[i];
		struct pred_line line = { .raw = { l->p, l->n }, .e = &l->e, .scratch = &scratch };
		switch (what) {
		case CHECK: hits += envelope_check(l->p, l->n, LINE_MAX_BYTES, &e, &err) == 0; break;
		case TYPES: hits += types_check(l->p, &l->e, &err) == 0; break;
		case PRED: hits += pred_match(p, &line); break;
		case RULES: hits += rules_decide(r, &line) != 0; break;
		}
	}
}

/* Processor time: others may use the machine. */
static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * CLOCK_S + t.tv_nsec;
}

/* A line that comes was read a moment ago: BLOCK lines at a time, asked once before the clock runs. */
static double measure(enum what what, const struct pred *p, const struct rules *r)
{
	double took[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		int64_t all = 0;
		for (size_t at = 0; at < nlines; at += BLOCK) {
			size_t to = at + BLOCK < nlines ? at + BLOCK : nlines;
			ask(what, p, r, at, to);
			int64_t start = now();
			for (int i = 0; i < TIMES; i++)
				ask(what, p, r, at, to);
			all += now() - start;
		}
		took[round] = (double)all / (double)nlines / TIMES;
	}
	qsort(took, ROUNDS, sizeof(*took), by_size);
	return took[ROUNDS / 2];
}

static struct rules *parse(const char *text)
{
	char why[RULES_WHY];
	struct rules *r = rules_parse("rules", text, strlen(text), why);

	if (!r)
		exit((fprintf(stderr, "%s\n", why), 1));
	return r;
}

static void kinds(void)
{
	for (size_t i = 0; i < sizeof(KINDS) / sizeof(*KINDS); i++) {
		char text[400];
		snprintf(text, sizeof(text), "#!flags beta\n%s -> a", KINDS[i].expr ? KINDS[i].expr : "flag beta");
		struct rules *r = parse(text);
		printf("%s %.1f\n", KINDS[i].kind, measure(PRED, r->set.v[0].when, NULL));
		rules_free(r);
	}
}

/* A file of so many rules, of which a line meets one; then the rules that are delivered with penstock. */
static void files(void)
{
	static const unsigned SIZES[] = { 1, 10, 100 };
	static const char DELIVERED[] = "all -> store\ntype == \"chat.message\" -> analyze, respond\ntype == \"analysis.emotion\" -> respond\n"
		"partitionkey ^= \"browser:\" and type in (\"chat.message\", \"message.send\", \"analysis.emotion\") -> browser\n";
	struct buf text;

	for (size_t i = 0; i < sizeof(SIZES) / sizeof(*SIZES); i++) {
		buf_init(&text, 1 << 20);
		for (unsigned k = 0; k < SIZES[i]; k++)
			buf_printf(&text, "tenant == \"t%03u\" -> d%u\n", k, k % 50);
		struct rules *r = parse(buf_cstr(&text));
		printf("file_of_%u %.1f\n", SIZES[i], measure(RULES, NULL, r));
		rules_free(r);
		buf_release(&text);
	}
	struct rules *r = parse(DELIVERED);
	printf("file_delivered %.1f\n", measure(RULES, NULL, r));
	rules_free(r);
}

/* A text that makes a backtracking search work for ever; ns a byte. */
static void hostile(void)
{
	static const struct { const char *kind, *expr; } ASKED[] = {
		{ "hostile_glob", "data.t ~ \"*a*a*a*a*a*a*b\"" }, { "hostile_regex", "data.t =~ '^(a+)+$'" },
		{ "hostile_regex_wide", "data.t =~ '(a|b)*a(a|b){12}c'" },
	};
	static char text[65536 + 200], *all = text;
	size_t n = (size_t)snprintf(text, 200, "{\"specversion\":\"1.0\",\"id\":\"i\",\"source\":\"s\",\"type\":\"x\",\"data\":{\"t\":\"");
	struct line_err err;

	for (size_t i = 0; i < 65536; i++)
		text[n++] = i % 7 == 3 ? 'b' : 'a';
	memcpy(text + n, "\"}}", 3);
	n += 3;
	nlines = 1;
	lines[0].p = all;
	lines[0].n = n;
	if (envelope_check(all, n, LINE_MAX_BYTES, &lines[0].e, &err) < 0)
		exit((fprintf(stderr, "rules: %s\n", err.why), 1));
	for (size_t i = 0; i < sizeof(ASKED) / sizeof(*ASKED); i++) {
		char rule[200];
		snprintf(rule, sizeof(rule), "%s -> a", ASKED[i].expr);
		struct rules *r = parse(rule);
		printf("%s %.2f\n", ASKED[i].kind, measure(PRED, r->set.v[0].when, NULL) / 65536);
		rules_free(r);
	}
}

int main(void)
{
	struct buf in;

	buf_init(&in, (size_t)1 << 32);
	slurp(&in);
	split(&in);
	printf("envelope_check %.1f\n", measure(CHECK, NULL, NULL));
	printf("types_check %.1f\n", measure(TYPES, NULL, NULL));
	kinds();
	files();
	hostile();
	return 0;
}
