/*
 * client: one browser connection, private to browser.c, client.c, say.c and catchup.c.
 *
 * What a client is sent comes from three places, in this order: control frames (queue), a page of history, the ring of its room. Only pos says
 * what it has: everything up to that number.
 */
#ifndef GATEWAYD_CLIENT_H
#define GATEWAYD_CLIENT_H

#include "base/loop.h"
#include "gatewayd/browser/browser.h"
#include "gatewayd/browser/bucket.h"
#include "gatewayd/browser/frame.h"
#include "gatewayd/browser/history.h"
#include "gatewayd/browser/room.h"
#include "gatewayd/edge.h"
#include "gatewayd/http/server.h"

#define CLOSE_GOING_AWAY 1001u	/* close codes; penstock-browser(7) */
#define CLOSE_BAD_FRAME 4400u
#define CLOSE_JOIN_FIRST 4401u
#define CLOSE_JOIN_LATE 4408u
#define CLOSE_FLOOD 4429u
#define CLOSE_BUSY 1013u

struct browser {
	struct loop *loop;
	struct edge *edge;
	struct server *server;
	struct outlet *outlet;
	struct browser_opts opts;
	struct rooms rooms;
	struct history *history;
	struct link_take *take;
	struct client *first;
	size_t nclients;
	struct frame frame;		/* the frame being read */
	struct loop_timer watch;	/* looks whether the hub is there, while there are clients */
	bool delivery;			/* what clients were told last */
	bool draining;
	size_t page_bytes;		/* pages of history that clients are being sent */
	uint64_t made_up;		/* numbers for lines of a hub that gives none */
};

enum client_state {
	CLIENT_NEW,		/* has not joined */
	CLIENT_CATCHUP,		/* is sent history */
	CLIENT_LIVE,		/* is sent the ring */
	CLIENT_CLOSING,
};

struct control { struct control *next; size_t len; char bytes[]; };	/* EDGE_PRE, then a frame */

struct client {
	struct browser *b;
	struct ws *ws;			/* NULL before on_open */
	struct place place;
	char peer[48];
	enum client_state state;
	struct room *room;
	struct client *room_prev, *room_next;	/* members of the room */
	struct client *prev, *next;		/* all clients */
	char name[CHAT_NAME_BYTES + 1];
	char session[SESSION_LEN + 1], user[FRAME_USER_LEN + 1];
	struct bucket says, frames;
	struct say *saying;		/* messages with the outlet */
	unsigned nsaying;
	struct control *ctl, **ctl_last;
	unsigned nctl;
	unsigned close_code;		/* when closing: sent behind the control frames that wait */
	const char *close_why;
	uint64_t pos;			/* number of the last event sent */
	int64_t wants;			/* since when something waits to be sent (clock_mono); 0: nothing does */
	/* catching up */
	bool last;			/* the newest lines are to be asked for: pos is not known yet */
	bool answered;			/* store has answered since catching up began */
	bool more;			/* and has further lines behind pos */
	bool older;			/* there are lines before the first that was sent */
	bool tell;			/* "history done" is to be sent when pos has reached tell_at */
	uint64_t tell_at;
	bool told;			/* it was, once */
	bool lost;			/* lines may be missing, and the client must be told */
	struct ask *ask;
	struct page page;
	struct loop_timer timer;	/* joining late; asking again */
	int64_t began;			/* or last got on; clock_mono */
	unsigned tries;
	uint64_t gap_taken;		/* this gap of the room was not filled in time: go on behind it */
};

extern const struct ws_handler client_events;

/* client.c */
struct client *client_new(struct browser *b, const struct place *place, const char *peer);
/* Queues a control frame: {"KIND":...} as printf; a client that does not read its control frames is closed. */
void client_tell(struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Ends the connection behind what client_tell queued. why is static. */
void client_close(struct client *c, unsigned code, const char *why);
void client_want_write(struct client *c);
/* Ends the connection if it took nothing for too long. */
void client_watch(struct client *c, int64_t now);

/* say.c */
/* Sends the message to the hub; its outcome is told later, or now. */
void client_say(struct client *c, const struct frame *f);
/* Tells that message n is refused; retry_ms: when to send it again, 0: never. */
void client_refuse(struct client *c, uint64_t n, const char *code, const char *why, int64_t retry_ms);
/* The client goes: outcomes that are still to come are nobody's. */
void client_forget_says(struct client *c);

/* browser.c */
/* Appends the frame of an event, {"event":LINE,"seq":N}. */
int event_frame(struct buf *out, const char *line, size_t n, uint64_t seq);
/* Is the line of a type that rooms show? */
bool event_shown(const char *line, size_t n);

/* catchup.c */
/* Begins: the client has joined (pos or last is set), or its room's ring no longer goes on from pos. */
void catchup_start(struct client *c);
/* A page was sent to its end: what next? */
void catchup_go_on(struct client *c);
/* Does the ring go on from pos without a hole? */
bool catchup_covered(const struct client *c);
/* Says "history done" if it is time. */
void catchup_tell(struct client *c);
void catchup_stop(struct client *c);

#endif
