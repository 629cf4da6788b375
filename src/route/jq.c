#include "route/jq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "route/jq_child.h"
#include "route/jq_failed.h"
#include "route/metrics.h"
#include "route/pred/pred.h"

struct jq {
	char *program;			/* as in the rules */
	unsigned line, column;		/* where it stands there */
	struct jq_child child;
	bool told;			/* that lines wait for it */
	int64_t fault;			/* mono ns: when a line kept it busy, or ended it, last */
};

static int64_t patience = JQ_PATIENCE;

static void count_one(enum route_metric m)
{
	if (route_metrics[m])
		count(m, 1);
}

static int jq_ready(void *jq, char why[PRED_WHY])
{
	struct jq *q = jq;

	if (jq_child_up(&q->child, JQ_PATIENCE) == 0)
		return 0;
	if (q->child.pid)
		snprintf(why, PRED_WHY, "jq: it does not answer within %d s (asked about null)", (int)(JQ_PATIENCE / CLOCK_S));
	else
		snprintf(why, PRED_WHY, "jq: %s", q->child.said);
	return -1;
}

/* The line is at fault: it is remembered, and does not hold. A second one soon after: then it rests, so that the hub has time for others. */
static int fault(struct jq *q, const char *p, size_t n, const char *what)
{
	int64_t now = clock_mono();

	if (q->fault && now - q->fault < JQ_FAULTS) {
		q->child.not_before = now + JQ_REST;
		snprintf(q->child.said, sizeof(q->child.said), "it rests after two lines that were too much for it");
	}
	q->fault = now;
	log_error("the jq of line %u, column %u of the rules, '%.60s%s': %s on a line of %zu bytes that begins %.100s; it does not hold for "
		"that line", q->line, q->column, q->program, strlen(q->program) > 60 ? "..." : "", what, n, p);
	count_one(M_JQ_FAILED);
	jq_failed_add(q->program, p, n);
	return 0;
}

static int jq_ask(void *jq, const char *p, size_t n, const char **why)
{
	struct jq *q = jq;
	char ended[sizeof(q->child.said) + 32];

	if (jq_failed_has(q->program, p, n))
		return 0;
	for (int turn = 0; turn < 2; turn++) {
		if (jq_child_up(&q->child, patience) < 0) {
			*why = q->child.pid ? "a jq of the rules does not answer" : q->fault && q->child.not_before == q->fault + JQ_REST ?
				"a jq of the rules rests after lines that were too much for it" : "a jq of the rules cannot be started";
			if (!q->told)
				log_error("the jq of line %u, column %u of the rules, '%.60s': %s; lines wait", q->line, q->column,
					q->program, q->child.said);
			q->told = true;
			return -1;
		}
		q->told = false;
		enum jq_outcome r = jq_child_ask(&q->child, p, n, JQ_CPU, patience);
		if (r == JQ_YES || r == JQ_NO)
			return r == JQ_YES;
		jq_child_end(&q->child);
		count_one(M_JQ_STARTS);
		if (r == JQ_BUSY)
			return fault(q, p, n, "it was still busy after 100 ms of processor time");
		snprintf(ended, sizeof(ended), "it ended twice (%s)", q->child.said);
		if (r == JQ_ENDED && turn)
			return fault(q, p, n, ended);
		log_warn("the jq of line %u, column %u of the rules, '%.60s': %s; a new one is asked", q->line, q->column, q->program,
			r == JQ_ENDED ? q->child.said : "it does not answer");
	}
	*why = "a jq of the rules does not answer";
	return -1;
}

static void *jq_open(const char *program, unsigned line, unsigned column)
{
	struct jq *q = malloc(sizeof(*q));
	char *own = strdup(program);

	if (!q || !own) {
		free(q);
		free(own);
		return NULL;
	}
	*q = (struct jq){ .program = own, .line = line, .column = column, .child = { .program = own } };
	return q;
}

static void jq_rest(void *jq)
{
	struct jq *q = jq;

	jq_child_end(&q->child);
}

static void jq_close(void *jq)
{
	struct jq *q = jq;

	jq_child_end(&q->child);
	free(q->program);
	free(q);
}

void jq_hurry(void)
{
	patience = JQ_WAIT;
}

void jq_allow(void)
{
	static const struct pred_jq_runner runner = { .open = jq_open, .ready = jq_ready, .ask = jq_ask, .rest = jq_rest, .close = jq_close };

	pred_jq = &runner;
}
