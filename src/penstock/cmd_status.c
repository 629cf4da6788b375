/* penstock status: the services as supervise tells them, the destinations as route counts them. */
#include "penstock/penstock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metric.h"

#define DESTS_MAX 256
#define PATIENCE CLOCK_S

static bool json;

static const struct arg rows[] = {
	{ 'j', "json", ARG_FLAG, &json, 0, 0, NULL, "one JSON object", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock status", .synopsis = "[--json]",
	.about = "Says how the services and the destinations of the tree are. Exit code 1 if anything is down, or an account cannot work.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

/* route's counts of a destination: the columns, as rows of metrics. */
enum count { C_PENDING, C_DELIVERED, C_REFUSED, C_DEAD, C_LETTERS, C_WORKERS, C_COUNT };
static const struct { const char *metric, *word; } column[C_COUNT] = {
	[C_PENDING] = { "route_pending", "pending" }, [C_DELIVERED] = { "route_delivered_total", "delivered" },
	[C_REFUSED] = { "route_refused_total", "refused" }, [C_DEAD] = { "route_dead_total", "dead" },
	[C_LETTERS] = { "route_dead_letters", "letters" },
	[C_WORKERS] = { "route_workers", "workers" },
};
enum intake { I_ACCEPTED, I_REPEATS, I_REFUSED, I_HELD, I_COUNT };
static const struct { const char *metric, *word; } intake[I_COUNT] = {
	[I_ACCEPTED] = { "route_accepted_total", "accepted" }, [I_REPEATS] = { "route_repeats_total", "repeats" },
	[I_REFUSED] = { "route_refused_in_total", "refused" },
	[I_HELD] = { "route_held", "held" },
};

struct dest { char name[64]; uint64_t count[C_COUNT]; };
struct hub { struct dest dest[DESTS_MAX]; size_t n; uint64_t intake[I_COUNT]; bool known; char refuses[200]; };

/* The value of dest="..." in a row's labels. */
static int label_dest(const char *labels, char out[64])
{
	const char *p = strstr(labels, "dest=\""), *end;

	if (!p)
		return -1;
	p += strlen("dest=\"");
	end = strchr(p, '"');
	if (!end || end - p >= 64)
		return -1;
	memcpy(out, p, (size_t)(end - p));
	out[end - p] = 0;
	return 0;
}

static struct dest *dest_of(struct hub *h, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (strcmp(h->dest[i].name, name) == 0)
			return &h->dest[i];
	if (h->n == DESTS_MAX)
		return NULL;
	strcpy(h->dest[h->n].name, name);
	return &h->dest[h->n++];
}

static void on_metric(void *arg, const struct metric_view *row)
{
	struct hub *h = arg;
	struct dest *d;
	char name[64];

	for (int i = 0; i < I_COUNT; i++)
		if (strcmp(row->name, intake[i].metric) == 0)
			h->intake[i] = row->value;
	for (int c = 0; c < C_COUNT; c++)
		if (strcmp(row->name, column[c].metric) == 0 && label_dest(row->labels, name) == 0 && (d = dest_of(h, name)) != NULL)
			d->count[c] = row->value;
}

static int by_dest(const void *a, const void *b)
{
	return strcmp(((const struct dest *)a)->name, ((const struct dest *)b)->name);
}

static void hub_read(const struct tree *t, struct hub *h)
{
	char *path = tree_path(t, "run/metrics/route");

	if (metric_read(path, on_metric, h) == 0)
		h->known = true;
	else if (errno != ENOENT)
		log_warn("%s: %s: no counts", path, strerror(errno));
	qsort(h->dest, h->n, sizeof *h->dest, by_dest);
}

/* What is down, whether it is meant to be or not; but not what another stage has taken the place of. */
static unsigned down;
static unsigned amiss;		/* of the accounts on chat platforms */
static bool hub_runs, deliver_runs;

static bool is_aside(const struct tree *t, const struct service_view *v)
{
	return !v->fault && strcmp(v->state, "down") == 0 && swapped_out(t, v->name);
}

static void count_down(void *arg, const struct service_view *v)
{
	down += v->fault || ((strcmp(v->state, "run") != 0 || v->ready == 0) && !is_aside(arg, v));
	deliver_runs |= !v->fault && strcmp(v->state, "run") == 0 && strcmp(v->name, swapped(arg, "deliver")) == 0;
	hub_runs |= !v->fault && strcmp(v->name, "route") == 0 && strcmp(v->state, "run") == 0 && v->ready != 0;
}

/* Why the hub takes nothing in, if that is so. After the services: one that does not run is seen there. */
static void hub_refuses(const struct tree *t, struct hub *h)
{
	struct json *doc = hub_runs ? hub_ask(t, "{\"do\":\"status\"}\n", PATIENCE) : NULL;
	const char *why = json_str(json_member(doc, "refuses"), NULL);

	snprintf(h->refuses, sizeof h->refuses, "%s", why ? why : "");
	json_free(doc);
}

/* ---- for people ---- */

static void ago(char out[24], int64_t s)
{
	static const struct { int64_t unit; char letter; } row[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;

	while (row[i].unit > 1 && s < 2 * row[i].unit)
		i++;
	snprintf(out, 24, "%" PRId64 "%c", s / row[i].unit, row[i].letter);
}

/* Why it is as it is: what it waits for; how it ended, and the last line it wrote. */
static void print_why(const struct service_view *v)
{
	const struct json *death = json_at(json_member(v->doc, "deaths"), 0), *lines = json_member(death, "lines");
	const char *waits = json_str(json_member(v->doc, "waits_for"), NULL);
	const char *said = json_count(lines) ? json_str(json_at(lines, json_count(lines) - 1), NULL) : NULL;
	int64_t code = json_int(json_member(death, "code"), -1), sig = json_int(json_member(death, "signal"), 0);

	if (waits)
		printf("  waits for %s", waits);
	if (strcmp(v->state, "crash-loop") != 0 || !death)
		return;
	if (sig)
		printf("  signal %" PRId64, sig);
	else
		printf("  code %" PRId64, code);
	if (said)
		printf(": %.120s", text_plain(said));
}

static void print_service(void *arg, const struct service_view *v)
{
	char pid[24] = "-", since[24];

	count_down(arg, v);
	if (v->pid)
		snprintf(pid, sizeof pid, "%" PRId64, v->pid);
	ago(since, v->seconds);
	printf("%-12s %-10s %8s %6s  %-5s %9" PRId64 "%s%s", v->name, v->fault ? "fault" : is_aside(arg, v) ? "aside" : v->state, pid, since,
		v->ready < 0 ? "-" : v->ready ? "yes" : "no", v->restarts, v->fault ? "  " : "", v->fault ? v->fault : "");
	print_why(v);
	putchar('\n');
}

static void print_hub(const struct hub *h)
{
	if (!h->known) {
		printf("\nroute has not counted anything yet\n");
		return;
	}
	printf("\n%-12s %10s %12s %9s %7s %8s\n", "DESTINATION", "PENDING", "DELIVERED", "REFUSED", "DEAD", "WORKERS");
	for (size_t i = 0; i < h->n; i++) {
		const uint64_t *c = h->dest[i].count;

		printf("%-12s %10" PRIu64 " %12" PRIu64 " %9" PRIu64 " %7" PRIu64 " %8" PRIu64 "\n", h->dest[i].name,
			c[C_PENDING], c[C_DELIVERED], c[C_REFUSED], c[C_LETTERS], c[C_WORKERS]);
	}
	printf("\nroute: %" PRIu64 " accepted, %" PRIu64 " repeats dropped, %" PRIu64 " refused at the door, %" PRIu64 " held for later\n",
		h->intake[I_ACCEPTED], h->intake[I_REPEATS], h->intake[I_REFUSED], h->intake[I_HELD]);
	if (h->refuses[0])
		printf("route takes nothing in now: %s\n", h->refuses);
}

static int print_text(const struct tree *t, struct hub *h, int64_t supervise)
{
	int code = 111;

	printf("tree %s, supervise ", t->dir);
	if (supervise > 0) {
		printf("process %" PRId64 "\n\n%-12s %-10s %8s %6s  %-5s %9s\n", supervise,
			"SERVICE", "STATE", "PID", "SINCE", "READY", "RESTARTS");
		code = services_each(t, print_service, (void *)t, NULL);
	} else {
		printf("down\n");
	}
	if (swapped_print(t) < 0)
		code = -1;
	hub_refuses(t, h);
	print_hub(h);
	amiss = accounts_print(t);
	/* Of one that does not run the counts are old. */
	if (deliver_runs)
		amiss += says_print(t, swapped(t, "deliver"));
	return code;
}

/* ---- for programs ---- */

static void add_counts(struct buf *b, const struct hub *h)
{
	buf_adds(b, ",\"intake\":{");
	for (int i = 0; i < I_COUNT; i++)
		buf_printf(b, "%s\"%s\":%" PRIu64, i ? "," : "", intake[i].word, h->intake[i]);
	buf_adds(b, ",\"refuses\":");
	if (h->refuses[0])
		buf_add_json(b, h->refuses, strlen(h->refuses));
	else
		buf_adds(b, "null");
	buf_adds(b, "},\"destinations\":[");
	for (size_t i = 0; i < h->n; i++) {
		buf_adds(b, i ? ",{\"name\":" : "{\"name\":");
		buf_add_json(b, h->dest[i].name, strlen(h->dest[i].name));
		for (int c = 0; c < C_COUNT; c++)
			buf_printf(b, ",\"%s\":%" PRIu64, column[c].word, h->dest[i].count[c]);
		buf_addc(b, '}');
	}
	buf_adds(b, "]");
}

static int print_json(const struct tree *t, struct hub *h, int64_t supervise)
{
	struct buf raw, b;
	int code = 111;

	buf_init(&raw, SERVICES_TEXT_MAX);
	buf_init(&b, 2 * SERVICES_TEXT_MAX);
	if (supervise > 0)
		code = services_each(t, count_down, (void *)t, &raw);
	buf_adds(&b, "{\"dir\":");
	buf_add_json(&b, t->dir, strlen(t->dir));
	buf_printf(&b, ",\"up\":%s,\"supervise\":", code >= 0 && code <= 1 && down == 0 ? "true" : "false");
	if (supervise > 0)
		buf_printf(&b, "%" PRId64, supervise);
	else
		buf_adds(&b, "null");
	buf_adds(&b, ",\"services\":[");
	/* Each line of raw is an object: the line feeds between them become commas. */
	for (size_t i = 0; i < raw.len; i++)
		if (raw.p[i] == '\n')
			raw.p[i] = ',';
	if (raw.len > 0)
		buf_add(&b, raw.p, raw.len - 1);
	buf_adds(&b, "],\"swaps\":");
	if (swapped_json(t, &b) < 0)
		code = -1;
	hub_refuses(t, h);
	add_counts(&b, h);
	buf_adds(&b, ",\"gateways\":");
	amiss = accounts_json(t, &b);
	buf_adds(&b, ",\"deliver\":");
	if (deliver_runs)
		amiss += says_json(t, swapped(t, "deliver"), &b);
	else
		buf_adds(&b, "null");
	if (buf_adds(&b, "}\n") < 0 || fwrite(b.p, 1, b.len, stdout) != b.len)
		code = -1;
	buf_release(&raw);
	buf_release(&b);
	return code;
}

int cmd_status(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv), code;
	static struct hub hub;
	int64_t supervise;

	if (at != argc)
		args_usage(&args, "no operand is wanted: %s", argv[at]);
	tree_open(t);
	supervise = tree_supervise(t);
	if (supervise < 0)
		return 1;
	hub_read(t, &hub);
	code = json ? print_json(t, &hub, supervise) : print_text(t, &hub, supervise);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		log_error("stdout: %s", strerror(errno));
		return 1;
	}
	return code >= 0 && code <= 1 && down == 0 && amiss == 0 ? 0 : 1;
}
