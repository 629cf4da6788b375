#include "line/envelope.h"

#include <string.h>

#include "base/utf8.h"
#include "line/decode.h"
#include "line/found.h"
#include "line/scan_impl.h"
#include "line/why.h"

#define TIME_MAX 64	/* bytes of a time; more than nanoseconds are fine, this many digits are none */

static int refuse(struct line_err *err, size_t at, const char *why)
{
	err->at = at;
	err->why = why;
	return -1;
}

/* ---- RFC 3339, the form only ---- */

static int digits(const char *p, int n)
{
	int v = 0;

	while (n-- > 0) {
		if (*p < '0' || *p > '9')
			return -1;
		v = v * 10 + (*p++ - '0');
	}
	return v;
}

static bool date_ok(const char *p)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int y = digits(p, 4), m = digits(p + 5, 2), d = digits(p + 8, 2);
	bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

	return y >= 0 && p[4] == '-' && m >= 1 && m <= 12 && p[7] == '-' && d >= 1 &&
		d <= days[m - 1] + (leap && m == 2);
}

static bool clock_ok(const char *p)	/* hh:mm */
{
	int h = digits(p, 2), m = digits(p + 3, 2);

	return h >= 0 && h <= 23 && p[2] == ':' && m >= 0 && m <= 59;
}

static bool rfc3339(const char *p, size_t n)
{
	size_t at = 19;
	int s;

	if (n < 20 || !date_ok(p) || (p[10] | 0x20) != 't' || !clock_ok(p + 11) || p[16] != ':')
		return false;
	s = digits(p + 17, 2);
	if (s < 0 || s > 60)
		return false;
	if (p[at] == '.') {
		size_t from = ++at;

		while (at < n && p[at] >= '0' && p[at] <= '9')
			at++;
		if (at == from || at == n)
			return false;
	}
	if ((p[at] | 0x20) == 'z')
		return at + 1 == n;
	return (p[at] == '+' || p[at] == '-') && n - at == 6 && clock_ok(p + at + 1);
}

bool envelope_time_ok(struct span v)
{
	struct span text = decode_plain(v);
	char plain[TIME_MAX];
	int n;

	if (text.p)
		return text.n < TIME_MAX && rfc3339(text.p, text.n);
	n = scan_cstr(v, plain, sizeof plain);
	return n >= 0 && rfc3339(plain, (size_t)n);
}

/* ---- other forms ---- */

/* A character that no attribute may hold: control characters and noncharacters (surrogates the scanner refused). */
static bool bad_point(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) || (cp >= 0xfdd0 && cp <= 0xfdef) || (cp & 0xfffe) == 0xfffe;
}

static bool bad_text(const char *p, const char *end)
{
	while (p < end) {
		unsigned n = utf8_len(p, end);

		if (n == 0 || bad_point(utf8_point(p, n)))
			return true;
		p += n;
	}
	return false;
}

/* Escapes are decoded a piece at a time; a piece may end inside a character, whose bytes then wait for the next. */
static bool bad_escaped_text(struct span v)
{
	struct decode d;
	char piece[256];
	size_t have = 0;
	int got;

	if (!decode_init(&d, v))
		return true;
	while ((got = decode_next(&d, piece + have, sizeof piece - have)) > 0) {
		size_t whole;

		have += (size_t)got;
		whole = have;
		while (whole > 0 && have - whole < 4 && ((unsigned char)piece[whole - 1] & 0xc0) == 0x80)
			whole--;
		if (whole > 0 && (unsigned char)piece[whole - 1] >= 0xc0)
			whole--;
		if (utf8_len(piece + whole, piece + have))
			whole = have;
		if (bad_text(piece, piece + whole))
			return true;
		memmove(piece, piece + whole, have - whole);
		have -= whole;
	}
	return got < 0 || have > 0;
}

static bool bad_string(struct span v)
{
	const char *p = v.p + 1, *end = v.p + v.n - 1;

#ifdef SCAN_X86
	for (; end - p >= 16; p += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)p);

		if (_mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(c, _mm_set1_epi8(' ')),
				_mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8(0x7f)),
				_mm_cmpeq_epi8(c, _mm_set1_epi8('\\'))))))
			break;
	}
#endif
	while (p < end && *p != '\\' && (unsigned char)(*p - 0x20) < 0x5f)
		p++;
	if (p == end)
		return false;
	return memchr(p, '\\', (size_t)(end - p)) ? bad_escaped_text(v) : bad_text(p, end);
}

/* A JSON number that is an integer of 32 bits, written without fraction and exponent. */
static bool integer32(struct span v)
{
	bool minus = v.p[0] == '-';
	int64_t n = 0;

	for (size_t i = minus; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		n = n * 10 + (v.p[i] - '0');
		if (n > INT64_C(2147483648))
			return false;
	}
	return minus || n <= INT32_MAX;
}

bool envelope_tenant_ok(const char *t, size_t n)
{
	if (n < 1 || n > TENANT_MAX || t[0] == '.' || t[0] == '_' || t[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((t[i] >= 'a' && t[i] <= 'z') || (t[i] >= '0' && t[i] <= '9') || t[i] == '.' || t[i] == '_' ||
				t[i] == '-'))
			return false;
	return true;
}

static bool tenant_ok(struct span v)
{
	char t[TENANT_MAX + 1];
	int n = scan_cstr(v, t, sizeof t);

	return n > 0 && envelope_tenant_ok(t, (size_t)n);
}

static bool base64_char(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* RFC 4648 section 4 with padding; "\/" is the one escape that encoders really write. */
static bool base64_ok(struct span v)
{
	struct decode d;
	char piece[256];
	size_t n = 0, pad = 0;
	int got;

	if (!decode_init(&d, v))
		return false;
	while ((got = decode_next(&d, piece, sizeof piece)) > 0)
		for (int i = 0; i < got; i++, n++) {
			if (piece[i] == '=')
				pad++;
			else if (pad || !base64_char((unsigned char)piece[i]))
				return false;
		}
	return got == 0 && n % 4 == 0 && pad <= 2;
}

/* ---- the members ---- */

/* Outside of odd the line has nothing that an attribute may not hold, and no escapes. */
struct check { const char *line; const char *odd, *odd_end; };

static bool name_ok(struct span raw)
{
	char piece[64];
	struct decode d;
	int got;

	if (raw.n <= 2 || !decode_init(&d, raw))
		return false;
	while ((got = decode_next(&d, piece, sizeof piece)) > 0)
		for (int i = 0; i < got; i++)
			if (!((piece[i] >= 'a' && piece[i] <= 'z') || (piece[i] >= '0' && piece[i] <= '9')))
				return false;
	return got == 0;
}

/* Is the value of a kind that an attribute may have? */
static const char *attribute(const struct check *c, struct span v)
{
	switch (v.p[0]) {
	case '"':
		return v.p < c->odd_end && v.p + v.n > c->odd && bad_string(v) ? WHY_ATTR_CHAR : NULL;
	case '{': case '[':
		return WHY_ATTR_VALUE;
	case 't': case 'f': case 'n':
		return NULL;
	default:
		return integer32(v) ? NULL : WHY_ATTR_VALUE;
	}
}

/* The form of an attribute of the table, once it is known to be an attribute's value; null never gets here. */
static const char *known_form(enum line_attr known, struct span v)
{
	switch (known) {
	case LA_TRACEPARENT: case LA_TRACESTATE:
		return NULL;	/* whoever reads them ignores what is malformed (W3C) */
	default:
		break;
	}
	if (v.p[0] != '"')
		return WHY_ATTR_STRING;
	if (v.n == 2)
		return WHY_ATTR_EMPTY;
	switch (known) {
	case LA_SPECVERSION:
		return scan_is(v, "1.0") ? NULL : WHY_SPECVERSION;
	case LA_TIME: case LA_NOTBEFORE:
		return envelope_time_ok(v) ? NULL : WHY_TIMESTAMP;
	case LA_TENANT:
		return tenant_ok(v) ? NULL : WHY_TENANT;
	default:
		return NULL;
	}
}

static int member(void *arg, enum line_attr known, struct span name, struct span v, struct line_err *err)
{
	const struct check *c = arg;
	const char *why;

	if (known == LA_DATA)
		return 0;
	if (known == LA_DATA_BASE64)
		return base64_ok(v) ? 0 : refuse(err, (size_t)(v.p - c->line), WHY_BASE64);
	if (known == LA_COUNT && !name_ok(name))
		return refuse(err, (size_t)(name.p - c->line), WHY_ATTR_NAME);
	why = attribute(c, v);
	if (!why && known != LA_COUNT && v.p[0] != 'n')
		why = known_form(known, v);
	return why ? refuse(err, (size_t)(v.p - c->line), why) : 0;
}

/* ---- the usual members, with fewer looks ---- */

/* YYYY-MM-DDThh:mm:ssZ, perhaps with a fraction, of a day that each such month has. */
static inline bool usual_time(const char *p, size_t n)
{
#ifdef SCAN_X86
	unsigned char v[16];
	size_t at = 20;

	if (n < 20 || n >= TIME_MAX)
		return false;
	__m128i zero = _mm_setr_epi8('0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0', '0', ':', '0', '0');
	__m128i most = _mm_setr_epi8(9, 9, 9, 9, 0, 1, 9, 0, 3, 9, 0, 2, 9, 0, 5, 9);
	__m128i d = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), zero);
	if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(d, most), d)) != 0xffff)
		return false;
	_mm_storeu_si128((__m128i *)(void *)v, d);
	unsigned month = v[5] * 10u + v[6], day = v[8] * 10u + v[9], hour = v[11] * 10u + v[12];
	if (month - 1 > 11 || day - 1 > (month == 2 ? 27 : 29) || hour > 23)
		return false;
	if (p[16] != ':' || (unsigned char)(p[17] - '0') > 5 || (unsigned char)(p[18] - '0') > 9)
		return false;
	if (p[19] == '.') {
		while (at < n && (unsigned char)(p[at] - '0') <= 9)
			at++;
		return at > 20 && at + 1 == n && p[at] == 'Z';
	}
	return n == 20 && p[19] == 'Z';
#else
	(void)p;
	(void)n;
	return false;
#endif
}

/* false says nothing: member() knows. */
static inline bool usual(const struct check *c, enum line_attr known, struct span v)
{
	if (known == LA_DATA)
		return true;
	if (v.p[0] != '"' || v.n == 2 || (v.p < c->odd_end && v.p + v.n > c->odd))
		return false;
	switch (known) {
	case LA_COUNT: case LA_DATA_BASE64:
		return false;
	case LA_SPECVERSION:
		return v.n == 5 && memcmp(v.p, "\"1.0\"", 5) == 0;
	case LA_TIME: case LA_NOTBEFORE:
		return usual_time(v.p + 1, v.n - 2);
	case LA_TENANT:
		return envelope_tenant_ok(v.p + 1, v.n - 2);
	default:
		return true;
	}
}

/* The line's JSON and each of its members. */
static int check_members(const char *p, size_t n, struct envelope *e, struct line_err *err, struct scan_found *found, bool *fast)
{
	struct check c = { p, p, p + n };

	*fast = scan_fast(p, n, e, found);
	if (!*fast)
		return scan_slow(p, n, e, err, member, &c);
	c.odd = p + found->odd;
	c.odd_end = p + found->odd_end;
	for (unsigned i = 0; i < found->ntop; i++) {
		const struct scan_top *m = &found->top[i];

		if (!usual(&c, m->known, m->value) && member(&c, m->known, m->name, m->value, err) != 0)
			return -1;
	}
	return 0;
}

int envelope_find(const char *p, size_t n, size_t max, struct envelope *e, struct line_err *err, struct scan_found *found, bool *fast)
{
	static const char *const missing[] = { WHY_NO_SPECVERSION, WHY_NO_ID, WHY_NO_SOURCE, WHY_NO_TYPE };

	if (n > max) {
		*fast = false;
		memset(e, 0, sizeof *e);
		return refuse(err, max, WHY_TOO_LONG);
	}
	if (check_members(p, n, e, err, found, fast) != 0)
		return -1;
	for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
		if (!e->a[LA_SPECVERSION + i].p)
			return refuse(err, n, missing[i]);
	if (e->a[LA_DATA].p && e->a[LA_DATA_BASE64].p)
		return refuse(err, (size_t)(e->a[LA_DATA_BASE64].p - p), WHY_TWO_DATA);
	return 0;
}

int envelope_check(const char *p, size_t n, size_t max, struct envelope *e, struct line_err *err)
{
	struct scan_found found;
	bool fast;

	return envelope_find(p, n, max, e, err, &found, &fast);
}

void envelope_tenant(const struct envelope *e, char out[TENANT_MAX + 1])
{
	if (!e->a[LA_TENANT].p || scan_cstr(e->a[LA_TENANT], out, TENANT_MAX + 1) < 1)
		strcpy(out, "default");
}
