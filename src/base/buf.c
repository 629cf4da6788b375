#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256u

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_release(struct buf *b)
{
	free(b->p);
	b->p = NULL;
	b->len = b->cap = 0;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
}

int buf_reserve(struct buf *b, size_t more)
{
	size_t need, cap;
	char *p;

	if (more <= b->cap - b->len)
		return 0;
	if (b->len > b->max || more > b->max - b->len) {
		errno = EMSGSIZE;
		return -1;
	}
	need = b->len + more;
	cap = b->cap ? b->cap : FIRST_CAP;
	while (cap < need)
		cap = cap > b->max / 2 ? b->max : cap * 2;
	if (cap > b->max)
		cap = b->max;
	p = realloc(b->p, cap);
	if (!p) {
		errno = ENOMEM;
		return -1;
	}
	b->p = p;
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return 0;
	if (buf_reserve(b, n))
		return -1;
	memcpy(b->p + b->len, p, n);
	b->len += n;
	return 0;
}

int buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_addc(struct buf *b, char c)
{
	if (buf_reserve(b, 1))
		return -1;
	b->p[b->len++] = c;
	return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	char small[256], *big;
	va_list ap;
	int n, rc;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0) {
		errno = EINVAL;
		return -1;
	}
	if ((size_t)n < sizeof(small))
		return buf_add(b, small, (size_t)n);
	if (b->len > b->max || (size_t)n > b->max - b->len) {
		errno = EMSGSIZE;
		return -1;
	}
	/* vsnprintf needs one byte for its NUL, which the ceiling need not have: hence not into b->p. */
	big = malloc((size_t)n + 1);
	if (!big) {
		errno = ENOMEM;
		return -1;
	}
	va_start(ap, fmt);
	vsnprintf(big, (size_t)n + 1, fmt, ap);
	va_end(ap);
	rc = buf_add(b, big, (size_t)n);
	free(big);
	return rc;
}

/* The letter behind the backslash, 'u' for \u00XX, 0 for a byte that stands for itself. */
static char escape_of(unsigned char c)
{
	switch (c) {
	case '"': return '"';
	case '\\': return '\\';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	case '\b': return 'b';
	case '\f': return 'f';
	default: return c < 0x20 ? 'u' : 0;
	}
}

/* Has one of the 8 bytes to be escaped? */
static bool any_escape(const char *p)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
	uint64_t v, quote, back;

	memcpy(&v, p, 8);
	quote = v ^ ones * '"';
	back = v ^ ones * '\\';
	return (((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) | ((back - ones) & ~back)) & high;
}

/* Where the bytes from i on that stand for themselves end. */
static size_t plain_end(const char *p, size_t i, size_t n)
{
	while (n - i >= 8 && !any_escape(p + i))
		i += 8;
	while (i < n && !escape_of((unsigned char)p[i]))
		i++;
	return i;
}

int buf_add_json(struct buf *b, const char *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	size_t start = b->len, from = 0;

	if (n == 0)
		return buf_add(b, "\"\"", 2);		/* p may be NULL */
	if (buf_addc(b, '"'))
		return -1;
	for (;;) {
		size_t i = plain_end(p, from, n);
		unsigned char c;

		if (buf_add(b, p + from, i - from))
			goto undo;
		if (i == n)
			break;
		c = (unsigned char)p[i];
		char e[6] = {'\\', escape_of(c), '0', '0', hex[c >> 4], hex[c & 15]};

		if (buf_add(b, e, e[1] == 'u' ? 6 : 2))
			goto undo;
		from = i + 1;
	}
	if (buf_addc(b, '"'))
		goto undo;
	return 0;
undo:
	b->len = start;
	return -1;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->len - n);
	b->len -= n;
}

const char *buf_cstr(struct buf *b)
{
	if (b->len == b->cap) {
		/* One byte above the ceiling is allowed for the NUL, so that a full buffer can be looked at. */
		char *p = realloc(b->p, b->len + 1);

		if (!p)
			return NULL;
		b->p = p;
		b->cap = b->len + 1;
	}
	b->p[b->len] = '\0';
	return b->p;
}
