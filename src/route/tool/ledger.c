/* route ledger: do the books of each destination add up? Asks the hub, or counts in the files when none runs. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/json.h"
#include "base/log.h"
#include "route/books.h"
#include "route/tool/offline.h"
#include "route/tool/tool.h"

#define ANSWER_MAX (1u << 20)

static const char *spool, *run_dir;
static bool json;

static const struct arg rows[] = {
	{ 'd', "spool", ARG_STR, &spool, 0, 0, "DIR", "the spool", NULL, ARG_NOFILE },
	{ 'R', "run-dir", ARG_STR, &run_dir, 0, 0, "DIR", "where the hub's control socket is, if one runs", NULL, ARG_NOFILE },
	{ 'j', "json", ARG_FLAG, &json, 0, 0, NULL, "one JSON object", NULL, ARG_NOFILE },
};

static struct args args = {
	.synopsis = "-d SPOOL [-R RUNDIR] [--json]",
	.about = "For each destination: accepted = delivered + filtered + dead + pending + shed? Exit code 1 if not.",
	.rows = rows, .n = sizeof(rows) / sizeof(*rows), .flags = ARGS_ANYWHERE,
};

/* No hub runs: all is counted once more from the lines. */
static int count(struct buf *out)
{
	struct book v[RULES_DESTS];
	struct offline o;
	bool all = true;
	int bad = offline_open(&o, spool);

	for (size_t i = 0; i < o.n; i++)
		v[i] = (struct book){ .cursor = &o.dests[i].c, .place = (unsigned)i };
	if (bad == 0)
		bad = books_read(o.spool, &o.book, v, o.n);
	bad = bad || buf_adds(out, "{\"destinations\":[");
	for (size_t i = 0; !bad && i < o.n; i++) {
		struct book_row row;
		books_row(o.spool, &o.dests[i].c, &row);
		row.counted = true;
		row.found = v[i].found;
		bad |= i ? buf_addc(out, ',') : 0;
		bad |= books_json(out, o.dests[i].name, &row);
		all &= books_add_up(&row);
	}
	bad = bad || buf_printf(out, "],\"adds_up\":%s}\n", all ? "true" : "false");
	offline_close(&o);
	return bad ? -1 : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(json_str(json_member(*(const struct json *const *)a, "name"), NULL),
		json_str(json_member(*(const struct json *const *)b, "name"), NULL));
}

static void print_row(const struct json *d)
{
	static const char *const column[] = { "accepted", "delivered", "filtered", "dead", "pending", "shed" };
	int64_t found = json_int(json_member(d, "found"), -1), pending = json_int(json_member(d, "pending"), 0);

	printf("%-16s", json_str(json_member(d, "name"), NULL));
	for (size_t i = 0; i < sizeof(column) / sizeof(*column); i++)
		printf(" %12" PRId64, json_int(json_member(d, column[i]), 0));
	if (json_bool(json_member(d, "adds_up"), false))
		puts("  yes");
	else if (found >= 0 && found != pending)
		printf("  NO: %" PRId64 " line%s pending\n", found, found == 1 ? " is" : "s are");
	else
		puts("  NO");
}

static void print_table(const struct json *doc)
{
	const struct json *list = json_member(doc, "destinations"), *v[RULES_DESTS];
	size_t n = json_count(list);

	for (size_t i = 0; i < n && i < RULES_DESTS; i++)
		v[i] = json_at(list, i);
	n = n < RULES_DESTS ? n : RULES_DESTS;
	if (n)
		qsort(v, n, sizeof(*v), by_name);
	printf("%-16s %12s %12s %12s %12s %12s %12s  ADDS UP\n", "DESTINATION", "ACCEPTED", "DELIVERED", "FILTERED", "DEAD", "PENDING", "SHED");
	for (size_t i = 0; i < n; i++)
		print_row(v[i]);
}

static int run(int argc, char **argv)
{
	struct json_error err;
	struct json *doc = NULL;
	struct buf text;
	int at, code = 1;

	args.prog = argv[0];
	at = args_parse(&args, argc, argv);
	if (at < argc)
		args_usage(&args, "%s: not expected", argv[at]);
	if (!spool)
		args_usage(&args, "-d is missing: the spool");
	buf_init(&text, ANSWER_MAX);
	if ((offline_in_use(spool) ? offline_ask(run_dir, "{\"do\":\"ledger\"}", &text) : count(&text)) == 0 &&
	    (doc = json_parse(text.p, text.len, &err))) {
		if (json)
			fwrite(text.p, 1, text.len, stdout);
		else
			print_table(doc);
		code = !json_bool(json_member(doc, "adds_up"), false);
		if (fflush(stdout) < 0 || ferror(stdout)) {
			log_error("standard output: %m");
			code = 1;
		}
	}
	json_free(doc);
	buf_release(&text);
	return code;
}

const struct tool tool_ledger = { "ledger", run };
