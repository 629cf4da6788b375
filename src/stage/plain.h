/*
 * plain: text without what colours it on a terminal, and as a log can show it. Pure.
 */
#ifndef STAGE_PLAIN_H
#define STAGE_PLAIN_H

#include <stddef.h>

/* Copies n bytes to `to`, which has room for as many, without sequences ESC [ ... letter and other ESCs. No JSON text holds an ESC. How many are left. */
size_t plain_text(char *to, const char *from, size_t n);

/* Bytes as text that a log can show, NUL-terminated: what is no UTF-8, and control characters but LF and tab, become "?". Its length, at most size - 1. */
size_t plain_shown(char *out, size_t size, const char *p, size_t n);

#endif
