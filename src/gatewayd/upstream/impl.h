/*
 * impl: what the files of upstream share; private to them (all but life, lease, ledger and said, which stand alone).
 */
#ifndef GATEWAYD_UPSTREAM_IMPL_H
#define GATEWAYD_UPSTREAM_IMPL_H

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/loop.h"
#include "gatewayd/platform/platform.h"
#include "gatewayd/upstream/life.h"
#include "gatewayd/upstream/upstream.h"

#define CONN_TIMERS 4u
#define SOCKS 3u			/* of a connection: the main one, the one it moves to, and one that lingers though it is another's */
#define CONNS_MAX 10000u		/* of one account */
#define REASON 200u
#define SAVE_MAX (64u << 10)
#define TICKET_SLOTS 256u

struct account;
struct conn;
struct debt;
struct edge_client;
struct http;
struct http_call;
struct lease_watch;
struct leases;
struct link_take;
struct oauth;
struct oauth_wait;
struct said;
struct server;
struct wires;

/* A line on its way. In the queue of its connection until the hub has acknowledged it and all before it. */
struct item {
	struct item *next;
	struct conn *conn;
	uint64_t mark, ticket;
	enum { ITEM_WAITS, ITEM_SENT, ITEM_DONE } state;
	bool ours;			/* gateway.*: when it is refused nothing more is said */
	uint32_t n;
	char line[];
};

struct sock {
	struct conn *conn;
	unsigned n;			/* 0, 1; 2: it is only read to its end, until `expect` at most */
	bool lingers;			/* ... though the connection is another's */
	bool parting;			/* our close frame is out, and the peer's is waited for */
	struct edge_client *c;
	int64_t expect, within;		/* mono: liveness; 0: off. How long silence was allowed */
	const char *why;
	struct loop_timer watch;	/* at expect or before it */
};

struct conn_timer { struct out *out; unsigned conn, n; struct loop_timer t; };	/* conn: OUT_ACCOUNT for an account's own */

struct conn {
	struct out *out;
	unsigned n;
	enum life_state state;
	int64_t since;			/* wall: of this state */
	int64_t live_at;		/* mono: up since; 0: not */
	int64_t session_at;		/* wall: session since (a resumed one goes on); 0: not */
	struct backoff backoff;
	int64_t wait;			/* what out_lost asked for */
	struct dial *dial;		/* from dialling until it is open */
	bool reserved;			/* an identify, that was not sent yet */
	bool asking;			/* the one of its key that looks into the ledger; the others wait for it */
	bool told;			/* that it waits for a day's */
	const char *waits;		/* in LIFE_BUDGET: for what; NULL: not looked yet */
	bool resumed;			/* what out_live said */
	bool holds_lease;
	bool turn;			/* it has waited for its turn to be dialled, or does */
	bool leaving;			/* until what is to be saved is */
	bool had, gap_said;		/* it was live before; the gap since then was told */
	struct loop_timer timer;	/* of the state: back-off, budget, opening, greeting, draining */
	struct conn_timer timers[CONN_TIMERS];
	struct sock *sock[SOCKS];
	struct debt *debt;		/* of socket 2, which lingers, or has and its lines are not kept yet; NULL: none */
	bool debt_read;			/* ... to its end, and the last line of it is this one */
	struct item *debt_last;
	struct loop_timer no_next;	/* socket 1 could not even be begun: the platform is told from the loop */
	char lost[REASON];		/* why it was lost last */
	unsigned lost_code;		/* of the peer's close frame with which it was; 0: without one */
	unsigned gone_code;		/* while the platform is told that a socket has gone */
	int64_t lost_at;		/* wall */
	unsigned tries;			/* dials since it was live last */
	/* lines */
	struct item *first, *last, *next_wait;	/* next_wait: the first that may wait; NULL: none does */
	size_t bytes, nlines;
	uint64_t mark;			/* the highest handed in */
	uint64_t acked;			/* the highest kept */
	bool ack_due, in_ready, paused;
	struct conn *ack_next, *ready_next;
	uint64_t events;		/* lines handed in */
	/* saved */
	char *saved;
	size_t nsaved;
	bool save_known;		/* the file was read, or written by this process while the lease was held */
	enum { SAVED, SAVE_LATE, SAVE_NOW } save;	/* what is to be done of it */
	struct conn *save_next;
	bool in_saves;
	struct loop_timer save_timer;
	bool save_failed;		/* the last time it was tried; said */
	int64_t touched;		/* mono: when the file last got the time of now */
};

struct call {				/* an HTTP request of a platform */
	struct out *out;
	unsigned n;
	int token;
	bool again;			/* with another token */
	struct http_call *http;
	struct oauth_wait *wait;
	struct saved_request *request;	/* with OUT_TOKEN: until the answer */
	char *used;			/* the token it went with */
	struct loop_timer timer;	/* it failed before it began */
	struct call *prev, *next;
};

/* The identifies that the platform grants, as it said last; due: the ledger could not be written yet. */
struct grant { bool due; unsigned concurrency; int64_t every; uint64_t total, remaining; int64_t until; };

/* An account at work. */
struct out {
	struct upstream *u;
	struct account *account;
	const struct platform *platform;
	void *p;			/* NULL: closed; only lines are left */
	struct conn **conn;
	struct conn *own;		/* for lines that belong to no connection (OUT_ACCOUNT); NULL: none came yet */
	unsigned n, nall;		/* wanted now; there are, those closed among them */
	char *dir;			/* of its states */
	char *ca;
	struct leases *leases;
	bool hand_over;			/* its connections are to be given away */
	bool stopping;			/* goes away when the last line is gone */
	char bot[OUT_BOT];		/* as its platform counts; "": not told */
	bool budget;
	struct grant grant;
	struct conn_timer timers[CONN_TIMERS];
	struct call *calls;
	unsigned next_call;
	struct oauth *oauth;
	struct said *said;		/* NULL: nothing was to be said yet */
	struct debt *debt;		/* of hooks; NULL: none */
	int64_t owed;			/* ... since, wall */
	bool debt_failed;		/* there should be one */
	bool hooks;			/* they are events: out_hooks */
	int64_t hooks_again;		/* ... which the other side sends again for so long */
	int64_t refused, refused_last;	/* wall: the first hook for which the hub was behind, and the last; 0: none */
	int64_t caught_up;		/* ... since the last; 0: not yet */
	uint64_t late;			/* the last hook that was not answered in time; 0: none */
	struct loop_timer look;		/* at what other processes left */
	struct out *next;
};

enum ticket_kind { TICKET_HOOK, TICKET_SAY, TICKET_DEBT };

/* Something that waits for lines to be acknowledged before it is answered. */
struct ticket {
	uint64_t id;
	enum ticket_kind kind;
	struct out *out;
	struct ticket *next;		/* hash chain */
	unsigned pending;		/* lines with this ticket under way */
	bool failed;			/* one of them was not kept */
	bool busy;			/* the platform is being called */
	/* hooks */
	int64_t came;			/* wall */
	struct request *request;	/* NULL: the sender has gone */
	bool answered;			/* out_hook_reply was called: the reply goes when the lines are kept */
	bool at_once;			/* or without waiting for them, which go on by themselves */
	int status;
	char *type;
	struct buf body;
	struct loop_timer timer;
	struct debt *debt;		/* of TICKET_DEBT: paid when its gap is kept */
	/* says */
	struct say_batch *batch;	/* NULL: the hub is not there any more to be told */
	uint32_t at;			/* line of the batch, from 0 */
	bool begun;			/* out_saying was called */
	bool said;			/* out_said was called */
	struct hash128 key;		/* of the line, in o->said */
};

struct upstream {
	struct loop *loop;
	struct outlet *outlet;
	struct upstream_opts opts;
	struct wires *wires;
	struct lease_watch *watch;
	struct out *first;		/* accounts at work, and those whose lines are not gone yet */
	int64_t dial_next;		/* mono: conn.c */
	struct http_list *https;	/* a client for each `ca` */
	struct ticket *tickets[TICKET_SLOTS];
	uint64_t next_ticket;
	size_t bytes, nlines;		/* of all connections, not acknowledged */
	size_t sent;			/* lines of them with the outlet */
	bool held;				/* nothing is read: too many bytes wait */
	bool draining;
	int64_t end;			/* mono: of this process, whatever is done by then; while it is draining */
	struct conn *acks;		/* whose platform is to be told at the end of the round */
	struct conn *saves;		/* what is to be on disk at the end of the round, or of the next ones */
	struct loop_timer save_more;
	bool in_ack;			/* platforms are being told */
	struct conn *ready, *ready_last;	/* with lines for the outlet */
	struct loop_timer pump;			/* when the outlet had no room */
	struct link_take *take;
	struct say_batch *batches;
	struct drain_work *drain;
	struct loop_timer drain_late;		/* this process ends, and has waited long enough for others */
	uint64_t boot;			/* random: ids of gateway.* lines */
	uint64_t made;			/* of them */
	struct buf text;		/* a line being made */
	struct buf faults;		/* of the accounts, JSON objects with commas between them */
	bool faults_full;
};

/* ---- upstream.c ---- */
struct out *upstream_find(struct upstream *u, const char *tenant, size_t ntenant, const char *name, size_t nname);

/* ---- account.c ---- */
struct out *out_new(struct upstream *u, struct account *a);	/* with the platform's object, not started. NULL: something is wrong, and was said */
void out_start(struct out *o);
int out_changed(struct out *o, struct account *a);	/* -1: what it says now is no good, and it goes on as it was */
void out_try_stopped(struct out *o);			/* a person may have changed something that no file tells */
void out_stop(struct out *o);				/* ends the platform's object; lines under way stay until they are kept */
void out_free(struct out *o);				/* its lines must be gone */
const struct out *out_twin(const struct out *o, const struct out *end);	/* the first before end (NULL: of all) with the same bot; NULL: none */
void upstream_forget(struct out *o);			/* frees what is stopping, has no lines and no calls */

/* ---- faults.c ---- */
void faults_hear(struct upstream *u);			/* from here on errors and warnings are the accounts', in the place of those before */
void faults_heard(void);

/* ---- conn.c ---- */
struct conn *conn_new(struct out *o, unsigned n);	/* NULL with a message */
struct conn *conn_own(struct out *o);			/* for lines of no connection. NULL with a message */
void conn_free(struct conn *c);				/* its lines must be gone */
void conn_event(struct conn *c, enum life_event e);	/* and what is to be done of it */
void conn_give_up(struct conn *c);			/* the lease: from here on nothing of it may be written */
void conn_drained(struct conn *c);			/* every line of a draining one is kept, or it takes too long */
void conn_arm(struct conn *c, int64_t in);		/* the timer of its state */
void conn_on_lease(void *arg, unsigned conn);		/* leases_open's on_ours; arg is struct out */

/* ---- tell.c ---- */
const char *conn_name(const struct conn *c, char out[128]);	/* for logs and the `connection` of gateway.*: "discord:NAME/0" */
void conn_say(const struct conn *c, enum log_level level, const char *what, const char *reason);
void conn_up(struct conn *c);				/* it is live */
void conn_tell_down(struct conn *c, const char *reason, unsigned code);	/* it was */
void conn_lost(struct conn *c, enum next next, unsigned code, const char *reason, int64_t wait);

/* ---- budget.c ---- */
void budget_ask(struct conn *c);			/* in LIFE_BUDGET: GO, or the timer looks again */
void budget_next(struct out *o, unsigned key);		/* an identify of this key went out, or is not wanted any more */
void budget_back(struct conn *c, unsigned key);		/* it ends: what was not sent is given back */
void budget_dial(struct conn *c);			/* it is dialled */
void budget_sent(struct conn *c);			/* its first word went out, which is the identify if it had to wait for one */

/* ---- sock.c ---- */
void sock_init(struct conn *c);
int sock_open(struct conn *c, unsigned n, const char *url, int64_t opening);	/* -1 errno */
void sock_close(struct conn *c, unsigned n, unsigned code, const char *reason);
void sock_give_up(struct conn *c, const char *reason);	/* socket 0 is taken for gone; without one the connection is lost */
void sock_pause_all(struct conn *c);			/* as the connection and upstream say now */
void conn_timers_init(struct conn_timer *t, struct out *o, unsigned conn);
void conn_timers_stop(struct conn_timer *t, struct loop *l);

/* ---- line.c ---- */
void line_init(struct upstream *u);
void line_gateway(struct conn *c, const char *type, const char *reason, unsigned code, const char *from, const char *to);
void line_gap(struct conn *c, const char *reason, const char *from, const char *to, uint64_t ticket);
void line_add(struct conn *c, const char *line, size_t n, uint64_t mark, uint64_t ticket, bool ours);
void line_round(struct upstream *u);			/* acks to platforms, lines to the outlet */
void line_forget(struct conn *c);			/* the process ends: what was not kept is given up */

/* ---- state.c ---- */
void state_init(struct conn *c);
int state_dir(struct out *o);				/* makes and names the account's folder. -1 with a message */
void state_load(struct conn *c);			/* what is saved, when the lease has just become ours */
void state_flush(struct conn *c);			/* writes what is not on disk yet, synced */
void state_leave(struct conn *c);			/* the same with the others of this round, then conn_give_up */
void state_begin(struct upstream *u);
void state_round(struct upstream *u);			/* the same for many that are due, together; the others follow in the next rounds */
void state_all(struct upstream *u);			/* for all, now */
void state_live(struct conn *c);			/* it was live at this moment: the file is there from now on */
void state_touch(struct conn *c);			/* it is whole up to now */
int64_t state_time(struct conn *c);			/* wall: when it was known to be whole last; 0: never */
void state_path(const struct conn *c, char *out, size_t size);
void ledger_path(const struct out *o, char *out, size_t size);

/* ---- http.c ---- */
void http_calls_stop(struct out *o);
void http_lists_close(struct upstream *u);
void http_reload(struct out *o);

/* ---- hook.c ---- */
/* Tickets stay until they are freed; a reply or an outcome that comes during the platform's call is carried out behind it. */
struct ticket *ticket_new(struct upstream *u, enum ticket_kind kind, struct out *o);	/* NULL: no memory */
struct ticket *ticket_find(struct upstream *u, uint64_t id);
void ticket_free(struct upstream *u, struct ticket *t);
void ticket_line(struct upstream *u, uint64_t id);			/* a line with it is under way */
void ticket_line_done(struct upstream *u, uint64_t id, bool kept);
void hooks_stop(struct upstream *u, struct out *o);			/* answers 503; o NULL: all */

/* ---- owe.c ---- */
void owe_init(struct out *o);
void owe_stop(struct out *o);				/* what is owed is left for others */
void owe_look(struct out *o, int64_t in);		/* for what others left; soon at first, again while another process owes something */
bool owe_linger(struct conn *c, const char *from, const char *to);	/* false: no socket may linger */
void owe_lingered(struct conn *c, bool all);		/* socket 2 is gone; all: whatever came on it was read. Behind its last line */
void owe_kept(struct conn *c, bool all);		/* ... which the hub has */
/* A hook of this time was refused as the hub is behind (ticket 0), or its lines are not acknowledged in time. */
void owe_hook(struct out *o, int64_t came, uint64_t ticket);
void owe_hooks(struct out *o);				/* is the hub behind no more? Then all is paid, or told. Cheap */
void owe_close(struct upstream *u);			/* before the accounts are freed */
void owe_told(struct ticket *t);			/* the line of a TICKET_DEBT is kept, or was refused */

/* ---- say.c ---- */
int say_open(struct upstream *u);
void say_close(struct upstream *u);
bool say_ticket_done(struct upstream *u, struct ticket *t);	/* no line of it is under way; true: it is gone */
void say_stop(struct upstream *u, struct out *o);			/* what the account has not said is refused for now */
bool say_idle(const struct upstream *u);

/* ---- drain.c ---- */
void drain_forget(struct upstream *u, struct out *o);	/* the account ends */
void drain_stop(struct upstream *u);

#endif
