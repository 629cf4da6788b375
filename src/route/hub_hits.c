/* hub_hits: how many lines each rule held for, to the metrics. */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "route/hub_impl.h"

#define LABEL 50u		/* bytes of a rule's text in a metric's label */

/* rule="its text", cut where it is long: the label of a rule stays the same wherever the rule stands. */
static void label_of(const struct ruleset *set, const struct rule *r, char out[LABEL + 32])
{
	struct buf text;
	const char *p = "", *end;
	size_t n;

	buf_init(&text, 4 * RULES_TEXT_MAX);
	if (rule_describe(set, r, &text) == 0 && buf_cstr(&text))
		p = text.p;
	end = p + strlen(p);
	n = (size_t)(end - p);
	if (n > LABEL) {
		for (n = 0; n + utf8_len(p + n, end) <= LABEL - 7 && utf8_len(p + n, end); n += utf8_len(p + n, end))
			;
		snprintf(out, LABEL + 32, "rule=\"%.*s~%06x\"", (int)n, p, hash_crc32c(0, p, (size_t)(end - p)) & 0xffffff);
	} else {
		snprintf(out, LABEL + 32, "rule=\"%s\"", p);
	}
	/* What a label would have to escape. */
	for (char *q = out + 6; q[1]; q++)
		*q = *q == '"' ? '\'' : *q == '\\' ? '/' : *q;
	buf_release(&text);
}

/* Rows of rules that are gone stay in the file; half of it is left to the destinations. */
static uint64_t *cell_of(const char *label)
{
	uint64_t *cell = metric_find("route_rule_hits_total", label);

	if (cell || metric_room() <= METRIC_ROWS / 2)
		return cell;
	return metric_row("route_rule_hits_total", label, METRIC_COUNTER, "lines that the rule held for when they came");
}

void hub_hits_find(struct hub *h)
{
	struct hub_rules *hr = &h->rules;
	const struct rules *r = h->book.now;
	char label[LABEL + 32];

	memset(hr->cells, 0, sizeof(hr->cells));
	for (size_t i = 0; i < r->set.n && i < RULES_METRICS; i++) {
		label_of(&r->set, &r->set.v[i], label);
		hr->cells[i] = cell_of(label);
		hr->counted[i] = r->hits[i];
	}
}

void hub_hits_count(struct hub *h)
{
	struct hub_rules *hr = &h->rules;
	const struct rules *r = h->book.now;

	for (size_t i = 0; i < r->set.n && i < RULES_METRICS; i++) {
		if (!hr->cells[i] || r->hits[i] == hr->counted[i])
			continue;
		metric_add(hr->cells[i], r->hits[i] - hr->counted[i]);
		hr->counted[i] = r->hits[i];
	}
}
