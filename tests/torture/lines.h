/*
 * lines: the events of a torture run, a function of seed, source and number alone, so that what was sent is known afterwards.
 *
 * Event i of source s has the id s<s>-<i>. The lines of a source with the same tenant and partition key are in the order of their numbers.
 */
#ifndef TORTURE_LINES_H
#define TORTURE_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SOURCES_MAX 16u
#define TENANTS 5u
#define KEYS 40u		/* of a source, in each tenant */
#define LINE_ROOM (256u << 10)

enum line_kind { LINE_EVENT, LINE_CHAT, LINE_STAGE };	/* none, analyze's, stage's */

/* splitmix64's last step */
static inline uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline uint64_t line_hash(uint64_t seed, unsigned s, uint64_t i)
{
	return mix(mix(seed * 31 + s) ^ i);
}

static inline unsigned line_tenant(uint64_t h) { return (unsigned)(h % TENANTS); }
static inline unsigned line_key(uint64_t h) { return (unsigned)(h >> 8) % KEYS; }
static inline enum line_kind line_kind(uint64_t h)
{
	unsigned k = (unsigned)(h >> 20) % 16;

	return k == 0 ? LINE_CHAT : k <= 2 ? LINE_STAGE : LINE_EVENT;
}
/* The worker refuses it for good: it is to be among the dead letters; sometimes it refuses it with retry. */
static inline bool line_doomed(uint64_t h) { return (h >> 32) % 5000 == 0; }
static inline bool line_reluctant(uint64_t h) { return (h >> 32) % 4000 == 1; }

static inline size_t line_write(uint64_t seed, unsigned s, uint64_t i, char out[LINE_ROOM])
{
	static const char *const type[] = { "torture.event", "chat.message", "torture.stage" };
	uint64_t h = line_hash(seed, s, i), w = h;
	size_t words = (h >> 24) % 4096 == 0 ? 2000 + h % 15000 : 2 + (h >> 24) % 12, n;

	n = (size_t)sprintf(out, "{\"specversion\":\"1.0\",\"id\":\"s%u-%llu\",\"source\":\"/torture/%u\",\"type\":\"%s\",\"tenant\":\"t%u\","
		"\"partitionkey\":\"k%u-%u\",\"data\":{\"channel\":{\"id\":\"c\"},\"user\":{\"id\":\"u%u\"},\"text\":\"", s, (unsigned long long)i, s,
		type[line_kind(h)], line_tenant(h), s, line_key(h), (unsigned)(h >> 40) % 1000);
	while (words--) {
		w = mix(w);
		n += (size_t)sprintf(out + n, "w%u ", (unsigned)(w % 5000));
	}
	memcpy(out + n, "\"}}\n", 4);
	return n + 4;
}

/* The source and number of an id `s<s>-<i>` at p; returns what stands behind it, NULL if it is none. */
static inline const char *line_id(const char *p, const char *end, unsigned *s, uint64_t *i)
{
	uint64_t v[2] = { 0, 0 };

	if (p == end || *p++ != 's')
		return NULL;
	for (int k = 0; k < 2; k++) {
		const char *from = p;
		while (p < end && *p >= '0' && *p <= '9' && p - from < 12)
			v[k] = v[k] * 10 + (uint64_t)(*p++ - '0');
		if (p == from || (k == 0 && (p == end || *p++ != '-')))
			return NULL;
	}
	*s = (unsigned)v[0];
	*i = v[1];
	return v[0] < SOURCES_MAX ? p : NULL;
}

/* Something is not as it must be; the checker counts the lines of this file. */
static inline void complain(const char *file, const char *text)
{
	FILE *f = fopen(file, "a");

	if (f) {
		fprintf(f, "%s\n", text);
		fclose(f);
	}
}

#endif
