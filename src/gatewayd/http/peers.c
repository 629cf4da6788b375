#include "gatewayd/http/peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/hash.h"

struct peer { struct peer_addr addr; uint32_t count; };	/* count 0: free place */

int peers_init(struct peers *p, size_t max, size_t max_each, const uint64_t key[2])
{
	size_t cap = 16;

	while (cap < max * 2)
		cap *= 2;
	*p = (struct peers){.cap = cap, .max = max, .max_each = max_each, .key = {key[0], key[1]}};
	p->v = calloc(cap, sizeof(*p->v));
	return p->v ? 0 : -1;
}

void peers_release(struct peers *p)
{
	free(p->v);
	*p = (struct peers){0};
}

struct peer_addr peers_addr(const struct sockaddr *sa)
{
	struct peer_addr a = {{0}};

	if (sa->sa_family == AF_INET) {
		memcpy(a.b, "\0\0\0\0\0\0\0\0\0\0\377\377", 12);
		memcpy(a.b + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;

		memcpy(a.b, in6, IN6_IS_ADDR_V4MAPPED(in6) ? 16 : 8);
	}
	return a;
}

static size_t home(const struct peers *p, const struct peer_addr *a)
{
	struct sip s;

	sip_init(&s, p->key);
	sip_add(&s, a->b, sizeof(a->b));
	return (size_t)sip_end(&s).a & (p->cap - 1);
}

/* The place of a, or the free place where it would stand. */
static struct peer *place(const struct peers *p, const struct peer_addr *a)
{
	size_t i = home(p, a);

	while (p->v[i].count && memcmp(&p->v[i].addr, a, sizeof(*a)) != 0)
		i = (i + 1) & (p->cap - 1);
	return &p->v[i];
}

const char *peers_enter(struct peers *p, const struct peer_addr *a)
{
	struct peer *e = place(p, a);

	if (p->total >= p->max)
		return "too many connections";
	if (e->count >= p->max_each)
		return "too many connections from this address";
	e->addr = *a;
	e->count++;
	p->total++;
	return NULL;
}

void peers_leave(struct peers *p, const struct peer_addr *a)
{
	struct peer *e = place(p, a);
	size_t hole, i;

	if (e->count == 0)
		return;
	p->total--;
	if (--e->count)
		return;
	/* Linear probing: whoever stands behind the new hole and could stand in it moves there. */
	hole = i = (size_t)(e - p->v);
	for (;;) {
		size_t h;

		i = (i + 1) & (p->cap - 1);
		if (p->v[i].count == 0)
			return;
		h = home(p, &p->v[i].addr);
		if (((i - h) & (p->cap - 1)) >= ((i - hole) & (p->cap - 1))) {
			p->v[hole] = p->v[i];
			p->v[i].count = 0;
			hole = i;
		}
	}
}
