#include "gatewayd/config.h"

#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "gatewayd/browser/frame.h"
#include "line/envelope.h"
#include "line/line.h"

#define HOOK_TIME (2500 * CLOCK_MS)	/* Discord waits 3 s for the answer to an interaction, Twitch "a few seconds" */

static uint64_t port = 8080, max_conns = 1000, max_each = 200, max_held = 64u << 20;
static bool any_tenant;

static struct config in = {
	.output = "-",
	.backlog = 8192,
	.backlog_bytes = 64u << 20,
	.webhook_rate = "*",
	.drain_time = 5 * CLOCK_S,
	.server = {.addr = "127.0.0.1", .head_time = 10 * CLOCK_S, .body_time = 30 * CLOCK_S, .idle_time = 60 * CLOCK_S,
		.write_time = 30 * CLOCK_S},
	.edge = {.max_message = FRAME_MAX, .ping = 25 * CLOCK_S, .protocol = FRAME_PROTOCOL},
	.browser = {.tenant = "default", .say_rate = 5, .say_burst = 10, .history = 50, .ring_lines = 512, .max_rooms = 1000,
		.slow_time = 15 * CLOCK_S},
	.intake = {.max_body = 4u << 20, .max_line = LINE_MAX_BYTES, .max_events = 1000, .ack_time = 10 * CLOCK_S},
	.upstream = {.max_held = 64u << 20, .stall = 15 * CLOCK_S},
};

static const struct arg rows[] = {
	{'o', "output", ARG_STR, &in.output, 0, 0, "URL", "where events go: - (stdout) or the hub's socket", NULL, 0},
	{'b', "browser", ARG_STR, &in.browser.take, 0, 0, "URL", "the hub's destination for what rooms show", NULL, 0},
	{'q', "query", ARG_STR, &in.browser.query, 0, 0, "URL", "store's query socket, for the history of rooms", NULL, 0},
	{'a', "accounts", ARG_STR, &in.upstream.accounts, 0, 0, "DIR", "accounts on chat platforms: DIR/TENANT/NAME.conf", NULL, 0},
	{'s', "state", ARG_STR, &in.upstream.state, 0, 0, "DIR", "what is kept of their sessions; shared by all gatewayds of a host", NULL, 0},
	{'w', "say", ARG_STR, &in.upstream.say, 0, 0, "URL", "the hub's destination for what accounts say over their connection", NULL, 0},
	{0, "control", ARG_STR, &in.control, 0, 0, "URL", "socket for penstock status and drain, ipc://...", NULL, 0},
	{'l', "listen", ARG_STR, &in.server.addr, 0, 0, "ADDR", "address to listen on", NULL, 0},
	{'p', "port", ARG_U64, &port, 0, 65535, "PORT", "port to listen on; 0: any free one", NULL, 0},
	{'t', "tenant", ARG_STR, &in.browser.tenant, 0, 0, "NAME", "tenant that all events here belong to", NULL, 0},
	{0, "any-tenant", ARG_FLAG, &any_tenant, 0, 0, NULL, "events posted may say any tenant", NULL, 0},
	{0, "origin", ARG_LIST, &in.browser.origins, 0, 0, "ORIGIN", "pages of other sites that may chat, * for all", NULL, 0},
	{0, "host", ARG_LIST, &in.hosts, 0, 0, "NAME", "answer under this name, too; * for any", NULL, 0},
	{0, "webhook-rate", ARG_STR, &in.webhook_rate, 0, 0, "N", "deliveries a minute granted to webhook senders", NULL, 0},
	{0, "max-connections", ARG_U64, &max_conns, 1, 100000, "N", "connections at once", NULL, 0},
	{0, "max-per-address", ARG_U64, &max_each, 1, 100000, "N", "of them from one address", NULL, 0},
	{0, "max-body", ARG_SIZE, &in.intake.max_body, 1024, 64 << 20, "SIZE", "of a request", NULL, 0},
	{0, "max-bodies", ARG_SIZE, &max_held, 4096, INT64_C(1) << 40, "SIZE", "of the requests being read, together; then 503", NULL, 0},
	{0, "max-line", ARG_SIZE, &in.intake.max_line, 1024, LINE_MAX_BYTES, "SIZE", "of an event", NULL, 0},
	{0, "max-batch", ARG_U64, &in.intake.max_events, 1, 4096, "N", "events in one request", NULL, 0},
	{0, "backlog", ARG_U64, &in.backlog, 1, 1000000, "N", "events waiting for the hub; then 503", NULL, 0},
	{0, "max-held", ARG_SIZE, &in.upstream.max_held, 1 << 20, INT64_C(1) << 40, "SIZE", "of platforms' lines waiting for the hub; then they are not read",
		NULL, 0},
	{0, "stall-time", ARG_TIME, &in.upstream.stall, CLOCK_S, 600 * CLOCK_S, "TIME", "platforms that take nothing for so long are lost", NULL, 0},
	{0, "ack-time", ARG_TIME, &in.intake.ack_time, CLOCK_MS, 300 * CLOCK_S, "TIME", "how long a request waits for the hub", NULL, 0},
	{0, "head-time", ARG_TIME, &in.server.head_time, CLOCK_MS, 300 * CLOCK_S, "TIME", "for the head of a request", NULL, 0},
	{0, "body-time", ARG_TIME, &in.server.body_time, CLOCK_MS, 3600 * CLOCK_S, "TIME", "for the body of a request", NULL, 0},
	{0, "idle-time", ARG_TIME, &in.server.idle_time, CLOCK_MS, 3600 * CLOCK_S, "TIME", "between requests", NULL, 0},
	{0, "ping-time", ARG_TIME, &in.edge.ping, CLOCK_S, 600 * CLOCK_S, "TIME", "quiet clients are pinged, and dropped after as long again", NULL, 0},
	{0, "slow-time", ARG_TIME, &in.browser.slow_time, CLOCK_S / 2, 600 * CLOCK_S, "TIME", "clients that take nothing for so long are dropped", NULL, 0},
	{0, "say-rate", ARG_U64, &in.browser.say_rate, 0, 10000, "N", "messages a second of one client; 0: no limit", NULL, 0},
	{0, "say-burst", ARG_U64, &in.browser.say_burst, 1, 10000, "N", "of them at once", NULL, 0},
	{0, "history", ARG_U64, &in.browser.history, 1, 500, "N", "lines shown to who joins", NULL, 0},
	{0, "ring", ARG_U64, &in.browser.ring_lines, 16, 100000, "N", "lines of a room kept in memory", NULL, 0},
	{0, "max-rooms", ARG_U64, &in.browser.max_rooms, 1, 100000, "N", "rooms in memory", NULL, 0},
	{0, "drain-time", ARG_TIME, &in.drain_time, 0, 60 * CLOCK_S, "TIME", "for open requests when told to stop", NULL, 0},
};

static const struct args args = {
	.prog = "gatewayd",
	.synopsis = "[-c FILE] [-o URL] [-b URL] [-q URL] [-l ADDR] [-p PORT] [-t TENANT] [-a DIR -s DIR] [-w URL] [OPTION ...]",
	.about = "the edge: chat platforms, chat page, browser clients and HTTP in, events out",
	.rows = rows,
	.n = sizeof(rows) / sizeof(*rows),
	.flags = ARGS_DAEMON,
};

static bool tenant_ok(const char *t)
{
	size_t n = strlen(t);

	return n >= 1 && n <= TENANT_MAX && strspn(t, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n &&
		!strchr("._-", t[0]);
}

void config_read(struct config *c, int argc, char **argv)
{
	int operand = args_parse(&args, argc, argv);
	const char *why;
	uint64_t n;

	if (operand < argc)
		args_usage(&args, "%s: no operands are expected", argv[operand]);
	if (!tenant_ok(in.browser.tenant))
		args_usage(&args, "tenant: \"%s\": 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit", in.browser.tenant);
	if (strcmp(in.webhook_rate, "*") != 0 && num_u64(in.webhook_rate, 1, 1000000000, &n, &why))
		args_usage(&args, "webhook-rate: \"%s\": %s; a number or *", in.webhook_rate, why);
	if (in.intake.max_events > in.backlog)
		args_usage(&args, "max-batch: more than backlog (%llu): such a batch could never be taken",
			(unsigned long long)in.backlog);
	if (in.intake.max_line > in.intake.max_body)
		args_usage(&args, "max-line: more than max-body: such an event could never be sent");
	if (in.upstream.accounts && !in.upstream.state)
		args_usage(&args, "accounts: want state, too: the folder for what is kept of their sessions");
	if (in.upstream.say && !in.upstream.accounts)
		args_usage(&args, "say: means nothing without accounts");
	in.upstream.max_body = in.intake.max_body;
	in.upstream.drain_time = in.drain_time;
	in.upstream.hook_time = in.intake.ack_time < HOOK_TIME ? in.intake.ack_time : HOOK_TIME;
	in.upstream.max_sent = in.backlog < 4 ? 1 : in.backlog / 2;
	in.server.port = (uint16_t)port;
	in.server.max_conns = max_conns;
	in.server.max_each = max_each;
	in.server.max_held = max_held;
	in.browser.max_clients = max_conns;
	in.edge.hangup = 2 * in.edge.ping;
	in.intake.tenant = any_tenant ? "*" : in.browser.tenant;
	*c = in;
}
