/*
 * said: what a program says on stderr, and what it prints that is no event: to the log, line by line, within limits; and its last words.
 *
 * Lines are cut at SAID_LINE bytes; bytes that are no UTF-8 or control characters are shown as "?". More than SAID_BURST lines at once, and then SAID_RATE lines
 * a second, are not shown but counted; the count is said.
 */
#ifndef STAGE_SAID_H
#define STAGE_SAID_H

#include <stddef.h>
#include <stdint.h>

#define SAID_LINE 2048u
#define SAID_BURST 200u
#define SAID_RATE 20u
#define SAID_TAIL 4096u		/* last words that are kept */

struct said {
	char half[SAID_LINE];	/* a line that has not ended */
	size_t nhalf;
	char tail[SAID_TAIL];	/* a ring */
	uint64_t total;		/* bytes so far */
	double credit;
	int64_t at;
	uint64_t hidden;
};

/* Bytes of stderr. who: "jq[123]". */
void said_bytes(struct said *s, const char *who, int64_t now, const char *p, size_t n);
void said_keep(struct said *s, const char *p, size_t n);	/* the same, for the last words only */
void said_end(struct said *s, const char *who, int64_t now);	/* the program is gone: says a half line, and how much was hidden */
/* A line of stdout that is no event. */
void said_stray(struct said *s, const char *who, int64_t now, const char *p, size_t n);

/* The last bytes of stderr since said_clear, at most SAID_TAIL, as text, NUL-terminated: into out[SAID_TAIL + 1]; its length. */
size_t said_tail(const struct said *s, char *out);
/* Its last line that is not empty, at most size - 1 bytes; "" if there is none. */
void said_last(const struct said *s, char *out, size_t size);
void said_clear(struct said *s);	/* a new run: forget the last words */

#endif
