#include "deliver/say.h"

#include <string.h>

#include "base/hash.h"
#include "line/id.h"
#include "line/types.h"

#define STRINGS 9
#define TOKEN_MAX 1024u

/* No secret: a repeat must come out the same in every process. */
static const uint64_t say_key[2] = {0x70656e73746f636bu, 0x64656c6976657201u};

static const char why_string[] = "data holds a text where a number or name belongs that is too long, or no text";

/* Decodes a string to the end of mem, NUL behind it. Where it begins: offsets until mem does not move any more. */
static int keep(struct say *s, struct span raw, size_t max, size_t *at, size_t *len)
{
	size_t from = s->mem.len;

	*at = from;
	if (raw.p && raw.n && *raw.p == '"' && scan_string(raw, &s->mem))
		return -1;
	if (len)
		*len = s->mem.len - from;
	if (max && (s->mem.len - from > max || memchr(s->mem.p + from, '\0', s->mem.len - from)))
		return -1;
	return buf_addc(&s->mem, '\0');
}

static int mention(void *arg, struct span name, struct span value)
{
	struct say *s = arg;

	(void)name;
	if (scan_is(value, "users"))
		s->mentions |= MENTION_USERS;
	else if (scan_is(value, "roles"))
		s->mentions |= MENTION_ROLES;
	else if (scan_is(value, "everyone"))
		s->mentions |= MENTION_EVERYONE;
	else if (scan_is(value, "reply"))
		s->mentions |= MENTION_REPLY;
	return 0;
}

static int decode(struct say *s, struct span data, const char **why)
{
	struct { const char *path; size_t max; const char **to; size_t at; } row[STRINGS] = {
		{"platform", SAY_NAME_MAX, &s->platform, 0}, {"account", SAY_NAME_MAX, &s->account, 0},
		{"channel.id", SAY_NAME_MAX, &s->channel, 0},
		{"reply_to", 0, &s->reply_to, 0}, {"edit", SAY_NAME_MAX, &s->edit, 0},
		{"interaction.id", SAY_NAME_MAX, &s->interaction, 0}, {"interaction.token", TOKEN_MAX, &s->token, 0},
		{"interaction.application_id", SAY_NAME_MAX, &s->application, 0}, {"text", 0, &s->text, 0},
	};
	double type = 0;

	*why = "out of memory";
	if (buf_reserve(&s->mem, 256))
		return -1;
	*why = why_string;
	for (size_t i = 0; i < STRINGS; i++)
		if (keep(s, data.p ? scan_path(data, row[i].path) : data, row[i].max, &row[i].at, i == STRINGS - 1 ? &s->ntext : NULL))
			return -1;
	for (size_t i = 0; i < STRINGS; i++)
		*row[i].to = s->mem.p + row[i].at;
	if (data.p && scan_number(scan_path(data, "interaction.type"), &type) && type >= 0 && type < 256)
		s->interaction_type = (int)type;
	if (data.p) {
		struct span asked = scan_member(data, "mentions"), split = scan_member(data, "split");

		if (asked.p && asked.n && *asked.p == '[')
			scan_each(asked, mention, s);
		s->split = split.p && split.n == 4 && memcmp(split.p, "true", 4) == 0;
	}
	s->piece = s->text;
	s->npiece = s->ntext;
	return 0;
}

static enum say_kind kind_of(const struct envelope *e)
{
	struct span platform = e->a[LA_DATA].p ? scan_member(e->a[LA_DATA], "platform") : (struct span){NULL, 0};

	if (scan_is(e->a[LA_TYPE], "command.invoked"))
		return SAY_COMMAND;
	if (!scan_is(e->a[LA_TYPE], "message.send") || scan_is(platform, "browser") || scan_is(platform, "irc"))
		return SAY_OTHER;
	return SAY_MESSAGE;
}

void say_nonce(struct say *s, unsigned n)
{
	static const char digits[] = "0123456789abcdef";
	struct sip sip;
	struct hash128 h;

	sip_init(&sip, say_key);
	sip_add(&sip, s->key, SAY_KEY);
	sip_add(&sip, &(unsigned char){(unsigned char)n}, 1);
	if (n > UINT8_MAX)	/* a text of a mebibyte has some 500 pieces */
		sip_add(&sip, &(unsigned char){(unsigned char)(n >> 8)}, 1);
	h = sip_end(&sip);
	for (int i = 0; i < SAY_NONCE; i++)
		s->nonce[i] = digits[(i < 16 ? h.a >> (60 - 4 * i) : h.b >> (60 - 4 * (i - 16))) & 15];
	s->nonce[SAY_NONCE] = '\0';
}

int say_parse(struct say *s, const char *p, size_t n, bool strict, struct line_err *err)
{
	struct envelope e;
	struct hash128 h;

	memset(s, 0, sizeof(*s));
	if (strict ? envelope_check(p, n, LINE_MAX_BYTES, &e, err) : scan_lazy(p, n, &e)) {
		if (!strict)
			*err = (struct line_err){0, "no object"};
		return -1;
	}
	s->kind = kind_of(&e);
	if (s->kind == SAY_OTHER)
		return 0;
	if (types_check(p, &e, err))
		return -1;
	buf_init(&s->mem, 3 * LINE_MAX_BYTES);
	envelope_tenant(&e, s->tenant);
	h = id_key(&e, say_key);
	memcpy(s->key, &h.a, 8);
	memcpy(s->key + 8, &h.b, 8);
	say_nonce(s, 0);
	err->at = 0;
	if (decode(s, e.a[LA_DATA], &err->why)) {
		buf_release(&s->mem);
		return -1;
	}
	s->line = p;
	s->nline = n;
	return 0;
}

void say_release(struct say *s)
{
	if (s->kind != SAY_OTHER)
		buf_release(&s->mem);
	s->kind = SAY_OTHER;
}
