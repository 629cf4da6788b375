#include "line/id.h"

#include <stdio.h>
#include <string.h>

#include "line/decode.h"
#include "line/envelope.h"
#include "line/why.h"

/* Keys of hashes that must come out the same in every run of every program; there is no secret in them. */
static const uint64_t lane_key[2] = { 0x70656e73746f636bu, 0x6c616e6500000001u };
static const uint64_t span_key[2] = { 0x70656e73746f636bu, 0x7370616e00000001u };

/* The decoded text, and a NUL behind it: no attribute holds one, so two texts cannot run into each other. */
static void add_text(struct sip *s, struct span raw)
{
	struct span text = decode_plain(raw);
	struct decode d;
	char piece[256];
	int got;

	if (text.p)
		sip_add(s, text.p, text.n);
	else if (decode_init(&d, raw))
		while ((got = decode_next(&d, piece, sizeof piece)) > 0)
			sip_add(s, piece, (size_t)got);
	sip_add(s, "", 1);
}

#define SHORT 512u	/* bytes of a text that is put together first */

/* Puts the text and its NUL at out + n, if there is room and nothing to decode; the new length, or 0. n may be 0 for no room already. */
static size_t put_text(char *out, size_t n, struct span raw)
{
	struct span text = decode_plain(raw);

	if (!n || !text.p || text.n >= SHORT - n)
		return 0;
	memcpy(out + n, text.p, text.n);
	out[n + text.n] = '\0';
	return n + text.n + 1;
}

struct hash128 id_key(const struct envelope *e, const uint64_t key[2])
{
	char all[SHORT + 1];
	size_t n = put_text(all, put_text(all, 1, e->a[LA_SOURCE]), e->a[LA_ID]);
	struct sip s;

	if (n)
		return sip_hash(key, all + 1, n - 1);
	sip_init(&s, key);
	add_text(&s, e->a[LA_SOURCE]);
	add_text(&s, e->a[LA_ID]);
	return sip_end(&s);
}

/* all: the tenant's name of n bytes and its NUL, in SHORT bytes that are used up. */
static uint64_t lane_of(const struct envelope *e, char *all, size_t n)
{
	struct span key = e->a[LA_PARTITIONKEY].p ? e->a[LA_PARTITIONKEY] : e->a[LA_ID];
	size_t whole;
	struct sip s;

	/* A key that looks like an id is not that id's lane. */
	all[n + 1] = e->a[LA_PARTITIONKEY].p ? 'k' : 'i';
	whole = put_text(all, n + 2, key);
	if (whole)
		return sip_hash(lane_key, all, whole).a;
	sip_init(&s, lane_key);
	sip_add(&s, all, n + 2);
	add_text(&s, key);
	return sip_end(&s).a;
}

void id_place(const struct envelope *e, uint64_t *lane, uint64_t *tenant)
{
	char all[SHORT + 1];
	size_t n;

	envelope_tenant(e, all);
	n = strlen(all);
	*tenant = hash_crc32c(0, all, n) | UINT64_C(1) << 32;
	*lane = lane_of(e, all, n);
}

uint64_t id_lane(const struct envelope *e)
{
	uint64_t lane, tenant;

	id_place(e, &lane, &tenant);
	return lane;
}

void id_derive(struct writer *w, const struct envelope *cause, const char *stage, unsigned n)
{
	struct span id = cause->a[LA_ID];
	char small[256], number[16] = "";
	struct buf raw;
	int len;

	if (n)
		snprintf(number, sizeof number, ".%u", n);
	if (!id.p || id.n < 2) {
		writer_attr(w, "id", "");	/* refused, as the cause's would be */
		return;
	}
	len = snprintf(small, sizeof small, "%.*s.%s%s\"", (int)(id.n < 200 ? id.n - 1 : 0), id.p, stage, number);
	if (id.n < 200 && len > 0 && (size_t)len < sizeof small) {
		writer_attr_raw(w, "id", (struct span){ small, (size_t)len });
		writer_attr_raw(w, "source", cause->a[LA_SOURCE]);
		return;
	}
	buf_init(&raw, w->max + 1);
	if (buf_add(&raw, id.p, id.n - 1) != 0 || buf_printf(&raw, ".%s%s\"", stage, number) != 0) {
		if (!w->why)
			w->why = WHY_TOO_LONG;
	} else {
		writer_attr_raw(w, "id", (struct span){ raw.p, raw.len });
		writer_attr_raw(w, "source", cause->a[LA_SOURCE]);
	}
	buf_release(&raw);
}

static bool hex(const char *p, size_t n, bool *zero)
{
	*zero = true;
	for (size_t i = 0; i < n; i++) {
		if (!((p[i] >= '0' && p[i] <= '9') || (p[i] >= 'a' && p[i] <= 'f')))
			return false;
		*zero = *zero && p[i] == '0';
	}
	return true;
}

/* W3C trace context: is this a traceparent to continue? A later version may be longer, behind another '-'. */
static bool traceparent_ok(const char *p, size_t n)
{
	bool zero;

	if (n < TRACEPARENT_LEN || p[2] != '-' || p[35] != '-' || p[52] != '-')
		return false;
	if (!hex(p, 2, &zero) || memcmp(p, "ff", 2) == 0)
		return false;
	if (n > TRACEPARENT_LEN && (zero || p[55] != '-'))
		return false;
	return hex(p + 3, 32, &zero) && !zero && hex(p + 36, 16, &zero) && !zero && hex(p + 53, 2, &zero);
}

static void inherit_trace(struct writer *w, const struct envelope *cause, const char *stage, unsigned n)
{
	char in[512], out[TRACEPARENT_LEN + 1], number[16];
	int len = scan_cstr(cause->a[LA_TRACEPARENT], in, sizeof in);
	struct sip s;
	uint64_t span;

	if (len < 0 || !traceparent_ok(in, (size_t)len))
		return;
	sip_init(&s, span_key);
	sip_add(&s, in + 36, 16);
	sip_add(&s, stage, strlen(stage) + 1);
	sip_add(&s, number, (size_t)snprintf(number, sizeof number, "%u", n));
	span = sip_end(&s).a;
	/* Version 00 and the two flags it knows. */
	snprintf(out, sizeof out, "00-%.32s-%016llx-0%d", in + 3, (unsigned long long)(span ? span : 1),
		(in[54] <= '9' ? in[54] - '0' : in[54] - 'a' + 10) & 3);
	writer_attr(w, "traceparent", out);
	if (cause->a[LA_TRACESTATE].p && cause->a[LA_TRACESTATE].p[0] == '"')
		writer_attr_raw(w, "tracestate", cause->a[LA_TRACESTATE]);
}

void id_inherit(struct writer *w, const struct envelope *cause, const char *stage, unsigned n)
{
	writer_attr_raw(w, "tenant", cause->a[LA_TENANT]);
	writer_attr_raw(w, "partitionkey", cause->a[LA_PARTITIONKEY]);
	writer_attr_raw(w, "causationid", cause->a[LA_ID]);
	inherit_trace(w, cause, stage, n);
}

static char *put_hex(char *to, uint64_t v)
{
	static const char hex[16] = "0123456789abcdef";

	for (int shift = 56; shift >= 0; shift -= 8) {
		unsigned byte = (unsigned)(v >> shift) & 0xff;

		*to++ = hex[byte >> 4];
		*to++ = hex[byte & 15];
	}
	return to;
}

void id_trace_new(char out[TRACEPARENT_LEN + 1], uint64_t r1, uint64_t r2, uint64_t r3)
{
	char *p = out;

	*p++ = '0', *p++ = '0', *p++ = '-';
	p = put_hex(p, r1);
	p = put_hex(p, r2 ? r2 : 1);
	*p++ = '-';
	p = put_hex(p, r3 ? r3 : 1);
	memcpy(p, "-03", 4);
}
