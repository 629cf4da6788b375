#include "gatewayd/browser/frame.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "base/utf8.h"
#include "line/scan.h"

void frame_init(struct frame *f)
{
	memset(f, 0, sizeof(*f));
	buf_init(&f->text, FRAME_MAX + 16);
}

void frame_release(struct frame *f)
{
	buf_release(&f->text);
}

static int fail(struct frame_fault *fault, const char *code, const char *why)
{
	fault->code = code;
	fault->why = why;
	return -1;
}

bool frame_room_ok(const char *p, size_t n)
{
	if (n == 0 || n > ROOM_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool plain = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9');

		if (!plain && (i == 0 || (p[i] != '.' && p[i] != '_' && p[i] != '-')))
			return false;
	}
	return true;
}

/* The code point at p (the scanner has checked all of it) and its length. */
static uint32_t point(const char *p, const char *end, size_t *len)
{
	*len = utf8_len(p, end);
	return utf8_point(p, (unsigned)*len);
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029;
}

/* Shows nothing, or turns the direction of what follows: harmless in a text, a disguise in a name. */
static bool is_hidden(uint32_t c)
{
	return c == 0xad || c == 0x61c || c == 0x200b || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
		(c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x3164 || c == 0x115f || c == 0x1160 ||
		(c >= 0xfff0 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

/* Joins letters or emoji: part of names in many languages, but nothing by itself. */
static bool is_joiner(uint32_t c)
{
	return c == 0x200c || c == 0x200d;
}

static bool is_blank(uint32_t c)
{
	return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f ||
		c == 0x3000;
}

/* Cuts blanks off both ends. */
static struct span trim(struct span s)
{
	size_t len;

	while (s.n && is_blank(point(s.p, s.p + s.n, &len))) {
		s.p += len;
		s.n -= len;
	}
	for (;;) {
		size_t k = s.n;

		while (k && ((unsigned char)s.p[k - 1] & 0xc0) == 0x80)
			k--;
		if (k == 0 || !is_blank(point(s.p + k - 1, s.p + s.n, &len)))
			return s;
		s.n = k - 1;
	}
}

static int take_name(struct span raw, struct frame *f, struct frame_fault *fault)
{
	struct span name;
	size_t points = 0, len;
	bool visible = false;

	buf_clear(&f->text);
	if (!raw.p || scan_string(raw, &f->text) || buf_reserve(&f->text, 1))
		return fail(fault, "bad-name", "join needs a name: a string of 1 to 32 characters");
	name = trim((struct span){f->text.p, f->text.len});
	for (size_t i = 0; i < name.n; i += len, points++) {
		uint32_t c = point(name.p + i, name.p + name.n, &len);

		if (is_control(c) || is_hidden(c))
			return fail(fault, "bad-name", "a name holds no control characters and no invisible ones");
		visible = visible || !(is_blank(c) || is_joiner(c));
	}
	if (!visible || points > CHAT_NAME_MAX)
		return fail(fault, "bad-name", "a name has 1 to 32 characters");
	memcpy(f->name, name.p, name.n);
	f->name[name.n] = '\0';
	return 0;
}

static int number(struct span raw, uint64_t min, uint64_t *out)
{
	uint64_t v = 0;

	if (!raw.p || raw.n == 0 || raw.n > 16)
		return -1;
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] < '0' || raw.p[i] > '9')
			return -1;
		v = v * 10 + (uint64_t)(raw.p[i] - '0');
	}
	if (v < min || v > FRAME_NUMBER_MAX)
		return -1;
	*out = v;
	return 0;
}

static bool absent(struct span raw)
{
	return !raw.p || (raw.n == 4 && memcmp(raw.p, "null", 4) == 0);
}

static int parse_join(struct span join, struct frame *f, struct frame_fault *fault)
{
	struct span room = scan_member(join, "room"), session = scan_member(join, "session");
	struct span after = scan_member(join, "after");
	int n = room.p ? scan_cstr(room, f->room, sizeof(f->room)) : -1;

	f->kind = FRAME_JOIN;
	if (n < 0 || !frame_room_ok(f->room, (size_t)n))
		return fail(fault, "bad-room", "a room's name is 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit");
	if (take_name(scan_member(join, "name"), f, fault))
		return -1;
	f->session[0] = '\0';
	if (!absent(session)) {
		if (scan_cstr(session, f->session, sizeof(f->session)) != (int)SESSION_LEN ||
		    strspn(f->session, "0123456789abcdef") != SESSION_LEN)
			return fail(fault, "bad-session", "a session is the 32 hex digits that welcome gave");
	}
	f->has_after = !absent(after);
	if (f->has_after && number(after, 0, &f->after))
		return fail(fault, "bad-after", "after is the seq of an event: a whole number from 0 to 2^53-1");
	return 0;
}

static int parse_say(struct span say, struct frame *f, struct frame_fault *fault)
{
	struct span text = scan_member(say, "text");
	size_t points = 0, len;
	bool visible = false;

	f->kind = FRAME_SAY;
	if (number(scan_member(say, "n"), 1, &f->n)) {
		fault->fatal = true;
		return fail(fault, "bad-number", "say needs n: a whole number from 1 to 2^53-1");
	}
	fault->has_n = true;
	fault->n = f->n;
	buf_clear(&f->text);
	if (!text.p || scan_string(text, &f->text) || buf_reserve(&f->text, 1))
		return fail(fault, "bad-text", "say needs a text: a string of 1 to 2000 characters");
	for (size_t i = 0; i < f->text.len; i += len, points++) {
		uint32_t c = point(f->text.p + i, f->text.p + f->text.len, &len);

		if (c == '\n' || c == '\t')
			continue;
		if (is_control(c))
			return fail(fault, "bad-text", "a text holds no control characters but line feed and tab");
		visible = visible || !(is_blank(c) || is_hidden(c) || is_joiner(c));
	}
	if (!visible || points > CHAT_TEXT_MAX)
		return fail(fault, "bad-text", visible ? "a text has at most 2000 characters" : "the text is empty");
	return 0;
}

int frame_parse(const char *p, size_t n, struct frame *f, struct frame_fault *fault)
{
	struct span whole = {p, n}, join, say, ping;
	struct line_err err;

	*fault = (struct frame_fault){.fatal = true};
	while (whole.n && strchr(" \t\r\n", *whole.p)) {
		whole.p++;
		whole.n--;
	}
	if (scan_value(p, n, &err)) {
		fault->at = err.at;
		return fail(fault, "bad-json", err.why);
	}
	if (*whole.p != '{')
		return fail(fault, "bad-frame", "a frame is a JSON object");
	if (memchr(p, '\n', n))
		return fail(fault, "bad-frame", "a frame is one line: no line feeds between its tokens");
	join = scan_member(whole, "join");
	say = scan_member(whole, "say");
	ping = scan_member(whole, "ping");
	if (!!join.p + !!say.p + !!ping.p != 1)
		return fail(fault, "bad-frame", "a frame has exactly one of the members join, say, ping");
	if ((join.p && *join.p != '{') || (say.p && *say.p != '{'))
		return fail(fault, "bad-frame", "join and say are objects");
	if (ping.p) {
		f->kind = FRAME_PING;
		return number(ping, 0, &f->n) ? fail(fault, "bad-frame", "ping is a whole number") : 0;
	}
	fault->fatal = false;
	return join.p ? parse_join(join, f, fault) : parse_say(say, f, fault);
}

/* SipHash keyed by the token: 32 hex digits are its 128 bits. */
static struct hash128 keyed(const char *session, const char *what, const char *a, const char *b, uint64_t n)
{
	uint64_t key[2] = {0, 0};
	char number_text[24];
	struct sip s;

	for (unsigned i = 0; i < SESSION_LEN; i++) {
		char c = session[i];

		key[i / 16] = key[i / 16] << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	sip_init(&s, key);
	sip_add(&s, what, strlen(what) + 1);
	sip_add(&s, a, strlen(a) + 1);
	sip_add(&s, b, strlen(b) + 1);
	sip_add(&s, number_text, (size_t)snprintf(number_text, sizeof(number_text), "%llu", (unsigned long long)n));
	return sip_end(&s);
}

void frame_user_id(const char *session, char out[FRAME_USER_LEN + 1])
{
	snprintf(out, FRAME_USER_LEN + 1, "%016llx", (unsigned long long)keyed(session, "user", "", "", 0).a);
}

void frame_event_id(const char *session, const char *tenant, const char *room, uint64_t n, char out[FRAME_ID_LEN + 1])
{
	struct hash128 h = keyed(session, "say", tenant, room, n);

	snprintf(out, FRAME_ID_LEN + 1, "%016llx%016llx", (unsigned long long)h.a, (unsigned long long)h.b);
}
