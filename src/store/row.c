#include "store/row.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"

#define SOURCE_BITS 24

static int64_t time_of(struct span raw)
{
	char text[64];
	int n = scan_cstr(raw, text, sizeof(text));
	int64_t ns;

	if (n < 0 || clock_parse(text, (size_t)n, &ns))
		return ROW_NO_TIME;
	/* Rounded down, before 1970 too. */
	return ns / CLOCK_MS - (ns % CLOCK_MS < 0);
}

int row_from(struct row *r, const char *p, size_t n, struct line_err *err)
{
	struct envelope e;

	if (envelope_check(p, n, LINE_MAX_BYTES, &e, err))
		return -1;
	r->line = (struct span){ p, n };
	envelope_tenant(&e, r->tenant);
	r->id = e.a[LA_ID];
	r->source = e.a[LA_SOURCE];
	r->type = e.a[LA_TYPE];
	r->key = e.a[LA_PARTITIONKEY];
	r->time = e.a[LA_TIME].p ? time_of(e.a[LA_TIME]) : ROW_NO_TIME;
	r->user = (struct span){ 0 };
	if (e.a[LA_DATA].p && e.a[LA_DATA].p[0] == '{')
		r->user = scan_path(e.a[LA_DATA], "user.id");
	if (r->user.p && r->user.p[0] != '"')
		r->user = (struct span){ 0 };
	return 0;
}

static uint64_t hash_of(const char *p, size_t n, const char *what, const uint64_t salt[2])
{
	struct sip s;

	sip_init(&s, salt);
	sip_add(&s, what, 1);
	sip_add(&s, p, n);
	return sip_end(&s).a;
}

static uint64_t join(uint64_t id, uint64_t source)
{
	const uint64_t low = (UINT64_C(1) << SOURCE_BITS) - 1;

	return (id & ~low) | (source & low);
}

int row_seen(const struct row *r, const uint64_t salt[2], struct buf *scratch, int64_t *hash)
{
	uint64_t id, source;

	buf_clear(scratch);
	if (scan_string(r->id, scratch))
		return -1;
	id = hash_of(scratch->p, scratch->len, "i", salt);
	buf_clear(scratch);
	if (scan_string(r->source, scratch))
		return -1;
	source = hash_of(scratch->p, scratch->len, "s", salt);
	*hash = (int64_t)join(id, source);
	return 0;
}

void row_id_range(const char *id, size_t n, const uint64_t salt[2], int64_t *from, int64_t *to)
{
	uint64_t h = hash_of(id, n, "i", salt);

	*from = (int64_t)join(h, 0);
	*to = (int64_t)join(h, UINT64_MAX);
}

int64_t row_person(const char *uid, size_t n, const uint64_t salt[2])
{
	int64_t id = (int64_t)(hash_of(uid, n, "u", salt) >> 1);

	return id ? id : 1;
}

/* Raw texts that are equal are the same text; others may be written differently ("\u0061" is "a"). */
static bool same_text(struct span a, struct span b, struct buf *scratch)
{
	size_t half;

	if (a.n == b.n && memcmp(a.p, b.p, a.n) == 0)
		return true;
	buf_clear(scratch);
	if (scan_string(a, scratch))
		return false;
	half = scratch->len;
	if (scan_string(b, scratch))
		return false;
	return scratch->len == 2 * half && memcmp(scratch->p, scratch->p + half, half) == 0;
}

bool row_same(const struct row *r, const char *p, size_t n, struct buf *scratch)
{
	struct envelope e;

	return scan_lazy(p, n, &e) == 0 && e.a[LA_ID].p && e.a[LA_SOURCE].p && same_text(r->id, e.a[LA_ID], scratch) &&
	       same_text(r->source, e.a[LA_SOURCE], scratch);
}
