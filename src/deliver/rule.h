/*
 * rule: what follows from what became of a try. Pure. The table is in rule.c; deliver(8) shows it.
 */
#ifndef DELIVER_RULE_H
#define DELIVER_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "deliver/target/target.h"

/* What became of a try: a verdict, or why there is none. */
enum result {
	R_SAID = SAID, R_REFUSED = REFUSED, R_LIMITED = LIMITED, R_BROKEN = BROKEN, R_DENIED = DENIED, R_ANSWERED = ANSWERED,
	R_NOT_THAT_WAY = NOT_THAT_WAY, R_GONE = GONE, R_ABSENT = ABSENT,
	R_UNREACHED = VERDICT_COUNT,	/* no byte of it was sent */
	R_LOST,				/* sent, no answer: perhaps it was carried out */
	R_PRIVATE,			/* the address is not a public one */
	R_COUNT
};

enum act {
	ACT_SAID,
	ACT_AGAIN,		/* later: the try was not carried out, or a repeat of it does no harm */
	ACT_FAIL,		/* message.failed with the result's cause */
	ACT_UNKNOWN,		/* message.failed: nobody knows whether it was said, and it must not be said twice */
	ACT_CREDENTIALS,	/* get a new token and try once more; there is none: the account stops */
	ACT_FORM,		/* ask in another form (an interaction that was answered, or was not) */
	ACT_STOP,		/* message.failed, and the account stops until its file changes, also over a restart */
};

/* first: age of the first try of this piece in ns. */
enum act rule_act(enum result r, enum repeat repeat, int64_t first);
/* data.cause of message.failed: "refused", "limited", ... */
const char *rule_cause(enum result r);

#endif
