#include "deliver/spill.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* ---- tenants ---- */

static struct tenant **place(struct tenant **table, size_t cap, const struct spill *s, const char *name)
{
	return &table[sip_hash(s->key, name, strlen(name)).a & (cap - 1)];
}

static struct tenant *find(const struct spill *s, const char *name)
{
	struct tenant *t = s->captenants ? *place(s->tenants, s->captenants, s, name) : NULL;

	while (t && strcmp(t->name, name) != 0)
		t = t->chain;
	return t;
}

static int grow_tenants(struct spill *s)
{
	size_t cap = s->captenants ? 2 * s->captenants : 64;
	struct tenant **v;

	if (s->ntenants < s->captenants)
		return 0;
	v = calloc(cap, sizeof(struct tenant *));
	if (!v)
		return -1;
	for (size_t i = 0; i < s->captenants; i++)
		for (struct tenant *t = s->tenants[i], *next; t; t = next) {
			struct tenant **at = place(v, cap, s, t->name);

			next = t->chain;
			t->chain = *at;
			*at = t;
		}
	free(s->tenants);
	s->tenants = v;
	s->captenants = cap;
	return 0;
}

static struct tenant *get(struct spill *s, const char *name)
{
	struct tenant *t = find(s, name), **at;

	if (t || grow_tenants(s) || !(t = calloc(1, sizeof(*t))))
		return t;
	t->name = strdup(name);
	if (!t->name) {
		free(t);
		return NULL;
	}
	t->last = &t->first;
	at = place(s->tenants, s->captenants, s, name);
	t->chain = *at;
	*at = t;
	s->ntenants++;
	return t;
}

static void forget(struct spill *s, struct tenant *t)
{
	struct tenant **at = place(s->tenants, s->captenants, s, t->name);

	if (t->n || t->first || t->coming)
		return;
	while (*at != t)
		at = &(*at)->chain;
	*at = t->chain;
	s->ntenants--;
	free(t->name);
	free(t);
}

struct tenant *spill_tenant(struct spill *s, const char *name)
{
	struct tenant *t = get(s, name);

	if (t)
		t->n++;
	return t;
}

void spill_less(struct spill *s, struct tenant *t)
{
	t->n--;
	forget(s, t);
}

/* ---- what is outside ---- */

static struct spilled **slot(struct spilled **table, size_t cap, const unsigned char key[SAY_KEY])
{
	uint64_t h;

	memcpy(&h, key, sizeof(h));
	return &table[h & (cap - 1)];
}

static int grow(struct spill *s)
{
	size_t cap = s->cap ? 2 * s->cap : 256;
	struct spilled **v;

	if (s->n < s->cap)
		return 0;
	v = calloc(cap, sizeof(struct spilled *));
	if (!v)
		return -1;
	for (size_t i = 0; i < s->cap; i++)
		for (struct spilled *e = s->table[i], *next; e; e = next) {
			struct spilled **at = slot(v, cap, e->key);

			next = e->chain;
			e->chain = *at;
			*at = e;
		}
	free(s->table);
	s->table = v;
	s->cap = cap;
	return 0;
}

static void join(struct spill *s, struct tenant *t)
{
	if (!s->turn) {
		t->prev = t->next = s->turn = t;
		return;
	}
	/* The last of this round. */
	t->next = s->turn;
	t->prev = s->turn->prev;
	t->prev->next = t->next->prev = t;
}

static void part(struct spill *s, struct tenant *t)
{
	if (s->turn == t)
		s->turn = t->next == t ? NULL : t->next;
	t->prev->next = t->next;
	t->next->prev = t->prev;
}

bool spill_must(const struct spill *s, const char *tenant, bool full)
{
	const struct tenant *t = find(s, tenant);

	return t && (t->first || t->coming || t->n >= (full ? SPILL_LEAST : SPILL_SHARE));
}

int spill_coming(struct spill *s, const char *tenant)
{
	struct tenant *t = get(s, tenant);

	if (t)
		t->coming++;
	return t ? 0 : -1;
}

int spill_add(struct spill *s, const char *tenant, const unsigned char key[SAY_KEY], int64_t seq)
{
	struct spilled *e = grow(s) ? NULL : malloc(sizeof(*e)), **at;
	struct tenant *t = find(s, tenant);

	t->coming--;
	if (!e) {
		forget(s, t);
		return -1;
	}
	*e = (struct spilled){.seq = seq};
	memcpy(e->key, key, SAY_KEY);
	at = slot(s->table, s->cap, key);
	e->chain = *at;
	*at = e;
	if (!t->first)
		join(s, t);
	*t->last = e;
	t->last = &e->next;
	s->n++;
	return 0;
}

bool spill_has(const struct spill *s, const unsigned char key[SAY_KEY])
{
	const struct spilled *e = s->n ? *slot(s->table, s->cap, key) : NULL;

	while (e && memcmp(e->key, key, SAY_KEY) != 0)
		e = e->chain;
	return e != NULL;
}

int64_t spill_next(struct spill *s, bool full, const char **tenant)
{
	struct tenant *t = s->turn;

	for (; t && t->n >= (full ? SPILL_LEAST : SPILL_SHARE); t = t->next)
		if (t->next == s->turn)
			return 0;
	if (!t)
		return 0;
	s->turn = t->next;
	*tenant = t->name;
	return t->first->seq;
}

void spill_gone(struct spill *s, const char *tenant)
{
	struct tenant *t = find(s, tenant);
	struct spilled *e = t->first, **at = slot(s->table, s->cap, e->key);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	t->first = e->next;
	if (!t->first) {
		t->last = &t->first;
		part(s, t);
	}
	s->n--;
	free(e);
	forget(s, t);
}

void spill_release(struct spill *s)
{
	for (size_t i = 0; i < s->captenants; i++)
		for (struct tenant *t = s->tenants[i], *next; t; t = next) {
			next = t->chain;
			for (struct spilled *e = t->first, *after; e; e = after) {
				after = e->next;
				free(e);
			}
			free(t->name);
			free(t);
		}
	free(s->tenants);
	free(s->table);
	*s = (struct spill){0};
}
