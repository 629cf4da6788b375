/* cursor_slot: the text of a slot (cursor.h). */
#include "route/cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/num.h"
#include "line/scan.h"

#define RANGE_TEXT 44u		/* "[20 digits,20 digits]," and one to spare */
#define FIXED_TEXT 480u		/* all the rest of a slot, at most */
#define ROW_TEXT 64u		/* "[20 digits,"16 digits","16 digits"]," and some to spare */

/* Is a range worth writing? Without it the lines are read again; with rows that is much: all that was passed over. */
static bool worth(const struct cursor *c, const struct cursor_range *r)
{
	return r->acked || c->behind.n;
}

size_t cursor_slot_size(const struct cursor *c)
{
	size_t need = FIXED_TEXT, size = CURSOR_SLOT;

	need += (size_t)c->behind.n * ROW_TEXT + (c->low < c->solid ? RANGE_TEXT : 0);
	for (size_t i = 0; i < c->n; i++)
		need += worth(c, &c->r[c->at + i]) ? RANGE_TEXT : 0;
	while (size < need && size < CURSOR_SLOT_MAX)
		size *= 2;
	return size;
}

static size_t add_u64(char *p, size_t n, uint64_t v)
{
	return n + num_put_u64(p + n, v);
}

static size_t add_text(char *p, size_t n, const char *text)
{
	size_t len = strlen(text);

	memcpy(p + n, text, len);
	return n + len;
}

static size_t add_hex(char *p, size_t n, uint64_t v)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		p[n++] = "0123456789abcdef"[v >> shift & 15];
	return n;
}

/* The numbers of a slot differ in their last digits: the others are kept from one to the next. */
#define LAST UINT64_C(100000000)
struct first_digits { uint64_t v; char text[20]; size_t n; };

static size_t add_near(char *p, size_t n, uint64_t v, struct first_digits *f)
{
	uint32_t last = (uint32_t)(v % LAST);

	v /= LAST;
	if (v == 0)
		return add_u64(p, n, last);
	if (v != f->v) {
		f->v = v;
		f->n = add_u64(f->text, 0, v);
	}
	memcpy(p + n, f->text, sizeof(f->text));
	n += f->n;
	for (size_t i = 8; i-- > 0; last /= 10)
		p[n + i] = (char)('0' + last % 10);
	return n + 8;
}

/* p has room for RANGE_TEXT bytes and some more. */
static size_t add_range(char *p, size_t n, const char *comma, uint64_t a, uint64_t b, struct first_digits *f)
{
	if (*comma)
		p[n++] = *comma;
	p[n++] = '[';
	n = add_near(p, n, a, f);
	p[n++] = ',';
	n = add_near(p, n, b, f);
	p[n++] = ']';
	return n;
}

static size_t add_rows(char *p, size_t n, const struct behind *b)
{
	n = add_text(p, n, ",\"behind\":[");
	for (size_t i = 0; i < b->n; i++) {
		n = add_text(p, n, i ? ",[" : "[");
		n = add_u64(p, n, b->v[i].from);
		n = add_text(p, n, ",\"");
		n = add_hex(p, n, b->v[i].tenant);
		if (b->v[i].lane) {
			n = add_text(p, n, "\",\"");
			n = add_hex(p, n, b->v[i].lane);
		}
		n = add_text(p, n, "\"]");
	}
	return add_text(p, n, "]");
}

void cursor_write(const struct cursor *c, char *slot, size_t size)
{
	size_t n = 0;
	const char *comma = "";
	struct first_digits first = { .v = 0 };

	/* Rows and ranges say something only together: without room for all rows all above low is delivered again. */
	size_t rows = (size_t)c->behind.n * ROW_TEXT;
	bool fits = size > FIXED_TEXT + 2 * RANGE_TEXT + rows;
	size_t end = fits ? size - FIXED_TEXT - RANGE_TEXT - rows : 0;

	n = add_text(slot, n, "{\"turn\":");
	n = add_u64(slot, n, c->turn);
	n = add_text(slot, n, ",\"low\":");
	n = add_u64(slot, n, c->low);
	n = add_text(slot, n, ",\"done\":[");
	if (fits && c->low < c->solid) {
		n = add_range(slot, n, comma, c->low, c->solid - 1, &first);
		comma = ",";
	}
	bool cut = !fits && c->low < c->solid;
	for (size_t i = 0; i < c->n; i++) {
		const struct cursor_range *r = &c->r[c->at + i];
		if (!worth(c, r))
			continue;
		if (n >= end) {
			cut = true;
			break;
		}
		n = add_range(slot, n, comma, r->a, r->b, &first);
		comma = ",";
	}
	n = add_text(slot, n, "]");
	if (fits && c->behind.n)
		n = add_rows(slot, n, &c->behind);
	n += (size_t)snprintf(slot + n, size - n, ",\"from\":%" PRIu64 ",\"seen\":%" PRIu64 ",\"pending\":%" PRIu64
		",\"delivered\":%" PRIu64 ",\"dead\":%" PRIu64 ",\"filtered\":%" PRIu64 ",\"shed\":%" PRIu64 ",\"again\":%" PRIu64
		",\"base\":%" PRIu64, c->from, c->seen, c->pending, c->delivered, c->dead, c->filtered, c->shed, c->again, c->base);
	if (cut || c->cut)
		n = add_text(slot, n, ",\"cut\":true");
	if (c->gone)
		n = add_text(slot, n, ",\"gone\":true");
	if (c->mirror)
		n = add_text(slot, n, ",\"mirror\":true");
	n += (size_t)snprintf(slot + n, size - n, ",\"crc\":\"%08" PRIx32 "\"}", hash_crc32c(0, slot, n));
	memset(slot + n, ' ', size - n);
	slot[size - 1] = '\n';
}

static int u64(struct span raw, uint64_t *out)
{
	uint64_t v = 0;

	if (!raw.p || raw.n == 0 || raw.n > 20)
		return -1;
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] < '0' || raw.p[i] > '9')
			return -1;
		unsigned d = (unsigned)(raw.p[i] - '0');
		if (v > (UINT64_MAX - d) / 10)
			return -1;
		v = v * 10 + d;
	}
	*out = v;
	return 0;
}

struct pair { uint64_t v[2]; size_t n; };

static int one_number(void *arg, struct span name, struct span value)
{
	struct pair *p = arg;

	(void)name;
	if (p->n == 2)
		return -1;
	return u64(value, &p->v[p->n++]);
}

static int one_range(void *arg, struct span name, struct span value)
{
	struct pair p = { .n = 0 };

	(void)name;
	if (value.n == 0 || value.p[0] != '[' || scan_each(value, one_number, &p) != 0 || p.n != 2 || p.v[0] > p.v[1] ||
	    p.v[1] == UINT64_MAX)
		return -1;
	cursor_done(arg, p.v[0], p.v[1], true);
	return 0;
}

static int hex64(struct span raw, uint64_t *out)
{
	uint64_t v = 0;

	if (raw.n != 18 || raw.p[0] != '"')
		return -1;
	for (size_t i = 1; i < 17; i++) {
		const char *digits = "0123456789abcdef", *d = memchr(digits, raw.p[i], 16);
		if (!d)
			return -1;
		v = v << 4 | (uint64_t)(d - digits);
	}
	*out = v;
	return 0;
}

struct row { uint64_t from, tenant, lane; size_t n; };

static int one_part(void *arg, struct span name, struct span value)
{
	struct row *r = arg;

	(void)name;
	switch (r->n++) {
	case 0: return u64(value, &r->from);
	case 1: return hex64(value, &r->tenant);
	case 2: return hex64(value, &r->lane);
	default: return -1;
	}
}

static int one_row(void *arg, struct span name, struct span value)
{
	struct cursor *c = arg;
	struct row r = { .n = 0 };

	(void)name;
	if (value.n == 0 || value.p[0] != '[' || scan_each(value, one_part, &r) != 0 || r.n < 2 || r.from < c->low ||
	    behind_find(&c->behind, r.tenant, r.lane) || !behind_add(&c->behind, r.tenant, r.lane, r.from))
		return -1;
	return 0;
}

/* Above the highest range nothing is passed over: rows that begin there are no use, or begin there at the latest. */
static void clamp_rows(struct cursor *c)
{
	uint64_t top = cursor_top(c);

	for (size_t i = 0; i < c->behind.n; i++)
		if (c->behind.v[i].from > top)
			behind_move(&c->behind, &c->behind.v[i], top);
	cursor_update(c);
}

int cursor_read(struct cursor *c, const char *slot, size_t size)
{
	static const char MARK[] = ",\"crc\":\"";
	const char *end = memchr(slot, '\n', size);
	struct line_err err;
	struct cursor got;
	char crc[9];

	while (end && end > slot && end[-1] == ' ')
		end--;
	if (!end || (size_t)(end - slot) < sizeof(MARK) + 10)
		return -1;
	struct span object = { slot, (size_t)(end - slot) };
	const char *mark = end - (sizeof(MARK) - 1) - 10;
	if (memcmp(mark, MARK, sizeof(MARK) - 1) != 0)
		return -1;
	snprintf(crc, sizeof(crc), "%08" PRIx32, hash_crc32c(0, slot, (size_t)(mark - slot)));
	if (memcmp(crc, end - 10, 8) != 0 || scan_value(object.p, object.n, &err) < 0 || object.p[0] != '{')
		return -1;

	cursor_init(&got, 0);
	struct span done = scan_member(object, "done");
	if (u64(scan_member(object, "turn"), &got.turn) < 0 || u64(scan_member(object, "low"), &got.low) < 0 ||
	    !done.p || done.p[0] != '[') {
		cursor_release(&got);
		return -1;
	}
	struct span rows = scan_member(object, "behind");
	got.solid = got.low;
	if ((rows.p && (rows.p[0] != '[' || scan_each(rows, one_row, &got) != 0)) || scan_each(done, one_range, &got) != 0) {
		cursor_release(&got);
		return -1;
	}
	clamp_rows(&got);
	/* The books may be missing (an older file): they start anew. */
	if (u64(scan_member(object, "from"), &got.from) < 0 || u64(scan_member(object, "seen"), &got.seen) < 0 ||
	    u64(scan_member(object, "pending"), &got.pending) < 0 ||
	    u64(scan_member(object, "delivered"), &got.delivered) < 0 || u64(scan_member(object, "dead"), &got.dead) < 0) {
		got.from = got.seen = got.low;
		got.pending = got.delivered = got.dead = 0;
	}
	if (u64(scan_member(object, "filtered"), &got.filtered) < 0 || u64(scan_member(object, "shed"), &got.shed) < 0 ||
	    u64(scan_member(object, "again"), &got.again) < 0 || u64(scan_member(object, "base"), &got.base) < 0) {
		got.filtered = got.shed = got.again = 0;
		got.base = CURSOR_NO_BASE;
	}
	got.cut = scan_member(object, "cut").p != NULL;
	got.gone = scan_member(object, "gone").p != NULL;
	got.mirror = scan_member(object, "mirror").p != NULL;
	cursor_release(c);
	*c = got;
	return 0;
}
