/*
 * batch: whole lines into a batch and out again. Pure.
 */
#ifndef LINK_BATCH_H
#define LINK_BATCH_H

#include <stddef.h>
#include <stdint.h>

/* Walks a batch: *p and *end move; returns the next line without its LF and its length in *n, NULL at the end. */
const char *batch_next(const char **p, const char *end, size_t *n);

/* Counts the lines; -1 if the last byte is not LF or there are more than LINK_BATCH_LINES. */
int64_t batch_count(const char *p, size_t len);

#endif
