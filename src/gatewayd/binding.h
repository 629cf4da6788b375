/*
 * binding: the HTTP binding of CloudEvents 1.0.2, from a request to lines. Pure.
 *
 * Content-Type decides: application/cloudevents-batch* batched, application/cloudevents* structured (JSON only), anything
 * else binary (attributes in ce- fields, the body is the data). What comes out is one line for each event, checked by
 * envelope_check and types_check, with what the edge adds when it is missing: `time`, `traceparent` (taken from the request's
 * own traceparent field when that is valid), and `tenant` when the listener's is not "default".
 *
 * A JSON body keeps its bytes, but for white space between tokens when it is spread over lines. Binary: a JSON body becomes
 * `data` as it is, UTF-8 text of text/x a string, all else data_base64.
 */
#ifndef GATEWAYD_BINDING_H
#define GATEWAYD_BINDING_H

#include <stddef.h>
#include <stdint.h>

#include "gatewayd/http/http.h"
#include "gatewayd/http/problem.h"

enum binding_mode { BINDING_STRUCTURED, BINDING_BATCHED, BINDING_BINARY };

struct binding {
	const char *tenant;		/* the listener's; an event of another one is refused. "*" = any */
	size_t max_line;
	size_t max_events;		/* in one batched request */
	int64_t now;			/* wall clock, nanoseconds */
	uint64_t (*random)(void);
	void *arg;			/* handed to: */
	/* A line without LF, borrowed. index counts from 0. Returning non-zero ends the walk. */
	int (*on_line)(void *arg, uint32_t index, const char *line, size_t n);
	/* Element `index` of a batch is refused. */
	int (*on_fault)(void *arg, uint32_t index, const struct problem *p);
};

enum binding_mode binding_mode(struct span content_type);

/* What the head alone shows to be wrong (415, 400): 0, or -1 and *p. */
int binding_head(const struct http_head *h, struct problem *p);

/* 0: on_line or on_fault was called for each event (a batch may have none). -1: the request as a whole is refused, *p. */
int binding_read(const struct binding *b, const struct http_head *h, const char *body, size_t n, struct problem *p);

/* Decodes the value of a ce- field (section 3.1.3.2 of the binding) and appends it: 0, or -1 with the reason in *why. */
struct buf;
int binding_decode(struct span value, struct buf *out, const char **why);

#endif
