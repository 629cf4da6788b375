/*
 * tai: the 25 characters of a TAI64N label: '@' and 24 hexadecimal digits, 16 of the second, 8 of the nanosecond; names of files and stamps
 * of lines in log directories. Pure. The second is 2^62 + 10 + the Unix second: a constant 10 and no leap seconds, as runit's and daemontools' programs write it.
 */
#ifndef BASE_TAI_H
#define BASE_TAI_H

#include <stddef.h>
#include <stdint.h>

#define TAI_LABEL 25

void tai_label(char out[TAI_LABEL + 1], int64_t wall);	/* ended by NUL; wall 0 or more */

/* A label at the start of p: 0, or -1 when there is none. What is behind it does not matter. */
int tai_parse(const char *p, size_t n, int64_t *wall);

#endif
