#include "route/lex.h"

#include <string.h>

/* Longest first, where one begins another. */
static const char *const SIGNS[] = { "->", "==", "!=", "<=", ">=", "^=", "=~", "<", ">", "~", "(", ")", ",", NULL };

void lex_init(struct lex *l, const char *p, size_t n)
{
	memset(l, 0, sizeof(*l));
	l->p = l->line_start = p;
	l->end = p + n;
	l->line = 1;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void newline(struct lex *l)
{
	l->p++;
	l->line++;
	l->line_start = l->p;
}

static void skip_blanks(struct lex *l)
{
	while (l->p < l->end) {
		if (*l->p == ' ' || *l->p == '\t' || *l->p == '\r') {
			l->p++;
		} else if (*l->p == '#') {
			const char *lf = memchr(l->p, '\n', (size_t)(l->end - l->p));
			l->p = lf ? lf : l->end;
		} else if (*l->p == '\n' && l->depth) {
			newline(l);
		} else {
			return;
		}
	}
}

static void bad(struct lex *l, const char *why)
{
	l->kind = LEX_BAD;
	l->why = why;
}

/* Takes the bytes from at to p as the token's word. */
static void word(struct lex *l, enum lex_kind kind)
{
	l->n = (size_t)(l->p - l->at);
	l->kind = kind;
	if (l->n >= sizeof(l->word)) {
		bad(l, "a word longer than 255 bytes");
		return;
	}
	memcpy(l->word, l->at, l->n);
	l->word[l->n] = '\0';
}

static void string(struct lex *l)
{
	char quote = *l->p;

	for (l->p++; l->p < l->end && *l->p != quote; l->p++) {
		if (*l->p == '\n')
			break;
		if (quote == '"' && *l->p == '\\' && l->p + 1 < l->end && l->p[1] != '\n')
			l->p++;
	}
	if (l->p == l->end || *l->p != quote) {
		bad(l, "a text without its closing quote");
		return;
	}
	l->p++;
	l->kind = LEX_STRING;
	l->n = (size_t)(l->p - l->at);
}

static void number(struct lex *l)
{
	if (*l->p == '-')
		l->p++;
	while (l->p < l->end && (digit(*l->p) || *l->p == '.' || *l->p == 'e' || *l->p == 'E' ||
	    ((*l->p == '-' || *l->p == '+') && (l->p[-1] == 'e' || l->p[-1] == 'E'))))
		l->p++;
	word(l, LEX_NUMBER);
	if (l->kind == LEX_NUMBER && l->p < l->end && *l->p == '%') {
		l->p++;
		l->kind = LEX_PERCENT;
	} else if (l->kind == LEX_NUMBER && l->p < l->end && name_start(*l->p)) {
		bad(l, "a number that runs into a name");
	}
}

static void sign(struct lex *l)
{
	for (size_t i = 0; SIGNS[i]; i++) {
		size_t n = strlen(SIGNS[i]);
		if ((size_t)(l->end - l->p) < n || memcmp(l->p, SIGNS[i], n) != 0)
			continue;
		l->p += n;
		word(l, LEX_SIGN);
		if (*l->word == '(')
			l->depth++;
		if (*l->word == ')' && l->depth)
			l->depth--;
		return;
	}
	bad(l, *l->p == '=' ? "= is no operator; == compares" : "a character that has no meaning here");
}

/* To the next token. true: it is an end, of the line or of the text. */
static bool begin(struct lex *l)
{
	skip_blanks(l);
	l->at = l->p;
	l->at_line = l->line;
	l->at_column = (unsigned)(l->p - l->line_start) + 1;
	l->n = 0;
	l->word[0] = '\0';
	if (l->p < l->end && *l->p != '\n')
		return false;
	l->kind = l->p == l->end ? LEX_END : LEX_NEWLINE;
	if (l->kind == LEX_NEWLINE)
		newline(l);
	return true;
}

void lex_next_word(struct lex *l)
{
	if (begin(l))
		return;
	while (l->p < l->end && !strchr(" \t\r\n#", *l->p))
		l->p++;
	word(l, LEX_NAME);
}

void lex_next(struct lex *l)
{
	if (begin(l))
		return;
	if (*l->p == '"' || *l->p == '\'') {
		string(l);
	} else if (digit(*l->p) || (*l->p == '-' && l->p + 1 < l->end && digit(l->p[1]))) {
		number(l);
	} else if (name_start(*l->p)) {
		/* A dash belongs to the name unless it begins an arrow. */
		while (l->p < l->end && (name_start(*l->p) || digit(*l->p) || *l->p == '.' ||
		    (*l->p == '-' && !(l->p + 1 < l->end && l->p[1] == '>'))))
			l->p++;
		word(l, LEX_NAME);
	} else {
		sign(l);
	}
}

bool lex_is(const struct lex *l, const char *text)
{
	return (l->kind == LEX_NAME || l->kind == LEX_SIGN) && strcmp(l->word, text) == 0;
}
