/*
 * buf: growing bytes with a ceiling.
 *
 * A buffer owns its memory. It never grows past the ceiling given to buf_init: a call that would need
 * more changes nothing and returns -1 with errno EMSGSIZE (ENOMEM when the machine has no memory).
 * Appending functions may move p; a pointer into a buffer dies with the next append.
 * Not thread safe; a buffer belongs to one thread at a time.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf {
	char *p;	/* the bytes; not terminated by NUL unless buf_cstr was called */
	size_t len;	/* bytes in use */
	size_t cap;	/* bytes allocated */
	size_t max;	/* ceiling in bytes */
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);		/* gives the memory back; the struct may be used again */
void buf_clear(struct buf *b);			/* len = 0, memory kept */
int buf_reserve(struct buf *b, size_t more);	/* makes room for more bytes behind len */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_adds(struct buf *b, const char *s);
int buf_addc(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_add_json(struct buf *b, const char *p, size_t n); /* as a JSON string, quotes included; p must be UTF-8 */
void buf_drop(struct buf *b, size_t n);		/* removes the first n bytes */
const char *buf_cstr(struct buf *b);		/* NUL-terminated view, NULL when no memory; len unchanged */

#endif
