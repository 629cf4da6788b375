/*
 * store [-i URL] -d DIR [-q URL] [-n N]      keeps the history of each tenant, answers questions about it
 * store -x -d DIR [-T TENANT]                writes every stored line
 * store --check -d DIR [-T TENANT]           says whether it is sound
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/args.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/metric.h"
#include "link/work.h"
#include "store/ask.h"
#include "store/export.h"
#include "store/fill.h"
#include "store/ingest.h"
#include "store/tenant.h"

#define TAKE 2048			/* lines a batch: a transaction has a price, and a batch one for each of its tenants */
#define REST (200 * CLOCK_MS)		/* without a batch for so long: time to fill tables and close databases */
#define IDLE (60 * CLOCK_S)		/* a database not used for so long is closed */
#define LAST_FILL (5 * CLOCK_S)		/* at the end; what is left then is filled at the next start */
#define FILES_EACH 4			/* descriptors of a database */
#define FILES_OTHER 64

enum metric_id {
#define METRIC(id, name, kind, unit, help) M_##id,
#include "store/metrics.def"
#undef METRIC
	M_COUNT
};

static struct work work = { .in = "-", .opts = { .take = TAKE, .conns = 2 } };
static const char *dir, *query_url, *tenant;
static bool export, check;
static uint64_t most = 200;

static const struct arg rows[] = {
	{ 'i', "in", ARG_STR, &work.in, 0, 0, "URL", "takes lines from the hub's endpoint; - is stdin", NULL, 0 },
	{ 'a', "as", ARG_STR, &work.opts.as, 0, 0, "NAME", "worker's name, for the hub's messages (store and the process id)", NULL, 0 },
	{ 0, "set", ARG_STR, &work.opts.set, 0, 0, "NAME", "worker set it belongs to (route(8), SPLIT)", NULL, 0 },
	{ 'd', "dir", ARG_STR, &dir, 0, 0, "DIR", "folder of the databases, DIR/TENANT.db; made if missing", NULL, 0 },
	{ 'q', "query", ARG_STR, &query_url, 0, 0, "URL", "listens for questions", NULL, 0 },
	{ 'n', "open", ARG_U64, &most, 1, 100000, "N", "most databases open at a time", NULL, 0 },
	{ 0, "tls-ca", ARG_STR, &work.opts.tls_ca, 0, 0, "FILE", "certificates to trust for tls+tcp", NULL, 0 },
	{ 0, "tls-cert", ARG_STR, &work.opts.tls_cert, 0, 0, "FILE", "own certificate for tls+tcp", NULL, 0 },
	{ 0, "tls-key", ARG_STR, &work.opts.tls_key, 0, 0, "FILE", "its key", NULL, 0 },
	{ 'x', "export", ARG_FLAG, &export, 0, 0, NULL, "write every stored line to stdout and exit", NULL, ARG_NOFILE },
	{ 'k', "check", ARG_FLAG, &check, 0, 0, NULL, "check the databases and exit", NULL, ARG_NOFILE },
	{ 'T', "tenant", ARG_STR, &tenant, 0, 0, "TENANT", "with -x and --check: this tenant only", NULL, ARG_NOFILE },
};

static const struct args args = {
	.prog = "store",
	.synopsis = "[-i URL] -d DIR [-q URL] [-a NAME] [-n N] [-c FILE] [-F N] [-M FILE] [-L json|text] [-v]\n-x -d DIR [-T TENANT]\n--check -d DIR [-T TENANT]",
	.about = "Keeps the history of each tenant in a SQLite database of its own and answers questions about it.",
	.rows = rows, .n = sizeof(rows) / sizeof(*rows),
	.flags = ARGS_DAEMON,
};

struct store {
	struct tenants tenants;
	struct ingest ingest;
	struct ask *ask;
	struct loop *loop;
	struct loop_timer rest;
	uint64_t *metric[M_COUNT];
	const struct refusal *refused;	/* of the batch that begin() stored */
	size_t nrefused, at;		/* at: the next one line() will come to */
	uint32_t line;			/* the last one line() was called for */
};

/* ---- a batch: begin does it all, line tells the outcome of each ---- */

static int begin(void *arg, const struct batch *b)
{
	struct store *s = arg;

	s->nrefused = ingest_batch(&s->ingest, b, &s->refused);
	s->at = s->line = 0;
	metric_set(s->metric[M_OPEN], s->tenants.open);
	loop_timer_in(s->loop, &s->rest, REST);
	return s->tenants.stuck ? -1 : 0;
}

static int line(void *arg, const char *p, size_t n, uint64_t seq, struct buf *out, const char **why, bool *retry)
{
	struct store *s = arg;
	const struct refusal *r;

	(void)n, (void)seq, (void)out;
	/* A batch that is begun again goes on where it stopped: lines before that are not called for. */
	s->line = ingest_number(&s->ingest, p, s->line);
	while (s->at < s->nrefused && s->refused[s->at].n < s->line)
		s->at++;
	if (s->at == s->nrefused || s->refused[s->at].n != s->line)
		return 0;
	r = &s->refused[s->at];
	*why = r->error;
	*retry = r->retry;
	return -1;
}

/* ---- between batches ---- */

/* Fills the tables of one tenant that has events waiting for it; false: there is none. */
static bool fill_next(struct store *s)
{
	struct tenant *t = tenants_waiting(&s->tenants);

	if (t && (db_begin(t->db) || fill(t) || db_commit(t->db)))
		tenants_fail(&s->tenants, t);
	return t;
}

static void rest(void *arg)
{
	struct store *s = arg;
	int64_t next = fill_next(s) ? 1 : tenants_tidy(&s->tenants, IDLE);

	if (next)
		loop_timer_in(s->loop, &s->rest, next);
	metric_set(s->metric[M_OPEN], s->tenants.open);
}

static void start(void *arg, struct loop *l)
{
	struct store *s = arg;

	s->loop = l;
	s->rest.fn = rest;
	s->rest.arg = s;
	if (!query_url)
		return;
	s->ask = ask_open(l, query_url, &work.opts, &s->tenants, s->metric[M_QUERIES], s->metric[M_ERRORS]);
	if (!s->ask)
		die(1, "%s: questions cannot be answered there", query_url);
}

static void stop(void *arg)
{
	struct store *s = arg;
	int64_t end = clock_mono() + LAST_FILL;

	ask_close(s->ask);
	s->ask = NULL;
	while (clock_mono() < end && fill_next(s))
		;
	loop_timer_del(s->loop, &s->rest);
}

/* ---- main ---- */

static void raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur != RLIM_INFINITY && most * FILES_EACH + FILES_OTHER > r.rlim_cur) {
		most = r.rlim_cur > FILES_OTHER + FILES_EACH ? (r.rlim_cur - FILES_OTHER) / FILES_EACH : 1;
		log_warn("the limit of open files is %llu: at most %llu databases will be open (ulimit -n)",
			(unsigned long long)r.rlim_cur, (unsigned long long)most);
	}
}

static void open_all(struct store *s)
{
	if (metric_open("store"))
		die(1, "no counters");
#define METRIC(id, name, kind, unit, help) s->metric[M_##id] = metric_row(name, "", METRIC_##kind, help);
#include "store/metrics.def"
#undef METRIC
	raise_files();
	if (tenants_init(&s->tenants, dir, (unsigned)most))
		die(1, "no history");
	if (ingest_init(&s->ingest, &s->tenants))
		die(1, "no memory");
	s->ingest.events = s->metric[M_EVENTS];
	s->ingest.bytes = s->metric[M_BYTES];
	s->ingest.repeats = s->metric[M_REPEATS];
	s->ingest.refused = s->metric[M_REFUSED];
	s->ingest.commits = s->metric[M_COMMITS];
}

int main(int argc, char **argv)
{
	static struct store s;
	int at = args_parse(&args, argc, argv), code;

	if (at != argc)
		args_usage(&args, "%s: no operand is expected", argv[at]);
	if (!dir)
		args_usage(&args, "name the folder of the databases with -d");
	if (export && check)
		args_usage(&args, "-x or --check, not both");
	if (tenant && !export && !check)
		args_usage(&args, "-T goes with -x or --check");
	if (export)
		return export_lines(dir, tenant);
	if (check)
		return export_check(dir, tenant);
	signal(SIGPIPE, SIG_IGN);
	open_all(&s);
	work.arg = &s;
	work.hold = true;
	work.begin = begin;
	work.line = line;
	work.start = start;
	work.stop = stop;
	code = work_run(&work);
	ingest_release(&s.ingest);
	tenants_release(&s.tenants);
	return code;
}
