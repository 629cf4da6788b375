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
/*
 * The instruction takes three cycles and another can begin in each of them: three parts of a long text are done at once, and put together:
 * the CRC of a part, with as many zeros behind it as the other parts have bytes, XOR theirs. shift[k][b] is the effect of byte k of a CRC
 * on that of PART zeros behind it.
 */
#define PART 1024u
static uint32_t shift[4][256];
static pthread_once_t shift_once = PTHREAD_ONCE_INIT;

static void make_shift(void)
{
	static const unsigned char zeros[PART];

	/* Of one bit by doing it; of several it is the XOR of theirs. */
	for (uint32_t k = 0; k < 4; k++)
		for (uint32_t b = 1; b < 256; b++)
			shift[k][b] = b & (b - 1) ? shift[k][b & (b - 1)] ^ shift[k][b & -b] : crc_table(b << (8 * k), zeros, PART);
}

static uint32_t behind_part(uint32_t crc)
{
	return shift[0][crc & 255] ^ shift[1][crc >> 8 & 255] ^ shift[2][crc >> 16 & 255] ^ shift[3][crc >> 24];
}

__attribute__((target("sse4.2")))
static uint32_t crc_sse42(uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t c = crc;

	if (n >= 3 * PART)
		pthread_once(&shift_once, make_shift);
	for (; n >= 3 * PART; p += 3 * PART, n -= 3 * PART) {
		uint64_t d = 0, e = 0;

		for (size_t i = 0; i < PART; i += 8) {
			c = __builtin_ia32_crc32di(c, le64(p + i));
			d = __builtin_ia32_crc32di(d, le64(p + PART + i));
			e = __builtin_ia32_crc32di(e, le64(p + 2 * PART + i));
		}
		c = behind_part(behind_part((uint32_t)c) ^ (uint32_t)d) ^ e;
	}
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

static inline uint64_t rotl(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static inline void round1(uint64_t v[4])
{
	v[0] += v[1]; v[1] = rotl(v[1], 13) ^ v[0]; v[0] = rotl(v[0], 32);
	v[2] += v[3]; v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3]; v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1]; v[1] = rotl(v[1], 17) ^ v[2]; v[2] = rotl(v[2], 32);
}

static inline void rounds(uint64_t v[4], int n)
{
	while (n-- > 0)
		round1(v);
}

static inline void word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	round1(v);
	round1(v);
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

/* The last n bytes, less than 8, as a number. */
static uint64_t rest(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

struct hash128 sip_hash(const uint64_t key[2], const void *data, size_t n)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du ^ 0xee, key[0] ^ 0x6c7967656e657261u,
		key[1] ^ 0x7465646279746573u };
	const unsigned char *p = data;
	struct hash128 h;
	size_t left = n;

	for (; left >= 8; p += 8, left -= 8)
		word(v, le64(p));
	word(v, (n >= 8 && left ? le64(p + left - 8) >> (64 - 8 * left) : rest(p, left)) | (uint64_t)n << 56);
	v[2] ^= 0xee;
	rounds(v, 4);
	h.a = v[0] ^ v[1] ^ v[2] ^ v[3];
	v[1] ^= 0xdd;
	rounds(v, 4);
	h.b = v[0] ^ v[1] ^ v[2] ^ v[3];
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
