/*
 * platform: a chat platform that gatewayd connects to. A part of this room translates and decides: bytes and happenings in, wishes out. It
 * has no descriptor, no clock, no loop, no thread; upstream.c carries its wishes out, and a test's probe records them. So every
 * rule of a platform is tested without a socket and without waiting.
 *
 * One object (void *p) for each account (a bot of a tenant). An account has connections, numbered from 0 (Discord: shards; Twitch:
 * conduit shards or one socket, or one without a socket that stands for its webhooks; IRC: one). Who may hold a connection is upstream's business (leases): a platform is asked to dial only what
 * this process holds. A connection has a main socket, 0, and for a while another one, 1 (Twitch's move): out_switch makes 1 to 0.
 *
 * The life of a connection is the same everywhere (../upstream/life.h):
 *   idle -> dial -> opening -> (opened) greeting -> (out_live) live -> (out_lost) back-off -> dial ... or stopped (NEXT_STOP)
 * upstream calls dial when the back-off is over, the lease is held and, for a dial that costs one, the identify budget has room.
 *
 * now is clock_mono() nanoseconds. Any out_ function may be called from any function below, and calls none of them back directly.
 * What a platform is handed is borrowed until it returns. It never trusts a byte of it.
 */
#ifndef GATEWAYD_PLATFORM_H
#define GATEWAYD_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct buf;
struct http_answer;
struct http_request;
struct out;		/* who carries out; one for each account */

/* ---- what upstream asks of a platform ---- */

struct dial {
	char url[1024];			/* ws: wss: for frames; irc: ircs: for a stream of bytes; "": there is no socket, opened follows at once */
	bool costs_identify;		/* wait for the budget first (out_budget) */
	unsigned budget_key;		/* Discord: shard_id % max_concurrency */
	int64_t opening, greeting;	/* limits: until opened, from there until out_live */
};

/* An HTTP request that a platform sent to us: POST /hook/TENANT/ACCOUNT[/...]. Fields by name in any case; the body as it came. */
struct hook {
	const char *path;		/* behind /hook/TENANT/ACCOUNT, "" or "/..." */
	const char *(*field)(const struct hook *h, const char *name, size_t *n);	/* NULL: absent */
	const char *body;
	size_t nbody;
	int64_t wall;			/* clock_wall(), for replay windows */
	uint64_t ticket;		/* for out_hook_reply and out_line */
};

struct platform {
	const char *name;
	/* Those of its account files, deliver's too, NULL at the end; besides platform_words, which upstream knows. */
	const char *const *words;

	/* Reads the account. NULL: something in it is wrong, and was said (account_bad). */
	void *(*open)(const struct account *a, struct out *o);
	void (*close)(void *p);
	/* Begins: asks what it has to know first (out_http) and ends in out_connections. */
	void (*start)(void *p, int64_t now);
	/* The account's file or a secret changed. false: not without new connections; upstream then closes p and opens another. */
	bool (*reload)(void *p, const struct account *a, int64_t now);

	/* saved: what out_save kept for this connection, also in an earlier process or another one; NULL: nothing. */
	int (*dial)(void *p, unsigned conn, const char *saved, size_t nsaved, struct dial *d, int64_t now);	/* -1: not now, out_lost was called */
	void (*opened)(void *p, unsigned conn, unsigned sock, int64_t now);
	/* One whole message (ws), or the bytes that came (stream: any cut). */
	void (*frame)(void *p, unsigned conn, unsigned sock, const char *b, size_t n, bool binary, int64_t now);
	/* The socket is gone and was not closed by out_close or out_lost. code 0: no close frame, reason says why (reset, timeout, TLS, ...). */
	void (*gone)(void *p, unsigned conn, unsigned sock, unsigned code, const char *reason, int64_t now);
	void (*due)(void *p, unsigned conn, unsigned timer, int64_t now);		/* out_timer */
	void (*answer)(void *p, unsigned call, const struct http_answer *a, int64_t now);	/* out_http; may be NULL */
	/* Every line of conn up to this mark is kept by the hub: the place to out_save a sequence. At most once a round. */
	void (*acked)(void *p, unsigned conn, uint64_t mark, int64_t now);
	/* conn goes to another process, whatever its state: out_save what it needs to go on, out_close so that the session lives on. The socket may still bring frames
	 * until it is gone. What is remembered of conn is forgotten: should it come back, `saved` is younger. */
	void (*drain)(void *p, unsigned conn, int64_t now);

	void (*hook)(void *p, const struct hook *h, int64_t now);			/* must end in one out_hook_reply; may be NULL: 404 */
	/* A line of type message.send for this account. Ends in one out_said. NULL: the platform is written to by deliver(8). */
	void (*say)(void *p, const char *line, size_t n, uint64_t ticket, int64_t now);
	/* Members of an object (without braces) about the account: its desired subscriptions and the platform's answers, ... */
	void (*status)(void *p, struct buf *json);
	/* Another access token is in force (ok), or there will be none until a person writes one. kind: OUT_TOKEN_USER, OUT_TOKEN_APP. May be NULL. */
	void (*token)(void *p, int kind, bool ok, int64_t now);
};

extern const struct platform *const platforms[];	/* index.c, NULL at the end */
extern const char *const platform_words[];		/* words of every account: platform, enabled, raw, ca; NULL at the end */
extern const char *const platform_others[];		/* platforms of account files that are another program's business (deliver's); NULL at the end */
const struct platform *platform_find(const char *name);

/* Of a code of gone: did the peer close, so that all it had sent before was read? 1002, 1007 and 1009 are also what we say to a frame that breaks the
 * protocol (wire/edge_client.h): what was on its way behind that one is lost. */
static inline bool gone_by_peer(unsigned code)
{
	return code && code != 1002 && code != 1007 && code != 1009;
}

/* ---- what a platform asks for ---- */

enum next {
	NEXT_RESUME,	/* dial again after the back-off; continuity may be kept */
	NEXT_FRESH,	/* dial again after the back-off; what came meanwhile is lost: upstream says gateway.gap unless the platform did */
	NEXT_STOP,	/* no use: a person has to change something (the token, an intent); tried again at SIGHUP */
};

/* The connections this account needs (again): 0 to n-1. More may be asked for later; fewer close those above. */
void out_connections(struct out *o, unsigned n);
/* Inside open: which bot this is, as the platform counts; a name of 1 to OUT_BOT - 1 of a-z 0-9 . _ -, no secret. Accounts of one bot share what it
 * is granted (out_budget), and each of them gets all that comes, of which a person is warned. Not told: the account is the only one. */
#define OUT_BOT 64
void out_bot(struct out *o, const char *bot);
/* Identify budget: an identify a key every `every` ns, keys 0 to concurrency - 1; `remaining` now, all of them again at now + reset. Kept in a ledger on disk that all
 * processes of the host share; the smaller of ledger and platform counts. */
void out_budget(struct out *o, unsigned concurrency, int64_t every, uint64_t total, uint64_t remaining, int64_t reset);

void out_send(struct out *o, unsigned conn, unsigned sock, const char *p, size_t n);	/* a text frame, or bytes of a stream; in order */
void out_close(struct out *o, unsigned conn, unsigned sock, unsigned code, const char *reason);	/* code 0: drop TCP. No gone follows. */
void out_dial_next(struct out *o, unsigned conn, const char *url, int64_t opening);	/* socket 1; then opened or gone with sock 1 */
/* Socket 1 is 0 from now on. The old one is closed with 1000; what the peer had sent before it saw that still comes, as of socket 2, and then
 * its gone, with code 0 when perhaps not all has come. */
void out_switch(struct out *o, unsigned conn);

/* Inside drain: socket 0 stays open for so long (at least `least`) though the connection is another's from now on, so that nothing is missing until that one is
 * attached. What comes on it is given to frame as socket 2. false: nobody waits for the connection, there is no socket, or
 * this process ends before: it is closed. When it is cut short, or this process ends before the hub has all of it, whoever holds the connection
 * tells a gap with from and to. */
bool out_linger(struct out *o, unsigned conn, int64_t within, int64_t least, const char *from, const char *to);

void out_live(struct out *o, unsigned conn, bool resumed);		/* greeting is over: gateway.up or gateway.resumed */
/* The connection is lost, or given up: every socket of it is dropped (with code, if it is not 0), its timers are disarmed. wait: at least so long, 0: the back-off's. */
void out_lost(struct out *o, unsigned conn, enum next next, unsigned code, const char *reason, int64_t wait);
/* The one rule of liveness: bytes of the kind that counts must come before now + within; the platform calls this again each time they did.
 * 0: switched off. When the time is up upstream calls gone with code 0 and `why` (static) as the reason. While upstream holds back
 * reading, because the hub is behind, the time stands still: so let every rule of silence be one of these, none a timer of your own. Cheap. */
void out_expect(struct out *o, unsigned conn, unsigned sock, int64_t within, const char *why);

/* A line (LF at the end or not) for the hub, checked there again. mark: rises by 1 or more within conn, over sessions, too, as long as the object lives;
 * acked tells the highest one below which all are kept. Lines without a meaning for continuity pass the mark of the one before. ticket 0, or that of the hook it came with.
 * conn OUT_ACCOUNT: of no connection, so without continuity (acked is not called). */
void out_line(struct out *o, unsigned conn, const char *line, size_t n, uint64_t mark, uint64_t ticket);
/* Nothing came of this mark (an event nobody wants): continuity goes over it. */
void out_mark(struct out *o, unsigned conn, uint64_t mark);
/* gateway.gap: what may be missing, for people and programs; from and to are the platform's own words, "" if unknown. */
void out_gap(struct out *o, unsigned conn, const char *reason, const char *from, const char *to);

/* Timers 0 to 3 of a connection, or of the account itself (conn OUT_ACCOUNT: from start on, also while there are no connections). due 0 disarms. */
#define OUT_ACCOUNT UINT32_MAX
void out_timer(struct out *o, unsigned conn, unsigned timer, int64_t due);
/* A request; answer is called with the number this returns (never 0). OUT_TOKEN: with the account's access token (base/oauth.h), refreshed once when the
 * answer is 401; the platform only sees what came after that. */
enum { OUT_TOKEN_NONE, OUT_TOKEN_USER, OUT_TOKEN_APP };
unsigned out_http(struct out *o, const struct http_request *r, int token);
/* Kept on disk, replaced as a whole; n 0: forget. Called inside acked it is written within a second (a dial later, what came since is only
 * asked for again); else it is synced at the end of the round, when very many are due with the others in the rounds behind it. At most 64 KiB. */
void out_save(struct out *o, unsigned conn, const char *text, size_t n);
/* What is on disk of every connection of the account: of those that are not wanted any more and another process's, too. whole: wall, when it was known to
 * be whole last. It reads all these files: for what a connection cannot know by its own. */
typedef void out_saved_fn(void *arg, unsigned conn, const char *text, size_t n, int64_t whole);
void out_saved_all(struct out *o, out_saved_fn *fn, void *arg);
/* Inside open: hooks are events, and what got no 2xx the other side sends again for so long, for sure (0: it does not). What may have cost more, as
 * the hub was behind or the process ended, is told as a gap. */
void out_hooks(struct out *o, int64_t again);
/* Answers a hook: at once, or (when_kept) when the hub has acknowledged every line that came with its ticket; then 503 instead if it did not. */
void out_hook_reply(struct out *o, uint64_t ticket, int status, const char *type, const char *body, size_t n, bool when_kept);
/* Before the first byte of a message goes out: writes down, synced, that it is on its way, so that after a kill -9 nobody says it again unknowingly. false: that
 * could not be done, and it must not go out (SAID_LATER). */
bool out_saying(struct out *o, uint64_t ticket);
/* What became of it; the first time counts. text: the platform's number of the message, "" if it has none; else why not. */
enum said_as {
	SAID_DONE,
	SAID_LATER,	/* not said: the hub shall give the line again */
	SAID_REFUSED,	/* the platform does not take it */
	SAID_INVALID,	/* nobody could say that */
	SAID_UNKNOWN	/* it went out, and nothing was heard of it: message.failed, or with send-unknown = again as SAID_LATER */
};
void out_said(struct out *o, uint64_t ticket, enum said_as as, const char *text);
int64_t out_wall(struct out *o);		/* clock_wall(): for times that a platform names; nothing is waited for by it */
uint64_t out_random(struct out *o);		/* jitter; a test's probe makes it repeatable */
const struct account *out_account(const struct out *o);

#endif
