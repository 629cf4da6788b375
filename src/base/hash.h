/*
 * hash: CRC-32C (Castagnoli, RFC 3720 appendix B.4: reflected, init and xor ~0; "123456789" gives e3069283),
 * SipHash-2-4 with 128-bit output (for ids of strangers: keyed, so that nobody can aim at a collision), and
 * random bytes. Pure but for hash_random.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint32_t hash_crc32c(uint32_t crc, const void *p, size_t n);	/* start with 0; may be continued */
uint32_t hash_crc32c_portable(uint32_t crc, const void *p, size_t n);	/* the same without the CPU's instruction */

struct hash128 { uint64_t a, b; };
struct sip { uint64_t v[4]; uint64_t len; unsigned char tail[8]; };
void sip_init(struct sip *s, const uint64_t key[2]);
void sip_add(struct sip *s, const void *p, size_t n);
struct hash128 sip_end(struct sip *s);
struct hash128 sip_hash(const uint64_t key[2], const void *p, size_t n);	/* init, add, end; for short texts half the time */

uint64_t hash_random(void);	/* getrandom(2); dies if the kernel has none */

#endif
