/*
 * plain: text without what colours it on a terminal. Pure.
 */
#ifndef STAGE_PLAIN_H
#define STAGE_PLAIN_H

#include <stddef.h>

/* Copies n bytes to `to`, which has room for as many, without sequences ESC [ ... letter and other ESCs. No JSON text holds an ESC. How many are left. */
size_t plain_text(char *to, const char *from, size_t n);

#endif
