#include "base/url.h"

#include <string.h>

bool url_safe(const char *url)
{
	static const char *const here[] = {"127.0.0.1", "[::1]", "localhost"};
	const char *host;

	if (strncmp(url, "https://", 8) == 0 || strncmp(url, "wss://", 6) == 0)
		return true;
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "ws://", 5) != 0)
		return false;
	host = strchr(url, '/') + 2;
	for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++) {
		size_t n = strlen(here[i]);

		if (strncmp(host, here[i], n) == 0 && (host[n] == '\0' || host[n] == ':' || host[n] == '/') &&
		    !memchr(host, '@', strcspn(host, "/")))
			return true;
	}
	return false;
}
