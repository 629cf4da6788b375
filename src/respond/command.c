#include "respond/command.h"

#include <string.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip(const char *p, const char *end)
{
	while (p < end && blank(*p))
		p++;
	return p;
}

/* Everything but blanks, control characters and what the file's own grammar and people's punctuation use. */
static bool name_char(char c)
{
	return (unsigned char)c > 0x20 && c != 0x7f && !strchr(",.:;!?\"'()[]{}<>", c);
}

bool command_name_ok(struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (!name_char(name.p[i]))
			return false;
	return name.n > 0 && name.n <= COMMAND_NAME_MAX;
}

static const char *take_arg(const char *p, const char *end, struct span *arg)
{
	const char *from = p;
	bool quoted = *p == '"';

	if (quoted) {
		from = ++p;
		while (p < end && *p != '"')
			p++;
	} else {
		while (p < end && !blank(*p))
			p++;
	}
	*arg = (struct span){from, (size_t)(p - from)};
	return quoted && p < end ? p + 1 : p;
}

bool command_parse(struct span text, struct span prefix, struct command *out)
{
	const char *end = text.p + text.n, *p = skip(text.p, end);

	while (end > p && blank(end[-1]))
		end--;
	if ((size_t)(end - p) <= prefix.n || memcmp(p, prefix.p, prefix.n) != 0)
		return false;
	p += prefix.n;
	out->name.p = p;
	while (p < end && name_char(*p))
		p++;
	out->name.n = (size_t)(p - out->name.p);
	/* "!hug, please": what ends a name need not be a blank. */
	if (out->name.n == 0 || out->name.n > COMMAND_NAME_MAX)
		return false;
	while (p < end && *p && strchr(",.:;!?", *p))
		p++;
	if (p < end && !blank(*p))
		return false;
	p = skip(p, end);
	out->args = (struct span){p, (size_t)(end - p)};
	for (out->n = 0; p < end && out->n < COMMAND_ARGS; p = skip(p, end)) {
		out->rest[out->n] = (struct span){p, (size_t)(end - p)};
		p = take_arg(p, end, &out->arg[out->n]);
		out->n++;
	}
	return true;
}
