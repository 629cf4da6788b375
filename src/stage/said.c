#include "stage/said.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "stage/plain.h"

static void say(struct said *s, const char *who, int64_t now, const char *what, const char *p, size_t n)
{
	char text[SAID_LINE + 8];

	if (s->at == 0)
		s->credit = SAID_BURST;
	else
		s->credit += (double)(now - s->at) / (double)CLOCK_S * SAID_RATE;
	if (s->credit > SAID_BURST)
		s->credit = SAID_BURST;
	s->at = now;
	if (s->credit < 1) {
		s->hidden++;
		return;
	}
	s->credit -= 1;
	if (s->hidden) {
		log_warn("%s: %llu more lines are not shown", who, (unsigned long long)s->hidden);
		s->hidden = 0;
	}
	plain_shown(text, sizeof text, p, n);
	log_info("%s%s: %s", who, what, text);
}

void said_keep(struct said *s, const char *p, size_t n)
{
	if (n > SAID_TAIL) {
		s->total += n - SAID_TAIL;
		p += n - SAID_TAIL;
		n = SAID_TAIL;
	}
	for (size_t i = 0; i < n; i++)
		s->tail[(s->total + i) % SAID_TAIL] = p[i];
	s->total += n;
}

void said_bytes(struct said *s, const char *who, int64_t now, const char *p, size_t n)
{
	const char *end = p + n;

	said_keep(s, p, n);
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t part = (size_t)((lf ? lf : end) - p), room = SAID_LINE - s->nhalf;
		size_t take = part < room ? part : room;
		memcpy(s->half + s->nhalf, p, take);
		s->nhalf += take;
		if (lf && s->nhalf > 0) {
			say(s, who, now, "", s->half, s->nhalf);
			s->nhalf = 0;
		}
		p += part + (lf != NULL);
	}
}

void said_end(struct said *s, const char *who, int64_t now)
{
	if (s->nhalf)
		say(s, who, now, "", s->half, s->nhalf);
	s->nhalf = 0;
	if (s->hidden)
		log_warn("%s: %llu more lines were not shown", who, (unsigned long long)s->hidden);
	s->hidden = 0;
}

void said_stray(struct said *s, const char *who, int64_t now, const char *p, size_t n)
{
	say(s, who, now, " (stdout, no event)", p, n);
}

size_t said_tail(const struct said *s, char *out)
{
	char raw[SAID_TAIL];
	size_t n = s->total < SAID_TAIL ? (size_t)s->total : SAID_TAIL;

	for (size_t i = 0; i < n; i++)
		raw[i] = s->tail[(s->total - n + i) % SAID_TAIL];
	return plain_shown(out, SAID_TAIL + 1, raw, n);
}

void said_last(const struct said *s, char *out, size_t size)
{
	char text[SAID_TAIL + 1];
	size_t n = said_tail(s, text), start;

	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		n--;
	for (start = n; start > 0 && text[start - 1] != '\n'; start--)
		;
	snprintf(out, size, "%.*s", (int)(n - start), text + start);
}

void said_clear(struct said *s)
{
	s->total = 0;
	s->nhalf = 0;
}
