/* host: numbers and localhost are ours, other names only when they are given. */
#include "check.h"

#include <string.h>

#include "gatewayd/http/host.h"

static bool served(const char *host, size_t n, const char **names)
{
	return host_served((struct span){ host, strlen(host) }, &(struct arg_list){ names, n });
}

int main(void)
{
	static const char *const ours[] = { "127.0.0.1", "127.0.0.1:8080", "10.1.2.3", "[::1]", "[::1]:80", "localhost", "LOCALHOST:8080",
		"localhost.", "a.localhost", "a.b.localhost:1" };
	static const char *const others[] = { "", ":80", "example.org", "evil.example:8080", "notlocalhost", ".localhost", "127.0.0.1.example",
		"127.0.0.1x", "1.2.3", "localhost.example", "0x7f.1" };
	const char *names[] = { "chat.example.org", "b" }, *any[] = { "*" };

	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		CHECK(served(ours[i], 0, NULL), "%s", ours[i]);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		CHECK(!served(others[i], 2, names), "not \"%s\"", others[i]);
	CHECK(served("Chat.Example.org:443", 2, names), "a name that was given");
	CHECK(served("anything.example", 1, any), "any name");
	return check_done();
}
