/*
 * target: a place to say something. ROOM: a file for each behind this header, which only translates: a message becomes a request as data, an
 * answer becomes a verdict as data. No descriptor, no clock, no loop; deliver carries the request out and does what the verdict says
 * (rule.h), so what a target knows is the platform's words and nothing else.
 *
 * One object (void *t) for each account. It is asked for what the message's form needs (say.h): first `needs`, then `request`, and after an answer
 * `answer`. An answer is a stranger's: nothing in it is trusted.
 *
 * Adding a target NAME: NAME.c with a struct target, its line in index.c and files.mk, an entry in deliver.8, rows in tests/unit/test_deliver_target.c.
 */
#ifndef DELIVER_TARGET_TARGET_H
#define DELIVER_TARGET_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "deliver/say.h"

struct account;

/* ---- rate limits ---- */

#define NEEDS_MAX 4u
#define NEED_NAME 320u

/* A gate that has to be open (queue.h). */
struct need {
	char name[NEED_NAME];		/* the same name is the same gate, for all accounts: so a name says whose it is */
	uint32_t most;			/* under way at a time; 0: any */
	uint32_t unknown;		/* under way at a time while no platform told of it; 0: any */
	uint32_t n;			/* at most so many ... */
	int64_t period;			/* ... within any time of this length; 0: no such limit */
};

/* Where a message is said, in words for people, for spot.h: "channel 42". */
#define SPOTS_OF_ONE 2u
#define SPOT_NAME 96u

/* What an answer said about a gate. */
struct told { char name[NEED_NAME]; uint32_t left, limit; int64_t reset; };

/* ---- requests ---- */

enum token { TOKEN_NONE, TOKEN_USER, TOKEN_APP };	/* of base/oauth.h, added as "Authorization: Bearer"; NONE: the target adds its own */

struct request {
	const char *method;		/* static */
	struct buf url;			/* cleared beforehand; NUL-terminated by the caller */
	struct buf fields;		/* "Name: value" NUL ...; hold secrets */
	struct buf body;
	int64_t timeout;		/* of one try */
	enum token token;
	bool public_only;		/* refuse private addresses */
};

int request_field(struct request *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));	/* adds one; -1: no memory */

/* May a request that perhaps arrived be sent again? */
enum repeat {
	REPEAT_SAFE,		/* as often as one likes: the platform recognises it, or twice is as once */
	REPEAT_SOON,		/* the platform recognises it for REPEAT_WINDOW from the first try */
	REPEAT_NEVER,		/* it would be said twice */
};
#define REPEAT_WINDOW (120 * CLOCK_S)

/* ---- answers ---- */

struct answer {
	int status;
	const char *body;		/* NUL behind it */
	size_t nbody;
	const char *(*field)(const void *arg, const char *name);	/* NULL: absent */
	const void *arg;
	int64_t wall;			/* clock_wall() when it came, for platforms that name points in time */
};

enum verdict_kind {
	SAID,			/* id is its number */
	REFUSED,		/* for good: code and text say why */
	LIMITED,		/* too fast: it was not carried out; again after wait */
	BROKEN,			/* the platform is in trouble (5xx): perhaps it was carried out */
	DENIED,			/* the credentials are not good (401) */
	ANSWERED,		/* the interaction was answered already */
	NOT_THAT_WAY,		/* this form is not possible any more (nothing to be edited) */
	GONE,			/* nobody is at the account's address any more, for good: it must not be used again */
	ABSENT,			/* nobody is there now: it was not carried out; again later, and the account's address rests: the gate `closed` */
	VERDICT_COUNT
};

#define VERDICT_TEXT 300u
#define VERDICT_CODE 64u

struct verdict {
	enum verdict_kind kind;
	char id[SAY_NAME_MAX];		/* "" if the platform gave none */
	char code[VERDICT_CODE];	/* the platform's own, "" if none */
	char text[VERDICT_TEXT];	/* for people */
	int64_t wait;			/* LIMITED and BROKEN: at least; 0: not said */
	bool everybody;			/* LIMITED: all requests of the upstream have to wait, not this message alone and who is `told` */
	bool over;			/* the interaction's token is void: nothing more can be said with it */
	bool counts;			/* one of the refusals a platform bans for (breaker.h) */
	bool forbidden;			/* REFUSED: not this text: who says it may say nothing there (spot.h) */
	char closed[NEED_NAME];		/* LIMITED: the gate that nothing may go through for `wait`; "": this message alone waits. ABSENT: see there */
	struct told told[NEEDS_MAX];
	unsigned ntold;
};

void verdict_text(struct verdict *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));	/* cut between two characters, control characters blanked */

struct target {
	const char *name;		/* platform = NAME; NULL name ends the array */
	const char *const *words;	/* of its account files, NULL at the end; gatewayd names those that nobody knows, where it knows the platform */
	size_t max_units;		/* of a text (text.h); 0: any */
	bool blank;			/* a text of blanks, or none, may be said */
	bool oauth;			/* the account's tokens come from base/oauth.h */
	void *(*open)(const struct account *a);	/* NULL: something in the file is wrong, which was said */
	void (*close)(void *t);
	/* "up https://host": whose trouble concerns whom. A breaker and the connections are shared by what goes to one upstream. */
	const char *(*upstream)(void *t);
	/* Why this message cannot be said at all, before anything is asked; NULL: it can. */
	const char *(*check)(void *t, const struct say *s);
	unsigned (*needs)(void *t, const struct say *s, struct need *to);	/* at most NEEDS_MAX */
	/* Its spots (spot.h), how many: [0] is what refuses it when that is forbidden, the last one has a limit of refusals. NULL: it has none. */
	unsigned (*spots)(void *t, const struct say *s, char name[SPOTS_OF_ONE][SPOT_NAME]);
	int (*request)(void *t, const struct say *s, struct request *r);	/* -1: no memory */
	enum repeat (*repeat)(void *t, const struct say *s);
	void (*answer)(void *t, const struct say *s, const struct answer *a, struct verdict *v);	/* v is zeroed */
};

extern const struct target target_null, target_discord, target_twitch, target_webhook;
extern const struct target *const targets[];	/* index.c, NULL at the end */
extern const char *const target_others[];	/* platforms that another program says things on, NULL at the end */
const struct target *target_find(const char *name);

/* For targets. */
bool target_digits(const char *s);					/* 1 to 20 digits: a number of Discord or Twitch, safe in a path */
bool target_seconds(const char *s, int64_t *ns);			/* "7" or "0.65"; more than a day is a day; NULL or anything else: false */
/* Retry-After: seconds, or a date (RFC 9110, 10.2.3); at most a day. false: there is none, or it is neither. */
bool target_retry_after(const struct answer *a, int64_t *ns);
int64_t target_count(const char *s);					/* digits; NULL or anything else: -1 */
/* The word send-unknown, again or never (also when it is absent). -1 with a message. */
int target_again(const struct account *a, bool *again);
/* "up https://host:443" of a URL into name; -1: no http or https. */
int target_upstream(const char *url, char name[NEED_NAME]);

#endif
