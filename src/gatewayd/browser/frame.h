/*
 * frame: the frames of the browser chat protocol, penstock-browser(7). Pure.
 *
 * A client's frame is a JSON object with exactly one of the members join, say, ping; others are ignored by rule.
 * Here stand the limits on names, rooms and texts.
 */
#ifndef GATEWAYD_FRAME_H
#define GATEWAYD_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "line/line.h"

#define FRAME_PROTOCOL "penstock.chat.1"	/* the WebSocket subprotocol */
#define FRAME_MAX 16384u			/* bytes of a client's message; 2000 characters take at most 12 each */
#define ROOM_NAME_MAX 64u			/* [a-z0-9][a-z0-9._-]* */
#define CHAT_NAME_MAX 32u			/* characters (code points) of a person's name */
#define CHAT_NAME_BYTES (CHAT_NAME_MAX * 4u)
#define CHAT_TEXT_MAX 2000u			/* characters of a text */
#define SESSION_LEN 32u				/* lower-case hex digits: 128 random bits */
#define FRAME_NUMBER_MAX ((UINT64_C(1) << 53) - 1)

enum frame_kind { FRAME_JOIN, FRAME_SAY, FRAME_PING };

struct frame {
	enum frame_kind kind;
	/* join */
	char room[ROOM_NAME_MAX + 1];
	char name[CHAT_NAME_BYTES + 1];		/* without blanks at its ends */
	char session[SESSION_LEN + 1];		/* "" = a new one is asked for */
	bool has_after;
	uint64_t after;
	/* say, ping: its number */
	uint64_t n;
	struct buf text;			/* say: decoded */
};

/* code is for programs ("bad-name"), why for people, both static. fatal: not a frame at all, the connection ends.
 * n: the number of the say that is refused (when has_n). */
struct frame_fault { const char *code, *why; size_t at; bool fatal, has_n; uint64_t n; };

void frame_init(struct frame *f);
void frame_release(struct frame *f);

/* 0, or -1 and *fault. f may be used again for the next frame. */
int frame_parse(const char *p, size_t n, struct frame *f, struct frame_fault *fault);

bool frame_room_ok(const char *p, size_t n);

/* Who is who, from the session's token alone, so that nothing needs to be remembered across a restart, and nobody who sees
 * the results learns the token: SipHash-2-4 keyed by the token. */
#define FRAME_USER_LEN 16u
#define FRAME_ID_LEN 32u
void frame_user_id(const char *session, char out[FRAME_USER_LEN + 1]);
/* The id of the event for message n: the same whenever it is sent again. */
void frame_event_id(const char *session, const char *tenant, const char *room, uint64_t n, char out[FRAME_ID_LEN + 1]);

#endif
