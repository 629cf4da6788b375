#include "line/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "line/decode.h"

static const char *const names[LA_COUNT] = {
	[LA_SPECVERSION] = "specversion", [LA_ID] = "id", [LA_SOURCE] = "source", [LA_TYPE] = "type",
	[LA_TIME] = "time", [LA_SUBJECT] = "subject", [LA_DATACONTENTTYPE] = "datacontenttype",
	[LA_DATASCHEMA] = "dataschema", [LA_TENANT] = "tenant", [LA_PARTITIONKEY] = "partitionkey",
	[LA_TRACEPARENT] = "traceparent", [LA_TRACESTATE] = "tracestate", [LA_CAUSATIONID] = "causationid",
	[LA_NOTBEFORE] = "notbefore", [LA_DATA] = "data", [LA_DATA_BASE64] = "data_base64",
};

const char *scan_attr_name(enum line_attr a)
{
	return names[a];
}

int scan_string(struct span raw, struct buf *out)
{
	struct span text = decode_plain(raw);
	struct decode d;
	size_t before = out->len;
	int got;

	if (text.p)
		return raw.p[raw.n - 1] == '"' ? buf_add(out, text.p, text.n) : -1;
	if (!decode_init(&d, raw) || buf_reserve(out, raw.n + 4) != 0)
		return -1;
	while ((got = decode_next(&d, out->p + out->len, out->cap - out->len)) > 0)
		out->len += (size_t)got;
	if (got < 0)
		out->len = before;
	return got;
}

int scan_cstr(struct span raw, char *out, size_t size)
{
	struct span text = decode_plain(raw);
	struct decode d;
	char piece[256];
	size_t n = 0;
	int got;

	if (text.p) {
		if (raw.p[raw.n - 1] != '"' || text.n >= size)
			return -1;
		memcpy(out, text.p, text.n);
		out[text.n] = '\0';
		return (int)text.n;
	}
	if (!decode_init(&d, raw))
		return -1;
	while ((got = decode_next(&d, piece, sizeof piece)) > 0) {
		if ((size_t)got >= size - n || memchr(piece, '\0', (size_t)got))
			return -1;
		memcpy(out + n, piece, (size_t)got);
		n += (size_t)got;
	}
	if (got < 0 || n >= size)
		return -1;
	out[n] = '\0';
	return (int)n;
}

/* The digits behind an e, clamped: beyond it every number is 0 or infinite. */
static long exponent_of(const char *p, const char *end)
{
	bool minus = p < end && *p == '-';
	long v = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	for (; p < end && v < 10000000; p++)
		v = v * 10 + (*p - '0');
	return minus ? -v : v;
}

/* A number of any length: 800 significant digits decide which double is nearest, the rest only moves the point. */
static double long_number(const char *p, const char *end)
{
	char text[832];
	size_t n = 0;
	long exponent = 0;
	bool point = false;
	bool minus = *p == '-';

	for (p += minus; p < end && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		if (n < 800) {
			exponent -= point;
			if (n || *p != '0')
				text[n++] = *p;
		} else {
			exponent += !point;
		}
	}
	if (p < end)
		exponent += exponent_of(p + 1, end);
	if (n == 0)
		text[n++] = '0';
	snprintf(text + n, sizeof text - n, "e%ld", exponent);
	return minus ? -strtod(text, NULL) : strtod(text, NULL);
}

bool scan_number(struct span raw, double *out)
{
	char text[64];

	if (!raw.p || raw.n == 0 || (raw.p[0] != '-' && (raw.p[0] < '0' || raw.p[0] > '9')))
		return false;
	if (raw.n >= sizeof text) {
		*out = long_number(raw.p, raw.p + raw.n);
		return true;
	}
	memcpy(text, raw.p, raw.n);
	text[raw.n] = '\0';
	*out = strtod(text, NULL);
	return true;
}
