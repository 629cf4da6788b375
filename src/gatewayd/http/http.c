#include "gatewayd/http/http.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

static int bad(struct http_fault *f, int status, const char *why, struct span field)
{
	*f = (struct http_fault){.status = status, .why = why, .field = field};
	return -1;
}

static const struct span nothing;

/* tchar of RFC 9110 section 5.6.2 */
static bool is_token(struct span s)
{
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
			return false;
	}
	return true;
}

bool http_span_is(struct span s, const char *text)
{
	return s.p && strlen(text) == s.n && strncasecmp(s.p, text, s.n) == 0;
}

static struct span trim(struct span s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool http_list_has(struct span list, const char *token)
{
	while (list.p && list.n) {
		const char *comma = memchr(list.p, ',', list.n);
		size_t n = comma ? (size_t)(comma - list.p) : list.n;

		if (http_span_is(trim((struct span){list.p, n}), token))
			return true;
		if (!comma)
			break;
		list.p += n + 1;
		list.n -= n + 1;
	}
	return false;
}

struct span http_field(const struct http_head *h, const char *name)
{
	size_t n = strlen(name);

	for (unsigned i = 0; i < h->nfields; i++)
		if (h->field[i].name.n == n && memcmp(h->field[i].name.p, name, n) == 0)
			return h->field[i].value;
	return nothing;
}

/* origin-form, absolute-form (the authority is cut off: this server has one name), or * */
static int take_target(struct span t, struct http_head *h, struct http_fault *f)
{
	const char *q;

	for (size_t i = 0; i < t.n; i++)
		if ((unsigned char)t.p[i] <= ' ' || (unsigned char)t.p[i] >= 0x7f)
			return bad(f, 400, "the request target holds a character that must be percent-encoded", nothing);
	if (t.n > 7 && strncasecmp(t.p, "http://", 7) == 0) {
		const char *slash = memchr(t.p + 7, '/', t.n - 7);

		if (!slash)
			return bad(f, 400, "the request target has no path", nothing);
		t.n -= (size_t)(slash - t.p);
		t.p = slash;
	}
	if (t.n == 0 || (t.p[0] != '/' && !(t.n == 1 && t.p[0] == '*' && h->method == HTTP_OPTIONS)))
		return bad(f, 400, "the request target is no path", nothing);
	q = memchr(t.p, '?', t.n);
	h->path = (struct span){t.p, q ? (size_t)(q - t.p) : t.n};
	if (q)
		h->query = (struct span){q + 1, t.n - h->path.n - 1};
	return 0;
}

static int request_line(struct span line, struct http_head *h, struct http_fault *f)
{
	static const struct { const char *text; enum http_method m; } methods[] = {
		{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"POST", HTTP_POST}, {"OPTIONS", HTTP_OPTIONS},
	};
	const char *a = memchr(line.p, ' ', line.n);
	const char *b = a ? memrchr(line.p, ' ', line.n) : NULL;
	struct span version;

	if (!a || a == b)
		return bad(f, 400, "the request line is not METHOD TARGET HTTP/1.1", nothing);
	h->method_text = (struct span){line.p, (size_t)(a - line.p)};
	version = (struct span){b + 1, line.n - (size_t)(b + 1 - line.p)};
	if (!is_token(h->method_text))
		return bad(f, 400, "the method is no token", nothing);
	if (version.n != 8 || memcmp(version.p, "HTTP/", 5) != 0)
		return bad(f, 400, "the request line does not end in HTTP/1.1", nothing);
	if (memcmp(version.p + 5, "1.", 2) != 0 || (version.p[7] != '0' && version.p[7] != '1'))
		return bad(f, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here", nothing);
	h->minor = version.p[7] == '1';
	h->keep_alive = h->minor == 1;
	h->method = HTTP_OTHER;
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (strlen(methods[i].text) == h->method_text.n &&
		    memcmp(methods[i].text, h->method_text.p, h->method_text.n) == 0)
			h->method = methods[i].m;
	return take_target((struct span){a + 1, (size_t)(b - a - 1)}, h, f);
}

static int field_line(char *p, size_t n, struct http_head *h, struct http_fault *f)
{
	const char *colon = memchr(p, ':', n);
	struct http_field *field;

	if (*p == ' ' || *p == '\t')
		return bad(f, 400, "folded header lines are not accepted", nothing);
	if (!colon || !is_token((struct span){p, (size_t)(colon - p)}))
		return bad(f, 400, "a header line is not NAME: VALUE", nothing);
	if (h->nfields == HTTP_FIELDS_MAX)
		return bad(f, 431, "more than 100 header fields", nothing);
	field = &h->field[h->nfields];
	field->name = (struct span){p, (size_t)(colon - p)};
	field->value = trim((struct span){colon + 1, n - field->name.n - 1});
	for (size_t i = 0; i < field->name.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + 32);
	for (size_t i = 0; i < field->value.n; i++) {
		unsigned char c = (unsigned char)field->value.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return bad(f, 400, "a header value holds a control character", field->name);
	}
	h->nfields++;
	return 0;
}

static int take_length(struct span v, struct http_head *h, struct http_fault *f, struct span name)
{
	if (h->has_length)
		return bad(f, 400, "more than one Content-Length", name);
	if (v.n == 0 || v.n > 18)
		return bad(f, v.n ? 413 : 400, v.n ? "the body is too large" : "the length is no number", name);
	h->length = 0;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return bad(f, 400, "the length is no number", name);
		h->length = h->length * 10 + (uint64_t)(v.p[i] - '0');
	}
	h->has_length = true;
	return 0;
}

/* What the fields say about this connection and the body. */
static int meaning(struct http_head *h, struct http_fault *f)
{
	bool v11 = h->minor == 1;
	unsigned hosts = 0;

	for (unsigned i = 0; i < h->nfields; i++) {
		struct span name = h->field[i].name, v = h->field[i].value;

		if (http_span_is(name, "host")) {
			hosts++;
		} else if (http_span_is(name, "content-length")) {
			if (take_length(v, h, f, name))
				return -1;
		} else if (http_span_is(name, "transfer-encoding")) {
			if (h->chunked || !http_span_is(v, "chunked") || !v11)
				return bad(f, 501, "the only transfer coding understood is one \"chunked\"", name);
			h->chunked = true;
		} else if (http_span_is(name, "connection")) {
			if (http_list_has(v, "close"))
				h->keep_alive = false;
			else if (!v11 && http_list_has(v, "keep-alive"))
				h->keep_alive = true;
			h->upgrade = h->upgrade || http_list_has(v, "upgrade");
		} else if (http_span_is(name, "expect")) {
			if (!http_span_is(v, "100-continue"))
				return bad(f, 417, "the only expectation understood is 100-continue", name);
			h->expect_continue = v11;
		}
	}
	if (h->chunked && h->has_length)
		return bad(f, 400, "Content-Length and Transfer-Encoding together", nothing);
	if (hosts > 1 || (v11 && hosts == 0))
		return bad(f, 400, hosts ? "more than one Host" : "Host is missing", nothing);
	return 0;
}

int http_head_parse(char *p, size_t n, struct http_head *h, struct http_fault *f)
{
	size_t cap = n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX;
	char *end, *line;
	size_t skip = 0;

	/* An empty line before a request is tolerated (RFC 9112 section 2.2). */
	while (skip + 1 < cap && p[skip] == '\r' && p[skip + 1] == '\n')
		skip += 2;
	end = memmem(p + skip, cap - skip, "\r\n\r\n", 4);
	if (!end) {
		if (n >= HTTP_HEAD_MAX)
			return bad(f, 431, "the head of the request is over 16384 bytes", nothing);
		return 0;
	}
	memset(h, 0, offsetof(struct http_head, field));
	line = p + skip;
	for (bool first = true;; first = false) {
		char *eol = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
		size_t len = (size_t)(eol - line);

		if (memchr(line, '\n', len) || memchr(line, '\r', len) || memchr(line, 0, len))
			return bad(f, 400, "a line of the head holds CR, LF or NUL", nothing);
		if (first ? request_line((struct span){line, len}, h, f) : field_line(line, len, h, f))
			return -1;
		line = eol + 2;
		if (eol == end)
			break;
	}
	if (meaning(h, f))
		return -1;
	return (int)(end + 4 - p);
}

enum { CH_SIZE, CH_EXT, CH_SIZE_LF, CH_DATA, CH_DATA_CR, CH_DATA_LF, CH_TRAILER, CH_TRAILER_LINE, CH_TRAILER_LF, CH_END_LF };

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte that is no chunk data. 0, 1 at the end of the body, -1 with *f. */
static int chunk_step(struct http_chunks *c, char ch, struct http_fault *f)
{
	int d;

	switch (c->state) {
	case CH_SIZE:
		d = hex(ch);
		if (d >= 0) {
			if (++c->digits > 8)
				return bad(f, 413, "a chunk is too large", nothing);
			c->left = c->left << 4 | (uint64_t)d;
			return 0;
		}
		if (c->digits == 0 || (ch != '\r' && ch != ';' && ch != ' ' && ch != '\t'))
			return bad(f, 400, "a chunk's size is no hexadecimal number", nothing);
		c->digits = 0;
		c->state = ch == '\r' ? CH_SIZE_LF : CH_EXT;
		return 0;
	case CH_EXT:
	case CH_TRAILER_LINE:
		if (++c->extra > HTTP_TRAILER_MAX)
			return bad(f, 431, "chunk extensions and trailers over 8192 bytes", nothing);
		if (ch == '\r')
			c->state = c->state == CH_EXT ? CH_SIZE_LF : CH_TRAILER_LF;
		else if (ch == '\n')
			return bad(f, 400, "a line of the chunked body does not end in CRLF", nothing);
		return 0;
	case CH_TRAILER:
		c->state = ch == '\r' ? CH_END_LF : CH_TRAILER_LINE;
		return ch == '\n' ? bad(f, 400, "a line of the chunked body does not end in CRLF", nothing) : 0;
	case CH_DATA_CR:
		c->state = CH_DATA_LF;
		return ch == '\r' ? 0 : bad(f, 400, "a chunk is longer than its size", nothing);
	default:
		if (ch != '\n')
			return bad(f, 400, "a line of the chunked body does not end in CRLF", nothing);
		if (c->state == CH_END_LF)
			return 1;
		if (c->state == CH_SIZE_LF)
			c->state = c->left ? CH_DATA : CH_TRAILER;
		else
			c->state = c->state == CH_DATA_LF ? CH_SIZE : CH_TRAILER;
		return 0;
	}
}

int64_t http_chunks_feed(struct http_chunks *c, const char *p, size_t n, struct buf *out, bool *done,
	struct http_fault *f)
{
	size_t i = 0;

	*done = false;
	while (i < n && !*done) {
		if (c->state == CH_DATA) {
			size_t m = c->left < n - i ? (size_t)c->left : n - i;

			if (buf_add(out, p + i, m))
				return bad(f, errno == EMSGSIZE ? 413 : 503, "the body is too large", nothing);
			i += m;
			c->left -= m;
			if (c->left == 0)
				c->state = CH_DATA_CR;
		} else {
			int r = chunk_step(c, p[i++], f);

			if (r < 0)
				return -1;
			*done = r == 1;
		}
	}
	return (int64_t)i;
}

const char *http_reason(int status)
{
	static const struct { int status; const char *text; } rows[] = {
		{100, "Continue"}, {200, "OK"}, {202, "Accepted"}, {204, "No Content"}, {304, "Not Modified"},
		{400, "Bad Request"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"},
		{408, "Request Timeout"}, {413, "Content Too Large"}, {415, "Unsupported Media Type"},
		{417, "Expectation Failed"}, {421, "Misdirected Request"}, {422, "Unprocessable Content"}, {426, "Upgrade Required"},
		{429, "Too Many Requests"}, {431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"}, {501, "Not Implemented"}, {503, "Service Unavailable"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].status == status)
			return rows[i].text;
	return "Unknown";
}
