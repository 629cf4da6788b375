/* penstock rules: what each rule did; penstock reload route: new rules in force, or why not. */
#include "penstock/penstock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#define PATIENCE (60 * CLOCK_S)	/* a slow disk may keep new rules waiting */

static bool as_json;

static const struct arg rows[] = {
	{ 'j', "json", ARG_FLAG, &as_json, 0, 0, NULL, "the hub's answer as it is, one JSON object", NULL, ARG_NOFILE },
};

static const struct args args = {
	.prog = "penstock rules", .synopsis = "[--json]",
	.about = "Prints the rules in force, each with the number of lines that it held for.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

int rules_reload(const struct tree *t)
{
	struct json *doc = hub_ask(t, "{\"do\":\"reload\"}\n", PATIENCE);
	const struct json *warnings = json_member(doc, "warnings");

	if (!doc)
		return -1;
	for (size_t i = 0; i < json_count(warnings); i++)
		log_warn("%s", json_str(json_at(warnings, i), NULL));
	if (json_bool(json_member(doc, "changed"), false))
		printf("route: generation %" PRId64 " in force from line %" PRId64 " on\n", json_int(json_member(doc, "generation"), 0),
			json_int(json_member(doc, "from"), 0));
	else
		printf("route: unchanged (generation %" PRId64 ")\n", json_int(json_member(doc, "generation"), 0));
	json_free(doc);
	return 0;
}

static void print_rules(const struct json *doc)
{
	const struct json *rules = json_member(doc, "rules");

	printf("%12s %6s  %s\n", "hits", "line", "rule");
	for (size_t i = 0; i < json_count(rules); i++) {
		const struct json *r = json_at(rules, i);
		const char *text = json_str(json_member(r, "rule"), NULL);
		printf("%12" PRId64 " %6" PRId64 "  %s\n", json_int(json_member(r, "hits"), 0), json_int(json_member(r, "line"), 0),
			text ? text : "");
	}
}

int cmd_rules(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	struct json *doc;
	struct buf text;

	if (at != argc)
		args_usage(&args, "no operand is wanted: %s", argv[at]);
	tree_open(t);
	doc = hub_ask(t, "{\"do\":\"rules\"}\n", PATIENCE);
	if (!doc)
		return 1;
	buf_init(&text, 64u << 20);
	if (!as_json)
		print_rules(doc);
	else if (json_print(doc, &text) == 0 && buf_cstr(&text))
		printf("%s\n", text.p);
	buf_release(&text);
	json_free(doc);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	log_error("stdout: %s", strerror(errno));
	return 1;
}
