/*
 * binding_impl: what binding.c (JSON bodies) and binary.c share; private to the two. Functions return 0, or -1 and *p.
 */
#ifndef GATEWAYD_BINDING_IMPL_H
#define GATEWAYD_BINDING_IMPL_H

#include <stdbool.h>

#include "base/buf.h"
#include "gatewayd/binding.h"

#define EXTRA_MAX 512u		/* bytes that the edge may add to a line */

/* One request being read. */
struct walk {
	const struct binding *b;
	const struct http_head *h;
	uint32_t index;
	struct buf line;
	size_t end[HTTP_FIELDS_MAX];	/* binary: length of the line behind field i's attribute */
};

bool binding_starts(struct span s, const char *text);
struct span binding_media(struct span type);		/* the media type without its parameters */
int binding_no_memory(struct problem *p);

/* Copies checked JSON; when it is spread over lines, without any white space between tokens. -1: no memory. */
int binding_squeeze(const char *p, size_t n, struct buf *out);

/* Adds what the edge knows and the event does not say (a member that is null says so and stays). -1: no memory. */
int binding_complete(const struct binding *b, const struct http_head *h, struct buf *line);

/* Checks an event and names the fault. done: what the edge adds has been added. */
int binding_check(const struct binding *b, const char *line, size_t n, bool done, struct problem *p);

/* The event of a request in binary mode, given to on_line. */
int binding_binary(struct walk *w, const char *body, size_t n, struct problem *p);

#endif
