/*
 * emotion: what an analysis.emotion says about one name. Pure; the event is described in penstock-events(5).
 */
#ifndef RESPOND_EMOTION_H
#define RESPOND_EMOTION_H

#include <stdbool.h>

#include "line/line.h"

/* data: the raw data of the event. True when name is the top label or the top group; then its probability. */
bool emotion_probability(struct span data, struct span name, double *out);

/* Is it a name that the analyzer of this project gives? Others are allowed, and worth a warning. */
bool emotion_known(struct span name);

#endif
