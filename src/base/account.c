#include "base/account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/account_impl.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/num.h"

static const struct word *find(const struct account *a, const char *word, unsigned *times)
{
	const struct word *last = NULL;

	*times = 0;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->words[i].word, word) == 0) {
			last = &a->words[i];
			++*times;
		}
	return last;
}

char *account_path_of(const struct account *a, const char *value)
{
	const char *slash = strrchr(a->path, '/');
	char *out;

	if (value[0] == '/' || !slash)
		return strdup(value);
	return asprintf(&out, "%.*s/%s", (int)(slash - a->path), a->path, value) < 0 ? NULL : out;
}

const char *account_tenant(const struct account *a)
{
	return a->tenant;
}

const char *account_name(const struct account *a)
{
	return a->name;
}

const char *account_platform(const struct account *a)
{
	return account_get(a, "platform", "");
}

const char *account_source(const struct account *a)
{
	return a->source;
}

const char *account_file(const struct account *a)
{
	return a->path;
}

bool account_same(const struct account *a, const struct account *b)
{
	return a->print.a == b->print.a && a->print.b == b->print.b;
}

void account_print(const struct account *a, unsigned char to[ACCOUNT_PRINT])
{
	for (int i = 0; i < 8; i++) {
		to[i] = (unsigned char)(a->print.a >> (8 * i));
		to[8 + i] = (unsigned char)(a->print.b >> (8 * i));
	}
}

const char *account_get(const struct account *a, const char *word, const char *otherwise)
{
	unsigned times;
	const struct word *w = find(a, word, &times);

	return w ? w->value : otherwise;
}

int account_bad(const struct account *a, const char *word, const char *fmt, ...)
{
	unsigned times;
	const struct word *w = find(a, word, &times);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (w)
		log_error("%s:%zu: %s: %s", a->path, w->line, word, text);
	else
		log_error("%s: %s: %s", a->path, word, text);
	return -1;
}

/* The one value of a word: 1; 0 absent; -1 it stands there twice. */
static int one(const struct account *a, const char *word, const char **value)
{
	unsigned times;
	const struct word *w = find(a, word, &times);

	if (times > 1)
		return account_bad(a, word, "stands here a second time");
	if (w)
		*value = w->value;
	return w != NULL;
}

int account_u64(const struct account *a, const char *word, uint64_t min, uint64_t max, uint64_t *to)
{
	const char *v = "", *why;
	int rc = one(a, word, &v);

	if (rc <= 0)
		return rc;
	if (num_u64(v, min, max, to, &why))
		return account_bad(a, word, "\"%.60s\": %s; want %llu to %llu", v, why, (unsigned long long)min, (unsigned long long)max);
	return 0;
}

int account_time(const struct account *a, const char *word, int64_t min, int64_t max, int64_t *to)
{
	const char *v = "", *why;
	int rc = one(a, word, &v);

	if (rc <= 0)
		return rc;
	if (num_duration(v, min, max, to, &why))
		return account_bad(a, word, "\"%.60s\": %s; want a time like 200ms, 10s, 5m", v, why);
	return 0;
}

int account_bool(const struct account *a, const char *word, bool *to)
{
	const char *v = "";
	int rc = one(a, word, &v);

	if (rc <= 0)
		return rc;
	if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
		return account_bad(a, word, "\"%.60s\": want yes or no", v);
	*to = v[0] == 'y';
	return 0;
}

char *account_path(const struct account *a, const char *word)
{
	const char *v = account_get(a, word, NULL);
	char *path = NULL, *absolute;

	if (!v)
		return NULL;
	path = account_path_of(a, v);
	/* The file may come later; what its folder is called now is what counts. */
	if (path && path[0] != '/') {
		char *cwd = getcwd(NULL, 0);

		if (!cwd || asprintf(&absolute, "%s/%s", cwd, path) < 0)
			absolute = NULL;
		free(cwd);
		free(path);
		path = absolute;
	}
	if (!path)
		account_bad(a, word, "%s", strerror(errno));
	return path;
}

int account_secret(const struct account *a, const char *word, struct buf *to)
{
	char *path;
	struct stat st;
	size_t before = to->len;
	int fd, rc = -1;

	if (!account_get(a, word, NULL))
		return account_bad(a, word, "is missing: want the file that holds the secret");
	path = account_path(a, word);
	if (!path)
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st))
		account_bad(a, word, "%s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		account_bad(a, word, "%s: is no plain file", path);
	else if (st.st_mode & 077)
		account_bad(a, word, "%s: others may read it (mode %04o); do: chmod 600 %s", path, (unsigned)(st.st_mode & 07777), path);
	else if (st.st_size > (off_t)ACCOUNT_FILE_BYTES)
		account_bad(a, word, "%s: larger than 64 KiB", path);
	else if (buf_reserve(to, (size_t)st.st_size + 1))
		account_bad(a, word, "%s: %s", path, strerror(errno));
	else {
		ssize_t n = read(fd, to->p + to->len, (size_t)st.st_size);

		if (n < 0)
			account_bad(a, word, "%s: %s", path, strerror(errno));
		while (n > 0 && (to->p[before + (size_t)n - 1] == '\n' || to->p[before + (size_t)n - 1] == '\r'))
			n--;
		if (n == 0)
			account_bad(a, word, "%s: is empty", path);
		if (n > 0) {
			to->len += (size_t)n;
			rc = 0;
		}
	}
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

int account_each(const struct account *a, const char *word, int (*fn)(void *arg, const char *value), void *arg)
{
	for (size_t i = 0; i < a->n; i++) {
		char *copy, *save = NULL;
		int rc = 0;

		if (strcmp(a->words[i].word, word) != 0)
			continue;
		copy = strdup(a->words[i].value);
		if (!copy)
			return account_bad(a, word, "out of memory");
		for (char *v = strtok_r(copy, " \t", &save); v && !rc; v = strtok_r(NULL, " \t", &save))
			rc = fn(arg, v);
		free(copy);
		if (rc)
			return rc;
	}
	return 0;
}

void account_known(const struct account *a, const char *const *known)
{
	for (size_t i = 0; i < a->n; i++) {
		size_t k;

		for (k = 0; known[k] && strcmp(known[k], a->words[i].word) != 0; k++)
			;
		if (!known[k])
			log_warn("%s:%zu: nothing knows the word \"%.60s\"", a->path, a->words[i].line, a->words[i].word);
	}
}
