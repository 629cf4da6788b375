#include "base/args_row.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/pairs.h"

#define FILE_MAX_BYTES (1u << 20)

/* The text of every file that was read: values point into it. Never freed (see args.h), and reachable from here. */
struct text { struct text *next; char *p; };
static struct text *texts;

static char *read_text(const char *path, size_t *n, char why[ROW_WHY])
{
	struct text *t = malloc(sizeof(*t));
	struct buf b;

	buf_init(&b, FILE_MAX_BYTES);
	if (!t || fd_read_file(path, &b) || !buf_cstr(&b)) {
		snprintf(why, ROW_WHY, "%s: %s", path, errno == EMSGSIZE ? "larger than 1 MiB" : strerror(errno));
		free(t);
		buf_release(&b);
		return NULL;
	}
	if (memchr(b.p, '\0', b.len)) {
		snprintf(why, ROW_WHY, "%s: holds a NUL byte; want a text file", path);
		free(t);
		buf_release(&b);
		return NULL;
	}
	*n = b.len;
	t->p = b.p;
	t->next = texts;
	texts = t;
	return t->p;
}

struct staged { struct value v; bool set; };

static int take(const struct row *rows, size_t n, struct staged *st, bool (*known_key)(const char *word),
	const char *word, const char *value, char why[ROW_WHY])
{
	size_t i;

	for (i = 0; i < n && strcmp(rows[i].arg->word, word) != 0; i++)
		;
	if (i == n) {
		if (known_key && known_key(word))
			return 0;
		snprintf(why, ROW_WHY, "no option \"%.100s\"", word);
		return -1;
	}
	if (rows[i].arg->flags & ARG_NOFILE) {
		snprintf(why, ROW_WHY, "\"%s\" is for the command line only", word);
		return -1;
	}
	if (st[i].set && rows[i].arg->kind != ARG_LIST) {
		snprintf(why, ROW_WHY, "\"%s\" stands here a second time", word);
		return -1;
	}
	if (!st[i].set)
		st[i].v = (struct value){0};
	st[i].set = true;
	if (row_parse(rows[i].arg, value, &st[i].v, why)) {
		char reason[ROW_WHY / 2];

		snprintf(reason, sizeof(reason), "%.200s", why);
		snprintf(why, ROW_WHY, "%.64s = %.100s: %s", word, value, reason);
		return -1;
	}
	return 0;
}

int row_file(const char *path, struct row *rows, size_t n, bool (*known_key)(const char *word), char why[ROW_WHY])
{
	struct staged *st = NULL;
	struct pairs it;
	char *p, reason[ROW_WHY];
	size_t len;
	int rc;

	p = read_text(path, &len, why);
	if (!p)
		return -1;
	st = calloc(n, sizeof(*st));
	if (!st) {
		snprintf(why, ROW_WHY, "%s: out of memory", path);
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		st[i].v = rows[i].initial;
	pairs_init(&it, p, len);
	while ((rc = pairs_next(&it)) != 0) {
		if (rc < 0)
			snprintf(reason, sizeof(reason), "%s", it.why);
		if (rc < 0 || take(rows, n, st, known_key, it.word, it.value, reason)) {
			snprintf(why, ROW_WHY, "%.200s:%zu: %.250s", path, it.line, reason);
			free(st);
			return -1;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (!rows[i].given)
			row_store(&rows[i], &st[i].v);
	free(st);
	return 0;
}
