/*
 * interaction: what was answered to an interaction so far, for as long as its token lives. Pure.
 */
#ifndef DELIVER_INTERACTION_H
#define DELIVER_INTERACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/loop.h"
#include "deliver/say.h"

#define INTERACTION_LIFE (15 * 60 * CLOCK_S)	/* of its token */
#define INTERACTION_DEFER (1800 * CLOCK_MS)	/* after the event: the platform is told that the answer takes longer */
#define INTERACTION_FIRST (3 * CLOCK_S)		/* after the event: then it is too late for a first answer */

struct message;

/* As the outbox keeps them. TRIED: a deferral perhaps arrived; OVER: the platform knows its token no more. */
enum { INTERACTION_NEW, INTERACTION_TRIED, INTERACTION_DEFERRED, INTERACTION_ANSWERED, INTERACTION_OVER };

struct interaction {
	struct interaction *chain, *changed;	/* changed: not in the outbox yet */
	char *name;				/* "TENANT/ACCOUNT/ID" */
	int state;
	int64_t at;				/* wall clock: when it happened, as far as we know */
	bool is_changed;
	unsigned answers;			/* messages that have no outcome yet */
	struct message *command;		/* command.invoked, waiting to be deferred */
	struct loop_timer defer;
};

#define INTERACTION_TABLE 1024u
struct interactions { struct interaction *v[INTERACTION_TABLE]; uint64_t key[2]; size_t n; };

struct interaction *interactions_find(const struct interactions *all, const char *name);
struct interaction *interactions_get(struct interactions *all, const char *name, int64_t wall);	/* made when missing; NULL: no memory */
/* Forgets those whose token is void and that nobody waits for. */
void interactions_sweep(struct interactions *all, int64_t wall);
void interactions_release(struct interactions *all);

/* The form of the next message. */
enum form interaction_form(const struct interaction *i);
/* Something in this form was carried out: the state afterwards. */
int interaction_after(int state, enum form form);

#endif
