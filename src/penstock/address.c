/* The chat page's address, as etc/gatewayd.conf has it: the line "listen = HOST:PORT". */
#include "penstock/penstock.h"

#include <stdbool.h>
#include <stdlib.h>
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
static char *url_of(const char *listen)
{
	const char *colon = strrchr(listen, ':'), *why;
	size_t host;
	uint64_t port;

	if (!colon || num_u64(colon + 1, 1, 65535, &port, &why) < 0)
		return NULL;
	host = (size_t)(colon - listen);
	if (host == 0 || strncmp(listen, "0.0.0.0", host) == 0 || strncmp(listen, "[::]", host) == 0 || strncmp(listen, "*", host) == 0)
		return text_of("http://localhost:%u/", (unsigned)port);
	return text_of("http://%.*s:%u/", (int)host, listen, (unsigned)port);
}

char *tree_address(const struct tree *t)
{
	char *path = tree_path(t, "etc/gatewayd.conf"), *url = NULL, *line, *next, *value;
	struct buf b;

	buf_init(&b, CONF_MAX);
	if (fd_read_file(path, &b) == 0 && buf_cstr(&b)) {
		for (line = b.p; line && !url; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = 0;
			value = value_of(line, "listen");
			if (value)
				url = url_of(value);
		}
	}
	buf_release(&b);
	free(path);
	return url;
}
