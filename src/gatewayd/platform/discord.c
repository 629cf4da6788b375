/*
 * discord: a bot on Discord, by its gateway (version 10, JSON), or by interactions over HTTP. The specification is Discord's documentation:
 * topics/gateway, topics/gateway-events, topics/opcodes-and-status-codes, topics/rate-limits, interactions/receiving-and-responding.
 *
 * A connection is a shard. How many there are, where they dial and how many new sessions may be begun today is asked first
 * (GET /gateway/bot), and again when a new session is due and the answer is old.
 */
#include "gatewayd/platform/discord_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/http.h"
#include "base/json.h"
#include "base/log.h"

#define ASKED_GOOD (600 * CLOCK_S)	/* an answer this old is asked for again before Identify */
#define ASK_WAIT_MAX (60 * CLOCK_S)
#define IDENTIFY_EVERY (5250 * CLOCK_MS)	/* 5 s, as Discord sees it: the one before may have been longer under way */
#define RETRY_MAX (3600 * CLOCK_S)
#define FETCH_TEXT (16u << 20)
#define EXTRA (1 << 20)			/* of the buffer of a payload, beyond large-payload */

static const char *const words[] = {
	"token-file", "application-id", "public-key", "intents", "events", "shards", "compress", "presence", "status", "api", "large-payload", NULL,
};

static void close_(void *arg)
{
	struct discord *d = arg;

	for (unsigned n = 0; n < d->nconns; n++)
		shard_release(d, &d->conns[n]);
	free(d->conns);
	discord_conf_release(&d->conf);
	free(d->auth);
	buf_release(&d->line);
	buf_release(&d->plain);
	buf_release(&d->text);
	buf_release(&d->fetch_guild);
	free(d);
}

static void *open_(const struct account *a, struct out *o)
{
	struct discord *d = calloc(1, sizeof(*d));
	char bot[OUT_BOT];

	if (!d || discord_conf_read(&d->conf, a))
		goto no;
	d->out = o;
	discord_conf_bot(&d->conf, bot);
	out_bot(o, bot);
	snprintf(d->name, sizeof(d->name), "%s", account_name(a));
	/* Names of tenants and accounts need no escaping. The source names the tenant, too: two bots of one name may hear the same message. */
	snprintf(d->json.tenant, sizeof(d->json.tenant), "\"%s\"", account_tenant(a));
	snprintf(d->json.name, sizeof(d->json.name), "\"%s\"", account_name(a));
	snprintf(d->json.source, sizeof(d->json.source), "\"%s\"", account_source(a));
	buf_init(&d->line, LINE_MAX_BYTES + 1);
	buf_init(&d->plain, d->conf.payload_max + EXTRA);
	buf_init(&d->text, 64 << 10);
	buf_init(&d->fetch_guild, FETCH_TEXT);
	if (asprintf(&d->auth, "Authorization: Bot %.*s", (int)d->conf.token.len, d->conf.token.p) < 0) {
		d->auth = NULL;
		goto no;
	}
	return d;
no:
	if (!d || d->out)
		account_bad(a, "platform", "out of memory");
	if (d)
		close_(d);
	return NULL;
}

int64_t discord_jitter(struct discord *d, int64_t from, int64_t to)
{
	return from + (int64_t)((__extension__ (unsigned __int128)out_random(d->out)) * (uint64_t)(to - from) >> 64);
}

unsigned discord_rest(struct discord *d, const char *path, size_t max_answer)
{
	char url[DISCORD_URL + 160];
	const char *headers[] = {d->auth, "User-Agent: " HTTP_AGENT_DISCORD, NULL};
	struct http_request r = {.method = "GET", .url = url, .headers = headers, .max_answer = max_answer};

	snprintf(url, sizeof(url), "%s%s", d->conf.api, path);
	return out_http(d->out, &r, OUT_TOKEN_NONE);
}

void discord_ask(struct discord *d, int64_t now)
{
	(void)now;
	if (!d->ask_call && !d->ask_wait)
		d->ask_call = discord_rest(d, "/gateway/bot", 0);
}

bool discord_gateway_known(struct discord *d, bool fresh, int64_t now)
{
	if (*d->gateway && (!fresh || now - d->asked < ASKED_GOOD))
		return true;
	discord_ask(d, now);
	return false;
}

/* Another number ends every session: so only at a start, or when Discord refuses the old one (4010, 4011). */
static void connections(struct discord *d, unsigned n)
{
	unsigned before = d->nconns;
	struct dconn *v;

	if (before && ((!d->outgrown && !d->guessed) || n <= before))
		return;
	v = reallocarray(d->conns, n, sizeof(*v));
	if (!v) {
		log_error("discord %s: no memory for %u shards", d->name, n);
		return;
	}
	memset(v + before, 0, (n - before) * sizeof(*v));
	d->conns = v;
	d->nconns = n;
	d->outgrown = d->guessed = d->looked = false;
	for (unsigned i = 0; i < before; i++)
		gap_moves(d, d->conns[i].sure);
	for (unsigned i = 0; i < before; i++) {
		d->conns[i].turned_away = false;
		if (d->conns[i].state != CONN_IDLE)
			shard_lost(d, i, AFTER_RESUME, DISCORD_CLOSE, "Discord wants more shards", 0);
	}
	out_connections(d->out, n);
}

static void start(void *arg, int64_t now)
{
	struct discord *d = arg;

	discord_ask(d, now);
}

/* ---- GET /gateway/bot ---- */

int64_t discord_retry_after(const struct http_answer *a)
{
	const char *text = http_header(a, "retry-after");
	char *end = NULL;
	double s = text ? strtod(text, &end) : -1;
	struct json_error err;
	struct json *doc;

	if (a->status == 0)
		return 0;
	if (!text || end == text) {
		doc = json_parse(a->body, a->nbody, &err);
		s = json_double(json_member(doc, "retry_after"), -1);
		json_free(doc);
	}
	if (!(s > 0))
		return 0;
	return s < (double)(RETRY_MAX / CLOCK_S) ? (int64_t)(s * (double)CLOCK_S) + 50 * CLOCK_MS : RETRY_MAX;
}

static void ask_again(struct discord *d, int64_t now, const char *why, int64_t least)
{
	int64_t wait = CLOCK_S << (d->ask_failed < 6 ? d->ask_failed : 6);

	d->ask_failed++;
	wait = wait < ASK_WAIT_MAX ? wait : ASK_WAIT_MAX;
	wait = least + discord_jitter(d, wait / 2, wait);
	snprintf(d->error, sizeof(d->error), "GET /gateway/bot: %.160s; it is tried again", why);
	log_warn("discord %s: GET /gateway/bot: %s; tried again in %.1f s", d->name, why, (double)wait / (double)CLOCK_S);
	d->ask_wait = true;
	out_timer(d->out, OUT_ACCOUNT, TIMER_ASK, now + wait);
	if (d->conf.shards)
		connections(d, d->conf.shards);		/* sessions that are saved can be resumed without an answer */
}

static bool take_url(struct discord *d, const char *url)
{
	if (!url || !discord_url_ok(d, url))
		return false;
	strcpy(d->gateway, url);
	return true;
}

static void take_gateway(struct discord *d, const struct http_answer *a, int64_t now)
{
	struct json_error err;
	struct json *doc = json_parse(a->body, a->nbody, &err);
	const struct json *limit = json_member(doc, "session_start_limit");
	int64_t shards = json_int(json_member(doc, "shards"), 0), keys = json_int(json_member(limit, "max_concurrency"), 1);
	int64_t total = json_int(json_member(limit, "total"), 1000), left = json_int(json_member(limit, "remaining"), 0);
	int64_t reset = json_int(json_member(limit, "reset_after"), 24 * 3600 * 1000);

	if (!take_url(d, json_str(json_member(doc, "url"), NULL)) || shards < 1 || shards > DISCORD_SHARDS) {
		ask_again(d, now, "the answer names no gateway that could be used", 0);
		json_free(doc);
		return;
	}
	json_free(doc);
	d->ask_failed = 0;
	d->token_refused = false;
	d->error[0] = 0;
	d->asked = now;
	d->concurrency = keys < 1 ? 1 : keys > DISCORD_SHARDS ? DISCORD_SHARDS : (unsigned)keys;
	reset = reset < 0 ? 0 : reset > 2 * 24 * 3600 * 1000 ? 2 * 24 * 3600 * 1000 : reset;
	out_budget(d->out, d->concurrency, IDENTIFY_EVERY, total < 0 ? 0 : (uint64_t)total, left < 0 ? 0 : (uint64_t)left, reset * CLOCK_MS);
	connections(d, d->conf.shards ? d->conf.shards : (unsigned)shards);
	d->outgrown = d->guessed = false;
}

static void asked(struct discord *d, const struct http_answer *a, int64_t now)
{
	char why[160];

	d->ask_call = 0;
	if (a->status == 200) {
		take_gateway(d, a, now);
		return;
	}
	if (a->status == 401) {		/* not asked again: many of these, and the address is banned */
		d->token_refused = true;
		snprintf(d->error, sizeof(d->error), "the token in token-file is wrong");
		log_error("discord %s: %s", d->name, d->error);
		if (d->nconns == 0) {
			connections(d, 1);
			d->guessed = true;
		}
		return;
	}
	snprintf(why, sizeof(why), "%.150s", a->error ? a->error : "");
	if (a->status)
		snprintf(why, sizeof(why), "status %d", a->status);
	ask_again(d, now, why, discord_retry_after(a));
}

static void answer(void *arg, unsigned call, const struct http_answer *a, int64_t now)
{
	struct discord *d = arg;

	if (call == d->ask_call)
		asked(d, a, now);
	else if (call == d->gap.call)
		gap_answer(d, a, now);
	else if (call == d->fetch_call)
		fetch_answer(d, a, now);
}

/* ---- the room's contract ---- */

static bool reload(void *arg, const struct account *a, int64_t now)
{
	struct discord *d = arg;
	struct discord_conf new = {.shards = 0};
	bool talk;

	if (discord_conf_read(&new, a) || !discord_conf_hard_same(&d->conf, &new)) {
		discord_conf_release(&new);
		return false;
	}
	talk = discord_conf_presence(&new) != discord_conf_presence(&d->conf);
	discord_conf_release(&d->conf);
	d->conf = new;
	buf_release(&d->plain);
	buf_init(&d->plain, d->conf.payload_max + EXTRA);
	d->error[0] = 0;
	discord_ask(d, now);
	for (unsigned n = 0; talk && n < d->nconns; n++)
		shard_presence(d, n, now);
	return true;
}

static int dial(void *arg, unsigned conn, const char *saved, size_t nsaved, struct dial *to, int64_t now)
{
	return shard_dial(arg, conn, saved, nsaved, to, now);
}

static void opened(void *arg, unsigned conn, unsigned sock, int64_t now)
{
	(void)sock;
	shard_opened(arg, conn, now);
}

static void frame(void *arg, unsigned conn, unsigned sock, const char *b, size_t n, bool binary, int64_t now)
{
	(void)sock;
	shard_frame(arg, conn, b, n, binary, now);
}

static void gone(void *arg, unsigned conn, unsigned sock, unsigned code, const char *reason, int64_t now)
{
	(void)sock;
	shard_gone(arg, conn, code, reason, now);
}

static void due(void *arg, unsigned conn, unsigned timer, int64_t now)
{
	struct discord *d = arg;

	if (conn != OUT_ACCOUNT) {
		shard_due(d, conn, timer, now);
	} else if (timer == TIMER_ASK) {
		d->ask_wait = false;
		discord_ask(d, now);
	} else if (timer == TIMER_GAP) {
		gap_due(d, now);
	} else if (timer == TIMER_FETCH) {
		fetch_due(d, now);
	}
}

static void acked(void *arg, unsigned conn, uint64_t mark, int64_t now)
{
	session_acked(arg, conn, mark, now);
}

static void drain(void *arg, unsigned conn, int64_t now)
{
	(void)now;
	shard_drain(arg, conn);
}

static void hook(void *arg, const struct hook *h, int64_t now)
{
	hook_take(arg, h, now);
}

static void status(void *arg, struct buf *json)
{
	struct discord *d = arg;
	size_t guilds = 0;
	unsigned live = 0, filling = 0;

	for (unsigned n = 0; n < d->nconns; n++) {
		guilds += d->conns[n].names.n;
		live += d->conns[n].state == CONN_LIVE;
		filling += gap_filling(&d->conns[n]);
	}
	if (d->error[0]) {
		buf_adds(json, "\"error\":");
		buf_add_json(json, d->error, strlen(d->error));
		buf_addc(json, ',');
	}
	if (d->self)
		buf_printf(json, "\"user\":\"%" PRIu64 "\",", d->self);
	if (d->gateway[0]) {
		buf_adds(json, "\"gateway\":");
		buf_add_json(json, d->gateway, strlen(d->gateway));
		buf_addc(json, ',');
	}
	buf_printf(json, "\"shards\":%u,\"live\":%u,\"guilds\":%zu,\"filling\":%u", d->nconns, live, guilds, filling);
}

const struct platform platform_discord = {
	.name = "discord", .words = words, .open = open_, .close = close_, .start = start, .reload = reload, .dial = dial, .opened = opened,
	.frame = frame, .gone = gone, .due = due, .answer = answer, .acked = acked, .drain = drain, .hook = hook, .status = status,
};
