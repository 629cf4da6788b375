/* room: rings, gaps, rooms given up. peers: counts against a plain table. bucket: rates. */
#include "check.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "gatewayd/browser/bucket.h"
#include "gatewayd/browser/room.h"
#include "gatewayd/http/peers.h"

static const uint64_t key[2] = {1, 2};

static int push(struct rooms *r, struct room *room, uint64_t seq)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "line %llu", (unsigned long long)seq);

	return room_push(r, room, seq, text, (size_t)n);
}

static void ring(void)
{
	struct rooms r;
	struct room *room;
	struct room_line *l;
	uint64_t pos = 0;
	unsigned seen = 0;

	CHECK(rooms_init(&r, 10, 100, 1 << 20, 1 << 20, key) == 0, "rooms");
	room = rooms_get(&r, "lobby");
	CHECK(room && rooms_get(&r, "lobby") == room && rooms_find(&r, "lobby") == room && !rooms_find(&r, "other"), "found again");
	CHECK(room_gap(room) == 0 && !room_after(room, 0) && room_behind(room, 0) == 0, "empty");
	CHECK(push(&r, room, 10) == 1 && room_gap(room) == 10, "the gap ends at the first line");
	CHECK(push(&r, room, 10) == 0 && push(&r, room, 9) == 0 && room->count == 1, "repeats");
	for (uint64_t s = 12; s < 12 + 2 * 99; s += 2)
		push(&r, room, s);
	CHECK(room->count == 100 && room_gap(room) == 10 && room->evicted == 0, "full");
	CHECK(push(&r, room, 1000) == 1 && room->count == 100 && room_gap(room) == 10 && room->evicted == 10, "the oldest went");
	CHECK(push(&r, room, 1001) == 1 && room_gap(room) == 12, "and the next");
	l = room_after(room, 13);
	CHECK(l && l->seq == 14 && l->len == 7 && memcmp(l->bytes + ROOM_PAD, "line 14", 7) == 0, "after a number between two");
	CHECK(room_after(room, 14)->seq == 16 && !room_after(room, 1001) && room_behind(room, 1000) == 1, "after a number of a line");
	while ((l = room_after(room, pos))) {
		seen += l->seq > pos;
		pos = l->seq;
	}
	CHECK(seen == 100 && pos == 1001, "a walk sees each line once, in order");
	rooms_release(&r);
}

static void bytes(void)
{
	static char big[3000];
	struct rooms r;
	struct room *a, *b, *c;

	rooms_init(&r, 3, 100, 2000, 5000, key);
	a = rooms_get(&r, "a");
	for (uint64_t s = 1; s <= 5; s++)
		room_push(&r, a, s, big, 900);
	CHECK(a->count == 2 && a->bytes == 1800 && a->evicted == 3, "a ring has a ceiling in bytes");
	room_push(&r, a, 6, big, 3000);
	CHECK(a->count == 1 && a->bytes == 3000 && room_gap(a) == 5, "one line may be larger");
	b = rooms_get(&r, "b");
	b->members = &r;
	room_push(&r, b, 7, big, 1900);
	CHECK(r.bytes == 4900 && r.count == 2, "two rooms");
	c = rooms_get(&r, "c");
	room_push(&r, c, 8, big, 1000);
	CHECK(r.bytes == 2900 && r.count == 2 && !rooms_find(&r, "a"), "over the ceiling of all the longest unused room goes");
	CHECK(rooms_find(&r, "b") == b, "but not one with members");
	rooms_get(&r, "d");
	CHECK(rooms_get(&r, "e") && r.count == 3 && !rooms_find(&r, "c"), "as many rooms as allowed");
	rooms_find(&r, "d")->members = &r;
	rooms_find(&r, "e")->members = &r;
	CHECK(!rooms_get(&r, "f"), "none can go");
	rooms_release(&r);
	CHECK(r.bytes == 0, "all given back");
}

static struct peer_addr addr(unsigned n)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000 + n)};

	return peers_addr((struct sockaddr *)&in);
}

static void peers(void)
{
	enum { ADDRS = 40 };
	unsigned count[ADDRS] = {0}, total = 0, random = 12345;
	bool same = true;
	struct peers p;
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct peer_addr a, b;

	CHECK(peers_init(&p, 64, 3, key) == 0, "peers");
	for (unsigned i = 0; i < 200000 && same; i++) {
		unsigned n = (random = random * 1103515245 + 12345) >> 16 & 0x7fff;
		struct peer_addr x = addr(n % ADDRS);

		if (n & 0x4000) {
			const char *why = peers_enter(&p, &x);

			same = !why == (total < 64 && count[n % ADDRS] < 3);
			if (!why)
				count[n % ADDRS]++, total++;
		} else if (count[n % ADDRS]) {
			peers_leave(&p, &x);
			count[n % ADDRS]--, total--;
		}
		same = same && p.total == total;
	}
	CHECK(same, "two hundred thousand comings and goings");
	for (unsigned i = 0; i < ADDRS; i++) {
		struct peer_addr x = addr(i);

		for (; count[i]; count[i]--)
			peers_leave(&p, &x);
	}
	CHECK(p.total == 0, "all gone");
	a = addr(1);
	peers_leave(&p, &a);
	CHECK(p.total == 0, "who never came cannot go");
	peers_release(&p);
	six.sin6_addr.s6_addr[0] = 0x20;
	six.sin6_addr.s6_addr[15] = 1;
	a = peers_addr((struct sockaddr *)&six);
	six.sin6_addr.s6_addr[15] = 2;
	b = peers_addr((struct sockaddr *)&six);
	CHECK(memcmp(&a, &b, sizeof(a)) == 0, "one household");
	six.sin6_addr.s6_addr[7] = 2;
	b = peers_addr((struct sockaddr *)&six);
	CHECK(memcmp(&a, &b, sizeof(a)) != 0, "two households");
}

static void buckets(void)
{
	struct bucket b;
	int64_t now = 5 * CLOCK_S, wait;
	int got = 0;

	bucket_init(&b, 10, 3);
	while (bucket_take(&b, now) == 0)
		got++;
	CHECK(got == 3, "a burst");
	wait = bucket_take(&b, now);
	CHECK(wait == CLOCK_S / 10 && bucket_take(&b, now + wait - 1) > 0 && bucket_take(&b, now + wait) == 0, "one more in time");
	for (got = 0, now += 100 * CLOCK_S; bucket_take(&b, now) == 0;)
		got++;
	CHECK(got == 3, "a long rest gives no more than a burst");
	bucket_init(&b, 0, 1);
	for (got = 0; got < 1000 && bucket_take(&b, now) == 0;)
		got++;
	CHECK(got == 1000, "no limit");
}

int main(void)
{
	ring();
	bytes();
	peers();
	buckets();
	return check_done();
}
