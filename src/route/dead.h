/*
 * dead: the dead letters of one destination, spool/dead/NAME.ndjson. One line each:
 *   {"dead":{"dest":"store","seq":SEQ,"attempts":N,"error":"...","at":"RFC 3339"},"line":"the event's text, without its LF"}
 * Letters are collected, then kept together with one fdatasync; only then may the cursor pass their lines.
 */
#ifndef ROUTE_DEAD_H
#define ROUTE_DEAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct dead {
	char *path;
	const char *dest;	/* borrowed */
	struct buf letters;	/* collected, not kept yet */
};

int dead_init(struct dead *d, const char *spool, const char *dest);	/* -1 with a message */
void dead_release(struct dead *d);
/* Collects one; line without LF. -1: no memory. */
int dead_add(struct dead *d, uint64_t seq, unsigned attempts, const char *error, const char *line, size_t n);
int dead_keep(struct dead *d);		/* writes and syncs what was collected; -1 with a message: none of it counts */

#endif
