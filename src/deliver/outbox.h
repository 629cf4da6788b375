/*
 * outbox: what has to be said and what became of it, in a SQLite database (base/db.h). A message is in it before it is acknowledged to the
 * hub, marked as begun before its request leaves, with its outcome before that is put on the hub, and is forgotten when the hub has
 * acknowledged it; its key stays for OUTBOX_REMEMBER, so that a repeat from the hub is not said again.
 *
 * The calls between outbox_begin and outbox_commit are one transaction. Every failure was logged; nothing of the transaction is there then, and the
 * caller makes it anew later. One process at a time (hold.h); its folder is there.
 */
#ifndef DELIVER_OUTBOX_H
#define DELIVER_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/account.h"
#include "base/clock.h"
#include "deliver/breaker.h"
#include "deliver/say.h"
#include "deliver/spot.h"
#include "deliver/target/target.h"

#define OUTBOX_REMEMBER (3600 * CLOCK_S)
#define USED_REMEMBER (120 * CLOCK_S)

struct loop;
struct outbox;

/* What a restart must not forget: something went through gate then; gate.n refusals of gate.name then; gate is closed until then. */
enum ledger_kind { LEDGER_USED, LEDGER_REFUSED, LEDGER_CLOSED };
struct ledger { enum ledger_kind kind; struct need gate; int64_t at; };

/* What is kept of a message beside its line. Times are of the wall clock. */
struct entry {
	int64_t seq;
	int64_t taken;
	int64_t begun;			/* first try of the piece that perhaps was carried out; 0: there is none */
	int64_t from;			/* of its text: bytes said already, */
	int64_t part;			/* which were so many pieces, */
	const char *ids; size_t nids;	/* with these numbers, each ended by NUL */
	int64_t form;
	int64_t due;			/* not to be said before that */
	const char *outcome; size_t noutcome;	/* the line, LF included; NULL: not yet */
};

/* NULL with a message. synced: see outbox_commit; 0, or as its -2. */
struct outbox *outbox_open(const char *path, struct loop *l, void (*synced)(void *arg, int rc), void *arg);
void outbox_close(struct outbox *o);
/* All that is there, in the order it came. fn: -1 ends it. Borrowed until fn returns. */
typedef int outbox_fn(void *arg, const struct entry *e, const char *line, size_t n);
int outbox_load(struct outbox *o, outbox_fn *fn, void *arg);
int outbox_one(struct outbox *o, int64_t seq, outbox_fn *fn, void *arg);	/* of that number: 1, 0 there is none, -1 */
int outbox_load_interactions(struct outbox *o, int64_t since, int (*fn)(void *arg, const char *name, int state, int64_t at), void *arg);

int outbox_known(struct outbox *o, const unsigned char key[SAY_KEY]);	/* was it said (or given up) lately? 1, 0, -1 */

int outbox_begin(struct outbox *o);
int outbox_take(struct outbox *o, const struct say *s, int64_t taken, int64_t *seq);
int outbox_state(struct outbox *o, const struct entry *e);			/* begun, from, part, ids, form, due */
int outbox_outcome(struct outbox *o, int64_t seq, const char *line, size_t n);
int outbox_gone(struct outbox *o, int64_t seq, const unsigned char key[SAY_KEY], int64_t wall);
int outbox_interaction(struct outbox *o, const char *name, int state, int64_t at);
int outbox_used(struct outbox *o, const struct need *gate, int64_t wall);	/* something goes through it now */
void outbox_rollback(struct outbox *o);
/* sync: on the disk when it returns 0; else with the next one that is. 1: it is there, and when it is on the disk `synced` is called; until then nothing
 * else may be committed. -1: nothing of it is there. -2: it is there, but nobody knows whether on the disk: the process has to end, the next one
 * settles it. */
int outbox_commit(struct outbox *o, bool sync);
int outbox_refused(struct outbox *o, const char *who, int64_t wall);		/* one more; outside a transaction, and not synced */
int outbox_closed(struct outbox *o, const char *gate, int64_t until);		/* nothing may go through it until then; the same */
int outbox_load_ledger(struct outbox *o, int64_t wall, void (*fn)(void *arg, const struct ledger *l), void *arg);	/* of each kind the oldest first */
/* Accounts that are stopped: who, with files of that print (base/account.h), and why. Outside a transaction, and not synced. */
int outbox_stopped(struct outbox *o, const char *who, const unsigned char print[ACCOUNT_PRINT], const char *why, int64_t wall);
int outbox_not_stopped(struct outbox *o, const char *who);
/* fn: false, and it is forgotten. -1 when they cannot be read. */
int outbox_load_stopped(struct outbox *o, bool (*fn)(void *arg, const char *who, const unsigned char print[ACCOUNT_PRINT], const char *why), void *arg);
/* Where an account, with files of that print, was refused (spot.h); ahead: of its clock the wall's is. Outside a transaction, and not synced. */
int outbox_spot(struct outbox *o, const char *who, const unsigned char print[ACCOUNT_PRINT], const struct spot *p, int64_t ahead);
int outbox_load_spots(struct outbox *o, int64_t wall, int64_t ahead,
	void (*fn)(void *arg, const char *who, const unsigned char print[ACCOUNT_PRINT], const struct spot *p), void *arg);
int outbox_forget(struct outbox *o, int64_t wall);	/* keys and interactions that are too old; outside a transaction */

#endif
