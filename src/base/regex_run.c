/* regex_run: a program on a text. A state is the set of steps that wait for a byte or for the end. */
#include "base/regex_impl.h"

#include <stdlib.h>
#include <string.h>

#define SETS_MAX 32768u		/* places in all sets of the cache */

static bool bit(const uint64_t *set, unsigned i)
{
	return set[i / 64] >> i % 64 & 1;
}

/* Adds step i and all that follows it without a byte to re->seen. true: a match. */
static bool follow(struct regex *re, unsigned i, bool at_begin, bool at_end)
{
	unsigned depth = 0;

	re->stack[depth++] = (uint16_t)i;
	while (depth) {
		i = re->stack[--depth];
		if (bit(re->seen, i))
			continue;
		const struct step *s = &re->steps[i];
		re->seen[i / 64] |= UINT64_C(1) << i % 64;
		switch (s->kind) {
		case STEP_MATCH:
			return true;
		case STEP_SPLIT:
			/* Each split is taken once and makes the stack deeper by one: it never holds more than there are steps. */
			re->stack[depth++] = s->y;
			re->stack[depth++] = s->x;
			break;
		case STEP_BEGIN:
			if (at_begin)
				re->stack[depth++] = s->x;
			break;
		case STEP_END:
			if (at_end)
				re->stack[depth++] = s->x;
			break;
		default:
			break;
		}
	}
	return false;
}

static unsigned words(const struct regex *re)
{
	return (re->n + 63) / 64;
}

/* The steps of re->seen that wait for something, into re->set. */
static unsigned collect(struct regex *re)
{
	unsigned n = 0;

	for (unsigned w = 0; w < words(re); w++) {
		for (uint64_t left = re->seen[w]; left; left &= left - 1) {
			unsigned i = w * 64 + (unsigned)__builtin_ctzll(left);
			if (re->steps[i].kind == STEP_BYTE || re->steps[i].kind == STEP_END)
				re->set[n++] = (uint16_t)i;
		}
	}
	return n;
}

/* Does a text match that ends in the state of re->set? */
static bool ends_well(struct regex *re, unsigned n)
{
	memset(re->seen, 0, words(re) * sizeof(*re->seen));
	for (unsigned k = 0; k < n; k++)
		if (re->steps[re->set[k]].kind == STEP_END && follow(re, re->set[k], false, true))
			return true;
	return false;
}

static void forget(struct regex *re)
{
	memset(re->table, 0, re->table_size * sizeof(*re->table));
	re->nstates = re->nsets = 0;
	re->begin = 0;
}

/* The number of the state of re->set, made if it is new. *flushed: all older numbers are void. */
static uint16_t state_of(struct regex *re, unsigned n, bool *flushed)
{
	uint32_t hash = 2166136261u;
	unsigned at;

	if (n == 0)
		return STATE_DEAD;
	for (unsigned k = 0; k < n; k++)
		hash = (hash ^ re->set[k]) * 16777619u;
	hash ^= hash >> 15;
	for (at = hash % re->table_size; re->table[at]; at = (at + 1) % re->table_size) {
		const struct regex_state *s = &re->states[re->table[at] - 1];
		if (s->n == n && memcmp(&re->sets[s->at], re->set, n * sizeof(*re->set)) == 0)
			return (uint16_t)(STATE_FIRST + re->table[at] - 1);
	}
	if (re->nstates == re->max_states || re->nsets + n > re->max_sets) {
		forget(re);
		*flushed = true;
		at = hash % re->table_size;
	}
	unsigned id = re->nstates++;
	struct regex_state *s = &re->states[id];
	*s = (struct regex_state){ .at = re->nsets, .n = (uint16_t)n };
	memcpy(&re->sets[s->at], re->set, n * sizeof(*re->set));
	re->nsets += n;
	memset(&re->next[id * re->classes], 0, re->classes * sizeof(*re->next));
	re->table[at] = (uint16_t)(id + 1);
	s->at_end = ends_well(re, n);
	return (uint16_t)(STATE_FIRST + id);
}

/* The state behind state `from` and a byte of the class. */
static uint16_t advance(struct regex *re, uint16_t from, unsigned class)
{
	const struct regex_state *s = &re->states[from - STATE_FIRST];
	unsigned byte = re->member[class];
	uint16_t to = STATE_NONE;
	bool flushed = false;

	memcpy(re->seen, re->again, words(re) * sizeof(*re->seen));
	for (unsigned k = 0; k < s->n && to == STATE_NONE; k++) {
		const struct step *t = &re->steps[re->sets[s->at + k]];
		if (t->kind == STEP_BYTE && byte >= t->lo && byte <= t->hi && follow(re, t->x, false, false))
			to = STATE_MATCH;
	}
	if (to == STATE_NONE)
		to = state_of(re, collect(re), &flushed);
	if (!flushed)
		re->next[(from - STATE_FIRST) * re->classes + class] = to;
	return to;
}

static uint16_t begin_state(struct regex *re)
{
	bool flushed;

	if (re->begin)
		return re->begin;
	memset(re->seen, 0, words(re) * sizeof(*re->seen));
	uint16_t first = follow(re, re->start, true, false) ? STATE_MATCH : state_of(re, collect(re), &flushed);
	/* After state_of, which may have flushed. */
	return re->begin = first;
}

bool regex_match(struct regex *re, const char *p, size_t n)
{
	uint16_t at;

	/* There begin and end are one place. */
	if (n == 0)
		return re->empty;
	at = begin_state(re);
	for (const char *end = p + n; p < end && at >= STATE_FIRST; p++) {
		unsigned class = re->class[(unsigned char)*p];
		uint16_t to = re->next[(at - STATE_FIRST) * re->classes + class];
		at = to ? to : advance(re, at, class);
	}
	return at == STATE_MATCH || (at >= STATE_FIRST && re->states[at - STATE_FIRST].at_end);
}

static void find_classes(struct regex *re)
{
	bool cut[257] = { false };

	for (unsigned i = 0; i < re->n; i++) {
		if (re->steps[i].kind == STEP_BYTE) {
			cut[re->steps[i].lo] = true;
			cut[re->steps[i].hi + 1] = true;
		}
	}
	for (unsigned b = 0; b < 256; b++) {
		if (b && cut[b])
			re->classes++;
		re->class[b] = (uint8_t)re->classes;
		re->member[re->classes] = (uint8_t)b;
	}
	re->classes++;
}

int regex_run_init(struct regex *re)
{
	find_classes(re);
	re->max_states = REGEX_CACHE / 2 / (unsigned)(re->classes * sizeof(*re->next));
	if (re->max_states > 4096)
		re->max_states = 4096;
	re->max_sets = SETS_MAX;
	re->table_size = re->max_states * 2;
	re->next = malloc(re->max_states * re->classes * sizeof(*re->next));
	re->states = malloc(re->max_states * sizeof(*re->states));
	re->table = calloc(re->table_size, sizeof(*re->table));
	re->sets = malloc(re->max_sets * sizeof(*re->sets));
	if (!re->next || !re->states || !re->table || !re->sets)
		return -1;
	/* A match that needs no byte is found by begin_state. */
	re->empty = follow(re, re->start, true, true);
	memset(re->seen, 0, sizeof(re->seen));
	(void)follow(re, re->start, false, false);
	memcpy(re->again, re->seen, sizeof(re->again));
	return 0;
}

void regex_run_release(struct regex *re)
{
	free(re->next);
	free(re->states);
	free(re->table);
	free(re->sets);
}
