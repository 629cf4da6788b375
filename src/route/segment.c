#include "route/segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

static const char HEAD[] = "{\"_commit\":{\"seq\":";
static const char BEGIN[] = "{\"_commit\":";
static const char SUFFIX[] = ".ndjson";
#define NAME_DIGITS 20
#define CRC_TEXT (sizeof(",\"crc\":\"12345678\"}}") - 1)

size_t commit_write(char out[SEGMENT_COMMIT_MAX], const struct commit *c)
{
	int n = snprintf(out, SEGMENT_COMMIT_MAX, "%s%" PRIu64 ",\"n\":%" PRIu32 ",\"bytes\":%" PRIu64 ",\"gen\":%" PRIu64,
		HEAD, c->seq, c->n, c->bytes, c->gen);

	if (c->head)
		n += snprintf(out + n, SEGMENT_COMMIT_MAX - (size_t)n, ",\"prev\":%" PRIu64 ",\"lines\":%" PRIu64, c->prev, c->lines);
	n += snprintf(out + n, SEGMENT_COMMIT_MAX - (size_t)n, ",\"crc\":\"%08" PRIx32 "\"}}\n", hash_crc32c(c->crc, out, (size_t)n));
	return (size_t)n;
}

bool segment_is_commit(const char *p, size_t n)
{
	return n >= sizeof(BEGIN) - 1 && memcmp(p, BEGIN, sizeof(BEGIN) - 1) == 0;
}

/* The parsers below move *p over what they accept and return false, *p anywhere, when it is not there. */
static bool text(const char **p, const char *end, const char *want)
{
	size_t n = strlen(want);

	if ((size_t)(end - *p) < n || memcmp(*p, want, n) != 0)
		return false;
	*p += n;
	return true;
}

static bool number(const char **p, const char *end, uint64_t *out)
{
	const char *start = *p;
	uint64_t v = 0;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		unsigned d = (unsigned)(**p - '0');
		if (v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return *p > start && (*start != '0' || *p == start + 1);
}

static bool hex8(const char **p, const char *end, uint32_t *out)
{
	uint32_t v = 0;

	if (end - *p < 8)
		return false;
	for (int i = 0; i < 8; i++, (*p)++) {
		char c = **p;
		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

int commit_parse(const char *p, size_t n, struct commit *c)
{
	const char *end = p + n;
	uint64_t count;

	if (!text(&p, end, HEAD) || !number(&p, end, &c->seq) ||
	    !text(&p, end, ",\"n\":") || !number(&p, end, &count) || count > UINT32_MAX ||
	    !text(&p, end, ",\"bytes\":") || !number(&p, end, &c->bytes) ||
	    !text(&p, end, ",\"gen\":") || !number(&p, end, &c->gen))
		return -1;
	c->prev = c->lines = 0;
	c->head = text(&p, end, ",\"prev\":");
	if (c->head && (!number(&p, end, &c->prev) || !text(&p, end, ",\"lines\":") || !number(&p, end, &c->lines)))
		return -1;
	if (!text(&p, end, ",\"crc\":\"") || !hex8(&p, end, &c->crc) || !text(&p, end, "\"}}") || p != end)
		return -1;
	c->n = (uint32_t)count;
	return 0;
}

void segment_name(char out[SEGMENT_NAME_MAX], uint64_t first)
{
	snprintf(out, SEGMENT_NAME_MAX, "%0*" PRIu64 "%s", NAME_DIGITS, first, SUFFIX);
}

int segment_name_parse(const char *name, uint64_t *first)
{
	uint64_t v = 0;

	for (int i = 0; i < NAME_DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		unsigned d = (unsigned)(name[i] - '0');
		if (v > (UINT64_MAX - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	if (strcmp(name + NAME_DIGITS, SUFFIX) != 0)
		return -1;
	*first = v;
	return 0;
}

static enum segment_result bad(const char **why, const char *text)
{
	*why = text;
	return SEGMENT_BAD;
}

enum segment_result segment_next(const char *p, size_t n, uint64_t seq, struct segment_scan *s, struct commit *c,
	size_t *len, const char **why)
{
	for (;;) {
		const char *line = p + s->at;
		const char *lf = s->at < n ? memchr(line, '\n', n - s->at) : NULL;

		if (s->at > SEGMENT_GROUP_MAX)
			return bad(why, "no commit line within the largest group");
		if (!lf)
			return n - s->at > SEGMENT_GROUP_MAX ? bad(why, "a line longer than any group") : SEGMENT_MORE;
		size_t bytes = s->at;
		s->at += (size_t)(lf - line) + 1;
		if (!segment_is_commit(line, (size_t)(lf - line))) {
			s->lines++;
			continue;
		}
		if (commit_parse(line, (size_t)(lf - line), c) < 0)
			return bad(why, "a malformed commit line");
		if (c->seq != seq && seq != SEGMENT_ANY)
			return bad(why, "a commit line with another sequence number than expected");
		if (c->n != s->lines || c->bytes != bytes)
			return bad(why, "a commit line that counts other lines or bytes than there are");
		if (hash_crc32c(hash_crc32c(0, p, bytes), line, (size_t)(lf - line) - CRC_TEXT) != c->crc)
			return bad(why, "a wrong checksum");
		*len = s->at;
		return SEGMENT_GROUP;
	}
}
