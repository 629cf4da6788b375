/*
 * verb: what the hub can be asked or told while it runs, over ipc://RUN_DIR/control.
 *
 * A question is one line, a JSON object {"do":"VERB",...}; the answer is one line {"ok":true,...} or {"error":"..."}. Who may connect
 * to the socket may ask. control.[ch] reads questions and calls the verb; a verb answers at once or keeps the call and
 * answers later (when something is on disk), exactly once, with verb_ok or verb_fail. It must not block.
 *
 * Adding one: NAME.c with a struct verb, its line in index.c and files.mk, its entry in route(8), a test that asks it.
 */
#ifndef ROUTE_VERB_VERB_H
#define ROUTE_VERB_VERB_H

#include <stddef.h>

struct hub;		/* hub_impl.h */
struct json;
struct call;		/* one question that waits for its answer; belongs to control.c */

struct verb {
	const char *name;
	void (*run)(struct hub *h, struct call *c, const struct json *question);	/* question is borrowed until it returns */
};

/* The answer {"ok":true} with members in between: fmt is JSON text as `"seq":%llu,"list":[..]`, or "" for none. Ends the call. */
void verb_ok(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same from a text of any length. */
void verb_ok_text(struct call *c, const char *members, size_t n);
/* {"error":"..."}: what is wrong and what to do. Ends the call. */
void verb_fail(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

extern const struct verb verb_reload, verb_rules;
extern const struct verb verb_status, verb_split;
extern const struct verb verb_ledger, verb_cursor, verb_trim;
extern const struct verb verb_dead, verb_again;

extern const struct verb *const verbs[];	/* index.c; ends with NULL */

#endif
