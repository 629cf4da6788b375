/* analyze: how a message sounds. Manual: analyze(8). */
#include <stdlib.h>
#include <string.h>

#include "analyze/load.h"
#include "analyze/report.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/place.h"
#include "line/envelope.h"
#include "line/err.h"
#include "line/line.h"
#include "line/types.h"
#include "line/why.h"
#include "link/work_args.h"

enum metric_id {
#define METRIC(id, name, kind, unit, help) M_##id,
#include "analyze/metrics.def"
#undef METRIC
	M_COUNT
};

struct analyze {
	struct model model;
	struct emotes emotes;
	struct analysis *analysis;
	struct buf message, channel;	/* decoded text and channel id of the line in hand */
	bool strict;			/* input is a pipe: nobody has checked the lines before */
	char why[LINE_ERR_TEXT];
	uint64_t *metric[M_COUNT];
};

static struct work_args stage = WORK_ARGS_INIT;
static const char *model_path, *emotes_path, *one_text, *explain;

static const struct arg rows[] = {
	WORK_ARGS_ROWS(stage),
	{'m', "model", ARG_STR, &model_path, 0, 0, "FILE", "the trained model", NULL, 0},
	{'e', "emotes", ARG_STR, &emotes_path, 0, 0, "FILE", "emotes and what they say in words", NULL, 0},
	{'t', "text", ARG_STR, &one_text, 0, 0, "TEXT", "judge this text, print JSON, exit", NULL, ARG_NOFILE},
	{'x', "explain", ARG_STR, &explain, 0, 0, "TEXT", "judge this text, print what weighed most, exit", NULL, ARG_NOFILE},
};

static const struct args args = {
	.prog = "analyze",
	.synopsis = "[-i URL] [-o URL] [-m FILE] [-e FILE] [-n N] [-a NAME] [-c FILE] [-F N] [-M FILE] [-L json|text] [-v]\n"
		"-t TEXT [-m FILE] [-e FILE]\n-x TEXT [-m FILE] [-e FILE]",
	.about = "Says how messages sound: chat.message events in, analysis.emotion events out.",
	.rows = rows,
	.n = sizeof(rows) / sizeof(*rows),
	.flags = ARGS_DAEMON,
};

static bool is_true(struct span raw)
{
	return raw.n == 4 && memcmp(raw.p, "true", 4) == 0;
}

/*
 * Decodes the text of a message and where it was said. false: a bot said it, or it cannot be
 * decoded.
 */
static bool message_of(struct analyze *a, const struct envelope *e)
{
	struct span data = e->a[LA_DATA];

	if (is_true(scan_path(data, "user.bot")))
		return false;
	buf_clear(&a->message);
	buf_clear(&a->channel);
	return scan_string(scan_path(data, "channel.id"), &a->channel) == 0 &&
		scan_string(scan_member(data, "text"), &a->message) == 0;
}

static int on_line(void *arg, const char *p, size_t n, uint64_t seq, struct buf *to, const char **why, bool *retry)
{
	struct analyze *a = arg;
	struct cleaner how = { .emotes = &a->emotes };
	struct line_err err = { 0, WHY_NO_OBJECT };
	struct envelope e;

	(void)seq;
	*retry = false;
	metric_add(a->metric[M_EVENTS], 1);
	if (a->strict ? envelope_check(p, n, LINE_MAX_BYTES, &e, &err) : scan_lazy(p, n, &e))
		goto refuse;
	if (!scan_is(e.a[LA_TYPE], "chat.message"))
		return 0;
	if (types_check(p, &e, &err))
		goto refuse;
	if (!message_of(a, &e))
		return 0;
	how.channel = a->channel.p;
	how.channel_len = a->channel.len;
	if (!verdict_of(a->analysis, &how, a->message.p, a->message.len))
		return 0;
	metric_add(a->metric[M_MESSAGES], 1);
	metric_add(a->metric[M_FOREIGN], !a->analysis->verdict.known_language);
	if (report_event(a->analysis, &e, LINE_MAX_BYTES, to, &err) == 0)
		return 0;
	/* The place is one of the line made, which nobody sees. */
	metric_add(a->metric[M_REFUSED], 1);
	*why = err.why;
	return -1;
refuse:
	metric_add(a->metric[M_REFUSED], 1);
	*why = line_err_text(&err, a->why);
	return -1;
}

static void on_reload(void *arg)
{
	struct analyze *a = arg;

	if (load_emotes(&a->emotes, emotes_path))
		log_warn("%s refused: the emotes from before stay in force", emotes_path);
	else
		log_info("%u emotes of %s are in force", a->emotes.n, emotes_path);
}

static int judge_one(struct analyze *a, const char *text, int (*report)(const struct analysis *, struct buf *))
{
	struct cleaner how = { .emotes = &a->emotes };
	struct buf b;
	int bad;

	if (!verdict_of(a->analysis, &how, text, strlen(text)))
		die(1, "nothing to judge: a command, or only links and emotes that say nothing");
	buf_init(&b, 1 << 20);
	bad = report(a->analysis, &b) || fd_write_all(1, b.p, b.len);
	if (bad)
		log_error("standard output: %m");
	buf_release(&b);
	return bad ? 1 : 0;
}

static int open_metrics(struct analyze *a)
{
	if (metric_open("analyze"))
		return -1;
#define METRIC(id, name, kind, unit, help) a->metric[M_##id] = metric_row(name, "", METRIC_##kind, help);
#include "analyze/metrics.def"
#undef METRIC
	return 0;
}

static int run(struct analyze *a)
{
	struct work work = { .filter = true, .arg = a, .line = on_line, .reload = on_reload };
	int code;

	if (open_metrics(a))
		return 1;
	a->strict = link_is_pipe(stage.in);
	buf_init(&a->message, LINE_MAX_BYTES);
	buf_init(&a->channel, LINE_MAX_BYTES);
	work_args_fill(&work, &stage);
	code = work_run(&work);
	buf_release(&a->message);
	buf_release(&a->channel);
	return code;
}

/* A file of share/; when it is nowhere, the name of the installed one, which the error will then say. */
static const char *shared(const char *rel, const char *installed)
{
	const char *path = place_share(rel);

	return path ? path : installed;
}

int main(int argc, char **argv)
{
	struct analyze a = { 0 };
	int code, at = args_parse(&args, argc, argv);

	if (at < argc)
		args_usage(&args, "analyze takes no operand: %s", argv[at]);
	model_path = model_path ? model_path : shared("emotion.model", SHARE "/emotion.model");
	emotes_path = emotes_path ? emotes_path : shared("emotes.tsv", SHARE "/emotes.tsv");
	if (load_model(&a.model, model_path) || load_emotes(&a.emotes, emotes_path))
		return 1;
	a.analysis = malloc(sizeof *a.analysis);
	if (!a.analysis)
		die(1, "no memory");
	analysis_init(a.analysis, &a.model);
	if (one_text)
		code = judge_one(&a, one_text, report_json);
	else if (explain)
		code = judge_one(&a, explain, report_explain);
	else
		code = run(&a);
	free(a.analysis);
	emotes_release(&a.emotes);
	model_release(&a.model);
	return code;
}
