/*
 * hint: programs that are known to hold back what they write when it goes into a pipe, and what makes them say it at once. Pure.
 */
#ifndef STAGE_HINT_H
#define STAGE_HINT_H

/* What to do, a half sentence: "give jq the option --unbuffered". For any program, something that may help. */
const char *hint_flush(const char *program);

#endif
