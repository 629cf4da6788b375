/*
 * analyze-train: from labelled texts to the model file that analyze(8) reads, and a table of how
 * good it is.
 *
 * Cross-validation repeats everything that is learnt or chosen - selection of features, weights,
 * second layer, thresholds - without the held-out fold. The folds and the final model are jobs that
 * threads take in turn; no result depends on how many threads there are.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/clean.h"
#include "analyze/train/data.h"
#include "analyze/train/fit.h"
#include "analyze/train/tune.h"
#include "base/args.h"
#include "base/fd.h"
#include "base/log.h"

#define FOLDS_MAX 20

struct job {
	uint32_t *train, *test;
	uint32_t trains, tests;
	struct buf model;
	struct tally plain, glossed;	/* texts as they are; with the table of emotes applied */
};

struct run {
	const struct fit *fit;
	const struct emotes *emotes;	/* NULL: none given */
	struct job job[FOLDS_MAX + 1];	/* the folds, then the model of all rows */
	unsigned jobs, next;
	pthread_mutex_t lock;
};

static const char *emotes_path, *notice_path, *out_path;
static uint64_t folds = FIT_FOLDS, threads = 2, kept = 12000, passes = 5, sample = 100;

static const struct arg rows[] = {
	{ 'e', "emotes", ARG_STR, &emotes_path, 0, 0, "FILE", "score with this table of emotes applied, too", NULL, 0 },
	{ 'a', "attribution", ARG_STR, &notice_path, 0, 0, "FILE", "text that goes into the model file", NULL, 0 },
	{ 'o', "out", ARG_STR, &out_path, 0, 0, "FILE", "where the model goes (none: only the table)", NULL, 0 },
	{ 'k', "folds", ARG_U64, &folds, 0, FOLDS_MAX, "N", "folds of the cross-validation, 0 for none (default 5)", NULL, 0 },
	{ 'r', "rows", ARG_U64, &kept, 1, MODEL_ROWS_MAX, "N", "features to keep (default 12000)", NULL, 0 },
	{ 'n', "passes", ARG_U64, &passes, 1, 100, "N", "passes over the data (default 5)", NULL, 0 },
	{ 's', "sample", ARG_U64, &sample, 1, 100, "PERCENT", "use only a part of the data (default 100)", NULL, 0 },
	{ 'j', "threads", ARG_U64, &threads, 1, 64, "N", "folds to train at the same time (default 2)", NULL, 0 },
};

static const struct args usage = {
	"analyze-train", "[-e EMOTES] [-a NOTICE] [-o MODEL] [-k N] [-j N] TSV ...",
	"train the model of analyze(8) on GoEmotions' files", rows, sizeof rows / sizeof rows[0], 0, 0, NULL,
};

static void read_whole(const char *path, struct buf *b, size_t max)
{
	buf_init(b, max);
	if (path && fd_read_file(path, b) < 0)
		die(1, "cannot read %s: %s", path, strerror(errno));
}

static void load_emotes(struct emotes *e)
{
	struct buf b;
	const char *why;
	size_t line;

	read_whole(emotes_path, &b, EMOTES_FILE_MAX);
	if (emotes_init(e, b.p, b.len, &line, &why) < 0)
		die(1, "%s: line %zu: %s", emotes_path, line, why);
	buf_release(&b);
}

/* Rows of fold `out` are held out; out == n folds: none is. */
static void job_init(struct job *j, const struct data *d, unsigned out)
{
	j->train = xrealloc(NULL, d->n, sizeof *j->train);
	j->test = xrealloc(NULL, d->n, sizeof *j->test);
	buf_init(&j->model, MODEL_FILE_MAX);
	for (uint32_t i = 0; i < d->n; i++) {
		uint32_t key = d->row[i].key;

		if (key / 1000 % 100 >= sample)
			continue;
		if (out < folds && key % folds == out)
			j->test[j->tests++] = i;
		else
			j->train[j->trains++] = i;
	}
	if (!j->trains)
		die(1, "no rows to train on");
}

static void job_release(struct job *j)
{
	free(j->train);
	free(j->test);
	buf_release(&j->model);
}

static void job_score(const struct job *j, const struct fit *fit, const struct emotes *emotes,
	const struct model *m, struct tally *to)
{
	struct cleaner how = { .emotes = emotes };
	struct scores *s = xrealloc(NULL, j->tests, sizeof *s);
	uint64_t *outputs = xrealloc(NULL, j->tests, sizeof *outputs);

	fit_score(fit, m, &how, j->test, j->tests, s);
	for (uint32_t i = 0; i < j->tests; i++)
		outputs[i] = fit->data->row[j->test[i]].outputs;
	tally_add(to, s, outputs, j->tests, m->threshold);
	free(outputs);
	free(s);
}

static void job_do(struct job *j, const struct fit *fit, const struct emotes *emotes)
{
	struct model m;
	const char *why;

	fit_whole(fit, j->train, j->trains, &j->model);
	if (model_init(&m, j->model.p, j->model.len, &why) < 0)
		die(1, "the model just made is refused: %s", why);
	job_score(j, fit, NULL, &m, &j->plain);
	if (emotes)
		job_score(j, fit, emotes, &m, &j->glossed);
	model_release(&m);
}

static void *worker(void *arg)
{
	struct run *r = arg;

	for (;;) {
		unsigned i;

		pthread_mutex_lock(&r->lock);
		i = r->next++;
		pthread_mutex_unlock(&r->lock);
		if (i >= r->jobs)
			return NULL;
		job_do(&r->job[i], r->fit, r->emotes);
	}
}

static void run_all(struct run *r)
{
	pthread_t id[64];
	unsigned n = 0;

	for (; n + 1 < threads; n++)
		if (pthread_create(&id[n], NULL, worker, r) != 0)
			break;	/* fewer threads do the same work */
	worker(r);
	while (n--)
		pthread_join(id[n], NULL);
}

static void print_line(const char *name, const struct tally *t)
{
	printf("%-12s %8.2f %8.2f %8.2f\n", name, tally_macro(t, TASK_LABEL), tally_macro(t, TASK_EKMAN),
		tally_macro(t, TASK_GROUP));
}

static void tally_sum(struct tally *to, const struct tally *t)
{
	for (unsigned c = 0; c < OUTPUTS; c++) {
		to->tp[c] += t->tp[c];
		to->fp[c] += t->fp[c];
		to->fn[c] += t->fn[c];
	}
}

static void print_table(const struct run *r)
{
	struct tally all = { 0 }, glossed = { 0 };

	printf("macro-F1 x 100, %u folds, everything learnt and chosen without the held-out fold\n", (unsigned)folds);
	printf("%-12s %8s %8s %8s\n", "fold", "labels", "ekman", "sentiment");
	for (unsigned i = 0; i < folds; i++) {
		char name[24];

		snprintf(name, sizeof name, "%u", i + 1);
		print_line(name, &r->job[i].plain);
		tally_sum(&all, &r->job[i].plain);
		tally_sum(&glossed, &r->job[i].glossed);
	}
	print_line("all", &all);
	if (r->emotes)
		print_line("with emotes", &glossed);
	for (unsigned t = 0; t < TASKS; t++) {
		printf("\n%s, F1 x 100 (texts)\n", tasks[t].name);
		for (unsigned i = 0; i < tasks[t].n; i++) {
			unsigned c = tasks[t].v[i].output;

			printf("  %-16s %5.1f  (%u)\n", tasks[t].v[i].name, 100 * tally_f1(&all, c),
				all.tp[c] + all.fn[c]);
		}
	}
}

int main(int argc, char **argv)
{
	static struct run r;
	struct data data = { 0 };
	struct emotes emotes;
	struct buf notice;
	struct fit fit = { .data = &data };
	int at = args_parse(&usage, argc, argv);

	if (at == argc)
		args_usage(&usage, "name the files to train on");
	if (folds == 1)
		args_usage(&usage, "one fold leaves nothing to train on: -k 0, or 2 and more");
	load_emotes(&emotes);
	read_whole(notice_path, &notice, MODEL_TEXT_MAX);
	for (; at < argc; at++)
		if (data_load(&data, argv[at]) < 0)
			return 1;
	fit.rows_kept = (uint32_t)kept;
	fit.passes = (unsigned)passes;
	fit.attribution = notice.p ? notice.p : "";
	fit.attribution_len = notice.len;

	r.fit = &fit;
	r.emotes = emotes_path ? &emotes : NULL;
	r.jobs = (unsigned)folds + (out_path != NULL);
	pthread_mutex_init(&r.lock, NULL);
	for (unsigned i = 0; i < r.jobs; i++)
		job_init(&r.job[i], &data, i);
	run_all(&r);
	if (folds)
		print_table(&r);
	if (out_path) {
		const struct buf *m = &r.job[folds].model;

		if (fd_replace(out_path, m->p, m->len, 0644) < 0)
			die(1, "cannot write %s: %s", out_path, strerror(errno));
		printf("\n%s: %zu bytes\n", out_path, m->len);
	}
	for (unsigned i = 0; i < r.jobs; i++)
		job_release(&r.job[i]);
	data_release(&data);
	emotes_release(&emotes);
	buf_release(&notice);
	return 0;
}
