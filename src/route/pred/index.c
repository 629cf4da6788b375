#include "route/pred/pred.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

extern const struct pred_kind pred_compare, pred_prefix, pred_glob, pred_set, pred_exists, pred_percent, pred_flag_set, pred_regex, pred_jq_program;

/* The array of parts: a new predicate is a line above and a line here. */
const struct pred_kind *const pred_kinds[] = {
	&pred_compare,
	&pred_prefix,
	&pred_glob,
	&pred_regex,
	&pred_set,
	&pred_exists,
	&pred_percent,
	&pred_flag_set,
	&pred_jq_program,
	&pred_logic,
	NULL
};

const struct pred_kind *pred_find(const char *token, bool infix, int *op)
{
	for (size_t i = 0; pred_kinds[i]; i++) {
		const struct pred_kind *k = pred_kinds[i];
		for (int j = 0; k->infix == infix && k->ops[j]; j++) {
			if (strcmp(k->ops[j], token) == 0) {
				*op = j;
				return k;
			}
		}
	}
	return NULL;
}

int pred_check_parts(void)
{
	for (size_t i = 0; pred_kinds[i]; i++) {
		const struct pred_kind *k = pred_kinds[i];
		if (!k->name || !k->ops || !k->parse || !k->match || !k->describe) {
			log_error("predicate %zu (%s) is incomplete", i, k->name ? k->name : "without a name");
			return -1;
		}
	}
	return 0;
}

bool pred_match(const struct pred *p, const struct pred_line *l)
{
	return p->kind->match(p, l);
}

int pred_describe(const struct pred *p, struct buf *out)
{
	return p->kind->describe(p, out);
}

int pred_ready(struct pred *p, const struct pred **bad, char why[PRED_WHY])
{
	if (!p)
		return 0;
	if (p->kind->ready && p->kind->ready(p, why) < 0) {
		*bad = p;
		return -1;
	}
	return pred_ready(p->a, bad, why) < 0 ? -1 : pred_ready(p->b, bad, why);
}

void pred_rest(struct pred *p)
{
	if (!p)
		return;
	if (p->kind->rest)
		p->kind->rest(p);
	pred_rest(p->a);
	pred_rest(p->b);
}

void pred_free(struct pred *p)
{
	if (!p)
		return;
	pred_free(p->a);
	pred_free(p->b);
	if (p->kind && p->kind->release)
		p->kind->release(p);
	for (size_t i = 0; i < p->nv; i++)
		free(p->v[i].text);
	free(p->v);
	free(p->left.name);
	free(p);
}
