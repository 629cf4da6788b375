/*
 * debt: what a process still owes the hub of a connection that is another's by then, or of requests that somebody may not send again; on disk, so that
 * it is told when the process ends before it has paid.
 *
 * A file for each in the account's folder of states, NAME-RANDOM.debt, held by an open file description lock (fcntl(2)) that the kernel gives back when
 * its process ends in whatever way. A file that nobody holds is a debt that nobody will pay: whoever finds it holds it from then on, tells the
 * gap and removes it.
 * The text is three lines: from when and until when something may be missing ("" not known), and why.
 *
 * Not synced by itself: of a connection the folder is, with what is saved behind it. Functions return with errno set and print nothing.
 */
#ifndef GATEWAYD_DEBT_H
#define GATEWAYD_DEBT_H

#include <stdbool.h>

#include "base/clock.h"

#define DEBT_WHY 200u
#define DEBT_TIME CLOCK_RFC3339_MAX
#define DEBT_NAME 64u			/* of its name: a-z 0-9 - */

struct debt;
struct debt_text { char from[DEBT_TIME], to[DEBT_TIME], why[DEBT_WHY]; };

struct debt *debt_begin(const char *dir, const char *name, const struct debt_text *t);	/* NULL with errno */
void debt_paid(struct debt *d);		/* its file goes. d NULL: nothing */
void debt_leave(struct debt *d);	/* its file stays, for whoever looks */

/* Calls found for each that nobody holds: the debt is the callee's. held: are there others, or some that could not be looked at? -1 errno: dir cannot be read. */
int debts_find(const char *dir, void (*found)(void *arg, struct debt *d, const char *name, const struct debt_text *t), void *arg, bool *held);

#endif
