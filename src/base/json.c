#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* struct json is never defined: it is jansson's json_t under our name. */
static const json_t *in(const struct json *j)
{
	return (const json_t *)(const void *)j;
}

static struct json *out_of(json_t *j)
{
	return (struct json *)(void *)j;
}

/* jansson skips a NUL byte between tokens, which is no white space of JSON: the caller would see less than there is. */
static struct json *refuse_nul(const char *p, const char *nul, struct json_error *err)
{
	const char *line = memrchr(p, '\n', (size_t)(nul - p));

	err->offset = (size_t)(nul - p);
	err->column = (size_t)(line ? nul - line : nul - p + 1);
	err->line = 1;
	for (; line; line = memrchr(p, '\n', (size_t)(line - p)))
		err->line++;
	snprintf(err->text, sizeof(err->text), "NUL byte");
	return NULL;
}

struct json *json_parse(const char *p, size_t n, struct json_error *err)
{
	json_error_t e;
	const char *nul = n ? memchr(p, '\0', n) : NULL;
	json_t *j;

	if (nul)
		return refuse_nul(p, nul, err);
	/* Depth: jansson stops at 2048 by itself. */
	j = json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	if (j)
		return out_of(j);
	err->line = e.line > 0 ? (size_t)e.line : 1;
	err->column = e.column > 0 ? (size_t)e.column : 1;
	err->offset = e.position > 0 ? (size_t)e.position : 0;
	snprintf(err->text, sizeof(err->text), "%.*s", (int)sizeof(err->text) - 1, e.text);
	return NULL;
}

void json_free(struct json *doc)
{
	json_decref((json_t *)(void *)doc);
}

const struct json *json_member(const struct json *object, const char *name)
{
	return out_of(json_object_get(in(object), name));
}

const struct json *json_path(const struct json *object, const char *dotted)
{
	const char *dot;

	while ((dot = strchr(dotted, '.'))) {
		object = out_of(json_object_getn(in(object), dotted, (size_t)(dot - dotted)));
		dotted = dot + 1;
	}
	return json_member(object, dotted);
}

const struct json *json_at(const struct json *array, size_t i)
{
	return out_of(json_array_get(in(array), i));
}

size_t json_count(const struct json *j)
{
	/* Each answers 0 for what it is not meant for. */
	return json_array_size(in(j)) + json_object_size(in(j));
}

/* jansson has macros of the same two names; their argument is a json_t. */
#undef json_is_object
#undef json_is_array

bool json_is_object(const struct json *j)
{
	return j && json_typeof(in(j)) == JSON_OBJECT;
}

bool json_is_array(const struct json *j)
{
	return j && json_typeof(in(j)) == JSON_ARRAY;
}

const char *json_str(const struct json *j, size_t *len)
{
	if (len)
		*len = json_string_length(in(j));
	return json_string_value(in(j));
}

int64_t json_int(const struct json *j, int64_t otherwise)
{
	return json_is_integer(in(j)) ? json_integer_value(in(j)) : otherwise;
}

bool json_bool(const struct json *j, bool otherwise)
{
	return json_is_boolean(in(j)) ? json_is_true(in(j)) : otherwise;
}

double json_double(const struct json *j, double otherwise)
{
	return json_is_number(in(j)) ? json_number_value(in(j)) : otherwise;
}

int json_each(const struct json *object, int (*fn)(void *arg, const char *name, const struct json *value), void *arg)
{
	json_t *o = (json_t *)(void *)(uintptr_t)object;

	if (!json_is_object(object))
		return 0;
	for (void *at = json_object_iter(o); at; at = json_object_iter_next(o, at)) {
		int rc = fn(arg, json_object_iter_key(at), out_of(json_object_iter_value(at)));

		if (rc)
			return rc;
	}
	return 0;
}

static int append(const char *p, size_t n, void *arg)
{
	return buf_add(arg, p, n);
}

int json_print(const struct json *j, struct buf *out)
{
	size_t start = out->len;

	if (json_dump_callback(in(j), append, out, JSON_COMPACT | JSON_ENCODE_ANY)) {
		out->len = start;
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}
