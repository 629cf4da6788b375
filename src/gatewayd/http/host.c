#include "gatewayd/http/host.h"

#include <arpa/inet.h>
#include <string.h>

#include "gatewayd/http/http.h"

static bool numeric(struct span name)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr a;

	if (name.n >= sizeof(text))
		return false;
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	return inet_pton(AF_INET, text, &a) == 1;
}

bool host_served(struct span host, const struct arg_list *names)
{
	static const char local[] = ".localhost";
	const char *colon = host.n ? memchr(host.p, ':', host.n) : NULL;

	if (host.n && host.p[0] == '[')		/* IPv6 in brackets is always a number */
		return true;
	if (colon)
		host.n = (size_t)(colon - host.p);
	if (host.n && host.p[host.n - 1] == '.')
		host.n--;
	if (numeric(host) || http_span_is(host, local + 1))
		return true;
	if (host.n > sizeof(local) - 1 && http_span_is((struct span){host.p + host.n - (sizeof(local) - 1), sizeof(local) - 1}, local))
		return true;
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], "*") == 0 || http_span_is(host, names->v[i]))
			return true;
	return false;
}
