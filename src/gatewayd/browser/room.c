#include "gatewayd/browser/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

int rooms_init(struct rooms *r, size_t max_rooms, size_t max_lines, size_t max_ring, size_t max_bytes,
	const uint64_t key[2])
{
	size_t cap = 64;

	while (cap < max_rooms && cap < 65536)
		cap *= 2;
	*r = (struct rooms){.cap = cap, .max = max_rooms, .max_lines = max_lines, .max_ring = max_ring,
		.max_bytes = max_bytes, .key = {key[0], key[1]}};
	r->v = calloc(cap, sizeof(*r->v));
	return r->v ? 0 : -1;
}

/* ---- the list by last use ---- */

static void unlink_use(struct rooms *r, struct room *room)
{
	if (room->older)
		room->older->newer = room->newer;
	else
		r->oldest = room->newer;
	if (room->newer)
		room->newer->older = room->older;
	else
		r->newest = room->older;
}

static void link_newest(struct rooms *r, struct room *room)
{
	room->newer = NULL;
	room->older = r->newest;
	if (r->newest)
		r->newest->newer = room;
	else
		r->oldest = room;
	r->newest = room;
}

static void used(struct rooms *r, struct room *room)
{
	if (r->newest == room)
		return;
	unlink_use(r, room);
	link_newest(r, room);
}

/* ---- the table ---- */

static struct room **chain(const struct rooms *r, const char *name)
{
	struct sip s;

	sip_init(&s, r->key);
	sip_add(&s, name, strlen(name));
	return &r->v[sip_end(&s).a & (r->cap - 1)];
}

static void evict(struct rooms *r, struct room *room)
{
	struct room_line *l = room->ring[room->head];

	room->evicted = l->seq;
	room->head = (room->head + 1) & (room->cap - 1);
	room->count--;
	room->bytes -= l->len;
	r->bytes -= l->len;
	free(l);
}

static void give_up(struct rooms *r, struct room *room)
{
	struct room **at = chain(r, room->name);

	while (*at != room)
		at = &(*at)->next;
	*at = room->next;
	unlink_use(r, room);
	r->count--;
	while (room->count)
		evict(r, room);
	free(room->ring);
	free(room);
}

void rooms_release(struct rooms *r)
{
	while (r->oldest)
		give_up(r, r->oldest);
	free(r->v);
	*r = (struct rooms){0};
}

/* Gives up the room that nobody is in and that was not used for longest, but not `keep`. */
static bool give_up_one(struct rooms *r, const struct room *keep)
{
	for (struct room *room = r->oldest; room; room = room->newer)
		if (!room->members && room != keep) {
			give_up(r, room);
			return true;
		}
	return false;
}

struct room *rooms_find(struct rooms *r, const char *name)
{
	for (struct room *room = *chain(r, name); room; room = room->next)
		if (strcmp(room->name, name) == 0)
			return room;
	return NULL;
}

struct room *rooms_get(struct rooms *r, const char *name)
{
	struct room *room = rooms_find(r, name), **at;
	size_t n = strlen(name);

	if (room) {
		used(r, room);
		return room;
	}
	if (n > ROOM_NAME_MAX || (r->count >= r->max && !give_up_one(r, NULL)))
		return NULL;
	room = calloc(1, sizeof(*room));
	if (!room)
		return NULL;
	memcpy(room->name, name, n + 1);
	at = chain(r, name);
	room->next = *at;
	*at = room;
	link_newest(r, room);
	r->count++;
	return room;
}

/* ---- a ring ---- */

static int grow(struct room *room)
{
	size_t cap = room->cap ? room->cap * 2 : 8;
	struct room_line **ring = calloc(cap, sizeof(*ring));

	if (!ring)
		return -1;
	for (size_t i = 0; i < room->count; i++)
		ring[i] = room->ring[(room->head + i) & (room->cap - 1)];
	free(room->ring);
	room->ring = ring;
	room->cap = cap;
	room->head = 0;
	return 0;
}

int room_push(struct rooms *r, struct room *room, uint64_t seq, const char *frame, size_t n)
{
	struct room_line *l;

	if (seq <= room->newest)
		return 0;
	used(r, room);
	room->newest = seq;
	l = malloc(sizeof(*l) + ROOM_PAD + n);
	if (!l || (room->count == room->cap && grow(room))) {
		free(l);
		while (room->count)
			evict(r, room);
		room->evicted = seq;
		return -1;
	}
	l->seq = seq;
	l->len = n;
	memset(l->bytes, 0, ROOM_PAD);
	memcpy(l->bytes + ROOM_PAD, frame, n);
	room->ring[(room->head + room->count++) & (room->cap - 1)] = l;
	room->bytes += n;
	r->bytes += n;
	while (room->count > r->max_lines || (room->bytes > r->max_ring && room->count > 1))
		evict(r, room);
	while (r->bytes > r->max_bytes && give_up_one(r, room))
		;
	return 1;
}

static struct room_line *at(const struct room *room, size_t i)
{
	return room->ring[(room->head + i) & (room->cap - 1)];
}

/* Index of the first line behind pos; count when there is none. */
static size_t search(const struct room *room, uint64_t pos)
{
	size_t lo = 0, hi = room->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (at(room, mid)->seq > pos)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct room_line *room_after(const struct room *room, uint64_t pos)
{
	size_t i = search(room, pos);

	return i < room->count ? at(room, i) : NULL;
}

size_t room_behind(const struct room *room, uint64_t pos)
{
	return room->count - search(room, pos);
}

uint64_t room_gap(const struct room *room)
{
	if (room->evicted)
		return room->evicted;
	return room->count ? at(room, 0)->seq : 0;
}
