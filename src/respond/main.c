/* respond: decides what to say. Manual: respond(8), penstock-replies(5). */
#include <string.h>

#include "base/log.h"
#include "base/metric.h"
#include "line/envelope.h"
#include "line/err.h"
#include "line/why.h"
#include "link/work_args.h"
#include "respond/answer.h"
#include "respond/tenants.h"

enum metric_id {
#define METRIC(id, name, kind, unit, help) M_##id,
#include "respond/metrics.def"
#undef METRIC
	M_COUNT
};

struct respond {
	struct tenants tenants;
	struct answer answer;
	bool strict;			/* input is a pipe: nobody has checked the lines before */
	char why[LINE_ERR_TEXT];
	uint64_t *metric[M_COUNT];
};

static struct work_args stage = WORK_ARGS_INIT;
static const char *dir = "etc/replies";
static bool test;

static const struct arg rows[] = {
	WORK_ARGS_ROWS(stage),
	{'r', "replies", ARG_STR, &dir, 0, 0, "DIR", "replies files, DIR/TENANT.conf", NULL, 0},
	{'t', "test", ARG_FLAG, &test, 0, 0, NULL, "check the replies files and exit", NULL, ARG_NOFILE},
};

static const struct args args = {
	.prog = "respond",
	.synopsis = "[-i URL] [-o URL] [-r DIR] [-n N] [-a NAME] [-c FILE] [-F N] [-M FILE] [-L json|text] [-v]\n-t [-r DIR]",
	.about = "Answers commands, words and emotions as the replies files say: events in, message.send lines out.",
	.rows = rows,
	.n = sizeof(rows) / sizeof(*rows),
	.flags = ARGS_DAEMON,
};

static int on_line(void *arg, const char *p, size_t n, uint64_t seq, struct buf *to, const char **why, bool *retry)
{
	struct respond *r = arg;
	char tenant[TENANT_MAX + 1];
	struct line_err err = {0, WHY_NO_OBJECT};
	struct envelope e;
	int made;

	(void)seq;
	*retry = false;
	metric_add(r->metric[M_EVENTS], 1);
	if (r->strict ? envelope_check(p, n, LINE_MAX_BYTES, &e, &err) : scan_lazy(p, n, &e)) {
		*why = line_err_text(&err, r->why);
		metric_add(r->metric[M_REFUSED], 1);
		return -1;
	}
	envelope_tenant(&e, tenant);
	made = answer_event(&r->answer, tenants_find(&r->tenants, tenant), p, &e, to, why);
	if (made < 0) {
		metric_add(r->metric[M_REFUSED], 1);
		return -1;
	}
	metric_add(r->metric[M_REPLIES], (uint64_t)made);
	return 0;
}

static void on_reload(void *arg)
{
	struct respond *r = arg;
	int bad = tenants_reload(&r->tenants);

	if (bad < 0)
		return;
	metric_set(r->metric[M_FILES], r->tenants.n);
	metric_set(r->metric[M_BAD_FILES], (uint64_t)bad);
	if (bad)
		log_warn("%d replies files in %s refused: what they said before stays in force", bad, r->tenants.dir);
	else
		log_info("%zu replies files in %s are in force", r->tenants.n, r->tenants.dir);
}

static int open_metrics(struct respond *r)
{
	if (metric_open("respond"))
		return -1;
#define METRIC(id, name, kind, unit, help) r->metric[M_##id] = metric_row(name, "", METRIC_##kind, help);
#include "respond/metrics.def"
#undef METRIC
	metric_set(r->metric[M_FILES], r->tenants.n);
	return 0;
}

int main(int argc, char **argv)
{
	struct respond r = {0};
	struct work work = {.filter = true, .arg = &r, .line = on_line, .reload = on_reload};
	int code, at = args_parse(&args, argc, argv);

	if (at < argc)
		args_usage(&args, "respond takes no operand: %s", argv[at]);
	if (tenants_open(&r.tenants, dir))
		return 1;
	if (test) {
		log_info("%zu replies files in %s are good", r.tenants.n, dir);
		tenants_close(&r.tenants);
		return 0;
	}
	if (r.tenants.n == 0)
		log_warn("no replies file, TENANT.conf or default.conf, in %s: nothing will be said", dir);
	if (open_metrics(&r))
		return 1;
	r.strict = link_is_pipe(stage.in);
	answer_init(&r.answer, LINE_MAX_BYTES);
	work_args_fill(&work, &stage);
	code = work_run(&work);
	answer_release(&r.answer);
	tenants_close(&r.tenants);
	return code;
}
