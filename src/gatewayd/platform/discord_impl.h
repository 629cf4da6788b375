/*
 * discord_impl: what the files of the Discord platform share. Private to discord*.c.
 *
 *   discord.c          the account: opening it, how many shards, the identify budget, which answer is whose
 *   discord_conf.c     the words of its file
 *   discord_conn.c     one connection (a shard): where to dial, liveness, close codes, the end of it
 *   discord_frame.c    what comes: frames, op codes        discord_send.c    what goes, within the send limit
 *   discord_session.c  what outlives a process: the saved text, marks and sequences
 *   discord_inflate.c  zlib-stream and zstd-stream, with the libraries' part in discord_zlib.c and discord_zstd.c
 *   discord_event.c    dispatches to lines           discord_command.c  interactions to lines
 *   discord_line.c     what these lines have in common
 *   discord_names.c    names of channels and roles   discord_hook.c     interactions over HTTP
 *   discord_sure.c     until when nothing is missing; discord_gap.c what may be, discord_fill.c reads it from the history
 *   discord_fetch.c    names of guilds whose session another process began
 *
 * Where Discord's documentation is silent the source says so and does what is safe either way. Ids ("snowflakes") are uint64_t, 0: none.
 */
#ifndef GATEWAYD_PLATFORM_DISCORD_IMPL_H
#define GATEWAYD_PLATFORM_DISCORD_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "gatewayd/platform/discord_inflate.h"
#include "gatewayd/platform/discord_names.h"
#include "gatewayd/platform/platform.h"
#include "line/scan.h"

#define DISCORD_URL 256			/* of a gateway, without the query */
#define DISCORD_SESSION 64
#define DISCORD_SHARDS 16384u
#define DISCORD_SEND_LIMIT 120		/* payloads in 60 s and connection, heartbeats included; more and Discord closes (4008) */
#define DISCORD_EPOCH_MS UINT64_C(1420070400000)	/* (id >> 22) milliseconds after it an id was made */

/* Timers of a connection; of the account: */
enum { TIMER_BEAT, TIMER_SEND, TIMER_SAVE, TIMER_FILL };
enum { TIMER_ASK, TIMER_GAP, TIMER_FETCH };

/* What its file says. */
struct discord_conf {
	struct buf token;
	char api[DISCORD_URL];
	char application[24];
	bool have_key;
	unsigned char key[32];
	uint64_t intents;
	unsigned shards;		/* 0: as many as Discord says */
	enum inflate_kind compress;
	bool raw;
	uint64_t payload_max;		/* bytes of a payload, decompressed */
	char presence[128], status[12];
	struct buf events;		/* " NAME NAME ": dispatches that are wanted as platform.event */
};

#define DISCORD_CLOSE 4200		/* any code but 1000 and 1001 leaves the session alive */
#define DISCORD_GREET (30 * CLOCK_S)	/* until READY or RESUMED something has to come so often */

enum conn_state { CONN_IDLE, CONN_OPENING, CONN_HELLO, CONN_GREETING, CONN_LIVE };

/* A channel that had messages, for filling gaps. 4 to a set; the one that was quiet the longest makes room. */
struct seen { uint64_t channel, guild, last; };
#define SEEN_SETS 32
#define SEEN_WAYS 4

struct dconn {
	enum conn_state state;
	/* the session */
	char session[DISCORD_SESSION + 1], url[DISCORD_URL];	/* session "": none. url: where to resume, "": the main one */
	char dead[DISCORD_SESSION + 1];	/* a session that Discord no longer has */
	bool resuming;
	uint64_t seq;			/* the highest s that came */
	uint64_t base, top;		/* mark = base + s; the highest mark so far */
	uint64_t kept, saved;		/* s that the hub has acknowledged, and the one on disk */
	bool save_armed;
	unsigned shards;		/* of the session */
	uint64_t begun;			/* the mark of READY, or of the gap behind it */
	int64_t begun_at, begun_wall;	/* when READY came */
	uint64_t begun_id;		/* ... to another process, as it was saved; 0: here */
	bool settled;			/* what was told with READY is with the hub */
	uint64_t intents;		/* of the session */
	/* trying */
	unsigned closed;		/* sockets in a row that did not get as far as Hello */
	unsigned refused;		/* resumes in a row that came to nothing */
	bool turned_away;		/* for their number is not what Discord wants (`outgrown`) */
	bool stopped;			/* for the token is wrong */
	unsigned jumps;			/* told gaps in the sequence of this socket */
	uint64_t jump, jump_sure;	/* where the last that is told one by one begins, and `sure` then */
	/* heartbeats */
	int64_t interval, greet_by, ack_by, expecting;	/* 0: none */
	/* the send limit: milliseconds of the last sends */
	uint32_t sent[DISCORD_SEND_LIMIT];
	unsigned sent_at;
	uint32_t told;			/* discord_conf_presence of what the session was told; 0: not known */
	enum inflate_kind compress;	/* what was asked for when it was dialled */
	struct inflate *inflate;	/* NULL: not compressed, or no socket */
	struct names names;
	/* gaps */
	struct seen *seen;		/* SEEN_SETS * SEEN_WAYS, NULL: no message came yet */
	uint64_t sure, next_sure, next_mark;	/* every message up to the id `sure` is with the hub; that is so for next_sure when next_mark is */
	uint64_t last, saved_sure;	/* the highest message id that came; sure as it is on disk */
	int64_t beat_at;		/* when the oldest heartbeat was sent that is not answered; 0: none */
	struct fill *fill;		/* what is missing, and guilds that will come; NULL: nothing */
};

#define FETCH_MAX 64u
#define DENIED 1024u

struct discord {
	struct out *out;
	char name[65];
	struct { char tenant[68], name[68], source[256]; } json;	/* of the account, as JSON text */
	struct discord_conf conf;
	char *auth;			/* "Authorization: Bot ..." */
	char gateway[DISCORD_URL];	/* "": not known */
	unsigned concurrency;
	unsigned nconns;
	struct dconn *conns;
	unsigned ask_call, ask_failed;
	bool ask_wait, token_refused;
	bool outgrown;			/* shards = auto, and Discord has refused their number: it is asked again */
	bool guessed;			/* their number is none of Discord's: one, to tell that the token is wrong */
	int64_t asked;			/* when the gateway's answer came, 0: never */
	char error[224];		/* why it is not known, UTF-8; "": it is */
	uint64_t self;			/* the bot's user */
	size_t names_bytes;		/* of all connections */
	bool names_full;		/* was said */
	bool made;			/* a line with the mark of the event under way was made */
	const char *why;		/* it cannot be a line; NULL: no such thing */
	struct buf line, plain, text;
	/* history: one request at a time for the account */
	struct {
		unsigned call, conn, failed;	/* failed: in a row */
		uint64_t channel, asked;	/* asked for: after this id */
		uint64_t mark, after;		/* of a page whose lines are on their way to the hub, 0: none; its last id */
		bool more, waits, refused;	/* refused: with 401, never again */
	} gap;
	uint64_t moved;			/* the least `sure` of connections when there were as many as there no longer are; 0: never */
	bool looked;			/* for those that are another process's, or none any more */
	uint64_t denied[DENIED];	/* channels whose history may not be read, by hash */
	bool clocked;			/* `ahead` is known */
	int64_t ahead;			/* milliseconds: Discord's clock is at least so much ahead of the monotonic one */
	uint64_t traces[2];		/* what traceparents are made of: chance, and a counter; 0: not begun */
	/* names: one request at a time */
	struct fetch { unsigned conn; uint64_t guild; } fetch_queue[FETCH_MAX];
	unsigned fetch_n, fetch_call, fetch_failed;
	bool fetch_wait, fetch_refused;	/* refused: with 401, never again */
	uint64_t fetch_asked[256];	/* guilds that were asked for, by hash */
	struct buf fetch_guild;		/* the first answer of two */
};

/* discord_conf.c: *to is empty before; 0, or -1 with a message. Changes that a living connection can take over: soft. */
int discord_conf_read(struct discord_conf *to, const struct account *a);
void discord_conf_release(struct discord_conf *c);
void discord_conf_bot(const struct discord_conf *c, char out[OUT_BOT]);		/* for out_bot */
uint32_t discord_conf_presence(const struct discord_conf *c);	/* of presence and status, another one for others; never 0 */
bool discord_conf_hard_same(const struct discord_conf *a, const struct discord_conf *b);

/* discord.c */
int64_t discord_jitter(struct discord *d, int64_t from, int64_t to);	/* anything from `from` up to `to` */
/* A request to the REST interface: path begins with "/". */
unsigned discord_rest(struct discord *d, const char *path, size_t max_answer);
/* Nanoseconds that an answer (429) says to wait, and a little more; 0: it does not say. */
int64_t discord_retry_after(const struct http_answer *a);
/* Is the main URL known and, for a fresh session, its limits not too old? false: then they were asked for. */
bool discord_gateway_known(struct discord *d, bool fresh, int64_t now);
void discord_ask(struct discord *d, int64_t now);	/* unless it is being asked */

/* discord_conn.c */
int shard_dial(struct discord *d, unsigned n, const char *saved, size_t nsaved, struct dial *to, int64_t now);
void shard_opened(struct discord *d, unsigned n, int64_t now);
void shard_gone(struct discord *d, unsigned n, unsigned code, const char *reason, int64_t now);
void shard_due(struct discord *d, unsigned n, unsigned timer, int64_t now);
void shard_drain(struct discord *d, unsigned n);
void shard_release(struct discord *d, struct dconn *c);
/* The end of a socket. AFTER_FRESH: the session is dead; the next dial begins another. */
enum after { AFTER_RESUME, AFTER_FRESH, AFTER_STOP };
void shard_lost(struct discord *d, unsigned n, enum after after, unsigned code, const char *reason, int64_t wait);
void shard_live(struct discord *d, unsigned n, bool resumed, int64_t now);
void shard_expect(struct discord *d, unsigned n, int64_t now);	/* as greet_by and ack_by say now */

/* discord_frame.c */
void shard_frame(struct discord *d, unsigned n, const char *b, size_t len, bool binary, int64_t now);
void shard_holes(struct discord *d, unsigned n);	/* the connection ends: those that were not told one by one */

/* discord_send.c */
/* Room for one more payload that is not a heartbeat of the schedule, so many others left free? */
bool send_room(const struct dconn *c, unsigned others, int64_t now);
void send_beat(struct discord *d, unsigned n, int64_t now);
void send_identify(struct discord *d, unsigned n, int64_t now);
void send_resume(struct discord *d, unsigned n, int64_t now);
void shard_presence(struct discord *d, unsigned n, int64_t now);	/* unless the session was told; when the send limit has room */

/* discord_session.c */
bool discord_url_ok(const struct discord *d, const char *s);	/* of a gateway, as Discord names it */
void session_load(struct discord *d, unsigned n, const char *saved, size_t nsaved);
void session_look(struct discord *d, unsigned n);	/* at what is saved of all shards: what did they have when their number was another? */
void session_begin(struct discord *d, unsigned n, struct span ready, uint64_t s);	/* READY: a new one */
void session_told(struct discord *d, unsigned n);	/* the gap of READY was, for the number of shards */
bool session_resumable(const struct discord *d, const struct dconn *c);
void session_save(struct discord *d, unsigned n);
void session_acked(struct discord *d, unsigned n, uint64_t mark, int64_t now);
uint64_t session_mark(struct dconn *c, uint64_t s);	/* the mark of sequence s, never below an earlier one */

/* discord_event.c. What came has no line ends and is checked JSON, but for that of event_is_hot. */
struct event {
	unsigned conn;
	struct span name;		/* MESSAGE_CREATE, raw; absent: from the history */
	struct span d;
	uint64_t seq, mark;		/* mark: for the last line of it; before: for those before that */
	uint64_t before;
	uint64_t guild;			/* where d does not say */
	uint64_t ticket;
	int64_t now;
	bool replayed;
};
/* The one dispatch that is looked at before it is checked: the line that comes of it is checked as a whole. */
bool event_is_hot(struct span name);
/* Lines that come of it; false: none with its mark, so the mark is to be told. */
bool event_dispatch(struct discord *d, const struct event *e);
void event_tell(struct discord *d, const struct event *e);	/* what could not be a line though it is JSON: longer than one may be, for instance */
void event_message(struct discord *d, const struct event *e);
/* discord_line.c: pieces of lines */
static inline bool event_is_string(struct span s)
{
	return s.p && s.p[0] == '"';
}
static inline bool event_is_true(struct span s)
{
	return s.p && s.p[0] == 't';
}
struct span event_digits(char out[24], uint64_t id);	/* "12345" with its quotes, as JSON text */
struct writer;
struct who { struct span user, member; };
bool event_begin(struct discord *d, struct writer *w, const char *kind, uint64_t id, const char *type, uint64_t channel, struct span time);
void event_channel(struct discord *d, struct writer *w, const struct event *e, uint64_t guild, uint64_t channel);
int event_user(struct discord *d, struct writer *w, const struct event *e, uint64_t guild, const struct who *who, bool webhook);	/* 1: the bot itself; -1: nobody */
/* raw, end of data and line; hands it over. */
void event_end(struct discord *d, struct writer *w, const struct event *e, uint64_t mark);

/* discord_command.c: an interaction becomes command.invoked; false: it is none that anybody could answer (a ping, autocompletion). */
bool event_command(struct discord *d, const struct event *e);

/* discord_hook.c */
void hook_take(struct discord *d, const struct hook *h, int64_t now);

/* discord_sure.c */
void gap_seen(struct discord *d, const struct event *e, uint64_t channel, uint64_t guild, uint64_t message);	/* a message came */
void gap_channel(struct dconn *c, uint64_t channel, uint64_t guild, uint64_t message);	/* one that had messages once */
void gap_acked(struct dconn *c, uint64_t mark);
void gap_alive(struct discord *d, unsigned n, int64_t at);	/* what was sent at `at` is answered */
/* discord_gap.c */
/* READY. lost: it follows a session that cannot be resumed; moved: the first one with so many shards. Why it is a gap; NULL: it is none. */
const char *gap_begin(struct discord *d, unsigned n, struct span ready, bool lost, bool moved, int64_t now);
void gap_moves(struct discord *d, uint64_t sure);	/* guilds will be other shards', and nothing is missing of them until then */
uint64_t gap_moved(struct discord *d);			/* `moved`, while a connection is not settled: else it is over, and 0 */
void gap_live(struct discord *d, unsigned n, int64_t now);
void gap_hole(struct discord *d, unsigned n, int64_t now);	/* dispatches are missing within a session */
void gap_holes(struct discord *d, unsigned n, uint64_t from);	/* ... and were since that id: read when it is live again */
void gap_guild(struct discord *d, const struct event *e);	/* GUILD_CREATE of one that is available */
void gap_guild_gone(struct discord *d, const struct event *e, bool outage);
void gap_deny(struct discord *d, uint64_t channel, bool denied);
/* discord_fill.c */
void gap_due(struct discord *d, int64_t now);
void gap_late(struct discord *d, unsigned n, int64_t now);	/* TIMER_FILL */
void gap_answer(struct discord *d, const struct http_answer *a, int64_t now);
void gap_kept(struct discord *d, unsigned n, uint64_t mark, int64_t now);	/* the hub has the lines up to it */
void gap_forget(struct discord *d, unsigned n);			/* it is another process's from now on */
bool gap_filling(const struct dconn *c);
void fill_free(struct dconn *c);

/* discord_fetch.c: asks for the names of a guild, unless they are known or were asked for */
void fetch_guild(struct discord *d, unsigned conn, uint64_t guild, int64_t now);
void fetch_due(struct discord *d, int64_t now);
void fetch_answer(struct discord *d, const struct http_answer *a, int64_t now);

#endif
