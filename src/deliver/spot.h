/*
 * spot: where a platform refuses us (403), and whether to ask there now. Pure but for memory.
 *
 * A spot is what such a refusal is about: a channel, the message that an edit changes, an interaction; of one account, under a name that its target
 * gives it (target.h). After SPOT_STREAK refusals in a row it is shut: what is for it fails without being asked for. Then one message may try it
 * after a pause, which doubles up to SPOT_PAUSE_MAX, with full jitter; the first that is said there opens it. A channel where every message is
 * refused is so asked about a dozen times in its first ten minutes, and twice in any later ones. Discord bans an address for 10,000 refusals in
 * that time, whosesoever they are (breaker.h).
 *
 * Refusals that do not come in a row (edits of many messages, a channel that refuses some) have a limit of SPOT_MOST in SPOT_TIME, a tenth of what
 * the account has; with that, nothing is asked for there until the time is over.
 *
 * Times are clock_mono() nanoseconds.
 */
#ifndef DELIVER_SPOT_H
#define DELIVER_SPOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "deliver/target/target.h"

#define SPOT_STREAK 3u
#define SPOT_PAUSE (2 * CLOCK_S)
#define SPOT_PAUSE_LEAST (500 * CLOCK_MS)
#define SPOT_PAUSE_MAX (600 * CLOCK_S)
#define SPOT_TRIES 16u			/* counted */
#define SPOT_TRY (60 * CLOCK_S)		/* a try has so long; then another message may make one */
#define SPOT_MOST 25u
#define SPOT_TIME (600 * CLOCK_S)
#define SPOT_KEEP (3600 * CLOCK_S)	/* after its last refusal it is forgotten */
#define SPOTS_MAX 2000u			/* of an account, in SPOT_KEEP; more are not remembered */
#define SPOTS_TABLE 64u

struct spot {
	struct spot *chain;
	char name[SPOT_NAME];
	uint32_t streak;		/* refusals in a row */
	uint32_t tries;			/* of these, since it is shut */
	uint32_t n;			/* refusals since `since` */
	int64_t since;
	int64_t until;			/* nobody tries it before */
	int64_t at;			/* of the last refusal */
	char code[VERDICT_CODE], why[VERDICT_TEXT];	/* what that said */
};

/* Of an account; zeroed but for key, which is random: names are strangers'. */
struct spots { struct spot *v[SPOTS_TABLE]; unsigned n; uint64_t key[2]; };

void spots_release(struct spots *s);
struct spot *spots_find(const struct spots *s, const char *name);	/* NULL: nothing is known of it */
struct spot *spots_get(struct spots *s, const char *name);		/* made if new; NULL: no memory, or too many */
void spots_sweep(struct spots *s, int64_t now);				/* those of which nothing is to be remembered */
void spots_soon(struct spots *s);					/* the next message tries each, but where the limit is reached */
unsigned spots_refuse(const struct spots *s, int64_t now);		/* how many a person should know of: shut, or waiting for who tries them */

/* Until when nothing is asked for there; 0: something may be. */
int64_t spot_shut(const struct spot *s, int64_t now);
/* A refusal: one more in a row, and one more of the time. true: that shut it, which it was not before. */
bool spot_streak(struct spot *s, int64_t now, uint64_t random);
bool spot_count(struct spot *s, int64_t now);
/* One message that was allowed to goes there: nobody else does until it is known what became of it. false: nothing changes, all may. */
bool spot_tried(struct spot *s, int64_t now);
/* Something was said there. 0: nothing changes; 1: it was refused last; 2: it was shut. */
int spot_opened(struct spot *s);

#endif
