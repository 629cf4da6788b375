#include "analyze/text.h"

#include <string.h>

#include "analyze/uchar.h"
#include "base/utf8.h"

/* A place in the input, with the code point that stands there; len 0 is the end. */
struct at { const char *p, *end; uint32_t c; size_t len; };

static const char *const smileys[] = {
	/* longest first among those with a common beginning */
	":'-(", ":'-)", ">:-(", ">:-)", "</3", "<33", "<3", ":'(", ":')", ">:(", ">:)", ">:D", ">.<", ">_<", ">_>", "<_<",
	":-)", ":-(", ":-D", ":-P", ":-p", ":-/", ":-\\", ":-|", ":-O", ":-o", ":-*", ";-)", ";-P", ":^)", "=)", "=(", "=D", "=P",
	":))", ":((", ":)", ":(", ":D", ":P", ":p", ":/", ":\\", ":|", ":O", ":o", ":*", ":3", ":>", ":<", ":c", ":C", ":S", ":s",
	":]", ":[", ":x", ":X", ";)", ";(", ";D", ";P", ";p", ";_;", "(:", "D:", "xD", "XD",
	"^_^", "^.^", "^^", "-_-", "-.-", "T_T", "T.T", "o_o", "O_O", "o_O", "O_o", "o.o", "O.O", "o.O", "O.o", "u_u", "._.",
	"\\o/", "\\m/", "uwu", "UwU", "owo", "OwO", "c:",
};

/* What a smiley can begin with. */
static const char smiley_first[] = ":><=;(DxX^-ToOuU.\\c";

#define N(word) { word, sizeof word - 1 }
static const struct { char word[12]; uint8_t len; } negations[] = {
	N("not"), N("no"), N("never"), N("none"), N("nobody"), N("nothing"), N("neither"), N("nor"), N("nowhere"),
	N("cannot"), N("without"), N("hardly"), N("barely"), N("dont"), N("cant"), N("wont"), N("isnt"), N("doesnt"),
	N("didnt"), N("wasnt"), N("arent"), N("aint"), N("couldnt"), N("wouldnt"), N("shouldnt"), N("havent"), N("hasnt"),
	N("hadnt"), N("werent"),
};
#undef N

static void at_load(struct at *a)
{
	a->len = a->p < a->end ? uchar_get(a->p, (size_t)(a->end - a->p), &a->c) : 0;
	if (a->len)
		a->c = uchar_plain(a->c);
}

static void at_next(struct at *a)
{
	a->p += a->len;
	at_load(a);
}

static bool word_char(uint32_t c)
{
	enum uchar_class k = uchar_class(c);

	return k == UCHAR_LETTER || k == UCHAR_DIGIT;
}

/*
 * Opens a token; NULL when the text is full. The longest thing put before a check is 4 bytes and a
 * space.
 */
static struct token *token_open(struct text *t, enum token_kind kind)
{
	struct token *k;

	if (t->n == TEXT_TOKENS || t->len + 8 > TEXT_MAX)
		return NULL;
	k = &t->token[t->n];
	*k = (struct token){ .off = (uint16_t)t->len, .kind = (uint8_t)kind };
	return k;
}

static void token_close(struct text *t, struct token *k)
{
	k->len = (uint16_t)(t->len - k->off);
	t->buf[t->len++] = ' ';
	t->n++;
}

static bool put(struct text *t, uint32_t c)
{
	if (t->len + 8 > TEXT_MAX)
		return false;
	t->len += utf8_put(t->buf + t->len, c);
	return true;
}

static void put_token(struct text *t, enum token_kind kind, const char *s, size_t n)
{
	struct token *k = token_open(t, kind);

	if (!k || t->len + n + 1 > TEXT_MAX)
		return;
	memcpy(t->buf + t->len, s, n);
	t->len += n;
	token_close(t, k);
}

static void put_word(struct text *t, struct at *a)
{
	struct token *k = token_open(t, TOKEN_WORD);
	unsigned letters = 0, capitals = 0, digits = 0, chars = 0, run = 0;
	uint32_t before = 0;
	bool stretched = false;

	if (!k) {
		a->p = a->end;
		at_load(a);
		return;
	}
	for (; a->len; at_next(a)) {
		uint32_t c = a->c, low = uchar_lower(c);
		enum uchar_class class = uchar_class(c);

		if (class == UCHAR_JOINER)
			continue;
		if (c == '\'') {
			uint32_t next = 0;

			if (a->p + a->len < a->end)
				uchar_get(a->p + a->len, (size_t)(a->end - a->p - (ptrdiff_t)a->len), &next);
			if (!next || !word_char(next))
				break;
		} else if (class == UCHAR_LETTER) {
			letters++;
			capitals += low != c;
		} else if (class == UCHAR_DIGIT) {
			digits++;
		} else {
			break;
		}
		chars++;
		run = low == before ? run + 1 : 1;
		before = low;
		if (run > 2 && class == UCHAR_LETTER) {
			stretched = true;
			continue;
		}
		if (!put(t, low))
			break;
	}
	if (digits == chars && digits >= 3) {
		t->len = k->off;
		put(t, '0');
	}
	k->caps = letters >= 2 && capitals == letters;
	t->words++;
	t->caps += k->caps;
	t->stretched += stretched;
	token_close(t, k);
}

/* "[NAME]" and "[RELIGION]" as the training data has them. */
static bool put_mask(struct text *t, struct at *a)
{
	static const char *const mask[][2] = { { "[NAME]", "[name]" }, { "[RELIGION]", "[religion]" } };

	for (size_t i = 0; i < sizeof mask / sizeof mask[0]; i++) {
		size_t n = strlen(mask[i][0]);

		if ((size_t)(a->end - a->p) < n || memcmp(a->p, mask[i][0], n) != 0)
			continue;
		put_token(t, TOKEN_MASK, mask[i][1], n);
		a->p += n;
		at_load(a);
		return true;
	}
	return false;
}

/* Smileys are case sensitive and end where a word could not go on. */
static bool put_smiley(struct text *t, struct at *a)
{
	if (!*a->p || !strchr(smiley_first, *a->p))
		return false;
	for (size_t i = 0; i < sizeof smileys / sizeof smileys[0]; i++) {
		const char *s = smileys[i];
		uint32_t next;
		size_t n;

		if (s[0] != *a->p || a->end - a->p < 2 || s[1] != a->p[1])
			continue;
		n = strlen(s);
		if ((size_t)(a->end - a->p) < n || memcmp(a->p, s, n) != 0)
			continue;
		if (a->p + n < a->end) {
			uchar_get(a->p + n, (size_t)(a->end - a->p) - n, &next);
			if (word_char(next) || next == '/')
				continue;
		}
		put_token(t, TOKEN_SMILEY, s, n);
		a->p += n;
		at_load(a);
		return true;
	}
	return false;
}

static void put_shout(struct text *t, struct at *a)
{
	unsigned bang = 0, ask = 0;

	for (; a->len && (a->c == '!' || a->c == '?'); at_next(a)) {
		bang += a->c == '!';
		ask += a->c == '?';
	}
	t->exclamations += bang;
	t->questions += ask;
	if (bang && ask)
		put_token(t, TOKEN_MARK, "?!", 2);
	else if (bang)
		put_token(t, TOKEN_MARK, "!!!", bang < 3 ? bang : 3);
	else
		put_token(t, TOKEN_MARK, "??", ask < 2 ? ask : 2);
}

static void put_mark(struct text *t, struct at *a)
{
	uint32_t c = a->c;
	unsigned run = 0;
	struct token *k;

	if (c == '!' || c == '?') {
		put_shout(t, a);
		return;
	}
	if (c == 0x2026)	/* the ellipsis reads as three dots */
		c = '.', run = 2;
	for (; a->len && (a->c == c || (c == '.' && a->c == 0x2026)); at_next(a))
		run++;
	k = token_open(t, TOKEN_MARK);
	if (!k)
		return;
	put(t, c);
	if (run > 1)
		put(t, c);
	token_close(t, k);
}

static void put_emoji(struct text *t, struct at *a)
{
	char s[4];
	size_t n = utf8_put(s, a->c);
	const struct token *last = t->n ? &t->token[t->n - 1] : NULL;

	t->emoji++;
	at_next(a);
	if (last && last->kind == TOKEN_EMOJI && last->len == n && memcmp(t->buf + last->off, s, n) == 0)
		return;
	put_token(t, TOKEN_EMOJI, s, n);
}

static bool is_negation(const char *w, size_t n)
{
	if (n > 3 && memcmp(w + n - 3, "n't", 3) == 0)
		return true;
	for (size_t i = 0; i < sizeof negations / sizeof negations[0]; i++)
		if (negations[i].len == n && negations[i].word[0] == w[0] && memcmp(negations[i].word, w, n) == 0)
			return true;
	return false;
}

static void mark_negated(struct text *t)
{
	unsigned left = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct token *k = &t->token[i];

		if (k->kind != TOKEN_WORD) {
			left = 0;
			continue;
		}
		k->negated = left > 0;
		if (left)
			left--;
		if (is_negation(t->buf + k->off, k->len))
			left = 3;
	}
}

static char ascii_or_tilde(char c)
{
	return (unsigned char)c < 0x80 ? c : '~';
}

void text_parse(struct text *t, const char *p, size_t n)
{
	struct at a = { .p = p, .end = p + n };

	t->buf[0] = ' ';
	t->len = 1;
	t->n = 0;
	t->words = t->caps = t->stretched = t->emoji = t->exclamations = t->questions = 0;
	t->last_mark = 0;
	at_load(&a);
	while (a.len && t->n < TEXT_TOKENS) {
		switch (uchar_class(a.c)) {
		case UCHAR_SPACE:
		case UCHAR_JOINER:
			at_next(&a);
			break;
		case UCHAR_EMOJI:
			put_emoji(t, &a);
			break;
		case UCHAR_LETTER:
		case UCHAR_DIGIT:
			if (!put_smiley(t, &a))
				put_word(t, &a);
			break;
		case UCHAR_PUNCT:
			if (!(a.c == '[' && put_mask(t, &a)) && !put_smiley(t, &a))
				put_mark(t, &a);
			break;
		}
	}
	mark_negated(t);
	if (t->n && t->token[t->n - 1].kind == TOKEN_MARK)
		t->last_mark = ascii_or_tilde(t->buf[t->token[t->n - 1].off]);
}
