/*
 * try: runs a program once on given input, and waits for its end: for --check, which has no loop.
 */
#ifndef STAGE_TRY_H
#define STAGE_TRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "stage/said.h"
#include "stage/spawn.h"

#define TRY_OUT_MAX (16u << 20)

struct try {
	struct buf out;		/* what it wrote; try_release */
	size_t before;		/* bytes of it that came before its input ended */
	size_t unread;		/* bytes of its input that it left, when it ended before that did; 0: none */
	int status;		/* as waitpid has it */
	bool late;		/* it did not end in time, and was killed */
	int64_t took;		/* from the end of its input to its own, ns */
	struct said said;	/* its last words */
};

/*
 * Gives it the bytes. wait: its input is not ended before it has been silent for that long and waits for more, if that can be seen (ns; 0: ends at once). It has `limit` from then
 * on. -1 with a message: it cannot be started.
 */
int try_run(struct try *t, const struct spawn *s, const char *in, size_t n, int64_t wait, int64_t limit);
void try_release(struct try *t);

#endif
