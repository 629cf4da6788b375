/*
 * writer: fields in, one line out. It refuses what must not be in a line: bad UTF-8, control characters
 * in an attribute, a name that is no attribute name, a second `data`, raw JSON that is none, more than the cap.
 * After a refusal every further call does nothing and writer_end returns -1 with the first reason (err.at = length so far);
 * the buffer is then as it was at writer_begin. Several lines may be written into one buffer one after the other.
 *
 * writer_end puts the finished line through envelope_check: what a writer made passes wherever lines enter. So
 * the required attributes have to be there, and no name twice. An absent value (p NULL, value NULL) writes nothing.
 */
#ifndef LINE_WRITER_H
#define LINE_WRITER_H

#include <stdint.h>

#include "base/buf.h"
#include "line/scan.h"

#define WRITER_DEPTH 60		/* objects and arrays open at one time, data included */

struct writer {
	struct buf *out;
	size_t start;		/* of this line in out */
	size_t max;		/* cap of the line, LF not counted */
	unsigned members;	/* of the line */
	int depth;		/* 0: in the event itself */
	uint64_t first_mask;	/* bit d: nothing was written at depth d yet */
	const char *why;	/* first refusal (line/why.h), NULL: none */
	int have_data;
	uint64_t array_mask;	/* bit d: depth d is an array */
	size_t why_at;		/* length at the first refusal */
};

void writer_begin(struct writer *w, struct buf *out, size_t max);
void writer_attr(struct writer *w, const char *name, const char *value);		/* string attribute */
void writer_attr_n(struct writer *w, const char *name, const char *p, size_t n);
void writer_attr_raw(struct writer *w, const char *name, struct span raw);		/* copied from a checked line; absent: nothing */
void writer_raw(struct writer *w, const char *name, const char *json, size_t n);	/* any JSON value as member, checked */

/* data and objects in it: writer_open("data"), members, writer_close. Names inside may be any text.
 * name is NULL for the elements of an array. Only allowed members inside an open object; attributes only outside. */
void writer_open(struct writer *w, const char *name);		/* { */
void writer_open_array(struct writer *w, const char *name);	/* [ */
void writer_close(struct writer *w);
void writer_str(struct writer *w, const char *name, const char *p, size_t n);	/* any UTF-8, NUL and LF escaped */
void writer_int(struct writer *w, const char *name, int64_t v);
void writer_real(struct writer *w, const char *name, double v, int decimals);
void writer_bool(struct writer *w, const char *name, int v);
void writer_value(struct writer *w, const char *name, struct span raw);		/* copied from a checked line; absent: nothing */

int writer_end(struct writer *w, struct line_err *err);		/* closes the line with LF: 0, or -1 */

#endif
