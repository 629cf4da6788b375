/* The transports there are. A new one: a line here, a file beside this one (README.md). */
#include "link/transport/transport.h"

#include <string.h>

#include "base/buf.h"
#include "base/log.h"

const struct transport *const transports[] = {
	&transport_stdio,
	&transport_sp,
	&transport_null,
	NULL
};

static bool has_hole(const struct transport *t)
{
	return !t->name || !t->schemes || !t->dial || !t->listen || !t->ask || !t->forget || !t->pause ||
		!t->reply || !t->release || !t->drop || !t->close;
}

/* Is the scheme of n bytes one of the blank-separated words? */
static bool listed(const char *words, const char *scheme, size_t n)
{
	for (const char *w = words; *w; w += strspn(w, " ")) {
		size_t len = strcspn(w, " ");
		if (len == n && memcmp(w, scheme, n) == 0)
			return true;
		w += len;
	}
	return false;
}

static void complain(const char *url)
{
	char text[256] = "";
	size_t len = 0;

	for (size_t i = 0; transports[i]; i++) {
		for (const char *w = transports[i]->schemes; *w; w += strspn(w, " ")) {
			size_t n = strcspn(w, " ");
			const char *tail = *w == '-' ? "" : "://";
			if (len + n + 8 < sizeof text) {
				memcpy(text + len, len ? ", " : "", len ? 2 : 0);
				len += len ? 2 : 0;
				memcpy(text + len, w, n);
				len += n;
				memcpy(text + len, tail, strlen(tail) + 1);
				len += strlen(tail);
			}
			w += n;
		}
	}
	log_error("%s: not a URL that can be opened here; it begins with one of: %s", url, text);
}

const struct transport *transport_find(const char *url)
{
	const char *colon = strstr(url, "://");
	size_t n = colon ? (size_t)(colon - url) : strlen(url);

	for (size_t i = 0; transports[i]; i++) {
		const struct transport *t = transports[i];
		if (has_hole(t))
			die(1, "transport %s is not complete", t->name ? t->name : "without a name");
		/* The dash has no "://", every other scheme needs it. */
		if (listed(t->schemes, url, n) && (colon != NULL) != (strcmp(url, "-") == 0))
			return t;
	}
	complain(url);
	return NULL;
}
