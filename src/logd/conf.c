#include "logd/conf.h"

#include <string.h>

#include "base/num.h"

#define LINE 256

void conf_init(struct conf *c)
{
	*c = (struct conf){ .size = CONF_SIZE, .keep = CONF_KEEP, .keep_full = CONF_KEEP_FULL };
}

static int line_parse(const char *text, struct conf *c, const char **why)
{
	uint64_t v;

	switch (text[0]) {
	case 0:
	case '#':
		return 0;
	case 's':
		return num_size(text + 1, 0, UINT64_C(1) << 40, &c->size, why);
	case 'n':
	case 'N':
		if (num_u64(text + 1, 0, 1000000, &v, why) < 0)
			return -1;
		*(text[0] == 'n' ? &c->keep : &c->keep_full) = (unsigned)v;
		return 0;
	case 't':
	case 'a':
		return num_duration(text + 1, 0, CONF_AGE_MAX, text[0] == 't' ? &c->age : &c->expire, why);
	case '!': case 'u': case 'U': case 'p': case '+': case '-': case 'e': case 'E':
		*why = "known to svlogd only: let log/run start svlogd";
		return -1;
	default:
		*why = "begins with none of s n N t a #";
		return -1;
	}
}

void conf_parse(const char *p, size_t n, struct conf *c, void (*bad)(void *arg, unsigned line, const char *text, const char *why), void *arg)
{
	const char *end = p + n;

	for (unsigned line = 1; p < end; line++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p)), *why = "too long";
		size_t len = (size_t)((lf ? lf : end) - p);
		char text[LINE];

		while (len > 0 && (p[len - 1] == ' ' || p[len - 1] == '\t' || p[len - 1] == '\r'))
			len--;
		if (len >= sizeof text)
			bad(arg, line, "...", why);
		else if (memchr(p, 0, len))
			bad(arg, line, "...", "a NUL byte");
		else {
			memcpy(text, p, len);
			text[len] = 0;
			if (line_parse(text, c, &why) < 0)
				bad(arg, line, text, why);
		}
		p = lf ? lf + 1 : end;
	}
}
