/* penstock drain GATEWAY: a gateway hands its connections to the one that waits for them. */
#include "penstock/penstock.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"

#define ASK_TIME (5 * CLOCK_S)
#define LOOK_MS 50

static int64_t patience = 60 * CLOCK_S;
static const char *account, *tenant;

static const struct arg rows[] = {
	{ 'w', "wait", ARG_TIME, &patience, 0, 86400 * CLOCK_S, "TIME", "how long to wait until all is handed over", NULL, 0 },
	{ 0, "account", ARG_STR, &account, 0, 0, "ACCOUNT", "only this account", NULL, 0 },
	{ 0, "tenant", ARG_STR, &tenant, 0, 0, "TENANT", "only of this tenant", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock drain", .synopsis = "[--account ACCOUNT] [--tenant TENANT] [--wait TIME] GATEWAY",
	.about = "Hands the platforms' connections of a gateway to another one that waits for them: their sessions go on there.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

struct seen { int64_t draining, held; char *error; };

static void on_answer(void *arg, const char *service, const struct json *answer)
{
	struct seen *s = arg;
	const char *error = json_str(json_member(answer, "error"), NULL);

	(void)service;
	s->draining = json_int(json_member(answer, "draining"), 0);
	s->error = error ? text_of("%s", text_plain(error)) : NULL;
}

static bool wanted(const struct json *a)
{
	const char *name = json_str(json_member(a, "account"), NULL), *of = json_str(json_member(a, "tenant"), NULL);

	return name && of && (!account || strcmp(account, name) == 0) && (!tenant || strcmp(tenant, of) == 0);
}

/* Connections that the gateway has not given away yet. */
static void on_accounts(void *arg, const char *service, const struct json *answer)
{
	const struct json *accounts = json_member(answer, "accounts");
	struct seen *s = arg;

	(void)service;
	s->held = 0;
	for (size_t i = 0; i < json_count(accounts); i++) {
		const struct json *conns = json_member(json_at(accounts, i), "connections");

		for (size_t k = 0; wanted(json_at(accounts, i)) && k < json_count(conns); k++) {
			const char *state = json_str(json_member(json_at(conns, k), "state"), NULL);

			s->held += state && strcmp(state, "standby") != 0;
		}
	}
}

static char *question(void)
{
	struct buf b;
	char *text;

	buf_init(&b, 4096);
	buf_adds(&b, "{\"do\":\"drain\"");
	if (account) {
		buf_adds(&b, ",\"account\":");
		buf_add_json(&b, account, strlen(account));
	}
	if (tenant) {
		buf_adds(&b, ",\"tenant\":");
		buf_add_json(&b, tenant, strlen(tenant));
	}
	if (buf_adds(&b, "}\n") || !buf_cstr(&b))
		die(1, "the names are too long");
	text = text_of("%s", b.p);
	buf_release(&b);
	return text;
}

static int wait_for_it(const struct tree *t, const char *service, struct seen *s)
{
	int64_t end = clock_mono() + patience;

	for (;;) {
		if (gateways_ask(t, service, "{\"do\":\"accounts\"}\n", ASK_TIME, on_accounts, s) != 1)
			return -1;
		if (s->held == 0)
			return 0;
		if (clock_mono() >= end) {
			log_error("%s: still holds %" PRId64 " connections", service, s->held);
			return -1;
		}
		poll(NULL, 0, LOOK_MS);
	}
}

int cmd_drain(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	struct seen s = { 0 };
	const char *service;

	if (argc - at != 1)
		args_usage(&args, "want the name of one gateway's service, such as gatewayd@1");
	service = argv[at];
	tree_open(t);
	if (gateways_ask(t, service, question(), ASK_TIME, on_answer, &s) != 1) {
		log_error("%s: does not answer: is it a gateway, and does it run? (penstock status)", service);
		return 1;
	}
	if (s.error) {
		log_error("%s: %s", service, s.error);
		return 1;
	}
	if (patience && wait_for_it(t, service, &s) < 0)
		return 1;
	printf("%s: %" PRId64 " connection%s handed over\n", service, s.draining, s.draining == 1 ? "" : "s");
	return 0;
}
