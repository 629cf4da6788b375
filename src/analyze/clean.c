#include "analyze/clean.h"

#include <string.h>
#include <strings.h>

#include "analyze/uchar.h"

/* What is left of a chunk (no blanks in it); the functions below eat from its beginning. */
struct chunk { const char *p, *end; };

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0'; }
static bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

static void put(struct clean *c, const char *p, size_t n)
{
	if (n > CLEAN_MAX - c->len)
		return;
	memcpy(c->buf + c->len, p, n);
	c->len += n;
	c->last = NULL;
}

static void put_emote(struct clean *c, const struct emote *m)
{
	c->emotes++;
	c->sarcasm |= m->sarcasm;
	if (m == c->last)
		return;
	put(c, " ", 1);
	put(c, m->words, m->words_len);
	put(c, " ", 1);
	c->last = m;
}

static const struct emote *find_emote(const struct cleaner *how, const char *name, size_t n)
{
	const struct emote *m = emotes_find(how->emotes, how->channel, how->channel_len, name, n);

	return m ? m : emotes_find_ending(how->emotes, how->channel, how->channel_len, name, n);
}

static bool begins(const struct chunk *k, const char *with)
{
	size_t n = strlen(with);

	return (size_t)(k->end - k->p) >= n && strncasecmp(k->p, with, n) == 0;
}

static bool is_url(const struct chunk *k)
{
	if ((*k->p | 32) != 'h' && (*k->p | 32) != 'w')
		return false;
	return begins(k, "http://") || begins(k, "https://") || begins(k, "www.");
}

/* "@name" */
static bool eat_mention(struct clean *c, struct chunk *k)
{
	const char *p = k->p + 1;

	if (*k->p != '@' || p == k->end || !(is_alnum(*p) || *p == '_' || (unsigned char)*p >= 0x80))
		return false;
	while (p < k->end && (is_alnum(*p) || *p == '_' || (unsigned char)*p >= 0x80))
		p++;
	put(c, "[NAME]", 6);
	k->p = p;
	return true;
}

/* Discord's <@id> <@!id> <@&id> <#id> <:name:id> <a:name:id> <t:time> */
static bool eat_markup(struct clean *c, struct chunk *k, const struct cleaner *how)
{
	const char *close = *k->p == '<' ? memchr(k->p, '>', (size_t)(k->end - k->p)) : NULL;
	const char *name, *colon;

	if (!close || close - k->p < 3)
		return false;
	if (k->p[1] == '@') {
		put(c, "[NAME]", 6);
	} else if (k->p[1] == ':' || (k->p[1] == 'a' && k->p[2] == ':')) {
		const struct emote *m;

		name = k->p + (k->p[1] == ':' ? 2 : 3);
		colon = memchr(name, ':', (size_t)(close - name));
		if (!colon)
			return false;
		m = find_emote(how, name, (size_t)(colon - name));
		if (m)
			put_emote(c, m);
	} else if (k->p[1] != '#' && !(k->p[1] == 't' && k->p[2] == ':')) {
		return false;
	}
	k->p = close + 1;
	return true;
}

/* One code point as it is, or an emoji's words. */
static void eat_char(struct clean *c, struct chunk *k, const struct cleaner *how)
{
	uint32_t code;
	size_t n = uchar_get(k->p, (size_t)(k->end - k->p), &code);

	if (code >= 0x2000) {
		enum uchar_class class = uchar_class(code);
		const struct emote *m = class != UCHAR_EMOJI ? NULL :
			emotes_find(how->emotes, how->channel, how->channel_len, k->p, n);

		if (m)
			put_emote(c, m);
		else if (class != UCHAR_JOINER)
			put(c, k->p, n);
	} else {
		put(c, k->p, n);
	}
	k->p += n;
}

static void eat_chunk(struct clean *c, struct chunk k, const struct cleaner *how)
{
	const struct emote *m = find_emote(how, k.p, (size_t)(k.end - k.p));

	if (m) {
		put_emote(c, m);
		return;
	}
	while (k.p < k.end) {
		if (is_url(&k))
			return;
		if (!eat_mention(c, &k) && !eat_markup(c, &k, how)) {
			bool word = is_alnum(*k.p);

			eat_char(c, &k, how);
			/* "xhttp://" is no URL and "a@b" no mention: on to the end of the word */
			while (word && k.p < k.end && (is_alnum(*k.p) || *k.p == '@' || *k.p == '\''))
				eat_char(c, &k, how);
		}
	}
}

static const char *find_fence(const char *p, const char *end)
{
	return end - p < 3 ? NULL : memmem(p, (size_t)(end - p), "```", 3);
}

void clean_text(struct clean *c, const struct cleaner *how, const char *p, size_t n)
{
	const char *end = p + (n < CLEAN_INPUT ? n : CLEAN_INPUT), *q, *fence;
	bool line_start = true;

	c->len = 0;
	c->sarcasm = false;
	c->emotes = 0;
	c->last = NULL;
	while (p < end) {
		if (is_blank(*p)) {
			line_start |= *p == '\n';
			p++;
			continue;
		}
		if (line_start && *p == '>' && p + 1 < end && p[1] == ' ') {
			q = memchr(p, '\n', (size_t)(end - p));
			p = q ? q : end;
			continue;
		}
		line_start = false;
		if (end - p >= 3 && memcmp(p, "```", 3) == 0 && (fence = find_fence(p + 3, end))) {
			p = fence + 3;
			continue;
		}
		for (q = p; q < end && !is_blank(*q); q++)
			;
		if (c->len && !c->last)
			put(c, " ", 1);
		eat_chunk(c, (struct chunk){ p, q }, how);
		p = q;
	}
}
