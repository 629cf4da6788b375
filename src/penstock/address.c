/* The chat page's address, as etc/gatewayd.conf has it: the lines "listen = ADDR" and "port = N". */
#include "penstock/penstock.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/num.h"

#define CONF_MAX (1u << 20)

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The value in "word = value", NUL-terminated in place; NULL when the line is another. */
static char *value_of(char *line, const char *word)
{
	char *end;

	while (blank(*line))
		line++;
	if (strncmp(line, word, strlen(word)) != 0)
		return NULL;
	line += strlen(word);
	while (blank(*line))
		line++;
	if (*line++ != '=')
		return NULL;
	while (blank(*line))
		line++;
	end = line + strlen(line);
	while (end > line && blank(end[-1]))
		*--end = 0;
	return line;
}

/* Every address of this machine is reached by its loopback name. */
static char *url_of(const char *host, const char *port)
{
	uint64_t n;
	const char *why;

	if (num_u64(port, 1, 65535, &n, &why) < 0)
		return NULL;
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 || strcmp(host, "*") == 0)
		host = "localhost";
	return strchr(host, ':') ? text_of("http://[%s]:%s/", host, port) : text_of("http://%s:%s/", host, port);
}

char *tree_address(const struct tree *t)
{
	char *path = tree_path(t, "etc/gatewayd.conf"), *url = NULL, *line, *next, *value;
	const char *host = "127.0.0.1", *port = NULL;
	struct buf b;

	buf_init(&b, CONF_MAX);
	if (fd_read_file(path, &b) == 0 && buf_cstr(&b)) {
		for (line = b.p; line; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = 0;
			if ((value = value_of(line, "listen")) != NULL)
				host = value;
			else if ((value = value_of(line, "port")) != NULL)
				port = value;
		}
		if (port)
			url = url_of(host, port);
	}
	buf_release(&b);
	return url;
}
