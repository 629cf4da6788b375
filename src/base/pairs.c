#include "base/pairs.h"

#include <string.h>

static char *skip(char *p)
{
	return p + strspn(p, " \t\r");
}

/* A quoted value: p is behind the opening quote. */
static int quoted(struct pairs *it, char *p)
{
	char *end = strchr(p, '"'), *rest;

	it->value = p;
	if (!end) {
		it->why = "the closing quote is missing";
		return -1;
	}
	rest = skip(end + 1);
	if (*rest && *rest != '#') {
		it->why = "something stands behind the closing quote";
		return -1;
	}
	*end = '\0';
	return 1;
}

/* One line, ended by NUL: 0 nothing in it, 1 a pair, -1 with the reason. */
static int split(struct pairs *it, char *line)
{
	char *p = skip(line), *end;

	if (*p == '\0' || *p == '#')
		return 0;
	it->word = p;
	p += strcspn(p, " \t\r=");
	end = p;
	p = skip(p);
	if (*p != '=' || end == it->word) {
		it->why = "not a line of the form: word = value";
		return -1;
	}
	*end = '\0';
	p = skip(p + 1);
	if (*p == '"')
		return quoted(it, p + 1);
	it->value = p;
	for (end = p; *p && !(*p == '#' && (p == it->value || p[-1] == ' ' || p[-1] == '\t')); p++)
		if (!strchr(" \t\r", *p))
			end = p + 1;
	*end = '\0';
	return 1;
}

void pairs_init(struct pairs *it, char *text, size_t n)
{
	*it = (struct pairs){.p = text, .end = text + n};
}

int pairs_next(struct pairs *it)
{
	while (it->p < it->end) {
		char *line = it->p, *lf = memchr(line, '\n', (size_t)(it->end - line));
		int rc;

		if (lf)
			*lf = '\0';
		it->p = lf ? lf + 1 : it->end;
		it->line++;
		rc = split(it, line);
		if (rc)
			return rc;
	}
	return 0;
}
