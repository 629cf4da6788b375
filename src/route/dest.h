/*
 * dest: one destination: where it stands in the spool, the window of lines it works on, who takes from it.
 *
 * Lines are copied from the spool into the window (the lanes), at most window_lines and window_bytes besides those that workers
 * have; only while somebody is connected. fill.[ch] does that, deliver.[ch] deals the window out in batches.
 * Held lines are none of its business: timer.[ch].
 */
#ifndef ROUTE_DEST_H
#define ROUTE_DEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "link/ack.h"
#include "route/cursor_file.h"
#include "route/attempts.h"
#include "route/dead.h"
#include "route/fill.h"
#include "route/lane.h"
#include "route/metrics.h"
#include "route/rules.h"
#include "route/split.h"
#include "route/spool.h"

#define DEST_WINDOW_BYTES (4u << 20)
#define DEST_LATE 64u		/* batches taken back whose late acknowledgement is still understood */
#define DEST_LISTENERS 8u

struct dest_limits {
	uint64_t window_lines, window_bytes;
	uint64_t attempts;	/* refusals with retry before a line is dead */
	int64_t deadline;	/* ns a batch may be out */
};

struct worker;
struct out_batch;
struct late_batch { uint64_t id; uint32_t n; uint64_t *seqs; };

struct dest {
	char name[RULES_DEST_NAME + 1];
	unsigned place;				/* its bit in masks */
	struct loop *loop;
	struct spool *spool;			/* borrowed */
	struct rules_book *book;		/* borrowed */
	struct dest_limits limits;		/* dest_set_limits changes them */
	bool mirror;				/* gets what it can take, and pins nothing */
	const struct link_opts *link;		/* borrowed */
	uint64_t until;				/* rules no longer name it for lines from here on; UINT64_MAX: they do */
	bool stopped;				/* gives nothing out any more */

	struct cursor cursor;
	struct cursor_file file;
	uint64_t saved_low;
	bool unsaved;				/* the file could not be written */
	uint64_t open;				/* at start, when the cursor was cut: lines of ours that are open */
	int64_t saved_at, save_at;		/* mono ns: when it was, and when it is to be; 0: it need not */
	struct fill fill;
	struct lanes lanes;
	struct loop_timer timer;		/* the nearest of: lane, deadline of a batch */
	struct dead dead;
	struct attempts attempts;
	struct split split;
	const char *spool_dir;			/* borrowed */

	struct link_server *servers[DEST_LISTENERS];
	unsigned nservers;
	char *url;				/* of the first, ours to free; NULL */
	struct worker *workers;			/* all connections */
	unsigned nworkers;
	struct worker *first, **end;		/* those that wait for lines */
	struct out_batch *out, **out_end;	/* batches, oldest deadline first */
	struct late_batch late[DEST_LATE];
	unsigned late_at;
	uint64_t *metrics[D_COUNT];
};

struct dest_config {
	const char *spool_dir;
	struct loop *loop;
	struct spool *spool;
	struct rules_book *book;
	const struct dest_limits *limits;	/* of those whose rules say nothing else */
	const struct link_opts *link;
};

/* Opens cursor and dead letters; listens nowhere yet. A new destination starts at `start`. NULL with a message. */
struct dest *dest_new(const struct dest_config *c, const char *name, unsigned place, uint64_t start);
int dest_listen(struct dest *d, const char *url);	/* -1 with a message */
void dest_free(struct dest *d);				/* saves the cursor */
void dest_forget(struct dest *d);			/* the same, and removes the cursor file */

void dest_set_limits(struct dest *d, const struct dest_limits *limits, bool mirror);
void dest_settled(struct dest *d, struct item *it, bool delivered);	/* frees the item; the cursor passes it */
void dest_shed(struct dest *d, uint64_t lines);		/* of a mirror: so many of ours are skipped */
void dest_save(struct dest *d);				/* cursor to its file (not synced); a long one not each time: save_at */
int dest_sync(struct dest *d);				/* what the cursor is now is on disk; -1 with a message */
void dest_show_letters(struct dest *d);			/* the gauge of its dead letters */
/* n lines from first on were added to the spool, `ours` of them for this destination. */
void dest_count(struct dest *d, uint64_t ours, uint64_t first, uint64_t n);
void dest_gone(struct dest *d);				/* lines of ours were lost with the file that held them: counted as shed when all is read */
void dest_settle_gone(struct dest *d);			/* fill read on: perhaps all is */
void dest_clamp(struct dest *d, uint64_t next);		/* numbers from next on were given up and will be used again */
bool dest_drained(const struct dest *d);		/* not named by the rules, and nothing left, or a mirror */

#endif
