#include "route/explain.h"

#include <string.h>

#include "base/utf8.h"

#define SHOWN 80u	/* bytes of a value */

struct view {
	struct buf *out;
	const struct rules *r;
	struct pred_line *line;
	struct buf text;
	bool json;
	int bad;
};

/* ---- conditions ---- */

/* What the line has where the condition looks, cut where it is long. */
static void add_fact(struct view *v, const struct pred *p)
{
	struct span raw;
	size_t n = 0;

	buf_clear(&v->text);
	if (p->kind->fact) {
		v->bad |= p->kind->fact(p, v->line, &v->text);
	} else if (p->left.name) {
		raw = operand_get(&p->left, v->line);
		if (!raw.p) {
			v->bad |= buf_printf(&v->text, "%s is not there", p->left.name);
		} else {
			while (n < raw.n && n + utf8_len(raw.p + n, raw.p + raw.n) <= SHOWN)
				n += utf8_len(raw.p + n, raw.p + raw.n);
			v->bad |= buf_printf(&v->text, "%s is ", p->left.name) | buf_add(&v->text, raw.p, n) |
			    buf_adds(&v->text, n < raw.n ? "..." : "");
		}
	}
}

static void add_text(struct view *v, const struct pred *p)
{
	buf_clear(&v->text);
	v->bad |= pred_describe(p, &v->text);
}

/* Each condition by itself, in the order of the text, without the and, or, not around it. */
static void add_tests(struct view *v, const struct pred *p, unsigned *number)
{
	if (p->kind == &pred_logic && p->op != LOGIC_ALL) {
		add_tests(v, p->a, number);
		if (p->b)
			add_tests(v, p->b, number);
		return;
	}
	bool holds = pred_match(p, v->line);
	add_text(v, p);
	if (v->json) {
		v->bad |= buf_adds(v->out, *number ? ",{\"test\":" : "{\"test\":") | buf_add_json(v->out, v->text.p, v->text.len) |
		    buf_printf(v->out, ",\"holds\":%s,\"fact\":", holds ? "true" : "false");
		add_fact(v, p);
		v->bad |= buf_add_json(v->out, v->text.len ? v->text.p : "", v->text.len) | buf_addc(v->out, '}');
	} else {
		v->bad |= buf_printf(v->out, "\t\t%s\t", holds ? "yes" : "no") | buf_add(v->out, v->text.p, v->text.len);
		add_fact(v, p);
		if (v->text.len)
			v->bad |= buf_adds(v->out, "\t(") | buf_add(v->out, v->text.p, v->text.len) | buf_addc(v->out, ')');
		v->bad |= buf_addc(v->out, '\n');
	}
	(*number)++;
}

/* ---- rules ---- */

static void add_dests(struct view *v, uint64_t mask, const char *quote)
{
	const char *comma = "";

	for (unsigned i = 0; i < v->r->set.ndests; i++) {
		if (!(mask >> i & 1))
			continue;
		v->bad |= buf_printf(v->out, "%s%s%s%s", comma, quote, v->r->set.names[i], quote);
		comma = ",";
	}
}

/* stopped_by: the line of the rule after which none is tried; 0: none yet. */
static bool add_rule(struct view *v, const struct rule *rule, const char *file, unsigned stopped_by)
{
	bool plain = rule->when->kind == &pred_logic && rule->when->op == LOGIC_ALL;
	bool holds = !stopped_by && pred_match(rule->when, v->line);
	const char *answer = stopped_by ? "not tried" : holds ? "yes" : "no";
	unsigned number = 0;

	buf_clear(&v->text);
	v->bad |= rule_describe(&v->r->set, rule, &v->text);
	if (v->json) {
		v->bad |= buf_printf(v->out, "{\"line\":%u,\"rule\":", rule->line) | buf_add_json(v->out, v->text.p, v->text.len) |
		    buf_printf(v->out, ",\"holds\":%s,\"stops\":%s,\"tests\":[", stopped_by ? "null" : holds ? "true" : "false",
			holds && rule->stop ? "true" : "false");
		if (!stopped_by)
			add_tests(v, rule->when, &number);
		v->bad |= buf_adds(v->out, "]}");
	} else {
		v->bad |= buf_printf(v->out, "\t%s\t%s:%u: ", answer, file, rule->line) | buf_add(v->out, v->text.p, v->text.len);
		if (stopped_by)
			v->bad |= buf_printf(v->out, "\t(line %u stopped)", stopped_by);
		v->bad |= buf_addc(v->out, '\n');
		if (!stopped_by && !plain)
			add_tests(v, rule->when, &number);
	}
	return holds;
}

int explain(struct buf *out, const struct rules *r, const char *file, const char *p, size_t n, const struct envelope *e, bool json)
{
	static struct buf scratch = { .max = LINE_MAX_BYTES };
	const char *trouble = NULL;
	struct pred_line line = { .raw = { p, n }, .e = e, .scratch = &scratch, .trouble = &trouble };
	struct view v = { .out = out, .r = r, .line = &line, .json = json };
	uint64_t mask = rules_eval(r, &line);
	unsigned stopped_by = 0;

	buf_init(&v.text, 4 * RULES_TEXT_MAX);
	if (json) {
		v.bad |= buf_adds(out, "{\"id\":") | buf_add(out, e->a[LA_ID].p, e->a[LA_ID].n) | buf_adds(out, ",\"dests\":[");
		add_dests(&v, mask, "\"");
		v.bad |= buf_adds(out, "],\"rules\":[");
	} else {
		v.bad |= scan_string(e->a[LA_ID], out) | buf_addc(out, '\t');
		add_dests(&v, mask, "");
		v.bad |= buf_adds(out, mask ? "\n" : "-\n");
	}
	for (size_t i = 0; i < r->set.n && !v.bad; i++) {
		if (json && i)
			v.bad |= buf_addc(out, ',');
		if (add_rule(&v, &r->set.v[i], file, stopped_by) && r->set.v[i].stop)
			stopped_by = r->set.v[i].line;
	}
	if (json)
		v.bad |= buf_adds(out, "]}\n");
	buf_release(&v.text);
	return v.bad ? -1 : trouble != NULL;
}
