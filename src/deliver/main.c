/* deliver: says things on the platforms. Manual: deliver(8). */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "base/loop.h"
#include "deliver/life.h"
#include "deliver/places.h"
#include "link/work_args.h"

static struct work_args stage = WORK_ARGS_INIT;
static const char *dir = "etc/accounts", *outbox = "state/deliver/outbox.db", *ca;
static uint64_t conns = 16;
static int64_t give_up = 600 * CLOCK_S;
static bool test;

static const struct arg rows[] = {
	WORK_ARGS_ROWS(stage),
	{'A', "accounts", ARG_STR, &dir, 0, 0, "DIR", "accounts, DIR/TENANT/NAME.conf", NULL, 0},
	{'b', "outbox", ARG_STR, &outbox, 0, 0, "FILE", "database of what is to be said", NULL, 0},
	{'g', "give-up", ARG_TIME, &give_up, CLOCK_S, 86400 * CLOCK_S, "TIME", "a message that could not be said for so long fails", NULL, 0},
	{'p', "parallel", ARG_U64, &conns, 1, 256, "N", "requests to one host at a time", NULL, 0},
	{0, "ca", ARG_STR, &ca, 0, 0, "FILE", "more certificates to trust on https", NULL, 0},
	{'t', "test", ARG_FLAG, &test, 0, 0, NULL, "check the accounts and exit", NULL, ARG_NOFILE},
};

static const struct args args = {
	.prog = "deliver",
	.synopsis = "[-i URL] [-o URL] [-A DIR] [-b FILE] [-g TIME] [-p N] [-n N] [-a NAME] [-c FILE] [-F N] [-M FILE] [-L json|text] [-v]\n-t [-A DIR]",
	.about = "Carries out message.send on Discord, Twitch and webhooks, and tells what became of it.",
	.rows = rows,
	.n = sizeof(rows) / sizeof(*rows),
	.flags = ARGS_DAEMON,
};

static int check_accounts(void)
{
	struct loop *l = loop_new();
	struct http *h = l ? http_open(l, NULL) : NULL;
	struct places p = {.dir = dir, .loop = l, .http = h};
	int code = 1;

	if (!h)
		die(1, "cannot start the loop: %s", strerror(errno));
	if (places_read(&p) == 0 && p.bad == 0) {
		log_info("%zu accounts in %s are good", p.n, dir);
		code = 0;
	}
	places_release(&p);
	http_close(h);
	loop_free(l);
	return code;
}

int main(int argc, char **argv)
{
	struct life_opts o;
	int at = args_parse(&args, argc, argv);

	if (at < argc)
		args_usage(&args, "deliver takes no operand: %s", argv[at]);
	if (test)
		return check_accounts();
	o = (struct life_opts){.accounts = dir, .outbox = outbox, .ca = ca, .conns = (unsigned)conns, .give_up = give_up};
	work_args_fill(&o.link, &stage);
	return life_run(&o);
}
