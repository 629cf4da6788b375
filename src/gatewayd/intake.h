/*
 * intake: POST /events. CloudEvents in three content modes, answered when the hub has acknowledged.
 *
 * 202 {"accepted":N} is sent only then. A batch is not all or nothing: when some of its events are refused the answer is 422 (503 when
 * sending again may help for all that were refused) with "accepted" and a list "refused" of {index, error, attribute, retry}.
 */
#ifndef GATEWAYD_INTAKE_H
#define GATEWAYD_INTAKE_H

#include <stdint.h>

struct loop;
struct outlet;
struct request;

struct intake {
	struct loop *loop;
	struct outlet *outlet;
	const char *tenant;
	uint64_t max_body, max_line, max_events;
	int64_t ack_time;		/* how long an answer waits for the hub */
};

/* on_head: checks what the head shows; the most bytes of body. May answer. */
uint64_t intake_head(struct intake *in, struct request *r);
void intake_post(struct intake *in, struct request *r);

#endif
