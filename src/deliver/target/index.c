/* The array, and what several targets need. */
#include "deliver/target/target.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/account.h"
#include "base/utf8.h"

const struct target *const targets[] = {
	&target_null,
	&target_discord,
	&target_twitch,
	&target_webhook,
	NULL,
};

const char *const target_others[] = {"irc", NULL};

const struct target *target_find(const char *name)
{
	for (size_t i = 0; targets[i]; i++)
		if (strcmp(targets[i]->name, name) == 0)
			return targets[i];
	return NULL;
}

int request_field(struct request *r, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -1;
	n = buf_add(&r->fields, text, (size_t)n + 1);
	explicit_bzero(text, sizeof(text));
	return n;
}

void verdict_text(struct verdict *v, const char *fmt, ...)
{
	char text[2 * VERDICT_TEXT];
	size_t at = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (const char *p = text, *end = text + strlen(text); p < end; ) {
		unsigned k = utf8_len(p, end);

		if (k == 0 || at + k >= VERDICT_TEXT)
			break;
		memcpy(v->text + at, p, k);
		if (k == 1 && ((unsigned char)*p < ' ' || *p == 0x7f))
			v->text[at] = ' ';
		at += k;
		p += k;
	}
	v->text[at] = '\0';
}

bool target_digits(const char *s)
{
	size_t n = strspn(s, "0123456789");

	return n >= 1 && n <= 20 && !s[n];
}

bool target_seconds(const char *s, int64_t *ns)
{
	char *end;
	double v;

	if (!s || !*s || strspn(s, "0123456789.") != strlen(s) || strlen(s) > 20)
		return false;
	v = strtod(s, &end);
	if (*end || !isfinite(v))
		return false;
	*ns = (int64_t)ceil(fmin(v, 86400) * 1000) * CLOCK_MS;
	return true;
}

bool target_retry_after(const struct answer *a, int64_t *ns)
{
	const char *text = a->field(a->arg, "Retry-After"), *end;
	struct tm tm = {0};
	int64_t at;

	if (target_seconds(text, ns))
		return true;
	end = text ? strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm) : NULL;
	if (!end || *end)
		return false;
	at = (int64_t)timegm(&tm) - a->wall / CLOCK_S;
	*ns = at <= 0 ? 0 : (at < 86400 ? at : 86400) * CLOCK_S;
	return true;
}

int64_t target_count(const char *s)
{
	if (!s || !*s || strlen(s) > 9 || s[strspn(s, "0123456789")])
		return -1;
	return atol(s);
}

int target_again(const struct account *a, bool *again)
{
	const char *word = account_get(a, "send-unknown", "never");

	*again = strcmp(word, "again") == 0;
	return *again || strcmp(word, "never") == 0 ? 0 : account_bad(a, "send-unknown", "\"%.40s\": want again or never", word);
}

int target_upstream(const char *url, char name[NEED_NAME])
{
	bool secure = strncmp(url, "https://", 8) == 0;
	const char *host = url + (secure ? 8 : 7), *at;
	size_t n;

	if (!secure && strncmp(url, "http://", 7) != 0)
		return -1;
	n = strcspn(host, "/?#");
	at = memrchr(host, '@', n);
	if (at) {
		n -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (n == 0 || n > 255)
		return -1;
	snprintf(name, NEED_NAME, "up %s://%.*s", secure ? "https" : "http", (int)n, host);
	return 0;
}
