#include "line/names.h"

#include "base/hash.h"
#include "line/decode.h"

uint64_t names_mark_escaped(struct span raw)
{
	struct decode d;
	char piece[64], head[8] = { 0 }, last[8] = { 0 };	/* last: a ring */
	uint64_t first = 0, tail = 0;
	size_t n = 0;
	int got;

	if (!decode_init(&d, raw))
		return 0;
	while ((got = decode_next(&d, piece, sizeof piece)) > 0)
		for (int i = 0; i < got; i++, n++) {
			if (n < 8)
				head[n] = piece[i];
			last[n % 8] = piece[i];
		}
	if (n < 8)
		return names_mark(head, n, sizeof head);
	memcpy(&first, head, 8);
	for (size_t i = 0; i < 8; i++)
		((char *)&tail)[i] = last[(n + i) % 8];
	return names_mark_of(first, tail, n);
}

bool names_same(struct span a, struct span b)
{
	struct decode da, db;
	char pa[64], pb[64];
	int na, nb;

	if (!memchr(a.p, '\\', a.n) && !memchr(b.p, '\\', b.n))
		return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
	if (!decode_init(&da, a) || !decode_init(&db, b))
		return false;
	/* Pieces may end at different places: compare byte by byte. */
	na = nb = 0;
	for (int ia = 0, ib = 0;; ia++, ib++) {
		if (ia == na) {
			na = decode_next(&da, pa, sizeof pa);
			ia = 0;
		}
		if (ib == nb) {
			nb = decode_next(&db, pb, sizeof pb);
			ib = 0;
		}
		if (na <= 0 || nb <= 0)
			return na == 0 && nb == 0;
		if (pa[ia] != pb[ib])
			return false;
	}
}

static uint64_t keyed_hash(const struct names *s, struct span raw)
{
	struct decode d;
	struct sip sip;
	char piece[256];
	int got;

	sip_init(&sip, s->key);
	if (decode_init(&d, raw))
		while ((got = decode_next(&d, piece, sizeof piece)) > 0)
			sip_add(&sip, piece, (size_t)got);
	return sip_end(&sip).a;
}

static uint32_t first_slot(uint64_t hash, const struct names_object *o)
{
	/* The same name in an object around this one lands elsewhere. */
	return (uint32_t)((hash + o->base * 0x9e3779b97f4a7c15u) >> 32) % NAMES_SLOTS;
}

/* The slot of a name: the one that holds it (repeated), or the free one where it belongs. */
static uint32_t find_slot(const struct names *s, const struct names_object *o, struct span raw, uint64_t hash)
{
	uint32_t at = first_slot(hash, o);

	for (;; at = (at + 1) % NAMES_SLOTS) {
		uint32_t i = s->slot[at];

		if (i == 0)
			return at;
		i--;
		if (i >= o->base && s->mark[i] == hash &&
		    names_same(raw, (struct span){ s->line + s->at[i], s->size[i] }))
			return at;
	}
}

static void index_object(struct names *s, struct names_object *o)
{
	if (!s->slots_clean) {
		memset(s->slot, 0, sizeof s->slot);
		s->key[0] = hash_random();
		s->key[1] = hash_random();
		s->slots_clean = true;
	}
	for (uint32_t i = o->base; i < s->used; i++) {
		struct span raw = { s->line + s->at[i], s->size[i] };

		s->mark[i] = keyed_hash(s, raw);
		s->slot[find_slot(s, o, raw, s->mark[i])] = (uint16_t)(i + 1);
	}
	o->indexed = true;
}

/* Outer objects stand still while an inner one is open, so the last name in is the first out and no
 * search can have gone past a slot that is freed here. */
void names_unindex(struct names *s, const struct names_object *o)
{
	for (uint32_t i = s->used; i-- > o->base;) {
		uint32_t at = first_slot(s->mark[i], o);

		while (s->slot[at] != i + 1)
			at = (at + 1) % NAMES_SLOTS;
		s->slot[at] = 0;
	}
}

enum names_result names_add_indexed(struct names *s, struct names_object *o, struct span raw)
{
	uint64_t hash;
	uint32_t at;

	if (!o->indexed)
		index_object(s, o);
	hash = keyed_hash(s, raw);
	at = find_slot(s, o, raw, hash);
	if (s->slot[at])
		return NAMES_REPEATED;
	if (s->used >= LINE_MAX_NAMES)
		return NAMES_FULL;
	s->mark[s->used] = hash;
	s->at[s->used] = (uint32_t)(raw.p - s->line);
	s->size[s->used] = (uint32_t)raw.n;
	s->slot[at] = (uint16_t)(++s->used);
	return NAMES_NEW;
}
