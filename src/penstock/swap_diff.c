/*
 * penstock swap --diff: what a shadow said (swap_keep.c) beside what the stage in force said of the same events, which is in the spool. Two events are
 * equal when type, subject, tenant, partitionkey and data are; times and traces may differ.
 */
#include "penstock/swap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"

#define EXAMPLES 5

/* One event that the shadow made, or that it was given (passed on, as stages in a pipe do). */
struct said { char *key, *line; size_t len; bool made, met; };

struct diff {
	struct said *v;
	size_t n, cap;
	char *suffix;			/* ".analyze": how ids of this stage's events end */
	uint64_t equal, different, only_old, only_new;
	unsigned shown;
	bool passes;			/* it passes on what it is given: what it said nothing to is known */
};

/* id + LF + source of a parsed line. */
static char *key_of(const struct json *doc)
{
	const char *id = json_str(json_member(doc, "id"), NULL), *source = json_str(json_member(doc, "source"), NULL);
	char *key = NULL;

	if (id && source && asprintf(&key, "%s\n%s", id, source) < 0)
		die(1, "no memory");
	return key;
}

/* The length of the cause's id when the id ends in .STAGE or .STAGE.N; 0 when it is another's. */
static size_t cause_length(const struct diff *d, const char *id, size_t n)
{
	size_t k = strlen(d->suffix), digits = n;

	while (digits > 0 && id[digits - 1] >= '0' && id[digits - 1] <= '9')
		digits--;
	if (digits < n && digits > 1 && id[digits - 1] == '.' && digits - 1 > k && memcmp(id + digits - 1 - k, d->suffix, k) == 0)
		return digits - 1 - k;
	return n > k && memcmp(id + n - k, d->suffix, k) == 0 ? n - k : 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct said *)a)->key, ((const struct said *)b)->key);
}

static struct said *find(const struct diff *d, const char *key)
{
	struct said probe = { .key = (char *)key };

	return d->n ? bsearch(&probe, d->v, d->n, sizeof *d->v, by_key) : NULL;
}

static void add_said(struct diff *d, const char *p, size_t n)
{
	struct json_error err;
	struct json *doc = json_parse(p, n, &err);
	struct said *s;
	char *key = key_of(doc);

	json_free(doc);
	if (!key)
		return;
	if (d->n == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 1024;
		d->v = realloc(d->v, d->cap * sizeof *d->v);
		if (!d->v)
			die(1, "no memory");
	}
	s = &d->v[d->n++];
	*s = (struct said){ .key = key, .len = n, .made = cause_length(d, key, strcspn(key, "\n")) > 0 };
	if (s->made && !(s->line = strndup(p, n)))
		die(1, "no memory");
	d->passes |= !s->made;
}

static int read_said(struct diff *d, const char *path)
{
	const char *p, *end, *lf;
	struct buf b;
	int rc = 0;

	buf_init(&b, 2 * SWAP_SHADOW_BYTES);
	if (fd_read_file(path, &b) < 0 && errno != ENOENT) {
		log_error("%s: %s", path, strerror(errno));
		rc = -1;
	}
	for (p = b.p, end = b.p + b.len; rc == 0 && p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL; p = lf + 1)
		add_said(d, p, (size_t)(lf - p));
	buf_release(&b);
	return rc;
}

/* A shadow that was killed may have said a thing twice: once is enough. */
static void sort_said(struct diff *d)
{
	size_t n = 0;

	if (d->n)
		qsort(d->v, d->n, sizeof *d->v, by_key);
	for (size_t i = 0; i < d->n; i++)
		if (n == 0 || strcmp(d->v[n - 1].key, d->v[i].key) != 0)
			d->v[n++] = d->v[i];
	d->n = n;
}

static void print_value(const char *who, const struct json *doc, const char *path)
{
	const struct json *j = json_path(doc, path);
	struct buf b;

	buf_init(&b, 4u << 20);
	if (j && json_print(j, &b) == 0)
		printf("    %s %.*s%s\n", who, (int)(b.len > 400 ? 400 : b.len), b.p, b.len > 400 ? "..." : "");
	else
		printf("    %s nothing\n", who);
	buf_release(&b);
}

static void show_difference(struct diff *d, const struct said *s, const struct json *old, const struct json *new, const char *path)
{
	if (d->shown++ >= EXAMPLES)
		return;
	printf("  %.*s: %s\n", (int)strcspn(s->key, "\n"), s->key, path);
	print_value("old", old, path);
	print_value("new", new, path);
}

static void compare_event(struct diff *d, struct said *s, const struct json *old)
{
	struct json_error err;
	struct json *new = json_parse(s->line, s->len, &err);
	char path[512] = "";

	s->met = true;
	if (swap_equal(old, new, path, sizeof path)) {
		d->equal++;
	} else {
		d->different++;
		show_difference(d, s, old, new, path);
	}
	json_free(new);
}

/* The shadow did not say it. Did it get the cause at all? It passes on what it is given. */
static void note_missing(struct diff *d, const char *key, size_t cause)
{
	size_t id = strcspn(key, "\n");
	const struct said *s;
	char *given;

	if (asprintf(&given, "%.*s%s", (int)cause, key, key + id) < 0)
		die(1, "no memory");
	s = find(d, given);
	free(given);
	if (!s || s->made)
		return;
	d->only_old++;
	if (d->shown++ < EXAMPLES)
		printf("  %.*s: only the old one says something\n", (int)id, key);
}

/* One line of the stage in force. */
static void compare(struct diff *d, const char *p, size_t n)
{
	struct json_error err;
	struct json *doc = json_parse(p, n, &err);
	char *key = key_of(doc);
	size_t cause = key ? cause_length(d, key, strcspn(key, "\n")) : 0;
	struct said *s = cause ? find(d, key) : NULL;

	if (s && !s->met)
		compare_event(d, s, doc);
	else if (cause && !s)
		note_missing(d, key, cause);
	free(key);
	json_free(doc);
}

/* Every line of the spool from the shadow's first on. */
static int read_spool(const struct tree *t, const struct swap *s, struct diff *d)
{
	char *where = text_of("id ~ \"*%s\" or id ~ \"*%s.*\"", d->suffix, d->suffix);
	char *from = text_of("%" PRIu64, s->from ? s->from : 1);
	char *argv[] = { program_path("route"), (char *)"-T", (char *)"-d", tree_path(t, "spool"), (char *)"--from", from, (char *)"--once",
		(char *)"-w", where, NULL };
	const char *p, *end, *lf;
	struct buf b;
	int code;

	buf_init(&b, (size_t)2 << 30);
	code = program_read(argv, &b);
	for (p = b.p, end = b.p + b.len; code == 0 && p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL; p = lf + 1)
		compare(d, p, (size_t)(lf - p));
	buf_release(&b);
	if (code > 0)
		log_error("route -T ended with code %d", code);
	return code == 0 ? 0 : -1;
}

static void count_new(struct diff *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct said *s = &d->v[i];

		if (!s->made || s->met)
			continue;
		d->only_new++;
		if (d->shown++ < EXAMPLES)
			printf("  %.*s: only the new one says something\n", (int)strcspn(s->key, "\n"), s->key);
	}
}

int swap_diff(const struct tree *t, const struct swap *s)
{
	struct diff d = { .suffix = text_of(".%s", s->stage ? s->stage : s->name) };
	uint64_t all;

	if (!s->trial || s->how != SWAP_SHADOW) {
		log_error("%s: no shadow is at work", s->name);
		return 1;
	}
	if (read_said(&d, swap_shadow_file(t, s->name, "old")) < 0 || read_said(&d, swap_shadow_file(t, s->name, "new")) < 0)
		return 1;
	sort_said(&d);
	if (read_spool(t, s, &d) < 0)
		return 1;
	count_new(&d);
	all = d.equal + d.different + d.only_old + d.only_new;
	if (d.shown > EXAMPLES)
		printf("  and %u more\n", d.shown - EXAMPLES);
	printf("%s: %" PRIu64 " events compared, %.2f %% equal; %" PRIu64 " differ, %" PRIu64 " only the old one made, %" PRIu64
		" only the new one\n", s->name, all, all ? 100.0 * (double)d.equal / (double)all : 0.0, d.different, d.only_old, d.only_new);
	if (!d.passes)
		printf("it passes nothing on: to what it says nothing, where the old one does, cannot be told\n");
	return fflush(stdout) == 0 ? 0 : 1;
}
