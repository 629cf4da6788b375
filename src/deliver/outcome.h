/*
 * outcome: the lines message.sent and message.failed. Pure.
 */
#ifndef DELIVER_OUTCOME_H
#define DELIVER_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

struct buf;

struct outcome {
	const char *ids;	/* sent: the numbers of its pieces, each ended by NUL */
	size_t nids;		/* bytes */
	const char *cause;	/* failed: a word, those of rule.h and deliver(8); NULL: it was sent */
	const char *error;	/* for people */
	const char *code;	/* the platform's own, "" none */
	unsigned pieces;	/* failed: so many of its pieces were said before */
};

/* Appends the line, LF included, that tells what became of the checked line message.send; wall is its time. -1: no memory. */
int outcome_write(struct buf *to, const char *line, size_t n, const struct outcome *o, int64_t wall);

#endif
