/*
 * check: what can this program be used for? It is tried with sample events in each mode, as stage would run it.
 */
#ifndef STAGE_CHECK_H
#define STAGE_CHECK_H

struct settings;

/* Prints what was found. set->mode NULL: in all modes, and which is best. The exit code: 0 it can be used (in that mode), 1 not. */
int check_program(const struct settings *set);

#endif
