/*
 * conf: the file `config` of a log directory: the lines of svlogd's that logd knows, and one more. Pure.
 *
 *   sBYTES   a file is rotated before it gets longer (k, m, g; 1000000; 0: never)
 *   nCOUNT   rotated files that are kept (10; 0: all)
 *   NCOUNT   rotated files that are kept when the disk is full (1)
 *   tTIME    a file that is not empty is rotated when it is this old (s, m, h, d; never)
 *   aTIME    rotated files older than this are removed (s, m, h, d; never): not of svlogd, which passes over it
 *   #...     a comment, like an empty line
 */
#ifndef LOGD_CONF_H
#define LOGD_CONF_H

#include <stddef.h>
#include <stdint.h>

#define CONF_SIZE 1000000u
#define CONF_KEEP 10u
#define CONF_KEEP_FULL 1u
#define CONF_TEXT_MAX 65536u
#define CONF_AGE_MAX (INT64_C(36500) * 86400 * 1000000000)

struct conf {
	uint64_t size;
	unsigned keep, keep_full;
	int64_t age, expire;	/* nanoseconds; 0: never */
};

void conf_init(struct conf *c);

/* Calls bad for each line that is not understood, with its number and the reason; the others count. */
void conf_parse(const char *p, size_t n, struct conf *c, void (*bad)(void *arg, unsigned line, const char *text, const char *why), void *arg);

#endif
