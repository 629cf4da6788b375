/*
 * twitch_impl: what the files of the Twitch platform share. Private to twitch*.c.
 *
 *   twitch.c          the account: opening, reloading, tokens, status, which answer is whose
 *   twitch_conf.c     the words of its file
 *   twitch_subs.c     the subscriptions file, and what is known of each
 *   twitch_reconcile.c  creating what is missing, deleting what nobody wants any more
 *   twitch_consent.c  what people give and take back
 *   twitch_list.c     what Twitch lists                twitch_ask.c    requests to Helix
 *   twitch_conn.c     a connection: dialling, welcome, keepalive, going live
 *   twitch_saved.c    ... what of it goes to another process: saving, handing over
 *   twitch_move.c     its move to another socket       twitch_loss.c   its end: close codes, what may be missing
 *   twitch_frame.c    its messages
 *   twitch_conduit.c  the conduit                        twitch_attach.c  attaching its shards
 *   twitch_shards.c   what Twitch says of them
 *   twitch_callback.c   connection 0 where there are no sockets
 *   twitch_event.c    notifications to lines          twitch_hook.c   notifications over HTTP
 *
 * Where Twitch's documentation is silent the source says so and does what is safe either way.
 */
#ifndef GATEWAYD_PLATFORM_TWITCH_IMPL_H
#define GATEWAYD_PLATFORM_TWITCH_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/http.h"
#include "base/log.h"
#include "gatewayd/platform/platform.h"
#include "line/scan.h"

struct json;

#define TW_URL 512
#define TW_ID 160			/* of a session, subscription, message or conduit; what is longer is not one */
#define TW_TYPE 80
#define TW_TIME 40
#define TW_SUBS_CONN 300u		/* dev.twitch.tv, EventSub limits: enabled subscriptions of a WebSocket */
#define TW_CONNS 3u			/* ... and such sockets of a user and client */
#define TW_SUBS_MAX 10000u
#define TW_SHARDS_MAX 1000u		/* ours; Twitch allows 20,000 */
#define TW_HOOKS_MAX 100u		/* shards over a callback: what one request attaches */
#define TW_UNUSED (9 * CLOCK_S)		/* ... which closes one that is not used 10 s after its welcome */
/* Twitch sends again what nobody took; how long is said nowhere ("about five times within minutes", twitch4j's manual). Above this it
 * counts as a gap. */
#define TW_AWAY (120 * CLOCK_S)
#define TW_IN_TIME (3 * CLOCK_S)	/* a shard that was handed over has to be attached within this, as the clocks differ, for nothing to be missing */
#define TW_PARALLEL 4u			/* requests about subscriptions at a time */

enum tw_transport { TW_WEBSOCKET, TW_WEBHOOK, TW_CONDUIT };

/* What its file says. */
struct tw_conf {
	enum tw_transport transport;
	bool raw;
	char client[128], user[24];
	char helix[TW_URL], eventsub[TW_URL], callback[TW_URL];		/* callback "": none */
	char conduit[TW_ID];		/* "": find or make one */
	uint64_t shards;		/* 0: not said */
	struct buf secret;		/* of webhooks */
	char *subscriptions;		/* path */
};

/* ---- twitch_subs.c ---- */

enum sub_state {
	SUB_MISSING,		/* to be created as soon as that can be */
	SUB_ASKED,		/* a request is under way */
	SUB_PENDING,		/* created; Twitch still verifies the callback */
	SUB_ENABLED,
	SUB_REFUSED,		/* not asked for again before the token, the file or a consent changes; but see tw_retry_late */
};

/* A subscription that is wanted. key: "TYPE VERSION NAME=VALUE ...", the names in order: the same key is the same subscription. */
struct sub {
	char *key;
	enum sub_state state;
	unsigned conn;		/* its socket (plain WebSockets) */
	bool verified;		/* its callback was, while it is ASKED */
	unsigned seen;		/* the last list it was in */
	int64_t made;		/* clock_mono() of the answer that created it; 0: it was found */
	char missed[TW_TIME];	/* it may not have been there since this time, which is a hole if it is created now: that was while its session moved,
				 * or before this process; "": nothing is known */
	int64_t refused_at;	/* ... that refused it */
	int http;		/* status of the last answer about it, 0: none yet */
	char id[TW_ID];
	char *said;		/* why it is not enabled, in Twitch's words; NULL: nothing */
};

struct subs { struct sub *v; size_t n; };	/* sorted by key */

int subs_read(struct subs *to, const struct account *a, const char *path);	/* -1 with a message */
void subs_release(struct subs *s);
struct sub *subs_find(const struct subs *s, const char *key);
/* The key of a subscription as Twitch lists it. -1: it is none. */
int subs_key(const char *type, const char *version, const struct json *condition, struct buf *key);
/* "type":...,"version":...,"condition":{...} */
int subs_members(const struct sub *s, struct buf *json);
void sub_set(struct sub *s, enum sub_state state, int http, const char *said);
/* "wanted":N,"enabled":N,"subscriptions":[...], of more than a hundred only those that are not enabled */
int subs_status(const struct subs *s, bool conns, struct buf *json);

/* ---- connections ---- */

enum tw_conn_state {
	CONN_IDLE,
	CONN_GREETING,		/* asked to dial; no welcome yet */
	CONN_READY,		/* welcomed; nothing subscribed or attached yet */
	CONN_LIVE,
};

struct tw_conn {
	enum tw_conn_state state;
	bool held;		/* by this process: it was asked to dial, and has not handed it over since */
	bool settling;		/* a callback: what is not verified yet is waited for */
	char session[TW_ID];	/* of socket 0; "": none */
	char next[TW_ID];	/* of socket 1, when it has to be attached before it takes over; "": none */
	char old[TW_ID];	/* a session that died: its subscriptions may still count */
	char was[TW_ID];	/* the name of the session before it moved, which lists may still show; "": it did not */
	char *move;		/* reconnect_url; NULL: no move under way */
	int64_t move_at, move_by;	/* when it began; when Twitch closes the old socket */
	char move_from[TW_TIME];	/* the last message before it began */
	bool next_up;		/* socket 1 is asked for or there */
	bool old_gone;		/* the old socket died during the move */
	bool moved_on;		/* a socket of the move was given up for another before its welcome: what it held is nobody's */
	char lingers[TW_TIME];	/* when the shard was handed over whose socket is 2 now; "": none */
	bool parting;		/* socket 2 is what was left by a move, and may still bring something */
	char part_from[TW_TIME], part_to[TW_TIME];	/* ... from these times */
	char missed[TW_TIME];	/* the earliest of its subscriptions that are asked for again since a move; "": none */
	char *then;		/* reconnect_url that the socket of the move gave, for as soon as it has taken over; NULL: none */
	int64_t welcome_at;	/* clock_mono() */
	int64_t watch;		/* silence that is too long; 0: nobody said */
	bool unread;		/* a frame made no sense, which is not told yet */
	char unread_from[TW_TIME];	/* ... and the message before it */
	int64_t unread_next, left_next;	/* clock_mono() before which no other such gap is told, of socket 2 */
	/* what may be missing */
	bool gap, resumable;	/* resumable: the loss before this session may have cost nothing (conduits) */
	char why[160], from[TW_TIME];
	char last[TW_TIME];	/* time of the last message that came */
	int64_t last_at;	/* clock_mono() when it did */
	int64_t handed;		/* wall clock of Twitch when an earlier process handed the shard over; 0: none did */
	char made[TW_TIME];	/* ... of the last subscription that was created */
	uint64_t mark, kept;	/* of the last line; of the last one below which the hub has all */
	char safe[TW_TIME];	/* the hub has what came up to this time; "": not known */
	uint64_t spot;		/* when this mark is kept, spot_time is safe; 0: none */
	char spot_time[TW_TIME];
	int64_t spot_at;
	/* what was missing while it was live: told when its end is known */
	bool hole;
	char hole_why[160], hole_from[TW_TIME];
	/* conduits */
	bool attach;		/* to be attached to its shard */
	bool attaching, asked_next;	/* ... which was asked, with the session of socket 1 */
	bool asked;		/* it was, since it was dialled */
	bool off;		/* not attached: its shard is off, as far as we know */
	unsigned attach_tries;
	int64_t attached_at;
};

enum tw_call_kind { CALL_NONE, CALL_LIST, CALL_CREATE, CALL_DELETE, CALL_CONDUITS, CALL_MAKE, CALL_RESIZE, CALL_ATTACH, CALL_SHARDS };
/* key: of the subscription to be created, or the id to delete */
struct tw_call { enum tw_call_kind kind; unsigned id; char *key; };

#define TW_CALLS (TW_PARALLEL + 5u)

/* A shard over a callback. */
enum tw_hook_state { HOOK_UNKNOWN, HOOK_OFF, HOOK_PENDING, HOOK_ON };

/* Timers of a connection; of the account: */
enum { TIMER_SETTLE, TIMER_MOVE, TIMER_ALIVE };
enum { TIMER_PUMP, TIMER_LIST, TIMER_START, TIMER_ATTACH };

struct twitch {
	struct out *out;
	char tenant[65], name[65];	/* of the account */
	char source[144], label[140];	/* label: TENANT/NAME, for the log */
	struct tw_conf conf;
	struct subs subs;
	struct tw_conn *conns;
	unsigned nconns, nall;		/* nall: there were once, and their marks go on */
	struct tw_call calls[TW_CALLS];
	bool proved;			/* the token was good for something since it is in force */
	bool refused;			/* it was not */
	struct backoff token_backoff;
	char error[200];		/* why nothing goes on; "": all is well */
	/* reconciling */
	size_t hint;			/* no subscription before it is MISSING */
	int64_t pause;			/* no request before this time; 0: none */
	char paused[160];		/* why */
	struct backoff backoff;
	bool want_list, clean;		/* clean: this list also clears away what Twitch revoked (a token or file is new) */
	unsigned lists;			/* the list under way, or the last one */
	bool listed;			/* one was read to its end */
	bool reading;			/* an answer about it is being read: none begins */
	int64_t list_at, list_wall;	/* when it began */
	char since[TW_TIME];		/* when a list of an earlier process had all subscriptions last, or at least all that came was sure; "": there was none, or all that were missing then are there */
	struct buf known, lost;		/* ... of which subscriptions, and of which of them is to be told that they were missing, as saved; empty once they were
					 * compared */
	char list_time[TW_TIME];	/* ... the last one that was read to its end, by our clock; "": none was */
	char cursor[512];
	unsigned pages;
	char **doomed;			/* subscriptions to delete */
	size_t ndoomed;
	/* the conduit */
	char conduit[TW_ID];		/* "": not known yet */
	bool ours;			/* named in the file or made here: what nobody wants in it is deleted */
	uint64_t shards;		/* it has */
	unsigned char hook[TW_HOOKS_MAX];	/* enum tw_hook_state of each */
	bool hooks_known;		/* Twitch said which are attached */
	int64_t hooks_at;		/* when attaching them was asked for; 0: not yet */
	int64_t hooks_wait;		/* ... and how long it is not asked for again; 0: at once */
	bool hooked;			/* all of them are, to the callback */
	char shard_cursor[512];		/* the page of shards that is asked for; "": the first */
	unsigned shard_pages;
	int64_t shards_wall;		/* when they were asked for */
	char shards_time[CLOCK_RFC3339_MAX];	/* ... the last time that was answered to its end; "": not yet */
	/* webhooks from before there was a conduit */
	char stale[TW_URL];		/* the callback of subscriptions that are to be deleted, or may still be there; "": none */
	bool sweep_due, sweeping;	/* the next list, or the one under way, is of all that the client has: it is for them */
	size_t swept;			/* so many of them are in it */
	bool stale_gone;		/* none was; forgotten when what was missing meanwhile is told */
	/* the callback */
	bool remake;			/* with another secret: what there is has to be made anew */
	char callback_was[TW_URL];	/* of an earlier process: what still goes there is deleted; "": the same */
	char secret_was[40];		/* ... the digest of its secret; "": there is none, or it was the same */
	/* hooks */
	struct tw_heard { uint64_t key; int64_t wall; } *heard;	/* message ids of hooks, hashed, and when; NULL: none came yet */
	unsigned heard_at;
	uint64_t heard_key[2];
	struct buf line, text, flat;
	struct buf saved;		/* being put together */
};

/* A notification: plain text of the envelope, and the event's raw JSON (checked, no LF). */
struct tw_note { const char *type, *id, *time; struct span event; };

/* ---- twitch_conf.c ---- */

extern const char *const tw_words[];
int tw_conf_read(struct tw_conf *to, const struct account *a);	/* -1 with a message */
void tw_conf_release(struct tw_conf *c);
bool tw_conf_same(const struct tw_conf *a, const struct tw_conf *b);	/* but for what a living object can take over */

/* ---- twitch_ask.c, twitch.c ---- */

void tw_say(const struct twitch *p, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A request to Helix with the account's token; path begins with "/". false: too much is under way, or no memory. Takes key
 * (also then). */
bool tw_ask(struct twitch *p, enum tw_call_kind kind, char *key, const char *method, const char *path, const struct buf *body);
bool tw_post(struct twitch *p, enum tw_call_kind kind, const char *method, const char *path, struct buf *body);	/* the same without a key; takes body, which may hold a secret */
unsigned tw_asking(const struct twitch *p, enum tw_call_kind kind);
/* Twitch's own words for an answer that is not what was hoped for: "status 403: ..." */
void tw_said(const struct http_answer *a, char *out, size_t n);
/* Does a failure go away by itself (no answer, 429, 5xx)? */
bool tw_passing(const struct http_answer *a);
/* How long nothing is to be asked after such a failure: until the limit of requests is over, or a back-off. */
int64_t tw_wait(struct twitch *p, const struct http_answer *a);
void tw_orphan(struct twitch *p, const char *key);	/* a creation under way is nobody's any more */
/* The first answer that shows that the token is good: connections may be dialled. */
void tw_proved(struct twitch *p, int64_t now);
/* A 401, after upstream has tried to refresh: nothing goes on before there is another token. final: a person has to see to that; else
 * it is tried again by and by, as it may have been another one that ended at once. */
void tw_token_refused(struct twitch *p, const char *said, bool final, int64_t now);
/* Connections as the file and the conduit want them; those that were stopped are tried again. */
void tw_connections(struct twitch *p);
bool tw_sockets(const struct twitch *p);	/* notifications come over sockets (and not over HTTP) */
/* Is what one of all processes does for the account this one's? It holds connection 0. Plain sockets look after themselves. */
bool tw_leads(const struct twitch *p);
bool tw_id(struct span raw, char to[TW_ID]);	/* decodes an id; false: it is none that could be sent back */
void tw_copy(char *to, size_t size, const struct json *text);	/* "" if it is no text or does not fit */

/* ---- twitch_reconcile.c ---- */

/* Asks for what can be asked for now. Cheap when there is nothing to do. */
void tw_pump(struct twitch *p, int64_t now);
void tw_pause(struct twitch *p, int64_t wait, const char *why, int64_t now);	/* no request for a while; then on with what was left */
void tw_list(struct twitch *p, int64_t now);			/* begins to list, soon */
bool tw_list_page(struct twitch *p);
void tw_cursor(char *to, size_t size, const struct json *text);	/* as it stands in a URL; "" if it does not fit */
bool tw_taken_back(const char *status);			/* by a person or for good: not to be created again by itself */
void tw_listed(struct twitch *p, const struct http_answer *a, int64_t now);
void tw_created(struct twitch *p, const char *key, const struct http_answer *a, int64_t now);
void tw_deleted(struct twitch *p, const char *id, const struct http_answer *a, int64_t now);
void tw_doom(struct twitch *p, const char *id);
/* Those of a socket have to be created (again), but for those that were refused. */
void tw_missing(struct twitch *p, unsigned conn);
void tw_missed_look(struct twitch *p);	/* subscriptions of a connection may have come to miss nothing any more */
void tw_absent(struct twitch *p);		/* what a whole list does not have, and no earlier one of this process had */
void tw_ask_again(struct twitch *p, unsigned conn, int64_t since);	/* what is under way was for the session before, perhaps what was made since, too */
void tw_anew(struct twitch *p, struct sub *s, const char *said);	/* to be created again, and what is there of it deleted before */
/* Who serves conn may have all it can get. */
bool tw_settled(const struct twitch *p, unsigned conn, size_t *enabled);

/* ---- twitch_consent.c ---- */

void tw_retry_refused(struct twitch *p);		/* a token or a file is new */
void tw_retry_late(struct twitch *p, int64_t now);	/* for want of a right, an hour ago: nobody tells that a ban is over */
void tw_granted(struct twitch *p, struct span event, int64_t now);	/* user.authorization.grant: somebody has consented */
/* Twitch took one back: payload.subscription */
void tw_revoked(struct twitch *p, struct span subscription, const char *id, const char *time, unsigned conn, uint64_t mark,
	uint64_t ticket, int64_t now);
/* ---- twitch_conn.c ---- */

int tw_dial(void *p, unsigned conn, const char *saved, size_t nsaved, struct dial *d, int64_t now);
void tw_opened(void *p, unsigned conn, unsigned sock, int64_t now);
void tw_frame(void *p, unsigned conn, unsigned sock, const char *b, size_t n, bool binary, int64_t now);
void tw_gone(void *p, unsigned conn, unsigned sock, unsigned code, const char *reason, int64_t now);
void tw_conn_due(struct twitch *p, unsigned conn, unsigned timer, int64_t now);
void tw_watch(struct twitch *p, unsigned conn, unsigned sock);		/* a sign of life came */
void tw_welcome(struct twitch *p, unsigned conn, unsigned sock, struct span session, int64_t now);
/* A subscription of conn was answered; or its shard was attached. */
void tw_conn_settle(struct twitch *p, unsigned conn, int64_t now);
void tw_conn_attached(struct twitch *p, unsigned conn, int64_t now);
int64_t tw_time(const struct tw_conn *c, int64_t now);	/* what time it is at Twitch: that of the last message and what went by since; 0: not known */
void tw_no_use(const struct twitch *p, unsigned conn, char *why, size_t n);	/* why all was refused: Twitch's words about the first */

/* ---- twitch_saved.c ---- */

void tw_recall(struct twitch *p, unsigned conn, const char *saved, size_t n);	/* what an earlier process left */
/* The first words of what was saved, in text; those about subscriptions are taken in. false: there are none. */
bool tw_first_words(struct twitch *p, unsigned conn, const char *saved, size_t n, char *text, size_t size);
bool tw_known(const struct twitch *p, const struct sub *s);		/* had an earlier process it? */
bool tw_was_lost(const struct twitch *p, const struct sub *s);		/* ... and missed it? */
void tw_seen_changed(struct twitch *p);					/* ... which is to be saved */
const char *tw_last_list(const struct twitch *p);			/* when one had all subscriptions, here or in an earlier process; "": not known */
void tw_keep(struct twitch *p, unsigned conn);				/* p->saved with those words */
void tw_save(struct twitch *p, unsigned conn, const char *how, const char *time);	/* for whoever holds conn next */
/* The session is saved at once, with the time up to which all is with the hub; the time of the last message, when that is so for what came
 * until now and, told, for a gap that was told of what is before. */
void tw_spot(struct twitch *p, unsigned conn, bool told, int64_t now);
void tw_acked(void *p, unsigned conn, uint64_t mark, int64_t now);
void tw_drain(void *p, unsigned conn, int64_t now);

/* ---- twitch_callback.c: connection 0 of webhooks, which has no socket ---- */

void tw_stale(struct twitch *p, const char *url);	/* as saved; "-": none */
bool tw_stale_left(struct twitch *p);			/* is that to be saved (still)? */
void tw_callback_recall(struct twitch *p, const char *saved, size_t n);
void tw_callback_save(struct twitch *p);
void tw_callback_spot(struct twitch *p);	/* ... as it is now */
void tw_callback_opened(struct twitch *p, int64_t now);
void tw_callback_settle(struct twitch *p, int64_t now);		/* something it waits for has changed */
void tw_callback_alive(struct twitch *p, int64_t now);

/* ---- twitch_loss.c ---- */

/* The session of conn is of no use. */
void tw_conn_lost(struct twitch *p, unsigned conn, enum next next, unsigned code, const char *why, int64_t wait);
void tw_missing_from(struct tw_conn *c);	/* from the last message on, unless it began before */
/* The time up to which a new process has nothing to tell that this one has not told yet: `time`, or that from which on something may be missing,
 * as events may have gone to another socket of a move, or a hole is open. Another string than `time` if there is such; "": not known. */
const char *tw_sure(const struct tw_conn *c, const char *time);
/* told: the other side said so itself, and whatever it had sent before has come. */
void tw_lost(struct twitch *p, unsigned conn, enum next next, unsigned code, const char *why, int64_t wait, bool told);

/* While it is live events are missing since `from`: a gap, told by tw_hole_tell when everything is subscribed to again. */
void tw_hole(struct twitch *p, unsigned conn, const char *why, const char *from);
void tw_hole_tell(struct twitch *p, unsigned conn);

/* ---- twitch_move.c ---- */

void tw_reconnect(struct twitch *p, unsigned conn, unsigned sock, struct span session, int64_t now);	/* session_reconnect */
void tw_move_done(struct twitch *p, unsigned conn, const char *session, int64_t now);	/* socket 1 has its welcome, and what it needs */
void tw_move_end(struct twitch *p, unsigned conn);	/* forgets it */
void tw_move_due(struct twitch *p, unsigned conn, int64_t now);
void tw_next_gone(struct twitch *p, unsigned conn, unsigned code, const char *reason, int64_t now);	/* socket 1 */
void tw_parted(struct twitch *p, unsigned conn, bool all, int64_t now);	/* what a move left is gone; all: what it had was read */
void tw_conn_next_failed(struct twitch *p, unsigned conn);	/* the socket to move to cannot be used */
void tw_conn_release(struct tw_conn *c);
void tw_conn_forget(struct tw_conn *c);		/* all but its marks; released before */

/* ---- twitch_frame.c ---- */

/* The gap of frames that made no sense, if one is to be told: it ends with the message of the time to, "" if none came. */
void tw_unread_tell(struct twitch *p, unsigned conn, const char *to);
/* The lines of a notification (the payload holds `event` or `events`), with marks behind *mark. -1: at least one could not be
 * made. */
int tw_notify(struct twitch *p, unsigned conn, const struct tw_note *envelope, struct span payload, uint64_t *mark, uint64_t ticket);

/* ---- twitch_conduit.c ---- */

void tw_conduit_start(struct twitch *p, int64_t now);
void tw_conduit_pump(struct twitch *p, int64_t now);
void tw_conduit_answer(struct twitch *p, enum tw_call_kind kind, const struct http_answer *a, int64_t now);
void tw_conduit_later(struct twitch *p, int64_t now);
void tw_trouble(struct twitch *p, const char *what);	/* why nothing goes on: said once, and shown */

/* ---- twitch_attach.c ---- */

#define TW_AGAIN_HOOKS (5 * CLOCK_S)	/* a callback is not asked for again sooner */
#define TW_AGAIN_SLOW (30 * CLOCK_S)

void tw_attach(struct twitch *p, int64_t now);		/* every shard that waits for it, in one request; one at a time */
void tw_attach_answer(struct twitch *p, const struct http_answer *a, const char *said, int64_t now);

/* ---- twitch_shards.c ---- */

void tw_shards_ask(struct twitch *p, int64_t now);
void tw_shards_later(struct twitch *p, int64_t now);	/* a process without connection 0 has no list to do it with */
void tw_shards_answer(struct twitch *p, const struct http_answer *a, const char *said, int64_t now);
unsigned tw_shard_of(const struct twitch *p, const struct json *entry);	/* its number, UINT32_MAX: none of ours */
void tw_shard_verified(struct twitch *p, unsigned shard, int64_t now);		/* its challenge came here */
bool tw_shard_covered(const struct twitch *p, unsigned shard);	/* are all others attached, for sure? Then it may be off for a while */
void tw_conduit_disabled(struct twitch *p, struct span event, int64_t now);	/* conduit.shard.disabled */
int tw_conduit_status(const struct twitch *p, struct buf *json);

/* ---- twitch_event.c ---- */

/* Its line in p->line: 0, or -1: none can be made of it (said). */
int tw_event(struct twitch *p, const struct tw_note *n);
/* A line of type platform.event with any payload under raw. */
int tw_platform_event(struct twitch *p, const struct tw_note *n, const char *name);
/* JSON with line feeds between tokens, made one line in *to. Already one line: *in is left as it is. -1: no JSON (or no memory). */
int tw_flat(struct span *in, struct buf *to);

/* ---- twitch_hook.c ---- */

void tw_hook(void *p, const struct hook *h, int64_t now);

#endif
