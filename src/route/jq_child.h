/*
 * jq_child: a jq(1) that runs and answers a program's question, line by line. Limits of time and memory are those of jq.h.
 */
#ifndef ROUTE_JQ_CHILD_H
#define ROUTE_JQ_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"

#define JQ_START_AGAIN CLOCK_S	/* no start before, after one that failed */

struct jq_child {
	const char *program;		/* set beforehand, borrowed; the rest zeroed */
	pid_t pid;			/* 0: none runs */
	int in, out, err;
	bool raising;			/* it was asked about null and has not answered yet, */
	bool slow;			/* and was waited for */
	int64_t begun;			/* mono ns: when it was started */
	int64_t not_before;		/* mono ns: no start before */
	char said[200];			/* why the last one ended, or none is up */
};

enum jq_outcome { JQ_NO, JQ_YES, JQ_ENDED, JQ_BUSY, JQ_SILENT };

/* Starts one if none runs, and waits until it answers, which one that is slow to start may do at a later call. 0; -1: said. */
int jq_child_up(struct jq_child *q, int64_t wait);
/* Does the program hold for the line, which is without its LF? `cpu` is what the child may use. It stays up whatever it says. */
enum jq_outcome jq_child_ask(struct jq_child *q, const char *p, size_t n, int64_t cpu, int64_t wait);
void jq_child_end(struct jq_child *q);	/* harmless when none runs */

#endif
