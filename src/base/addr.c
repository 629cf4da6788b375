#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

struct block4 { uint32_t net; unsigned bits; };
struct block6 { unsigned char net[16]; unsigned bits; };

static const struct block4 not_public4[] = {
	{0x00000000, 8}, {0x0a000000, 8}, {0x64400000, 10}, {0x7f000000, 8}, {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24},
	{0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 4},
	{0xf0000000, 4},
};

/* Inside 2000::/3: protocol assignments with Teredo and ORCHID, documentation twice. */
static const struct block6 not_public6[] = {
	{{0x20, 0x01, 0x00}, 23}, {{0x20, 0x01, 0x0d, 0xb8}, 32}, {{0x3f, 0xff, 0x00}, 20},
};

/* Prefixes behind which an IPv4 address stands, and at which byte. */
static const struct { struct block6 block; unsigned at; } carries4[] = {
	{{{[10] = 0xff, [11] = 0xff}, 96}, 12},			/* ::ffff:0:0/96, mapped */
	{{{0x20, 0x02}, 16}, 2},				/* 2002::/16, 6to4 */
	{{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},			/* 64:ff9b::/96, NAT64 */
};

static bool public4(uint32_t ip)
{
	for (size_t i = 0; i < sizeof(not_public4) / sizeof(*not_public4); i++)
		if ((ip ^ not_public4[i].net) >> (32 - not_public4[i].bits) == 0)
			return false;
	return true;
}

static bool inside6(const unsigned char *ip, const struct block6 *b)
{
	unsigned whole = b->bits / 8, rest = b->bits % 8;

	return memcmp(ip, b->net, whole) == 0 && (!rest || (ip[whole] ^ b->net[whole]) >> (8 - rest) == 0);
}

static bool public6(const unsigned char *ip)
{
	for (size_t i = 0; i < sizeof(carries4) / sizeof(*carries4); i++) {
		const unsigned char *v4 = ip + carries4[i].at;

		if (inside6(ip, &carries4[i].block))
			return public4((uint32_t)v4[0] << 24 | (uint32_t)v4[1] << 16 | (uint32_t)v4[2] << 8 | v4[3]);
	}
	if (ip[0] >> 5 != 1)
		return false;
	for (size_t i = 0; i < sizeof(not_public6) / sizeof(*not_public6); i++)
		if (inside6(ip, &not_public6[i]))
			return false;
	return true;
}

bool addr_public(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, a, sizeof(in));
		return public4(ntohl(in.sin_addr.s_addr));
	}
	if (a->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, a, sizeof(in6));
		return public6(in6.sin6_addr.s6_addr);
	}
	return false;
}

bool addr_public_text(const char *ip)
{
	struct in_addr in;
	struct in6_addr in6;

	if (inet_pton(AF_INET, ip, &in) == 1)
		return public4(ntohl(in.s_addr));
	return inet_pton(AF_INET6, ip, &in6) == 1 && public6(in6.s6_addr);
}
