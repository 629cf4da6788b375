/*
 * ask: the scripts of control/, which may take over what a command does, as in runit.
 *
 *   control/t k p c a h i q 1 2 b y   before the signal (t: before any TERM, of d, x and r too); exit 0: it is not sent
 *   control/d control/x           after that of d and x; the result is ignored
 *   control/u                     before every start; the result is ignored
 *
 * While one runs further letters wait; deaths, time-outs and everything of other services go on. Loggers have none.
 */
#ifndef SUPERVISE_ASK_H
#define SUPERVISE_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "supervise/slot.h"

/* Carries out bits of ACT_SIGNALS in their order, each after its script. */
void ask_signals(struct slot *s, unsigned act);

/* A start is due. True: control/u, or another script, has to end first; then slot_go or SV_GO follows. */
bool ask_start(struct slot *s);

/* Letters that came: done in order, as far as no script runs. */
void ask_letters(struct slot *s, const unsigned char *letters, size_t n);
bool ask_busy(const struct slot *s);

/* A child ended: true if it was one of these scripts. */
bool ask_ended(struct host *h, pid_t pid, int status);

void ask_free(struct slot *s);

#endif
