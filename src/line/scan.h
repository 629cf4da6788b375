/*
 * scan: the line scanner. Pure; never allocates; never writes. scan_strict and scan_value want 100 KiB of stack.
 *
 * scan_strict   where lines enter: checks all of RFC 8259 and UTF-8, and finds the envelope's members.
 *               Refuses besides: duplicate names in one object at any depth (names compared decoded),
 *               lone surrogates (\ud800 without its half), nesting beyond LINE_MAX_DEPTH, more than LINE_MAX_NAMES
 *               names in an object and those around it (the price of finding repeats without memory), a byte order
 *               mark, anything but white space behind the object, a value that is not an object, LF as white space,
 *               4 GiB and more. Numbers of any size are accepted and never converted: a passed-on line keeps its
 *               bytes. \u0000 in a string of `data` is accepted.
 * scan_lazy     for lines that passed scan_strict before (route reading its own spool): same result,
 *               skips what it does not need, checks only what it must not trip over. -1 when it is no object.
 * scan_member   walks into one object of a checked line.
 *
 * Spans hold the raw JSON text of a value, with its quotes: "chat.message" is 14 bytes. Decode with scan_string.
 */
#ifndef LINE_SCAN_H
#define LINE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "line/line.h"

struct buf;

/* The attributes penstock knows, and the two payload members. The order is that of the names in scan_text.c. */
enum line_attr {
	LA_SPECVERSION, LA_ID, LA_SOURCE, LA_TYPE,	/* required */
	LA_TIME, LA_SUBJECT, LA_DATACONTENTTYPE, LA_DATASCHEMA,
	LA_TENANT, LA_PARTITIONKEY, LA_TRACEPARENT, LA_TRACESTATE, LA_CAUSATIONID, LA_NOTBEFORE,
	LA_DATA, LA_DATA_BASE64,
	LA_COUNT
};

struct envelope { struct span a[LA_COUNT]; };	/* raw values; p NULL = absent. A JSON null counts as absent for attributes */

const char *scan_attr_name(enum line_attr a);

int scan_strict(const char *p, size_t n, struct envelope *e, struct line_err *err);
int scan_lazy(const char *p, size_t n, struct envelope *e);

/* Any JSON value checked as scan_strict checks, LF allowed (for bodies that are not lines): 0, or -1 with *err. */
int scan_value(const char *p, size_t n, struct line_err *err);

/* The raw value of `name` (bytes, not escaped) in the raw object `object`; absent: p NULL. dotted form walks down. */
struct span scan_member(struct span object, const char *name);
struct span scan_path(struct span object, const char *dotted);

/* The raw values of several members, found in one walk: that of names[i] goes to vals[i]; absent, null, no object: p NULL. Names that are written
 * with escapes are not seen. Of a name that stands there twice the last. */
struct scan_name { const char *text; size_t n; };
#define SCAN_NAME(text) {text, sizeof(text) - 1}
void scan_pick(struct span object, const struct scan_name *names, struct span *vals, unsigned n);

/* Calls fn(arg, raw name with quotes, raw value) for each member of an object or (name absent) element of an array, in order;
 * stops when fn returns non-zero and returns that. */
int scan_each(struct span object_or_array, int (*fn)(void *arg, struct span name, struct span value), void *arg);

/* Appends the decoded string to out: UTF-8, \u0000 as a NUL byte. -1 if raw is no string or out is at its ceiling. */
int scan_string(struct span raw, struct buf *out);
/* Decodes into out[size], NUL-terminated; returns the length or -1 (no string, does not fit, holds a NUL). */
int scan_cstr(struct span raw, char *out, size_t size);
/* Is the raw value the string text (decoded)? The usual unescaped case is a memcmp. */
bool scan_is(struct span raw, const char *text);
/* false if it is no number. Of any length, rounded to the nearest double; beyond its range infinite. */
bool scan_number(struct span raw, double *out);

#endif
