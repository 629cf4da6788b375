#include "gatewayd/platform/irc_message.h"

#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd"	/* U+FFFD */

/* ---- lines ---- */

void irc_reader_init(struct irc_reader *r)
{
	buf_init(&r->held, IRC_IN_MAX);
	r->skipping = false;
}

void irc_reader_release(struct irc_reader *r)
{
	buf_release(&r->held);
	r->skipping = false;
}

static bool refuse(const char *p, size_t n, const char *why, irc_line_fn *fn, void *arg)
{
	struct irc_message m = {.line = {p, n}};

	return fn(arg, &m, why);
}

static bool one_line(const char *p, size_t n, irc_line_fn *fn, void *arg)
{
	struct irc_message m;
	const char *why;

	if (n && p[n - 1] == '\r')
		n--;
	if (n == 0)
		return true;
	if (n > IRC_IN_MAX)
		return refuse(p, IRC_IN_MAX, "a line is too long", fn, arg);
	why = irc_parse(p, n, &m);
	return why ? refuse(p, n, why, fn, arg) : fn(arg, &m, NULL);
}

/* The beginning of a line, p of n bytes more: 1 when fn wants to go on. */
static int hold(struct irc_reader *r, const char *p, size_t n, irc_line_fn *fn, void *arg)
{
	if (n == 0 || r->skipping)
		return 1;
	if (n <= r->held.max - r->held.len)
		return buf_add(&r->held, p, n) ? -1 : 1;
	buf_release(&r->held);
	r->skipping = true;
	return refuse(p, n < IRC_IN_MAX ? n : IRC_IN_MAX, "a line is too long", fn, arg);
}

/* The end of a line whose beginning is held. It is taken out while fn runs, which may release the reader. */
static int rest(struct irc_reader *r, const char *p, size_t n, irc_line_fn *fn, void *arg)
{
	struct buf whole = r->held;
	int on;

	buf_init(&r->held, IRC_IN_MAX);
	if (n > whole.max - whole.len)
		on = refuse(whole.p, whole.len, "a line is too long", fn, arg);
	else if (buf_add(&whole, p, n))
		on = -1;
	else
		on = one_line(whole.p, whole.len, fn, arg);
	buf_release(&whole);
	return on;
}

int irc_read(struct irc_reader *r, const char *p, size_t n, irc_line_fn *fn, void *arg)
{
	const char *end = p + n, *lf;

	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p)))) {
		size_t len = (size_t)(lf - p);
		int on = 1;

		if (r->skipping)
			r->skipping = false;
		else if (r->held.len)
			on = rest(r, p, len, fn, arg);
		else
			on = one_line(p, len, fn, arg);
		if (on <= 0)
			return on;
		p = lf + 1;
	}
	return hold(r, p, (size_t)(end - p), fn, arg) < 0 ? -1 : 0;
}

static struct span word(const char **p, const char *end)
{
	struct span s = {*p, 0};

	while (*p < end && **p != ' ')
		++*p;
	s.n = (size_t)(*p - s.p);
	while (*p < end && **p == ' ')
		++*p;
	return s;
}

static void prefix(struct span s, struct irc_message *m)
{
	const char *end = s.p + s.n, *bang = memchr(s.p, '!', s.n), *at = memchr(s.p, '@', s.n);

	if (bang && at && at < bang)
		bang = NULL;
	m->nick = (struct span){s.p, (size_t)((bang ? bang : at ? at : end) - s.p)};
	if (bang)
		m->user = (struct span){bang + 1, (size_t)((at ? at : end) - bang - 1)};
	if (at)
		m->host = (struct span){at + 1, (size_t)(end - at - 1)};
}

const char *irc_parse(const char *p, size_t n, struct irc_message *m)
{
	const char *end = p + n;

	memset(m, 0, sizeof(*m));
	m->line = (struct span){p, n};
	if (memchr(p, '\0', n) || memchr(p, '\r', n) || memchr(p, '\n', n))
		return "a line holds NUL or CR";
	while (p < end && *p == ' ')
		p++;
	if (p < end && *p == '@') {
		p++;
		m->tags = word(&p, end);
	}
	if (p < end && *p == ':') {
		p++;
		prefix(word(&p, end), m);
	}
	m->command = word(&p, end);
	if (m->command.n == 0)
		return "a line has no command";
	for (size_t i = 0; i < m->command.n; i++)
		if (!((m->command.p[i] | 0x20) >= 'a' && (m->command.p[i] | 0x20) <= 'z') &&
		    !(m->command.p[i] >= '0' && m->command.p[i] <= '9'))
			return "a command is no word";
	while (p < end && m->nparams < IRC_PARAMS) {
		if (*p == ':' || m->nparams == IRC_PARAMS - 1) {
			p += *p == ':';
			m->params[m->nparams++] = (struct span){p, (size_t)(end - p)};
			return NULL;
		}
		m->params[m->nparams++] = word(&p, end);
	}
	return NULL;
}

bool irc_is(struct span s, const char *text)
{
	return s.p && s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

unsigned irc_code(struct span s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.n != 3 || s.p[i] < '0' || s.p[i] > '9')
			return 0;
		n = n * 10 + (unsigned)(s.p[i] - '0');
	}
	return n;
}

/* ---- tags ---- */

struct span irc_tag_raw(const struct irc_message *m, const char *name)
{
	const char *p = m->tags.p, *end = p ? p + m->tags.n : p;
	size_t len = strlen(name);
	struct span found = {NULL, 0};

	while (p < end) {
		const char *semi = memchr(p, ';', (size_t)(end - p)), *stop = semi ? semi : end;

		if ((size_t)(stop - p) >= len && memcmp(p, name, len) == 0) {
			if (p + len == stop)
				found = (struct span){stop, 0};
			else if (p[len] == '=')
				found = (struct span){p + len + 1, (size_t)(stop - p - len - 1)};
		}
		p = semi ? semi + 1 : end;
	}
	return found;
}

bool irc_tag(const struct irc_message *m, const char *name, struct buf *to)
{
	struct span v = irc_tag_raw(m, name);
	const char *end = v.n ? v.p + v.n : NULL;

	if (v.n == 0)
		return false;
	for (const char *p = v.p; p < end; ) {
		unsigned len = utf8_len(p, end);
		char c = *p;

		if (len > 1 ? buf_add(to, p, len) : len == 0 ? buf_adds(to, REPLACEMENT) : 0)
			return false;
		p += len ? len : 1;
		if (len != 1)
			continue;
		if (c == '\\') {
			if (p == end)
				break;		/* a lone one at the end is dropped */
			if ((unsigned char)*p >= 0x80)
				continue;	/* before another character it means nothing */
			c = *p++;
			c = c == ':' ? ';' : c == 's' ? ' ' : c == 'r' ? '\r' : c == 'n' ? '\n' : c;
		}
		if (buf_addc(to, c))
			return false;
	}
	return true;
}

uint64_t irc_tag_u64(const struct irc_message *m, const char *name)
{
	struct span v = irc_tag_raw(m, name);
	uint64_t n = 0;

	if (v.n == 0 || v.n > 18)
		return 0;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(v.p[i] - '0');
	}
	return n;
}

/* ---- text ---- */

int irc_utf8(struct span s, struct buf *to)
{
	const char *p = s.p, *end = s.n ? p + s.n : p, *bad;

	for (; s.n && (bad = utf8_bad(p, end)); p = bad + 1)
		if (buf_add(to, p, (size_t)(bad - p)) || buf_adds(to, REPLACEMENT))
			return -1;
	return s.n ? buf_add(to, p, (size_t)(end - p)) : 0;
}

static bool fit_for_name(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return false;
	return (cp & 0xfffe) != 0xfffe && !(cp >= 0xfdd0 && cp <= 0xfdef);
}

int irc_name(struct span s, struct buf *to)
{
	const char *end = s.n ? s.p + s.n : s.p;

	for (const char *p = s.p; p < end; ) {
		unsigned len = utf8_len(p, end);
		bool fit = len && fit_for_name(utf8_point(p, len));

		if (fit ? buf_add(to, p, len) : buf_adds(to, REPLACEMENT))
			return -1;
		p += len ? len : 1;
	}
	return 0;
}

static bool digit(const char *p, const char *end, bool hex)
{
	return p < end && ((*p >= '0' && *p <= '9') || (hex && (*p | 0x20) >= 'a' && (*p | 0x20) <= 'f'));
}

/* Behind a colour code: up to `most` digits, and a comma with as many more. */
static const char *colour(const char *p, const char *end, int most, bool hex)
{
	int n = 0;

	while (n < most && digit(p, end, hex)) {
		p++;
		n++;
	}
	if (n && end - p > 1 && *p == ',' && digit(p + 1, end, hex)) {
		p++;
		for (n = 0; n < most && digit(p, end, hex); n++)
			p++;
	}
	return p;
}

int irc_text(struct span s, struct buf *to)
{
	const char *end = s.n ? s.p + s.n : s.p;

	for (const char *p = s.p; p < end; ) {
		unsigned len = utf8_len(p, end);

		if (len == 1 && memchr("\x02\x0f\x11\x16\x1d\x1e\x1f", *p, 7)) {
			p++;
			continue;
		}
		if (len == 1 && (*p == 3 || *p == 4)) {
			p = colour(p + 1, end, *p == 3 ? 2 : 6, *p == 4);
			continue;
		}
		if (len ? buf_add(to, p, len) : buf_adds(to, REPLACEMENT))
			return -1;
		p += len ? len : 1;
	}
	return 0;
}

void irc_fold(char *p, size_t n, enum irc_fold how)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 'A' && p[i] <= (how == IRC_FOLD_ASCII ? 'Z' : how == IRC_FOLD_STRICT ? ']' : '^'))
			p[i] += 0x20;
}

/* ---- writing ---- */

bool irc_last_ok(const char *p, size_t n)
{
	return !memchr(p, '\0', n) && !memchr(p, '\r', n) && !memchr(p, '\n', n);
}

bool irc_middle_ok(const char *p, size_t n)
{
	return n && *p != ':' && !memchr(p, ' ', n) && irc_last_ok(p, n);
}

int irc_tag_escape(const char *p, size_t n, struct buf *to)
{
	static const char from[] = "; \\\r\n", into[] = ":s\\rn";

	for (size_t i = 0; i < n; i++) {
		const char *at = p[i] ? strchr(from, p[i]) : NULL;

		if (at ? buf_addc(to, '\\') || buf_addc(to, into[at - from]) : buf_addc(to, p[i]))
			return -1;
	}
	return 0;
}

size_t irc_cut(const char *p, size_t n, size_t max)
{
	size_t at = max;

	if (n <= max)
		return n;
	for (size_t i = max; i > max - max / 4; i--)
		if (p[i] == ' ')
			return i;
	for (int back = 0; back < 3 && at > 1 && ((unsigned char)p[at] & 0xc0) == 0x80; back++)
		at--;
	/* Four of these in a row are no character. */
	return ((unsigned char)p[at] & 0xc0) == 0x80 ? max : at;
}
