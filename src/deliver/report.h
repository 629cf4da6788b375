/*
 * report: lines on their way to the hub (or stdout), gathered into batches, each with a word back when it is acknowledged.
 *
 * One batch is under way at a time, so lines keep their order. What the hub refuses for now is put again with back-off; what it refuses for
 * good is logged and counts as done: there is nobody to tell.
 */
#ifndef DELIVER_REPORT_H
#define DELIVER_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/loop.h"

struct link_opts;
struct link_put;

/* The caller's, zeroed; it and its lines stay where they are until done was called. */
struct parcel {
	struct parcel *next;
	const char *lines;
	size_t len;
	uint32_t n;
	bool again;
	void (*done)(struct parcel *p);
};

struct report {
	struct loop *loop;
	struct link_put *put;
	struct parcel *first, **last;	/* waiting */
	struct parcel *out, **out_last;	/* under way */
	struct buf batch;
	struct backoff wait;
	struct loop_timer again;
	bool paused;
	size_t pending;			/* parcels */
	void (*dead)(void *arg);	/* stdout was closed */
	void *arg;
};

int report_open(struct report *r, struct loop *l, const char *url, const struct link_opts *o, void (*dead)(void *arg), void *arg);
void report_close(struct report *r);		/* no done is called any more */
bool report_connected(const struct report *r);
void report_add(struct report *r, struct parcel *p);
void report_flush(struct report *r);		/* at the end of a round */

#endif
