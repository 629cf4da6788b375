/*
 * ledger: the connects and identifies of a bot, so that no crash loop and no number of processes can overrun what the platform grants (Discord
 * answers the 1001st of a day by resetting the bot's token). ledger.c is pure; ledger_file.c keeps it on disk.
 *
 * Text, a record a line; times are nanoseconds of the wall clock. What is not understood is passed over.
 *   budget TIME KEYS EVERY TOTAL REMAINING RESET    what the platform said
 *   identify TIME KEY CONN PID                      reserved: written and synced before the socket is dialled
 *   sent TIME CONN                                  the newest one of CONN went out
 *   connect TIME CONN PID                           dialled to go on with a session, which spends nothing: for people; forgotten when the file is written anew
 *   refund TIME CONN                                the newest one of CONN was not used: the connection failed before anything was sent
 *
 * The rules; the latest of their times counts:
 *   - of a key, one in EVERY (an hour at most), counted from when it was sent; one that was reserved and not sent yet holds its key for LEDGER_OPEN
 *   - in 24 hours no more than TOTAL, less a fiftieth that stays for people
 *   - since the newest budget record no more than its REMAINING, until RESET
 *   - of one connection LEDGER_FREE in an hour as they come; then twice EVERY between them, and twice as long with each more, up to 120 EVERY
 */
#ifndef GATEWAYD_LEDGER_H
#define GATEWAYD_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define LEDGER_OPEN (90 * CLOCK_S)
#define LEDGER_FREE 8u
#define LEDGER_DAY (24 * 3600 * CLOCK_S)
#define LEDGER_MAX 20000u		/* records of a day that are looked at: the newest */

struct ledger_entry { int64_t at, sent; unsigned key, conn; };	/* sent 0: not yet */

struct ledger {
	struct ledger_entry *v;		/* of the last day, oldest first, refunded ones left out */
	size_t n, cap;
	bool has_budget;
	unsigned keys;
	int64_t every;			/* nanoseconds */
	uint64_t total, remaining;
	int64_t said, reset;		/* wall */
	bool ahead;			/* there was a record from the future: it stays one until the file is written anew */
};

/* Reads the text; records from the future (a clock that was set back) count as now. -1: no memory. */
int ledger_read(struct ledger *l, const char *text, size_t n, int64_t now);
void ledger_release(struct ledger *l);
/* Nanoseconds until an identify may be reserved; 0: now. */
int64_t ledger_wait(const struct ledger *l, unsigned key, unsigned conn, int64_t now);
/* Takes what another ledger of the same bot has; a record that is in both counts once. -1: no memory, and *l is as it was. */
int ledger_merge(struct ledger *l, const struct ledger *other);
/* How many more may be spent now; UINT64_MAX: nothing is known of a limit. */
uint64_t ledger_left(const struct ledger *l, int64_t now);

/* ---- the file; -1 is a failure with a message ---- */

/* Waits for nobody: another process that has the file for a moment gives *wait. 0: reserved (and synced), or *wait says when to ask again. */
int ledger_reserve(const char *path, unsigned key, unsigned conn, int64_t *wait);
/* These wait for another process a moment, and then fail: without its `sent` an identify holds its key for LEDGER_OPEN. */
int ledger_sent(const char *path, unsigned conn);
int ledger_refund(const char *path, unsigned conn);
int ledger_connect(const char *path, unsigned conn);	/* waits for another process for some milliseconds only */
int ledger_budget(const char *path, unsigned keys, int64_t every, uint64_t total, uint64_t remaining, int64_t reset_in);
/* What the file `old` has is in path from now on, and `old` is gone; a kill at any moment loses nothing and counts nothing twice. Waits for
 * nobody: 1, another process has one of them for a moment. */
int ledger_absorb(const char *path, const char *old);
int ledger_load(const char *path, struct ledger *l);	/* for status; a file that is not there is empty */

#endif
