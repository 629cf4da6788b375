#include "gatewayd/platform/discord_names.h"

#include <stdlib.h>
#include <string.h>

#include "line/scan.h"

/* Permission bits, Discord's documentation (topics/permissions). */
#define MODERATES (UINT64_C(1) << 1 | UINT64_C(1) << 2 | UINT64_C(1) << 3 | UINT64_C(1) << 5 | UINT64_C(1) << 13 | UINT64_C(1) << 40)

struct entry {
	uint64_t id;
	uint32_t at;		/* in the text */
	uint16_t len;
	uint16_t flags;
};

struct guild {
	uint64_t id, owner;
	bool whole;
	uint32_t n, text;	/* entries; bytes of text behind them */
	struct entry e[];
};

/* Entries on the way into a guild; names stay where they are. */
struct draft { uint64_t id; struct span name; unsigned flags; };
struct drafts { struct draft *v; size_t n, cap; unsigned kind; uint64_t id, owner; bool whole; };

uint64_t names_id(struct span raw)
{
	const char *p, *end;
	uint64_t v = 0;

	if (!raw.p || raw.n < 3 || raw.n > 22 || raw.p[0] != '"')
		return 0;
	p = raw.p + 1;
	end = p + (raw.n == 22 ? 19 : raw.n - 2);	/* so many always fit */
	for (; p < end; p++) {
		unsigned c = (unsigned char)*p - '0';

		if (c > 9)
			return 0;
		v = v * 10 + c;
	}
	if (raw.n == 22) {
		unsigned c = (unsigned char)*p - '0';

		if (c > 9 || v > (UINT64_MAX - c) / 10)
			return 0;
		v = v * 10 + c;
	}
	return v;
}

static size_t size_of(const struct guild *g)
{
	return sizeof(*g) + g->n * sizeof(*g->e) + g->text;
}

static const char *text_of(const struct guild *g)
{
	return (const char *)(g->e + g->n);
}

/* Where a guild stands, or would. */
static size_t place(const struct names *t, uint64_t id)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (t->v[mid]->id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct guild *names_find(const struct names *t, uint64_t id)
{
	size_t i = place(t, id);

	return i < t->n && t->v[i]->id == id ? t->v[i] : NULL;
}

const struct guild *names_whole(const struct names *t, uint64_t id)
{
	const struct guild *g = names_find(t, id);

	return g && g->whole ? g : NULL;
}

uint64_t names_owner(const struct guild *g)
{
	return g ? g->owner : 0;
}

static const struct entry *entry_of(const struct guild *g, uint64_t id)
{
	size_t lo = 0, hi = g ? g->n : 0;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (g->e[mid].id < id)
			lo = mid + 1;
		else if (g->e[mid].id > id)
			hi = mid;
		else
			return &g->e[mid];
	}
	return NULL;
}

struct span names_get(const struct guild *g, uint64_t id, unsigned *flags)
{
	const struct entry *e = entry_of(g, id);

	if (flags)
		*flags = e ? e->flags : 0;
	return e ? (struct span){text_of(g) + e->at, e->len} : (struct span){NULL, 0};
}

/* ---- drafts ---- */

static int add(struct drafts *d, uint64_t id, struct span name, unsigned flags)
{
	if (!id || !name.p || name.p[0] != '"' || name.n > NAMES_TEXT_MAX || d->n == NAMES_GUILD_MAX)
		return 0;
	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct draft *v = realloc(d->v, cap * sizeof(*v));

		if (!v)
			return -1;
		d->v = v;
		d->cap = cap;
	}
	d->v[d->n++] = (struct draft){id, name, flags};
	return 0;
}

static bool moderates(struct span permissions)
{
	return (names_id(permissions) & MODERATES) != 0;
}

struct object { struct span id, name, permissions; };

static int object_member(void *arg, struct span name, struct span value)
{
	struct object *o = arg;

	if (scan_is(name, "id"))
		o->id = value;
	else if (scan_is(name, "name"))
		o->name = value;
	else if (scan_is(name, "permissions"))
		o->permissions = value;
	return 0;
}

static int draft(struct drafts *d, struct span object)
{
	struct object o = {{NULL, 0}, {NULL, 0}, {NULL, 0}};

	scan_each(object, object_member, &o);
	return add(d, names_id(o.id), o.name, d->kind | (d->kind & NAMES_ROLE && moderates(o.permissions) ? NAMES_MODERATOR : 0));
}

static int draft_element(void *arg, struct span name, struct span value)
{
	(void)name;
	return draft(arg, value);
}

static int draft_member(void *arg, struct span name, struct span value)
{
	struct drafts *d = arg;
	bool roles = scan_is(name, "roles");

	if (scan_is(name, "id")) {
		d->id = names_id(value);
	} else if (scan_is(name, "owner_id")) {
		d->owner = names_id(value);
	} else if (roles || scan_is(name, "channels") || scan_is(name, "threads")) {
		d->kind = roles ? NAMES_ROLE : 0;
		return scan_each(value, draft_element, d);
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct draft *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* A guild of drafts that are sorted; of two with one id the first counts. */
static struct guild *build(struct drafts *d)
{
	size_t text = 0, n = 0;
	struct guild *g;
	char *p;

	for (size_t i = 0; i < d->n; i++) {
		if ((n && d->v[n - 1].id == d->v[i].id) || (d->v[i].flags & NAMES_ROLE && d->v[i].id == d->id))
			continue;
		d->v[n++] = d->v[i];
		text += d->v[i].name.n;
	}
	g = malloc(sizeof(*g) + n * sizeof(*g->e) + text);
	if (!g)
		return NULL;
	*g = (struct guild){.id = d->id, .owner = d->owner, .whole = d->whole, .n = (uint32_t)n, .text = (uint32_t)text};
	p = (char *)(g->e + n);
	text = 0;
	for (size_t i = 0; i < n; i++) {
		g->e[i] = (struct entry){d->v[i].id, (uint32_t)text, (uint16_t)d->v[i].name.n, (uint16_t)d->v[i].flags};
		memcpy(p + text, d->v[i].name.p, d->v[i].name.n);
		text += d->v[i].name.n;
	}
	return g;
}

/* ---- the table ---- */

static void take_out(struct names *t, size_t *bytes, size_t i)
{
	*bytes -= size_of(t->v[i]);
	free(t->v[i]);
	memmove(t->v + i, t->v + i + 1, (--t->n - i) * sizeof(*t->v));
}

/* Puts g in the place of the guild with its id. Takes g. */
static int put(struct names *t, size_t *bytes, struct guild *g)
{
	size_t i;

	if (!g)
		return -1;
	i = place(t, g->id);
	if (i < t->n && t->v[i]->id == g->id)
		take_out(t, bytes, i);
	if (size_of(g) > NAMES_MAX - *bytes)
		goto no;
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 4;
		struct guild **v = realloc(t->v, cap * sizeof(*v));

		if (!v)
			goto no;
		t->v = v;
		t->cap = cap;
	}
	memmove(t->v + i + 1, t->v + i, (t->n - i) * sizeof(*t->v));
	t->v[i] = g;
	t->n++;
	*bytes += size_of(g);
	return 0;
no:
	free(g);
	return -1;
}

static int settle(struct names *t, size_t *bytes, struct drafts *d)
{
	int rc = 0;

	if (d->id) {
		if (d->n)
			qsort(d->v, d->n, sizeof(*d->v), by_id);
		rc = put(t, bytes, build(d));
	}
	return rc;
}

int names_put(struct names *t, size_t *bytes, struct span object)
{
	struct drafts d = {.whole = true};
	int rc = scan_each(object, draft_member, &d) ? -1 : settle(t, bytes, &d);

	free(d.v);
	return rc;
}

void names_drop(struct names *t, size_t *bytes, uint64_t id)
{
	size_t i = place(t, id);

	if (i < t->n && t->v[i]->id == id)
		take_out(t, bytes, i);
}

int names_set(struct names *t, size_t *bytes, uint64_t id, struct span object, unsigned kind, bool removed)
{
	const struct guild *g = names_find(t, id);
	struct drafts d = {.kind = kind, .id = id, .owner = names_owner(g), .whole = g && g->whole};
	int rc = id ? draft(&d, object) : 0;
	uint64_t changed = removed ? names_id(scan_member(object, "id")) : d.n ? d.v[0].id : 0;

	if (kind & NAMES_ROLE && changed == id)
		changed = 0;
	if (removed)
		d.n = 0;
	for (size_t i = 0; changed && rc == 0 && g && i < g->n; i++)
		if (g->e[i].id != changed)
			rc = add(&d, g->e[i].id, (struct span){text_of(g) + g->e[i].at, g->e[i].len}, g->e[i].flags);
	if (changed && rc == 0 && (g || !removed))
		rc = settle(t, bytes, &d);
	free(d.v);
	return rc;
}

int names_add(struct names *t, size_t *bytes, uint64_t id, struct span array)
{
	const struct guild *g = names_find(t, id);
	struct drafts d = {.id = id, .owner = names_owner(g), .whole = g && g->whole};
	int rc = id ? scan_each(array, draft_element, &d) : 0;
	size_t n = d.n;

	if (n)
		qsort(d.v, n, sizeof(*d.v), by_id);
	for (size_t i = 0; n && rc == 0 && g && i < g->n; i++)
		if (!bsearch(&(struct draft){.id = g->e[i].id}, d.v, n, sizeof(*d.v), by_id))
			rc = add(&d, g->e[i].id, (struct span){text_of(g) + g->e[i].at, g->e[i].len}, g->e[i].flags);
	if (n && rc == 0)
		rc = settle(t, bytes, &d);
	free(d.v);
	return rc;
}

int names_set_owner(struct names *t, uint64_t id, uint64_t owner)
{
	size_t i = place(t, id);

	if (i < t->n && t->v[i]->id == id && owner)
		t->v[i]->owner = owner;
	return 0;
}

void names_release(struct names *t, size_t *bytes)
{
	while (t->n)
		take_out(t, bytes, t->n - 1);
	free(t->v);
	*t = (struct names){.v = NULL};
}
