/*
 * emote: the table of emotes and emoji and what they say in plain words. Pure; the file's bytes
 * come as an argument.
 *
 * A line is: emote TAB words [TAB channel id]. Blank lines and lines that begin with "# " or are
 * only "#" are comments. The emote is compared byte by byte, case included; an emoji is one code
 * point, its variation selector may stand or not. The words replace the emote before the text is
 * analysed; "-" says nothing, "/s" says nothing and marks the message as possibly sarcastic. With a
 * channel id the row counts in that channel only, where it wins over the general one. The last of
 * equal rows wins.
 *
 * Limits: EMOTES_MAX rows, EMOTE_NAME bytes a name, EMOTE_WORDS bytes of words, EMOTE_CHANNEL bytes
 * a channel id.
 */
#ifndef ANALYZE_EMOTE_H
#define ANALYZE_EMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EMOTES_MAX 20000
#define EMOTE_NAME 64
#define EMOTE_WORDS 120
#define EMOTE_CHANNEL 128
#define EMOTES_FILE_MAX (4u << 20)

struct emote {
	const char *name, *words, *channel;	/* in the table's copy of the file; not terminated */
	uint8_t name_len, words_len, channel_len;
	bool sarcasm;
};

struct emotes {
	char *text;
	struct emote *v;
	uint32_t n;
	uint32_t *slot;		/* index + 1 by hash of name and channel */
	uint32_t slots;		/* a power of 2, or 0 while empty */
};

/* -1 with the line's number (from 1) and a static reason, and *e empty, when a line is wrong. */
int emotes_init(struct emotes *e, const char *p, size_t n, size_t *line, const char **why);
void emotes_release(struct emotes *e);

/*
 * The row for a name in a channel (channel_len 0: none known), NULL if there is none. e may be
 * NULL.
 */
const struct emote *emotes_find(const struct emotes *e, const char *channel, size_t channel_len,
	const char *name, size_t n);

/*
 * The row whose name is the longest known ending of n bytes of name: "forsenLUL" is LUL. The
 * beginning must be lower case or digits, two of them at least, the ending must begin with a
 * capital and have three characters: what a channel's own emotes look like.
 */
const struct emote *emotes_find_ending(const struct emotes *e, const char *channel,
	size_t channel_len, const char *name, size_t n);

#endif
