/*
 * problem: what was wrong with a request, as RFC 9457 says it (application/problem+json). Pure.
 *
 * Members of the body: type ("urn:penstock:problem:" and the slug), title, status, detail, and where it applies
 * attribute (of the CloudEvent, data fields as "data.x"), header, offset (bytes into the body, from 0), line and column (from 1),
 * index (element of a batch, from 0).
 */
#ifndef GATEWAYD_PROBLEM_H
#define GATEWAYD_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct problem {
	int status;
	const char *slug;	/* static: "bad-json" */
	const char *title;	/* static, one for each slug */
	char detail[320];
	char attribute[64];	/* "" = does not apply, likewise below */
	char header[64];
	bool has_offset;
	size_t offset, line, column;
	bool retry;		/* the same request may succeed later */
	unsigned retry_after;	/* seconds, for the header Retry-After; 0 = none */
	const char *headers;	/* header lines of the answer, each ended by CRLF, static; NULL = none */
};

void problem_set(struct problem *p, int status, const char *slug, const char *title, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Sets offset, line and column of the byte at `at` of the body. */
void problem_at(struct problem *p, const char *body, size_t n, size_t at);

/* Appends the object; the text of detail must be UTF-8 (problem_set cuts it at whole characters). */
int problem_write(const struct problem *p, struct buf *out);
/* The same without its closing brace, for further members. */
int problem_write_open(const struct problem *p, struct buf *out);

#endif
