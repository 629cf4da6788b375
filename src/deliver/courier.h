/*
 * courier: carries out what the lines ask for. One struct courier a process; its parts:
 *
 *   intake.c    batches from the hub become messages; a batch is acknowledged when its messages are in the outbox, on the disk
 *   courier.c   what goes next; the end of each round, where the outbox is written and what waited for that is done
 *   ledger.c    what a restart must not forget
 *   stop.c      accounts that nothing is said with until their files change
 *   shun.c      where a platform refuses us: not asked for each message
 *   dispatch.c  begun requests wait for a connection
 *   call.c      a message's request          answer.c    what follows from its answer
 *   message.c   messages: made, found, given up
 *   fetch.c     those that were in the outbox only: at the start, and when there is room
 *
 * A round of the loop only changes messages in memory and marks them (MARK_*). At its end all marks are written in one transaction, with one
 * sync, for which nobody waits: what is marked meanwhile is written when it is over; then batches are acknowledged, requests leave, outcomes are put on the hub. So nothing leaves before the outbox knows that it was begun, and a
 * busy hour costs one sync a round, not one a message. When the outbox cannot be written (a full disk) the marks stay, nothing leaves, and it
 * is tried again a second later.
 *
 * Its work is what lies between courier_begin and courier_end; loop, http, places and report outlive it.
 */
#ifndef DELIVER_COURIER_H
#define DELIVER_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/loop.h"
#include "deliver/interaction.h"
#include "deliver/outbox.h"
#include "deliver/places.h"
#include "deliver/queue.h"
#include "deliver/report.h"
#include "deliver/rule.h"
#include "deliver/say.h"
#include "deliver/spill.h"
#include "link/link.h"

enum metric_id {
#define METRIC(id, name, kind, unit, help) M_##id,
#include "deliver/metrics.def"
#undef METRIC
	M_COUNT
};

enum {
	MARK_TAKE = 1,		/* is not in the outbox yet */
	MARK_STATE = 2,		/* begun, piece or form changed */
	MARK_SEND = 4,		/* its request leaves when that is written */
	MARK_OUTCOME = 8,
	MARK_GONE = 16,		/* the hub has the outcome, or there is none to tell */
};

struct courier;
struct intake;

/* Where batches come from. */
struct inlet { struct courier *c; struct link_take *take; bool drained; };

struct message {
	struct item item;		/* in the queue; first */
	struct courier *c;
	struct message *prev, *next;	/* all, as they came */
	struct message *chain;		/* of the table by key */
	struct message *marked;		/* next of those with marks */
	struct message *written;	/* next of those that are being synced, */
	unsigned marks, syncing;	/* with these */
	struct intake *batch;		/* MARK_TAKE: whose */
	char *line;
	struct say say;
	int64_t seq, taken;		/* wall clock */
	int64_t late;			/* clock_mono(): then it is given up */
	int64_t asked;			/* clock_mono(): its request was started */
	int64_t not_before;		/* clock_mono() */
	int64_t begun;			/* wall clock: first try of this piece that perhaps was carried out; 0 none */
	bool uncertain;			/* such a try ended without an answer */
	bool queued, under_way, over;	/* over: has its outcome */
	bool spill;			/* stays in the outbox when it is there */
	bool refreshed;			/* a new token was fetched for it */
	bool scout;			/* of those for a spot that is shut it tries whether that is open again (shun.c) */
	struct spot *shut;		/* it needs nothing, as that is shut, until then: from call_needs to call_begin, which follows at once */
	int64_t shut_until;
	char *why;			/* what became of the last try that has to be made again; NULL */
	unsigned tries, part;
	size_t from, until;		/* of the text: where this piece begins, and the next */
	struct buf ids, outcome;
	struct place *place;		/* held: of the try under way, or the last one */
	struct http_call *call;
	struct upstream *dispatched;	/* in its list: ready, or active */
	struct message *dprev, *dnext;
	bool call_active;
	struct oauth_wait *wait;
	char *token;
	struct interaction *interaction;
	struct tenant *tenant;		/* who has it in memory; NULL: it does not count */
	struct parcel parcel;
};

#define STOPPED_ROWS 100u
#define REFUSING_ROWS 100u

struct courier {
	struct loop *loop;
	struct http *http, *urgent;	/* first answers to interactions do not wait for connections */
	struct places places;
	struct queue queue;
	struct spill spill;
	struct outbox *outbox;		/* NULL: there is none to work with (life.h) */
	struct report report;
	struct inlet in[2];
	struct interactions interactions;
	struct interaction *changed;	/* not in the outbox yet */
	struct message *first, *last;
	struct message **table;		/* by key */
	size_t captable, n, bytes;
	struct message *marked, **marked_last;
	struct message *written;	/* with their marks on their way to the disk */
	bool syncing;
	struct intake *batches, **batches_last;
	struct loop_timer tick;		/* the queue's next time */
	struct loop_timer again;	/* the outbox could not be written */
	struct loop_timer chores;
	bool pass, stream, strict;	/* a side is a pipe: lines go on; the input is one; nobody has checked it */
	bool closing;			/* begin nothing at all */
	bool fetching;			/* one that there is room for */
	bool draining, ended;		/* begin nothing more but first answers to interactions; the stream has ended */
	bool failed;
	unsigned conns;			/* requests to one upstream at a time */
	int64_t give_up;		/* ns: a message is not said when it is older */
	uint64_t *metric[M_COUNT];
	uint64_t *stopped[STOPPED_ROWS];	/* rows that are 1 now */
	unsigned nstopped;
	uint64_t *refusing[REFUSING_ROWS];	/* rows that are not 0 now */
	unsigned nrefusing;
};

#define COURIER_MESSAGES 20000u		/* in memory at a time; then what comes stays in the outbox (spill.h) */
#define COURIER_BYTES (128u << 20)
#define COURIER_UNDER_WAY 512u
#define COURIER_STREAM QUEUE_LANE_MAX	/* of a stream; then nothing more is read */

void courier_begin(struct courier *c);
void courier_reload(struct courier *c);		/* accounts */
void courier_told(struct courier *c);	/* which are in force, into log and counters */
void courier_synced(void *arg, int rc);		/* of the outbox */
void courier_round(void *arg);			/* at the end of each round */
bool courier_idle(const struct courier *c);	/* nothing under way, marked, or to be put */
bool courier_empty(const struct courier *c);	/* and nothing waits */
/* Requests without an answer are ended: the outbox knows that they were begun. all: also those that must not be made again. */
void courier_cancel(struct courier *c, bool all);
/* The report holds nothing of it any more. Harmless twice, or when it was never begun. */
void courier_end(struct courier *c);

static inline bool courier_full(const struct courier *c)
{
	return c->n >= COURIER_MESSAGES || c->bytes >= COURIER_BYTES;
}

/* intake.c */
void intake_batch(void *arg, struct batch *b);	/* arg: struct inlet */
void intake_more(struct courier *c);		/* batches that waited for room */
void intake_kept(struct intake *in);		/* one of its messages is in the outbox */
void intake_free(struct courier *c);
bool intake_busy(const struct courier *c);

/* ledger.c */
int ledger_load(struct courier *c);
int ledger_used(const struct message *m);	/* in the transaction that lets its request go */
void ledger_refused(struct courier *c, const struct place *p);
void ledger_closed(struct courier *c, const char *gate, int64_t wait);	/* closes it */
#define LEDGER_ACCOUNT "account "
void ledger_name(const struct place *p, char to[NEED_NAME]);		/* who it is in the ledger: LEDGER_ACCOUNT, then TENANT/NAME */

/* stop.c */
/* Nothing is said with it any more: what waits for it fails now, and with PLACE_GONE the next process knows. cause: static. */
void stop_place(struct courier *c, struct place *p, const char *cause, const char *why);
#define STOP_TEXT (2 * VERDICT_TEXT)
void stop_text(const struct place *p, char to[STOP_TEXT]);		/* why, and what to do, for people */
void stop_message(struct message *m, const struct place *p, const char *code);	/* it is for a place that is stopped: fails */
/* Places that an earlier process stopped, or this one before their files were read again; what is kept of those that are gone or changed is
 * forgotten. -1: the outbox cannot be read. */
int stop_load(struct courier *c);
void stop_rest(struct message *m, enum result r, const struct verdict *v);	/* of its answer: does its place's address rest? */
void stop_try(struct courier *c);		/* those that rest are tried at once */
/* The cell of a gauge that is nice to have, which leaves room for others; NULL: there is none. */
uint64_t *stop_metric_row(const char *name, const char *label, const char *help);
void stop_count(struct courier *c);		/* into counters: how many are stopped, and which */

/* shun.c */
#define SHUN_SHARE (REFUSALS_ONE / 2)	/* refusals of an account; the rest of them is for where it was not refused last */
/* It cannot be asked for now: m->shut is where it is refused, or NULL. */
void shun_look(struct message *m, struct place *p);
void shun_fail(struct message *m);		/* for that it fails */
void shun_try(struct message *m, struct place *p);	/* it is going to be asked for */
void shun_answer(struct message *m, enum result r, const struct verdict *v);
int shun_load(struct courier *c);		/* what an earlier process knew; -1: the outbox cannot be read */
void shun_soon(struct courier *c);		/* the next message tries each */
void shun_sweep(struct courier *c);
void shun_count(struct courier *c);		/* into counters */

/* fetch.c */
int fetch_all(struct courier *c);		/* what an earlier process left; -1 with a message */
void fetch_some(struct courier *c);		/* of what there is room for */

/* message.c */
extern const char message_no_memory[];	/* err.why then */
bool message_may_spill(const struct message *m);	/* answers to interactions are always in memory */
/* Of a checked line, which is copied; taken at that time of the wall clock. NULL: no memory, or the line is not one for us (*err). */
struct message *message_new(struct courier *c, const char *line, size_t n, int64_t taken, struct line_err *err);
void message_free(struct message *m);
struct message *message_find(const struct courier *c, const unsigned char key[SAY_KEY]);
void message_mark(struct message *m, unsigned marks);
/* Puts it where it waits: into its lane; a command until it has to be deferred. */
void message_wait(struct message *m);
void message_sent(struct message *m);		/* its last piece was said */
void message_failed(struct message *m, const char *cause, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same of one of many, whose common fate was logged. */
void message_spared(struct message *m, const char *cause, const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void message_told(struct message *m);		/* its outcome was in the outbox already: it only has to be put */
void message_defer_all(struct courier *c);	/* commands that nobody has answered: it may be some time until the next process does */
void message_late(struct courier *c);		/* gives up those that are too old */
void message_too_late(struct message *m);
int64_t message_due(const struct courier *c);	/* clock_mono() when the next one is; INT64_MAX: none waits */
void interaction_changed(struct courier *c, struct interaction *i, int state);

/* dispatch.c */
void dispatch_off(struct message *m);	/* it is over, or given back; harmless when it is not there */

/* call.c */
unsigned call_needs(void *arg, struct item *i, struct need *to);
void call_begin(struct message *m);		/* it is its turn: ends in MARK_SEND or in an outcome */
void call_send(struct message *m);		/* the outbox knows */
bool call_repeatable(const struct message *m);	/* it would be made again if its answer were lost now */
void call_cancel(struct message *m);
/* After a restart: what perhaps was carried out. */
void call_resume(struct message *m);

#endif
