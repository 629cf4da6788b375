/*
 * line: one line out for each line in, an empty one (or null, or "", which jq can say) for "nothing to say". What does not look like an event is no answer: a program
 * that prints what it thinks would otherwise answer for lines it has not seen.
 */
#include "stage/mode/mode.h"

#include <string.h>

static bool nothing(const char *p, size_t n)
{
	return n == 0 || (n == 4 && memcmp(p, "null", 4) == 0) || (n == 2 && p[0] == '"' && p[1] == '"');
}

static enum mode_says line(const struct task *t, const char *p, size_t n)
{
	while (n > 0 && (p[0] == ' ' || p[0] == '\t'))
		p++, n--;
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t' || p[n - 1] == '\r'))
		n--;
	if (nothing(p, n))
		return t->open ? MODE_NOTHING : MODE_STRAY;
	if (!mode_means_event(p, n))
		return MODE_STRAY;
	return t->open ? MODE_ANSWER : MODE_WRONG;
}

const struct mode mode_line = {
	.name = "line",
	.about = "one line out for each line in, an empty one for nothing to say",
	.lives = true,
	.tail = NULL,
	.line = line,
};
