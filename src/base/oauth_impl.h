/*
 * oauth_impl: what oauth.c (who waits, opening), oauth_renew.c (the states), oauth_ask.c (requests and answers) and
 * oauth_file.c (the token-file) share; private to them.
 */
#ifndef BASE_OAUTH_IMPL_H
#define BASE_OAUTH_IMPL_H

#include "base/backoff.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/oauth.h"

#define OAUTH_TOKEN_MAX 2048u
#define OAUTH_FILE_MAX (64u << 10)

struct http_answer;
struct http_call;

/* What a token-file says. Release wipes. */
struct oauth_file {
	char *token, *refresh;		/* refresh NULL: none */
	struct buf text;		/* as it stands there */
};

enum oauth_state {
	OAUTH_IDLE,		/* nothing under way; the token, if there is one, is in force */
	OAUTH_FIRST,		/* a token that nobody has validated yet is being validated */
	OAUTH_CHECK,		/* the token in force is being validated again */
	OAUTH_LOCK,		/* another process renews */
	OAUTH_ASK,		/* the server was asked for a new one */
	OAUTH_SAVE,		/* a new one could not be written yet */
	OAUTH_LATER,		/* renewing failed, tried again when the timer says so */
	OAUTH_REFUSED,		/* for good */
};

struct oauth_slot {
	struct oauth *o;
	enum oauth_kind kind;
	enum oauth_state state;
	char *token;		/* in force; NULL: none */
	char *refused;		/* the token to get rid of, while that is under way */
	struct oauth_file fresh;	/* SAVE: what is to be written; of ASK: what stood there */
	int64_t expires;	/* clock_mono(); 0: nobody said */
	int64_t fresh_life;	/* ns; of fresh, 0: nobody said */
	int64_t renew;		/* clock_mono(): before expires; 0: when it is refused */
	int64_t validated;	/* clock_wall(); 0: never */
	uint64_t stamp;		/* REFUSED: of the token-file then */
	int lock;		/* -1: not held */
	bool tell;		/* oauth_changed_fn is to be called */
	unsigned saves;		/* failed ones in a row */
	struct backoff backoff;
	struct loop_timer timer, settle;
	struct http_call *call;
	struct oauth_wait *first, **last;
	char login[64], user[32], scopes[1024], error[200];
};

struct oauth_conf {
	struct account *a;		/* a reference */
	const char *url, *client;	/* of the account */
	char *path;			/* of the token-file, NULL: none */
	struct buf secret;		/* len 0: none */
	const char *user;		/* of the account, NULL: anybody's */
};

struct oauth {
	struct loop *l;
	struct http *h;
	struct oauth_conf c;
	struct oauth_slot slot[OAUTH_KINDS];
	oauth_changed_fn *changed;
	void *arg;
};

/* ---- oauth_file.c ---- */

int oauth_file_read(const struct oauth_conf *c, struct oauth_file *f);	/* -1 with a message */
void oauth_file_release(struct oauth_file *f);
/* The text of `old` with the members of the answer in place of its own. -1: the answer holds no tokens that can be, or no
 * memory. */
int oauth_file_merge(const struct oauth_file *old, const struct http_answer *a, struct oauth_file *fresh, int64_t *life);
int oauth_file_write(const struct oauth_conf *c, const struct oauth_file *f);	/* -1 with errno */
int oauth_file_lock(const struct oauth_conf *c);	/* as fd_lock */
uint64_t oauth_file_stamp(const struct oauth_conf *c);	/* another one when another file stands there */
/* The token of an answer that is not kept in a file: freed by the caller, NULL: none in it. */
char *oauth_answer_token(const struct http_answer *a, int64_t *life);
void oauth_wipe(char **text);

/* ---- oauth_ask.c: each starts s->call, which ends in oauth_asked. -1: no memory ---- */

int oauth_ask_validate(struct oauth_slot *s);
int oauth_ask_refresh(struct oauth_slot *s, const char *refresh);
int oauth_ask_app(struct oauth_slot *s);
/* What the server said to a person, in at most n bytes, without anything secret. */
void oauth_ask_said(const struct oauth_slot *s, const struct http_answer *a, char *out, size_t n);
/* Takes over what validate says. NULL: it fits; else why it must not be used. */
const char *oauth_ask_validated(struct oauth_slot *s, const struct http_answer *a);

/* ---- oauth_renew.c: where a slot's ways go, and end ---- */

extern const char *const oauth_kinds[OAUTH_KINDS];
void oauth_asked(void *arg, const struct http_answer *a);
void oauth_on_time(void *slot);
void oauth_renew(struct oauth_slot *s);
void oauth_adopt(struct oauth_slot *s, char **token);	/* takes *token: validated, then in force */
bool oauth_look_again(struct oauth_slot *s);		/* REFUSED: is there another token-file? Begins with it */
void oauth_unlock(struct oauth_slot *s);
void oauth_settle_soon(struct oauth_slot *s);
void oauth_say(const struct oauth_slot *s, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
