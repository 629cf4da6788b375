/*
 * control: the one-letter commands of supervise/control as rows: letter, event. Pure.
 * Several letters may arrive in one write and are done in order; a letter that is in no row (a line feed, too) is ignored.
 */
#ifndef SUPERVISE_CONTROL_H
#define SUPERVISE_CONTROL_H

#include "supervise/state.h"

/* The event of a letter, or -1. */
int control_event(unsigned char letter);

/* The letter of an event, or 0: events that no letter makes. */
char control_letter(enum sv_event ev);

#endif
