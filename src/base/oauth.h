/*
 * oauth: the access tokens of one account, for all who need them. A user token comes from the account's token-file and is
 * refreshed with the refresh token there; an app token is asked for with the client's secret. Words of the account file:
 *
 *   client-id          = ID
 *   client-secret-file = FILE   # needed for app tokens; without it a user token is refreshed as a public client's
 *   token-file         = FILE   # {"access_token":"...","refresh_token":"...", ...}, written back;
 *                               # or the bare access token, never refreshed
 *   oauth              = URL    # default https://id.twitch.tv/oauth2: URL/token and URL/validate. http: only to this host
 *   user               = ID     # whose token it must be; absent: anybody's
 *
 * One refresh for all: callers of one process wait for the same one; processes that share a token-file (gatewayd, deliver) take
 * a lock on FILE.lock beside it and read the file again before they ask. What came is on the disk (replaced as a whole, mode
 * 0600, other members kept) before anybody gets it; while it cannot be written nobody does. A refresh token that was refused
 * (400, 401) is refused for good, until a person writes another token-file; every other failure keeps it and is tried again
 * with back-off. App tokens stay in memory; when one was refused it is asked for again after an hour, which spends nothing.
 *
 * A token that was found is validated before it is used, each in force every hour, and it is refreshed shortly before its time
 * is over, so that one is ready before it is needed. No token, secret or answer that may hold one is ever logged. One thread.
 *
 * Source: dev.twitch.tv "Refreshing Access Tokens", "Validating Tokens", "Getting OAuth Access Tokens". Not verified there:
 * whether expires_in 0 means that a token does not expire (taken so: the next 401 tells), and refreshing without a secret.
 */
#ifndef BASE_OAUTH_H
#define BASE_OAUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account;
struct buf;
struct http;
struct loop;
struct oauth;
struct oauth_wait;

enum oauth_kind { OAUTH_USER, OAUTH_APP, OAUTH_KINDS };

struct oauth_token {
	const char *text;		/* NULL: there is none. Borrowed, as all here, until the callback returns */
	const char *error;		/* why not, for people */
	bool final;			/* no use to ask again before a person has done something: treat it as a 401 */
	int64_t again;			/* not final: nanoseconds until the next try */
};

typedef void oauth_fn(void *arg, const struct oauth_token *t);
/* Another token of this kind is in force than before, or it was refused for good (ok false). */
typedef void oauth_changed_fn(void *arg, enum oauth_kind kind, bool ok);

/* NULL with a message: the account's words are wrong. Begins to validate what the account has. changed may be NULL. Keeps a
 * reference to a. */
struct oauth *oauth_open(struct loop *l, struct http *h, struct account *a, oauth_changed_fn *changed, void *arg);
void oauth_close(struct oauth *o);			/* no callback will come; not from inside one */
/* Was the server asked for a new user token, which may be the only one that is good from then on? It is lost when this is closed now. */
bool oauth_busy(const struct oauth *o);
/* The account's files may have changed: reads them again, and what was final is not any more. -1 with a message: all stays as
 * it was. */
int oauth_reload(struct oauth *o, struct account *a);

/* Has the account what this kind needs? */
bool oauth_has(const struct oauth *o, enum oauth_kind kind);

/* Calls fn once, never from inside this call. refused: the token that was answered with 401 (it is not given again: somebody's
 * newer one, or a new one), NULL: none was. NULL with errno: no memory. */
struct oauth_wait *oauth_get(struct oauth *o, enum oauth_kind kind, const char *refused, oauth_fn *fn, void *arg);
void oauth_cancel(struct oauth_wait *w);		/* no callback will come */

const char *oauth_client_id(const struct oauth *o);
/* "user":{"state":"ok",...},"app":{...}: state ok, waiting, refused; login, user_id, scopes, expires, validated, error. -1: no
 * memory. */
int oauth_status(const struct oauth *o, struct buf *json);

#endif
