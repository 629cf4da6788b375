/*
 * places: the accounts that something can be said with, as their files say (base/account.h); each has an object of its target.
 *
 * A reload leaves alone what did not change. One that is gone or changed lives on until nobody holds it (place_ref).
 */
#ifndef DELIVER_PLACES_H
#define DELIVER_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "deliver/breaker.h"
#include "deliver/spot.h"
#include "deliver/target/target.h"

struct account;
struct http;
struct loop;
struct message;
struct oauth;

/* What several places have in common: breaker and refusals. */
struct upstream {
	struct upstream *next;
	unsigned refs;
	char name[NEED_NAME];
	struct breaker breaker;
	struct refusals refusals;
	struct message *ready, *ready_last;	/* begun, waiting for a connection (dispatch.c) */
	struct message *active;			/* under way */
	unsigned nactive;
};

struct place {
	unsigned refs;
	const struct target *target;
	void *t;
	struct account *account;
	struct oauth *oauth;		/* NULL unless the target wants it */
	struct http *http;		/* its own, when its file names certificates to trust; NULL: everybody's */
	struct upstream *up;
	struct refusals refusals;
	int64_t held;			/* clock_mono(): nothing is said with it until then, for too many of them */
	struct spots spots;		/* where it was refused */
	struct breaker absent;		/* answers that nobody is there now, */
	char rests[NEED_NAME];		/* and the gate that it closed; "" */
	const char *cause;		/* static, of message.failed; NULL unless */
	char stopped[VERDICT_TEXT];	/* why nothing can be said with it until its files change; "". stop.c */
};

#define PLACE_GONE "gone"		/* cause: its address must not be used again, which a restart or a reload with the same files does not change */

struct places {
	const char *dir;
	struct loop *loop;
	struct http *http;
	unsigned conns;			/* to one host, of an http of its own */
	struct place **v;		/* sorted by tenant and name */
	size_t n;
	unsigned bad;
	struct upstream *ups;
};

int places_read(struct places *p);	/* also again. -1: nothing changed; a message was printed. A folder that is not there holds no accounts */
void places_release(struct places *p);
/* name "": the only one of that platform. NULL, and *why (static). Borrowed. */
struct place *places_find(const struct places *p, const char *tenant, const char *platform, const char *name, const char **why);
struct place *places_named(const struct places *p, const char *tenant, const char *name);	/* of whatever platform; borrowed */
struct place *place_ref(struct place *p);
void place_free(struct places *all, struct place *p);

#endif
