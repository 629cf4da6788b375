#include "analyze/emote.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/uchar.h"

static uint32_t hash_of(const char *channel, size_t channel_len, const char *name, size_t n)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)name[i]) * 0x100000001b3u;
	h = (h ^ 0xff) * 0x100000001b3u;	/* no byte of UTF-8 */
	for (size_t i = 0; i < channel_len; i++)
		h = (h ^ (unsigned char)channel[i]) * 0x100000001b3u;
	return (uint32_t)((h ^ h >> 29) * 0xbf58476d1ce4e5b9u >> 32);
}

/* The slot of a row: its own, or the empty one where it belongs. */
static uint32_t *slot_of(const struct emotes *e, const char *channel, size_t channel_len, const char *name, size_t n)
{
	uint32_t i = hash_of(channel, channel_len, name, n) & (e->slots - 1);

	for (; e->slot[i]; i = (i + 1) & (e->slots - 1)) {
		const struct emote *m = &e->v[e->slot[i] - 1];

		if (m->name_len == n && memcmp(m->name, name, n) == 0 && m->channel_len == channel_len &&
		    (!channel_len || memcmp(m->channel, channel, channel_len) == 0))
			break;
	}
	return &e->slot[i];
}

/*
 * An emoji's name is its one code point; returns the length without the joiners behind it, 0 if
 * there is more.
 */
static size_t emoji_length(const char *p, size_t n)
{
	uint32_t c;
	size_t first = uchar_get(p, n, &c);

	if (uchar_class(c) != UCHAR_EMOJI)
		return n;
	for (size_t at = first; at < n; ) {
		at += uchar_get(p + at, n - at, &c);
		if (uchar_class(c) != UCHAR_JOINER)
			return 0;
	}
	return first;
}

/* Returns the reason why the line is wrong, or NULL. */
static const char *parse_row(struct emote *m, const char *p, const char *eol)
{
	const char *tab = memchr(p, '\t', (size_t)(eol - p)), *tab2, *words_end;
	size_t n;

	if (!tab || tab == p)
		return "want: emote, TAB, words";
	tab2 = memchr(tab + 1, '\t', (size_t)(eol - tab - 1));
	words_end = tab2 ? tab2 : eol;
	n = (size_t)(tab - p);
	if (n > EMOTE_NAME)
		return "an emote's name has at most 64 bytes";
	if (memchr(p, ' ', n))
		return "an emote's name has no blanks";
	n = emoji_length(p, n);
	if (!n)
		return "an emoji of several code points: write its first one";
	*m = (struct emote){ .name = p, .name_len = (uint8_t)n, .words = tab + 1 };
	n = (size_t)(words_end - m->words);
	if (n == 0)
		return "no words behind the emote; write - for an emote that says nothing";
	if (n > EMOTE_WORDS)
		return "an emote's words have at most 120 bytes";
	m->sarcasm = n == 2 && memcmp(m->words, "/s", 2) == 0;
	m->words_len = (uint8_t)(m->sarcasm || (n == 1 && *m->words == '-') ? 0 : n);
	if (!tab2)
		return NULL;
	n = (size_t)(eol - tab2 - 1);
	if (n == 0 || n > EMOTE_CHANNEL || memchr(tab2 + 1, '\t', n))
		return "the third column is a channel id of 1 to 128 bytes, and the last column";
	m->channel = tab2 + 1;
	m->channel_len = (uint8_t)n;
	return NULL;
}

static const char *add_line(struct emotes *e, const char *p, const char *eol)
{
	struct emote m;
	const char *why;
	uint32_t *slot;

	if (eol > p && eol[-1] == '\r')
		eol--;
	if (p == eol || (*p == '#' && (p + 1 == eol || p[1] == ' ')))
		return NULL;
	why = parse_row(&m, p, eol);
	if (why)
		return why;
	slot = slot_of(e, m.channel, m.channel_len, m.name, m.name_len);
	if (*slot) {
		e->v[*slot - 1] = m;
		return NULL;
	}
	if (e->n == EMOTES_MAX)
		return "more than 20000 emotes";
	e->v[e->n++] = m;
	*slot = e->n;
	return NULL;
}

int emotes_init(struct emotes *e, const char *p, size_t n, size_t *line, const char **why)
{
	size_t lines = 1;

	memset(e, 0, sizeof *e);
	*line = 0;
	*why = "the file is larger than 4 MiB";
	if (n > EMOTES_FILE_MAX)
		return -1;
	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	lines = lines < EMOTES_MAX ? lines : EMOTES_MAX;
	for (e->slots = 16; e->slots < 2 * lines; )
		e->slots *= 2;
	e->text = malloc(n + 1);
	e->v = calloc(lines, sizeof *e->v);
	e->slot = calloc(e->slots, sizeof *e->slot);
	*why = "no memory";
	if (!e->text || !e->v || !e->slot)
		goto err;
	if (n)
		memcpy(e->text, p, n);
	e->text[n] = '\n';
	for (const char *at = e->text, *end = e->text + n; at < end; ) {
		const char *eol = memchr(at, '\n', (size_t)(end - at) + 1);

		++*line;
		*why = add_line(e, at, eol);
		if (*why)
			goto err;
		at = eol + 1;
	}
	return 0;
err:
	emotes_release(e);
	return -1;
}

void emotes_release(struct emotes *e)
{
	free(e->text);
	free(e->v);
	free(e->slot);
	memset(e, 0, sizeof *e);
}

const struct emote *emotes_find(const struct emotes *e, const char *channel, size_t channel_len,
	const char *name, size_t n)
{
	uint32_t at;

	if (!e || !e->n || !n || n > EMOTE_NAME)
		return NULL;
	if (channel_len && channel_len <= EMOTE_CHANNEL) {
		at = *slot_of(e, channel, channel_len, name, n);
		if (at)
			return &e->v[at - 1];
	}
	at = *slot_of(e, NULL, 0, name, n);
	return at ? &e->v[at - 1] : NULL;
}

static bool is_lower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

const struct emote *emotes_find_ending(const struct emotes *e, const char *channel,
	size_t channel_len, const char *name, size_t n)
{
	size_t i = 0;

	if (n > EMOTE_NAME)
		return NULL;
	while (i < n && is_lower(name[i]))
		i++;
	if (i < 2)
		return NULL;
	for (size_t k = i; k < n; k++)
		if (!is_lower(name[k]) && !is_upper(name[k]))
			return NULL;
	for (; n - i >= 3; i++) {
		const struct emote *m;

		if (!is_upper(name[i]))
			continue;
		m = emotes_find(e, channel, channel_len, name + i, n - i);
		if (m)
			return m;
	}
	return NULL;
}
