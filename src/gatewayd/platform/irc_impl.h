/*
 * irc: an account on an IRC server (or on Twitch's IRC): one connection, number 0, a stream of bytes. For irc*.c only.
 *
 *   irc.c            the account; life of the connection: dial, liveness, loss, drain; irc_line: which message goes where
 *   irc_register.c   from the first byte to the welcome: capabilities, SASL, nick     irc_support.c   what the server says it can (005)
 *   irc_conf.c       the account's words
 *   irc_channel.c    joining, being thrown out, coming back     irc_people.c   who is there and what they are
 *   irc_event.c      messages to lines          irc_twitch.c   the same for what only Twitch's dialect has
 *   irc_sure.c       until when nothing is missing, what of it is saved, and the gap
 *   irc_history.c    what was said while we were away, where the server keeps it
 *   irc_say.c        message.send to PRIVMSG: pace, splitting     irc_outcome.c  how it is known what became of it
 *   irc_message.c    lines of IRC (pure)        irc_member.c   members of a channel (pure)
 *
 * Nothing is replayed on IRC by itself: whatever happened between two connections is lost, and gateway.gap says so, with a time shortly before the
 * last byte that was seen (irc_sure; kept by out_save, so also after kill -9) and the time when the channels were joined again. What was said is
 * asked for of servers that keep it; until that is over no later time is saved.
 *
 * Times are of the server where it tells them (server-time, tmi-sent-ts), else of the arrival here.
 */
#ifndef GATEWAYD_PLATFORM_IRC_IMPL_H
#define GATEWAYD_PLATFORM_IRC_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "gatewayd/platform/irc_member.h"
#include "gatewayd/platform/irc_message.h"
#include "gatewayd/platform/platform.h"
#include "line/writer.h"

#define IRC_NAME_MAX 200u	/* bytes of a channel's or a person's name that we keep */
#define IRC_WHY_MAX 160u
#define IRC_MEMBERS_MAX 50000u	/* of a channel */
#define IRC_CHANNELS_MAX 10000u
#define IRC_BATCHES 8u		/* batches of history open at one time */
#define IRC_TWITCH_WAIT (10 * CLOCK_S)	/* how long Twitch has to say what became of a message */

enum { T_PING, T_PACE, T_CHANNELS, T_SAID };

enum irc_cap {
	CAP_MESSAGE_TAGS = 1, CAP_SERVER_TIME = 2, CAP_ACCOUNT_TAG = 4, CAP_ECHO_MESSAGE = 8, CAP_BATCH = 16, CAP_SASL = 32,
	CAP_MULTI_PREFIX = 64, CAP_TWITCH_TAGS = 128, CAP_TWITCH_COMMANDS = 256, CAP_TWITCH_MEMBERSHIP = 512,
	CAP_LABELS = 1024, CAP_HISTORY = 2048
};

enum irc_stage {
	IRC_DOWN,
	IRC_GREETING,		/* capabilities, SASL, nick */
	IRC_WELCOMED,		/* 001 came */
	IRC_JOINING,		/* the first round of JOIN */
	IRC_LIVE
};

struct irc_conf {
	char url[1024];
	char nick[IRC_NAME_MAX], user[IRC_NAME_MAX], realname[IRC_NAME_MAX];
	struct buf password;	/* empty: none */
	char **channels;	/* as written, sorted, no repeats */
	size_t nchannels;
	bool sasl, twitch, raw;
	uint64_t rate, burst;	/* lines a minute, lines at once */
	int64_t ping;
};

enum irc_where { CH_OUT, CH_ASKED, CH_IN, CH_REFUSED };

struct irc_channel {
	char name[IRC_NAME_MAX];	/* as the server spells it */
	char id[IRC_NAME_MAX];		/* folded: its key, and its id but on Twitch */
	char room[32];			/* Twitch's number, "" until it was seen */
	bool wanted;			/* of the account's file; others the server put us into */
	bool missed;			/* since `from` things may have been said here that we did not see */
	enum irc_where where;
	char why[IRC_WHY_MAX];		/* why not in */
	char from[CLOCK_RFC3339_MAX];
	struct backoff again;
	int64_t retry;			/* when to ask again; 0: not set */
	struct irc_members members;
};

/* A message.send on its way: its texts, one line each. */
struct irc_say {
	struct irc_say *next;
	uint64_t ticket;
	char target[IRC_NAME_MAX];	/* where the server is told to say it */
	char reply[256];		/* escaped tag value, "" none */
	bool action;
	struct buf texts;		/* each with a NUL behind it */
	unsigned parts, written, confirmed;	/* confirmed: those with an outcome, good or bad */
	bool told;			/* out_said was called */
	size_t at;			/* of the next text */
	uint64_t number;		/* of the first line; those of one are in a row */
	char id[128];			/* the server's, of the first line */
	uint64_t pieces;		/* c->pieces when it was written */
	int64_t limit;			/* when an outcome that did not come counts as unknown */
};

/* A batch of history: what is in it was said before. */
struct irc_batch { char ref[64]; };

/* To be read from the history. target "": who wrote to us. behind: "timestamp=..." or "msgid=...", of what is known. */
struct irc_past { char target[IRC_NAME_MAX], since[CLOCK_RFC3339_MAX], behind[192]; unsigned pages; };

struct irc {
	struct out *out;
	struct irc_conf conf;
	char account[80], connection[96];
	uint64_t key[2];

	enum irc_stage stage;
	struct irc_reader reader;
	bool lost;			/* while lines are handed out: the connection ended in one of them */
	int64_t now;			/* of the bytes or the timer at work */
	int64_t heard, heard_wall;	/* when bytes came last */
	int64_t behind;			/* how much older than its arrival the last message was that told its time */
	int64_t unread;			/* wall: since then what came lay there unread, and may do still; 0: it does not */
	uint64_t pieces;		/* how often they came */

	/* greeting */
	unsigned caps, offered;
	bool sasl_done, nick_waits;
	unsigned nick_tries, sasl_refused;
	char nick[IRC_NAME_MAX];	/* ours now */
	char host[IRC_NAME_MAX];	/* user@host as others see us; "" unknown */

	/* 005 */
	enum irc_fold fold;
	char prefixes[2][16];		/* letters, marks */
	char chanmodes[4][64];
	char chantypes[16];
	unsigned nick_max;

	struct {
		struct irc_past *v;		/* the first one is asked for, or is next */
		size_t n;
		bool asked, told;
		char batch[64], last[192];	/* its answer, while it is open; the last message of it, as in `behind` */
		int64_t until;			/* when there is no answer */
		int64_t full, next;		/* irc_pace; when the next question may be asked, 0: no question waits for that */
		unsigned people;
		unsigned max;			/* 005: of a page; 0: not said */
		bool by_time, by_id;
	} history;

	struct irc_channel **channels;	/* sorted by id */
	size_t nchannels;
	struct irc_batch batches[IRC_BATCHES];

	struct irc_say *says, **says_end;
	size_t nsays;
	uint64_t numbers;		/* lines said so far */
	struct { uint64_t number; char ref[64]; } answer;	/* the batch that answers a line, by its label; number 0: none is open */
	int64_t pace_full, join_full;	/* when the buckets are full again */
	int64_t joining_until;

	/* lines */
	uint64_t boot, generation, made;	/* an id where the server gives none */
	unsigned nth;				/* of several lines that come of one message, from 1; 0: the only one */
	uint64_t mark, kept;		/* of the last line; the hub has those up to */
	struct buf line, text;

	/* continuity */
	bool broken;			/* there was a connection before, here or in another process */
	char from[CLOCK_RFC3339_MAX];	/* nothing before it is missing */
	char nick_from[CLOCK_RFC3339_MAX];	/* since then our nick is in use; "": it is not */
	char why[IRC_WHY_MAX];		/* why the last one ended */
	int64_t saved_wall;
	uint64_t open_mark;		/* when this connection began */
	int64_t open_wall;
	uint64_t sure_mark;		/* when the hub has this mark, everything until sure_wall is kept */
	int64_t sure_wall;		/* 0: none */
};

/* irc_conf.c */
int irc_conf_read(struct irc_conf *c, const struct account *a);
void irc_conf_release(struct irc_conf *c);
bool irc_conf_same(const struct irc_conf *a, const struct irc_conf *b);	/* but for channels, raw and pace */

/* irc.c */
void irc_put(struct irc *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));	/* writes one line, CR LF added */
/* The connection is over. Whoever handles a line looks at c->lost after it. */
void irc_lose(struct irc *c, enum next next, int64_t wait, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* irc_sure.c */
int64_t irc_sure(const struct irc *c);		/* what the server had to send before that time has come */
void irc_sure_heard(struct irc *c, const struct irc_message *m);
void irc_sure_silence(struct irc *c, int64_t silence);	/* bytes came after so long */
bool irc_sure_pong(struct irc *c, const struct irc_message *m);	/* true: to what that asked */
void irc_welcomed(struct irc *c);		/* 001: registered */
void irc_live(struct irc *c);			/* the first round of JOIN is over */
void irc_sure_nick(struct irc *c);		/* our nick is another one, while it is live */
void irc_caught_up(struct irc *c);		/* what was to be read from the history is */
void irc_sure_acked(struct irc *c, uint64_t mark);
void irc_sure_due(struct irc *c);		/* T_PING: nothing may have come for long */
void irc_sure_drain(struct irc *c);

/* irc_register.c: true: the message was one of these. */
void irc_greet(struct irc *c);
bool irc_register(struct irc *c, const struct irc_message *m, int64_t now);
bool irc_nick_is(const struct irc *c, struct span nick);	/* ours? */
void irc_nick_back(struct irc *c);			/* asks for the nick of the account's file again */

/* irc_support.c */
void irc_support(struct irc *c, const struct irc_message *m);

/* irc_channel.c */
int irc_channels_set(struct irc *c, int64_t now);	/* after the configuration was read (again); -1: no memory, with a message */
void irc_channels_free(struct irc *c);
void irc_channels_reset(struct irc *c);			/* out of all of them */
void irc_channels_fold(struct irc *c);			/* the case mapping is another one */
struct irc_channel *irc_channel_find(const struct irc *c, struct span name);
struct irc_channel *irc_channel_by_id(const struct irc *c, const char *id);	/* id of a line: folded name or Twitch's number */
bool irc_is_channel(const struct irc *c, struct span name);
void irc_channels_join(struct irc *c, int64_t now);	/* asks for what is due, as fast as allowed */
void irc_channels_due(struct irc *c, int64_t now);
/* Bookkeeping of JOIN, PART, KICK, QUIT, NICK, MODE, names and refusals. For QUIT call irc_event_quit first. */
void irc_channel_message(struct irc *c, const struct irc_message *m, int64_t now);
void irc_channel_refused(struct irc *c, struct irc_channel *ch, struct span why, int64_t now);	/* its JOIN */
bool irc_channel_numeric(struct irc *c, unsigned code, const struct irc_message *m, int64_t now);

/* irc_history.c */
bool irc_history_kept(const struct irc *c);		/* does the server keep one that can be asked for? */
void irc_history_ask(struct irc *c, const struct irc_channel *ch, const char *since);	/* if so; ch NULL: of who wrote to us alone */
void irc_history_reset(struct irc *c);
const char *irc_history_since(const struct irc *c);	/* the earliest that was asked for and is not read yet; NULL: none */
void irc_history_supports(struct irc *c, struct span types);	/* 005 MSGREFTYPES */
bool irc_history_in(const struct irc *c, const struct irc_message *m);	/* is it of the answer? */
void irc_history_batch(struct irc *c, const struct irc_message *m);
bool irc_history_line(struct irc *c, const struct irc_message *m);	/* one that is; false: leave it out */
void irc_history_target(struct irc *c, const struct irc_message *m);
bool irc_history_failed(struct irc *c, const struct irc_message *m);	/* true: it was about that */
void irc_history_go(struct irc *c);			/* what waited for its time (T_CHANNELS) */
void irc_history_due(struct irc *c);			/* is the answer late? */

/* irc_people.c */
size_t irc_fold_name(const struct irc *c, struct span name, char out[IRC_NAME_MAX]);	/* made fit for an attribute, folded, cut */
void irc_people_enter(struct irc *c, struct irc_channel *ch, struct span nick, const char *modes);
void irc_people_leave(struct irc *c, struct irc_channel *ch, struct span nick);
unsigned irc_people_roles(const struct irc *c, const struct irc_channel *ch, struct span nick);	/* IRC_OWNER ... */
void irc_people_names(struct irc *c, const struct irc_message *m);	/* 353 */
void irc_people_mode(struct irc *c, struct irc_channel *ch, const struct irc_message *m);
void irc_people_nick(struct irc *c, const struct irc_message *m);

/* irc_event.c */
void irc_event(struct irc *c, const struct irc_message *m);
bool irc_time(const struct irc_message *m, int64_t *wall);	/* as the server tells it; false: it does not */
void irc_event_batch(struct irc *c, const struct irc_message *m);
/* Begins a line about a channel (or, ch NULL, about the person `whom`, or nothing when that is absent too) up to the members of data. */
void irc_line_begin(struct irc *c, struct writer *w, const struct irc_message *m, const char *type, const struct irc_channel *ch,
	struct span whom);
void irc_line_end(struct irc *c, struct writer *w, const struct irc_message *m, bool raw);
void irc_line_text(struct irc *c, struct writer *w, const char *name, struct span s, bool plain);	/* plain: without formatting codes */
void irc_line_tag(struct irc *c, struct writer *w, const char *name, const struct irc_message *m, const char *tag);
void irc_platform_event(struct irc *c, const struct irc_message *m, const struct irc_channel *ch);

/* irc_twitch.c */
bool irc_twitch(struct irc *c, const struct irc_message *m, int64_t now);	/* true: it was one of Twitch's own */
void irc_twitch_user(struct irc *c, struct writer *w, const struct irc_message *m);

/* irc_say.c */
void irc_say(struct irc *c, const char *line, size_t n, uint64_t ticket, int64_t now);
void irc_say_write(struct irc *c, int64_t now);		/* what the pace allows */
/* A token of a bucket that holds `burst` and gains `rate` a minute: 0, or how long until there is one. */
int64_t irc_pace(int64_t *full, uint64_t rate, uint64_t burst, int64_t now);

/* irc_outcome.c */
bool irc_labels(const struct irc *c);			/* are our lines labelled? */
void irc_say_free(struct irc_say *s);
void irc_say_sweep(struct irc *c);			/* takes away those that are told and of which nothing more will be heard */
void irc_say_tell(struct irc *c, struct irc_say *s, enum said_as as, const char *text);
void irc_say_end(struct irc *c, const char *why);	/* the connection is gone: every one has its outcome */
void irc_say_echo(struct irc *c, const struct irc_message *m);	/* our own message came back, or Twitch's USERSTATE */
void irc_say_pong(struct irc *c, struct span token);
bool irc_say_refused(struct irc *c, const struct irc_message *m, struct span target, struct span why);	/* true: it was something we said */
bool irc_say_answer(struct irc *c, const struct irc_message *m);	/* books of what has a label; true: nobody else needs to see the message */
void irc_say_due(struct irc *c, int64_t now);		/* Twitch only: no word of it in time */

#endif
