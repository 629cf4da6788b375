#include "line/scan.h"

#include "line/decode.h"
#include "line/scan_impl.h"

/* Bytes of numbers, of true, false and null, and of what is none of these and ends as they do. */
static const bool literal[256] = {
	['!' ... '+'] = true, ['-' ... '\\'] = true, ['^' ... '|'] = true, ['~' ... 0xff] = true,
};

/* The byte behind the value at p, or NULL. */
static inline const char *skip_value(const char *p, const char *end)
{
	if (p == end)
		return NULL;
	if (*p == '"')
		return scan_skip_string(p + 1, end);
	if (*p == '{' || *p == '[') {
		if (end - p >= 2 && p[1] == *p + 2)	/* empty; '{' and '}', '[' and ']' are two apart */
			return p + 2;
		return scan_jump(p, end);
	}
	while (p < end && literal[(unsigned char)*p])
		p++;
	return p;
}

/* One step through an object or array: where it stands, and what it found. */
struct walk { const char *p, *end; bool object; };

static bool walk_init(struct walk *w, struct span in)
{
	if (!in.p || in.n < 2)
		return false;
	w->end = in.p + in.n;
	w->p = scan_blank(in.p, w->end);
	if (w->p == w->end || (*w->p != '{' && *w->p != '['))
		return false;
	w->object = *w->p++ == '{';
	return true;
}

/* 1: one more; 0: the end, p behind the bracket; -1: no JSON. name is absent in an array. */
static inline __attribute__((always_inline)) int walk_next(struct walk *w, struct span *name, struct span *val)
{
	const char *p = scan_blank(w->p, w->end), *q;

	if (p < w->end && *p == ',')
		p = scan_blank(p + 1, w->end);
	if (p == w->end)
		return -1;
	if (*p == '}' || *p == ']') {
		w->p = p + 1;
		return 0;
	}
	*name = (struct span){ NULL, 0 };
	if (w->object) {
		if (*p != '"')
			return -1;
		q = scan_skip_string(p + 1, w->end);
		if (!q)
			return -1;
		*name = (struct span){ p, (size_t)(q - p) };
		p = scan_blank(q, w->end);
		if (p == w->end || *p != ':')
			return -1;
		p = scan_blank(p + 1, w->end);
	}
	q = skip_value(p, w->end);
	if (!q || q == p)
		return -1;
	*val = (struct span){ p, (size_t)(q - p) };
	w->p = q;
	return 1;
}

enum line_attr scan_attr_find_escaped(struct span raw)
{
	char text[32];
	int n = scan_cstr(raw, text, sizeof text);

	return n < 0 ? LA_COUNT : scan_attr_find(text, (size_t)n);
}

int scan_lazy(const char *p, size_t n, struct envelope *e)
{
	struct walk w;
	struct span name, val;
	int got;

	memset(e, 0, sizeof *e);
	if (!walk_init(&w, (struct span){ p, n }) || !w.object)
		return -1;
	while ((got = walk_next(&w, &name, &val)) > 0) {
		enum line_attr known = scan_attr_find(name.p + 1, name.n - 2);

		if (unlikely(known == LA_COUNT && memchr(name.p, '\\', name.n)))
			known = scan_attr_find_escaped(name);
		scan_keep(e, known, val);
	}
	return got;
}

int scan_each(struct span in, int (*fn)(void *arg, struct span name, struct span value), void *arg)
{
	struct walk w;
	struct span name, val;
	int result = 0;

	if (!walk_init(&w, in))
		return 0;
	while (result == 0 && walk_next(&w, &name, &val) > 0)
		result = fn(arg, name, val);
	return result;
}

void scan_pick(struct span object, const struct scan_name *names, struct span *vals, unsigned n)
{
	struct walk w;
	struct span name, val;
	uint64_t sizes = 0;		/* a bit for each length: most names need no closer look */

	memset(vals, 0, n * sizeof *vals);
	for (unsigned i = 0; i < n; i++)
		sizes |= UINT64_C(1) << (names[i].n & 63);
	if (!walk_init(&w, object) || !w.object)
		return;
	while (walk_next(&w, &name, &val) > 0) {
		size_t size = name.n - 2;

		if (likely(!(sizes >> (size & 63) & 1)))
			continue;
		for (unsigned i = 0; i < n; i++) {
			if (names[i].n != size || name.p[1] != names[i].text[0] || memcmp(name.p + 1, names[i].text, size) != 0)
				continue;
			if (val.p[0] != 'n')
				vals[i] = val;
			break;
		}
	}
}

static bool same_name(struct span raw, const char *text, size_t n)
{
	struct decode d;
	char piece[64];
	size_t at = 0;
	int got;

	if (raw.n == n + 2 && memcmp(raw.p + 1, text, n) == 0)
		return memchr(text, '\\', n) == NULL;
	if (raw.n < n + 2 || !memchr(raw.p, '\\', raw.n) || !decode_init(&d, raw))
		return false;
	while ((got = decode_next(&d, piece, sizeof piece)) > 0) {
		if ((size_t)got > n - at || memcmp(piece, text + at, (size_t)got) != 0)
			return false;
		at += (size_t)got;
	}
	return got == 0 && at == n;
}

static struct span member(struct span object, const char *text, size_t n)
{
	struct walk w;
	struct span name, val;

	if (walk_init(&w, object) && w.object)
		while (walk_next(&w, &name, &val) > 0)
			if (same_name(name, text, n))
				return val;
	return (struct span){ NULL, 0 };
}

struct span scan_member(struct span object, const char *name)
{
	return member(object, name, strlen(name));
}

struct span scan_path(struct span object, const char *dotted)
{
	for (;;) {
		size_t n = strcspn(dotted, ".");

		object = member(object, dotted, n);
		if (!object.p || !dotted[n])
			return object;
		dotted += n + 1;
	}
}

bool scan_is(struct span raw, const char *text)
{
	return raw.p && raw.n >= 2 && raw.p[0] == '"' && same_name(raw, text, strlen(text));
}
