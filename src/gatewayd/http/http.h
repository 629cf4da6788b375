/*
 * http: requests of HTTP/1.1 from bytes, and heads of answers (RFC 9110, 9112). Pure.
 *
 * Strict where leniency lets two parsers see two requests: lines end in CRLF, no folded lines, no blank before the
 * colon, one Content-Length, never together with Transfer-Encoding. Anything else is a fault with the status to answer.
 */
#ifndef GATEWAYD_HTTP_H
#define GATEWAYD_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "line/line.h"

struct buf;

#define HTTP_HEAD_MAX 16384u	/* bytes of a request's head; more is answered with 431 */
#define HTTP_FIELDS_MAX 100u	/* header fields; more is answered with 431 */
#define HTTP_TRAILER_MAX 8192u	/* bytes of chunk extensions and trailer fields together */

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_OTHER };

struct http_field { struct span name, value; };	/* name in lower case; value without blanks at its ends */

/* Spans point into the bytes that were parsed. */
struct http_head {
	enum http_method method;
	struct span method_text;
	struct span path;		/* as sent, not decoded; "*" for OPTIONS * */
	struct span query;		/* behind the question mark; p NULL when there is none */
	unsigned minor;			/* HTTP/1.minor */
	unsigned nfields;
	bool keep_alive;
	bool chunked;
	bool upgrade;			/* Connection: upgrade */
	bool expect_continue;
	bool has_length;
	uint64_t length;
	struct http_field field[HTTP_FIELDS_MAX];
};

struct http_fault { int status; const char *why; struct span field; };	/* why is static; field: the name, or p NULL */

/* The head at p: its length in bytes, 0 when more bytes are needed, -1 and *fault. Lower-cases field names in place. */
int http_head_parse(char *p, size_t n, struct http_head *h, struct http_fault *fault);

/* The value of the first field of that name (lower case); p NULL when there is none. */
struct span http_field(const struct http_head *h, const char *name);
bool http_span_is(struct span s, const char *text);		/* ASCII, case does not matter */
bool http_list_has(struct span list, const char *token);	/* a comma list of tokens, case does not matter */

/* A chunked body. Zeroed = at its start. */
struct http_chunks { uint64_t left; unsigned state; unsigned digits; unsigned extra; };

/* Takes bytes and appends data to out: the bytes used, or -1 with *fault (413: out is at its ceiling). *done at the end of the body. */
int64_t http_chunks_feed(struct http_chunks *c, const char *p, size_t n, struct buf *out, bool *done,
	struct http_fault *fault);

const char *http_reason(int status);

#endif
