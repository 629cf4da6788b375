/*
 * json: the only includer of jansson; for cold paths (configuration, HTTP bodies, queries). The hot line
 * scanner is line/scan.h. Parsing is strict RFC 8259, refuses duplicate members, nesting beyond 2048 and integers beyond 64
 * bits, allows NUL in strings (not in names).
 *
 * A struct json * is borrowed from its document unless json_parse gave it; json_free frees a document.
 * Getters are forgiving: NULL in, or another type than asked for, gives NULL / the default.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;
struct json_error { size_t line, column, offset; char text[160]; };

struct json *json_parse(const char *p, size_t n, struct json_error *err);	/* NULL and *err filled */
void json_free(struct json *doc);

const struct json *json_member(const struct json *object, const char *name);
const struct json *json_path(const struct json *object, const char *dotted);	/* "data.user.name" */
const struct json *json_at(const struct json *array, size_t i);
size_t json_count(const struct json *array_or_object);
bool json_is_object(const struct json *j);
bool json_is_array(const struct json *j);
const char *json_str(const struct json *j, size_t *len);			/* NULL if no string; len may be NULL */
int64_t json_int(const struct json *j, int64_t otherwise);
bool json_bool(const struct json *j, bool otherwise);
double json_double(const struct json *j, double otherwise);			/* integers too */
/* Calls fn for each member in file order; stops when fn returns non-zero and returns that. */
int json_each(const struct json *object, int (*fn)(void *arg, const char *name, const struct json *value), void *arg);

struct buf;
int json_print(const struct json *j, struct buf *out);	/* compact, member order kept */

#endif
