#include "base/hash.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

static uint64_t le64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return le64toh(v);
}

/* ---- CRC-32C ---- */

#define CRC32C_POLY 0x82f63b78u	/* reflected */

/* table[k][b]: the effect of byte b when k more bytes follow it ("slicing by 8"). */
static uint32_t table[8][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void make_table(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t crc = b;

		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32C_POLY : 0);
		table[0][b] = crc;
	}
	for (uint32_t b = 0; b < 256; b++)
		for (int k = 1; k < 8; k++)
			table[k][b] = table[k - 1][b] >> 8 ^ table[0][table[k - 1][b] & 255];
}

static uint32_t crc_table(uint32_t crc, const unsigned char *p, size_t n)
{
	pthread_once(&table_once, make_table);
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t v = le64(p) ^ crc;

		crc = 0;
		for (int k = 0; k < 8; k++)
			crc ^= table[7 - k][v >> (8 * k) & 255];
	}
	for (; n; p++, n--)
		crc = crc >> 8 ^ table[0][(crc ^ *p) & 255];
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t crc_sse42(uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t c = crc;

	for (; n >= 8; p += 8, n -= 8)
		c = __builtin_ia32_crc32di(c, le64(p));
	crc = (uint32_t)c;
	for (; n; p++, n--)
		crc = __builtin_ia32_crc32qi(crc, *p);
	return crc;
}
#endif

uint32_t hash_crc32c(uint32_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc_sse42(~crc, p, n);
#endif
	return hash_crc32c_portable(crc, p, n);
}

uint32_t hash_crc32c_portable(uint32_t crc, const void *p, size_t n)
{
	return ~crc_table(~crc, p, n);
}

/* ---- SipHash-2-4, 128 bits out (Aumasson and Bernstein, "SipHash: a fast short-input PRF") ---- */

static uint64_t rotl(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1]; v[1] = rotl(v[1], 13) ^ v[0]; v[0] = rotl(v[0], 32);
		v[2] += v[3]; v[3] = rotl(v[3], 16) ^ v[2];
		v[0] += v[3]; v[3] = rotl(v[3], 21) ^ v[0];
		v[2] += v[1]; v[1] = rotl(v[1], 17) ^ v[2]; v[2] = rotl(v[2], 32);
	}
}

static void word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	rounds(v, 2);
	v[0] ^= m;
}

void sip_init(struct sip *s, const uint64_t key[2])
{
	s->v[0] = key[0] ^ 0x736f6d6570736575u;
	s->v[1] = key[1] ^ 0x646f72616e646f6du ^ 0xee;
	s->v[2] = key[0] ^ 0x6c7967656e657261u;
	s->v[3] = key[1] ^ 0x7465646279746573u;
	s->len = 0;
	memset(s->tail, 0, sizeof(s->tail));
}

void sip_add(struct sip *s, const void *data, size_t n)
{
	const unsigned char *p = data;
	size_t have = s->len & 7;

	if (n == 0)
		return;
	s->len += n;
	if (have) {
		size_t k = n < 8 - have ? n : 8 - have;

		memcpy(s->tail + have, p, k);
		p += k;
		n -= k;
		if (have + k < 8)
			return;
		word(s->v, le64(s->tail));
	}
	for (; n >= 8; p += 8, n -= 8)
		word(s->v, le64(p));
	memcpy(s->tail, p, n);
}

struct hash128 sip_end(struct sip *s)
{
	struct hash128 h;
	size_t have = s->len & 7;

	memset(s->tail + have, 0, 8 - have);
	word(s->v, le64(s->tail) | s->len << 56);
	s->v[2] ^= 0xee;
	rounds(s->v, 4);
	h.a = s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
	s->v[1] ^= 0xdd;
	rounds(s->v, 4);
	h.b = s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
	return h;
}

uint64_t hash_random(void)
{
	uint64_t v;
	ssize_t n;

	do
		n = getrandom(&v, sizeof(v), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(v))
		die(1, "the kernel gives no random bytes: %m");
	return v;
}
