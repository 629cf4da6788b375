/*
 * decode: the text of a raw JSON string, a piece at a time, without memory of its own.
 *
 * For strings the scanner accepted; on any other bytes it stays inside the span and ends with -1.
 */
#ifndef LINE_DECODE_H
#define LINE_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "line/line.h"

struct decode { const char *p, *end; };

/* raw with its quotes; false if it is no string. */
bool decode_init(struct decode *d, struct span raw);

/* Writes at most size (at least 4) bytes of text to out and returns how many: 0 at the end, -1 at a bad escape. */
int decode_next(struct decode *d, char *out, size_t size);

/* Four hex digits at p: their value, or -1. */
int decode_hex4(const char *p);

/* The raw text between the quotes when it has no escapes, p NULL otherwise: then the bytes are the text. */
struct span decode_plain(struct span raw);

#endif
