/*
 * compose: a chat.message from a text typed at a shell, as the chat page would make it (penstock-chat(7)).
 */
#ifndef PENSTOCK_COMPOSE_H
#define PENSTOCK_COMPOSE_H

#include <stdint.h>

struct buf;

struct message { const char *text, *room, *name, *tenant; /* tenant NULL: default */ };

/* Appends the line. random makes its id and its trace; wall is its time. 0; -1 with a static reason. Pure. */
int compose(struct buf *out, const struct message *m, const uint64_t random[4], int64_t wall, const char **why);

#endif
