#include "analyze/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "line/id.h"
#include "line/writer.h"

#define DECIMALS 3
#define EXPLAIN_ROWS 8	/* for each task */

static const char *top_name(const struct verdict *v, enum task t)
{
	return tasks[t].v[v->top[t]].name;
}

static void write_text(struct writer *w, const char *name, const char *value)
{
	writer_str(w, name, value, strlen(value));
}

static void write_all(struct writer *w, const struct verdict *v, const char *name, enum task t)
{
	writer_open(w, name);
	for (unsigned i = 0; i < tasks[t].n; i++)
		writer_real(w, tasks[t].v[i].name, (double)v->p[tasks[t].v[i].output], DECIMALS);
	writer_close(w);
}

/* The labels over their threshold, and the most probable one in any case. */
static void write_labels(struct writer *w, const struct analysis *a)
{
	const struct verdict *v = &a->verdict;

	writer_open(w, "scores");
	for (unsigned i = 0; i < LABELS; i++) {
		unsigned o = tasks[TASK_LABEL].v[i].output;

		if (i == v->top[TASK_LABEL] || (v->known_language && v->p[o] >= a->model->threshold[o]))
			writer_real(w, tasks[TASK_LABEL].v[i].name, (double)v->p[o], DECIMALS);
	}
	writer_close(w);
}

static void write_verdict(struct writer *w, const struct analysis *a)
{
	const struct verdict *v = &a->verdict;

	write_text(w, "top", top_name(v, TASK_LABEL));
	write_labels(w, a);
	write_text(w, "group", top_name(v, TASK_GROUP));
	write_all(w, v, "groups", TASK_GROUP);
	write_all(w, v, "ekman", TASK_EKMAN);
	writer_real(w, "confidence", (double)v->confidence, DECIMALS);
	writer_real(w, "known", (double)v->known, DECIMALS);
	write_text(w, "lang", v->known_language ? "en" : "unknown");
	if (v->sarcasm)
		write_text(w, "sarcasm", "possible");
	write_text(w, "model", a->model->id);
}

static void copy_object(struct writer *w, struct span data, const char *name, const char *const *members)
{
	struct span from = scan_member(data, name);

	if (!from.p || from.p[0] != '{')
		return;
	writer_open(w, name);
	for (; *members; members++)
		writer_value(w, *members, scan_member(from, *members));
	writer_close(w);
}

int report_event(const struct analysis *a, const struct envelope *e, size_t max_line, struct buf *out,
	struct line_err *err)
{
	static const char *const channel[] = { "id", "name", NULL }, *const user[] = { "id", "name", "bot", NULL };
	struct span data = e->a[LA_DATA], message = scan_member(data, "message_id");
	struct writer w;

	writer_begin(&w, out, max_line);
	writer_attr(&w, "specversion", "1.0");
	id_derive(&w, e, REPORT_STAGE, 0);
	writer_attr(&w, "type", "analysis.emotion");
	writer_attr_raw(&w, "time", e->a[LA_TIME]);
	id_inherit(&w, e, REPORT_STAGE, 0);
	writer_open(&w, "data");
	copy_object(&w, data, "channel", channel);
	copy_object(&w, data, "user", user);
	/* What an answer needs, to be said by the account that heard it. */
	writer_value(&w, "platform", scan_member(data, "platform"));
	writer_value(&w, "account", scan_member(data, "account"));
	writer_value(&w, "shared_id", scan_member(data, "shared_id"));
	writer_value(&w, "message_id", message.p && message.p[0] == '"' ? message : e->a[LA_ID]);
	write_verdict(&w, a);
	writer_close(&w);
	return writer_end(&w, err);
}

int report_json(const struct analysis *a, struct buf *out)
{
	struct writer w;
	struct line_err err;
	struct envelope e;
	struct span data;
	size_t start = out->len;

	/* Written as the data of an event, so that a person sees what a program would. */
	writer_begin(&w, out, LINE_MAX_BYTES);
	writer_attr(&w, "specversion", "1.0");
	writer_attr(&w, "id", "text");
	writer_attr(&w, "source", "/penstock/analyze");
	writer_attr(&w, "type", "analysis.emotion");
	writer_open(&w, "data");
	write_verdict(&w, a);
	writer_close(&w);
	if (writer_end(&w, &err) || scan_lazy(out->p + start, out->len - start - 1, &e))
		return -1;
	data = e.a[LA_DATA];
	memmove(out->p + start, data.p, data.n);
	out->len = start + data.n;
	return buf_addc(out, '\n');
}

struct weighed { const struct feature *f; float weight; };

static int heaviest_first(const void *x, const void *y)
{
	float a = ((const struct weighed *)x)->weight, b = ((const struct weighed *)y)->weight;
	float ma = a < 0 ? -a : a, mb = b < 0 ? -b : b;

	return (ma < mb) - (ma > mb);
}

static int explain_class(const struct analysis *a, const struct task_class *c, struct weighed *rank, struct buf *out)
{
	float by = a->scores.norm > 0 ? 1 / a->scores.norm : 0;
	size_t n = 0;
	int bad = buf_printf(out, "%s %.3f\n  %+.3f  (nothing known)\n", c->name, (double)a->verdict.p[c->output],
		(double)a->model->bias[c->output]);

	for (size_t i = 0; i < a->features.n; i++) {
		long row = model_row(a->model, a->features.v[i].hash);

		if (row >= 0 && model_weight(a->model, row, c->output) != 0)
			rank[n++] = (struct weighed){ &a->features.v[i], by * model_weight(a->model, row, c->output) };
	}
	qsort(rank, n, sizeof *rank, heaviest_first);
	for (size_t i = 0; i < n && i < EXPLAIN_ROWS; i++) {
		char name[80];

		feature_name(rank[i].f, &a->text, name, sizeof name);
		bad |= buf_printf(out, "  %+.3f  %s\n", (double)rank[i].weight, name);
	}
	return bad;
}

int report_explain(const struct analysis *a, struct buf *out)
{
	struct weighed *rank = calloc(FEATURES_MAX, sizeof *rank);
	int bad = rank ? buf_printf(out, "read as:%.*s\n", (int)a->text.len, a->text.buf) : -1;

	for (unsigned t = 0; rank && t < TASKS; t++)
		bad |= explain_class(a, &tasks[t].v[a->verdict.top[t]], rank, out);
	free(rank);
	return bad;
}
