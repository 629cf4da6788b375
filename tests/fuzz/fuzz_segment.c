/* fuzz_segment: any bytes as a segment: whole and in pieces the same groups come out, within bounds, counted right. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "route/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The end of the last good group; *sum tells the groups apart. step 0: all bytes at once. */
static size_t walk(const char *p, size_t n, uint64_t seq, size_t step, uint32_t *sum)
{
	struct segment_scan s = { 0, 0 };
	size_t at = 0, have = step ? 0 : n, len = 0;
	const char *why = "";
	struct commit c;

	*sum = 0;
	for (;;) {
		switch (segment_next(p + at, have - at, seq, &s, &c, &len, &why)) {
		case SEGMENT_GROUP:
			if (len > have - at || c.bytes >= len || c.seq != seq)
				abort();
			*sum = hash_crc32c(*sum, &c.crc, sizeof(c.crc));
			at += len;
			seq += c.n;
			memset(&s, 0, sizeof(s));
			break;
		case SEGMENT_BAD:
			if (!why[0])
				abort();
			return at;
		case SEGMENT_MORE:
			if (have == n)
				return at;
			have = have + step < n ? have + step : n;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	const char *lf = memchr(p, '\n', size);
	struct commit c;
	uint32_t whole, pieces;
	uint64_t seq = 1, first;
	char name[SEGMENT_NAME_MAX];

	if (lf && commit_parse(p, (size_t)(lf - p), &c) == 0)
		seq = c.seq;
	if (walk(p, size, seq, 0, &whole) != walk(p, size, seq, 7, &pieces) || whole != pieces)
		abort();
	if (size < sizeof(name)) {
		memcpy(name, p, size);
		name[size] = '\0';
		segment_name_parse(name, &first);
	}
	return 0;
}
