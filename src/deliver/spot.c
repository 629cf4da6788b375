#include "deliver/spot.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/hash.h"

static size_t place(const struct spots *s, const char *name)
{
	return sip_hash(s->key, name, strlen(name)).a % SPOTS_TABLE;
}

struct spot *spots_find(const struct spots *s, const char *name)
{
	struct spot *p = s->n ? s->v[place(s, name)] : NULL;

	while (p && strcmp(p->name, name) != 0)
		p = p->chain;
	return p;
}

struct spot *spots_get(struct spots *s, const char *name)
{
	struct spot *p = spots_find(s, name), **at;

	if (p || s->n == SPOTS_MAX || strlen(name) >= sizeof(p->name) || !(p = calloc(1, sizeof(*p))))
		return p;
	strcpy(p->name, name);
	at = &s->v[place(s, name)];
	p->chain = *at;
	*at = p;
	s->n++;
	return p;
}

static void drop(struct spots *s, struct spot **at)
{
	struct spot *p = *at;

	*at = p->chain;
	free(p);
	s->n--;
}

void spots_sweep(struct spots *s, int64_t now)
{
	for (size_t i = 0; i < SPOTS_TABLE; i++)
		for (struct spot **at = &s->v[i]; *at; ) {
			const struct spot *p = *at;

			if (now - p->at >= SPOT_KEEP || (!p->streak && now - p->since >= SPOT_TIME))
				drop(s, at);
			else
				at = &(*at)->chain;
		}
}

void spots_release(struct spots *s)
{
	for (size_t i = 0; i < SPOTS_TABLE; i++)
		while (s->v[i])
			drop(s, &s->v[i]);
}

void spots_soon(struct spots *s)
{
	for (size_t i = 0; s->n && i < SPOTS_TABLE; i++)
		for (struct spot *p = s->v[i]; p; p = p->chain)
			p->until = 0;
}

static bool too_many(const struct spot *s, int64_t now)
{
	return s->n >= SPOT_MOST && now < s->since + SPOT_TIME;
}

int64_t spot_shut(const struct spot *s, int64_t now)
{
	int64_t until = s->streak >= SPOT_STREAK && now < s->until ? s->until : 0;

	return too_many(s, now) && s->since + SPOT_TIME > until ? s->since + SPOT_TIME : until;
}

unsigned spots_refuse(const struct spots *s, int64_t now)
{
	unsigned n = 0;

	for (size_t i = 0; s->n && i < SPOTS_TABLE; i++)
		for (const struct spot *p = s->v[i]; p; p = p->chain)
			n += p->streak >= SPOT_STREAK || too_many(p, now);
	return n;
}

bool spot_streak(struct spot *s, int64_t now, uint64_t random)
{
	struct backoff pause = {.base = SPOT_PAUSE, .max = SPOT_PAUSE_MAX, .tries = s->tries};
	int64_t wait;

	s->at = now;
	if (++s->streak < SPOT_STREAK)
		return false;
	wait = backoff_full(&pause, random);
	s->until = now + (wait < SPOT_PAUSE_LEAST ? SPOT_PAUSE_LEAST : wait);
	if (s->tries < SPOT_TRIES)
		s->tries++;
	return s->streak == SPOT_STREAK;
}

bool spot_count(struct spot *s, int64_t now)
{
	s->at = now;
	if (s->n == 0 || now - s->since >= SPOT_TIME) {
		s->since = now;
		s->n = 0;
	}
	return ++s->n == SPOT_MOST;
}

bool spot_tried(struct spot *s, int64_t now)
{
	if (s->streak < SPOT_STREAK)
		return false;
	s->until = now + SPOT_TRY;
	return true;
}

int spot_opened(struct spot *s)
{
	int before = s->streak >= SPOT_STREAK ? 2 : s->streak > 0;

	s->streak = s->tries = 0;
	s->until = 0;
	return before;
}
