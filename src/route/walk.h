/*
 * walk: reads a segment file group by group, checking every one; used at start, and by whoever follows the spool.
 * Memory: one buffer that grows to the largest group met (below SEGMENT_GROUP_MAX).
 */
#ifndef ROUTE_WALK_H
#define ROUTE_WALK_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "route/segment.h"

struct walk {
	int fd;			/* borrowed */
	off_t off;		/* file offset of the next group */
	off_t start;		/* of the group last given */
	uint64_t seq;		/* number of the first line at off */
	struct buf buf;		/* private: bytes from off on */
	struct segment_scan scan;	/* private */
	const char *why;	/* why WALK_BAD */
	size_t skip;		/* private: the group last given, dropped by the next call */
};

enum walk_result {
	WALK_GROUP,	/* *lines are the group's event lines, len bytes, borrowed until the next call */
	WALK_END,	/* the file ends here; bytes without a commit line may follow: walk_left. May be called again later */
	WALK_BAD,	/* off is the end of what is good, why says what comes then */
	WALK_ERROR,	/* read failed, errno */
};

void walk_init(struct walk *w, int fd, uint64_t first);
void walk_release(struct walk *w);
enum walk_result walk_next(struct walk *w, struct commit *c, const char **lines, size_t *len);
void walk_again(struct walk *w);			/* forgets what was read behind off: it is read anew */
size_t walk_left(const struct walk *w);		/* after WALK_END: bytes behind the last good group */

#endif
