/* Are two events the same in what a stage decides, and if not, where? */
#include "penstock/swap.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"

static bool equal(const struct json *a, const struct json *b, char path[], size_t room);

struct walk { const struct json *other; char *path; size_t room; };

static int equal_member(void *arg, const char *name, const struct json *value)
{
	struct walk *w = arg;
	size_t at = strlen(w->path);

	snprintf(w->path + at, w->room - at, "%s%s", at ? "." : "", name);
	if (!equal(value, json_member(w->other, name), w->path, w->room))
		return 1;
	w->path[at] = 0;
	return 0;
}

static int has_member(void *arg, const char *name, const struct json *value)
{
	struct walk *w = arg;
	size_t at = strlen(w->path);

	(void)value;
	if (json_member(w->other, name))
		return 0;
	snprintf(w->path + at, w->room - at, "%s%s", at ? "." : "", name);
	return 1;
}

static bool equal_text(const struct json *a, const struct json *b)
{
	struct buf x, y;
	bool same;

	buf_init(&x, 4u << 20);
	buf_init(&y, 4u << 20);
	same = json_print(a, &x) == 0 && json_print(b, &y) == 0 && x.len == y.len && memcmp(x.p, y.p, x.len) == 0;
	buf_release(&x);
	buf_release(&y);
	return same;
}

/* The order of members does not count. path: where the first difference is. */
static bool equal(const struct json *a, const struct json *b, char path[], size_t room)
{
	struct walk w = { b, path, room }, back = { a, path, room };

	if (!a || !b)
		return !a && !b;
	if (json_is_object(a))
		return json_is_object(b) && json_each(a, equal_member, &w) == 0 && json_each(b, has_member, &back) == 0;
	if (!json_is_array(a))
		return equal_text(a, b);
	if (!json_is_array(b) || json_count(a) != json_count(b))
		return false;
	for (size_t i = 0; i < json_count(a); i++)
		if (!equal(json_at(a, i), json_at(b, i), path, room))
			return false;
	return true;
}

bool swap_equal(const struct json *a, const struct json *b, char path[], size_t room)
{
	static const char *const members[] = { "type", "subject", "tenant", "partitionkey", "data" };

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		snprintf(path, room, "%s", members[i]);
		if (!equal(json_member(a, members[i]), json_member(b, members[i]), path, room))
			return false;
	}
	return true;
}
