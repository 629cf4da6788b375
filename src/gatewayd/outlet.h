/*
 * outlet: lines on their way to the hub (or stdout), gathered into batches, each with a word back to whoever brought it.
 *
 * Lines brought during one round of the loop leave together at its end; while a batch is under way the next one gathers. What waits and
 * what is under way count against one limit, so that memory is bounded and sources learn that the hub is behind: outlet_room says no, a
 * POST is answered 503 and a client is told to send again.
 */
#ifndef GATEWAYD_OUTLET_H
#define GATEWAYD_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct loop;
struct outlet;

#define OUTLET_REFUSED (5 * CLOCK_S)

enum outcome {
	OUT_DONE,	/* acknowledged: the hub keeps it */
	OUT_REFUSED,	/* refused for good */
	OUT_RETRY,	/* refused for now */
};

/* error: why it was refused, borrowed; NULL when done. index is what outlet_add was given. */
typedef void outlet_fn(void *arg, uint32_t index, enum outcome what, const char *error);

/* on_dead: stdout was closed. NULL with a message. */
struct outlet *outlet_open(struct loop *l, const char *url, size_t max_lines, size_t max_bytes,
	void (*on_dead)(void *arg), void *arg);
/* Every line without a result is told OUT_RETRY (what was under way may have arrived). */
void outlet_close(struct outlet *o);

bool outlet_connected(const struct outlet *o);
/* Connected, and the hub has taken what it got; false for OUTLET_REFUSED after it refused a whole batch for now (its disk is full). */
bool outlet_accepts(const struct outlet *o);
/* Why n more lines of `bytes` bytes in all cannot be taken now ("the hub is not connected"), or NULL. */
const char *outlet_room(const struct outlet *o, size_t n, size_t bytes);

/* Takes a line (without LF; copied). fn is called once, never from inside this call (outlet_close at the latest). -1: no memory. Ask outlet_room first. */
int outlet_add(struct outlet *o, const char *line, size_t n, outlet_fn *fn, void *arg, uint32_t index);

void outlet_flush(struct outlet *o);		/* at the end of a round */
size_t outlet_pending(const struct outlet *o);	/* lines without a result */

#endif
