#include "route/rules.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

__attribute__((format(printf, 2, 3)))
static void *say(char why[RULES_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, RULES_WHY, fmt, ap);
	va_end(ap);
	return NULL;
}

struct rules *rules_parse(const char *file, const char *text, size_t n, char why[RULES_WHY])
{
	struct parse_error err;
	struct rules *r = calloc(1, sizeof(*r));

	if (!r)
		goto no_memory;
	buf_init(&r->text, RULES_TEXT_MAX + RULES_FLAGS_MAX);
	if (buf_add(&r->text, text, n) < 0)
		goto no_memory;
	if (parse_rules(&r->set, text, n, &err) < 0) {
		rules_free(r);
		return say(why, "%s:%u:%u: %s", file, err.line, err.column, err.text);
	}
	r->masks = calloc(r->set.n + 1, sizeof(*r->masks));
	r->hits = calloc(r->set.n + 1, sizeof(*r->hits));
	if (!r->masks || !r->hits)
		goto no_memory;
	for (size_t i = 0; i < r->set.n; i++)
		r->masks[i] = r->set.v[i].dests;
	return r;
no_memory:
	rules_free(r);
	return say(why, "%s: no memory", file);
}

/* ---- files ---- */

/* Appends the names that stand in the flags file to line, a blank before each. */
static int names_of(struct buf *line, const char *file, const struct buf *text, char why[RULES_WHY])
{
	const char *p = text->p, *end = p + text->len;

	for (unsigned number = 1; p < end; number++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end, *next = lf ? lf + 1 : end, *hash;
		if ((hash = memchr(p, '#', (size_t)(stop - p))))
			stop = hash;
		while (p < stop && strchr(" \t\r", *p))
			p++;
		while (p < stop && strchr(" \t\r", stop[-1]))
			stop--;
		if (p < stop && !rules_flag_name(p, (size_t)(stop - p))) {
			say(why, "%s:%u:1: one flag a line; its name is letters, digits, dots, dashes and _, at most %u", file, number,
				RULES_FLAG_NAME);
			return -1;
		}
		if (p < stop && (buf_addc(line, ' ') < 0 || buf_add(line, p, (size_t)(stop - p)) < 0)) {
			say(why, "%s: no memory", file);
			return -1;
		}
		p = next;
	}
	return 0;
}

static int read_flags(const char *rules_file, const char *file, struct buf *line, char why[RULES_WHY])
{
	const char *slash = strrchr(rules_file, '/');
	char beside[4096];
	struct buf text;
	int r = 0;

	if (!file) {
		snprintf(beside, sizeof(beside), "%.*sflags", slash ? (int)(slash + 1 - rules_file) : 0, rules_file);
		file = beside;
	}
	buf_init(&text, RULES_FLAGS_MAX);
	if (fd_read_file(file, &text) == 0) {
		r = names_of(line, file, &text, why);
	} else if (errno != ENOENT) {
		say(why, "%s: %s", file, errno == EMSGSIZE ? "larger than 64 KiB, the limit for flags" : strerror(errno));
		r = -1;
	}
	buf_release(&text);
	return r;
}

/* The text with only those flags in its first line that rules ask for: what nobody asks for may change and no rule does. */
static int keep_asked(struct rules *r, const struct buf *plain)
{
	const char *before = RULES_FLAGS_LINE;

	buf_clear(&r->text);
	for (unsigned i = 0; i < r->set.nflags; i++) {
		if (!r->set.flags[i].on)
			continue;
		if (buf_printf(&r->text, "%s %s", before, r->set.flags[i].name) < 0)
			return -1;
		before = "";
	}
	return (*before || buf_addc(&r->text, '\n') == 0) && buf_add(&r->text, plain->p, plain->len) == 0 ? 0 : -1;
}

struct rules *rules_read(const char *file, const char *flags, char why[RULES_WHY])
{
	struct rules *r = NULL;
	struct buf plain, text;

	buf_init(&plain, RULES_TEXT_MAX);
	buf_init(&text, RULES_TEXT_MAX + RULES_FLAGS_MAX);
	if (fd_read_file(file, &plain) < 0) {
		say(why, "%s: %s", file, errno == EMSGSIZE ? "larger than 1 MiB, the limit for rules" : strerror(errno));
		goto out;
	}
	if (plain.len > strlen(RULES_FLAGS_LINE) && memcmp(plain.p, RULES_FLAGS_LINE, strlen(RULES_FLAGS_LINE)) == 0) {
		say(why, "%s:1:1: this is a text that route kept; flags stand in a file of their own, take the line out", file);
		goto out;
	}
	if (buf_adds(&text, RULES_FLAGS_LINE) < 0) {
		say(why, "%s: no memory", file);
		goto out;
	}
	if (read_flags(file, flags, &text, why) < 0)
		goto out;
	if (text.len == strlen(RULES_FLAGS_LINE))
		buf_clear(&text);
	else if (buf_addc(&text, '\n') < 0)
		goto out;
	if (buf_add(&text, plain.p, plain.len) < 0)
		say(why, "%s: no memory", file);
	else if ((r = rules_parse(file, text.p, text.len, why)) && keep_asked(r, &plain) < 0) {
		say(why, "%s: no memory", file);
		rules_free(r);
		r = NULL;
	}
out:
	buf_release(&plain);
	buf_release(&text);
	return r;
}

int rules_ready(struct rules *r, const char *file, char why[RULES_WHY])
{
	const struct pred *bad = NULL;
	char text[PRED_WHY];

	for (size_t i = 0; i < r->set.n; i++) {
		if (pred_ready(r->set.v[i].when, &bad, text) < 0) {
			say(why, "%s:%u:%u: %s", file, bad->line, bad->column, text);
			return -1;
		}
	}
	return 0;
}

void rules_rest(struct rules *r)
{
	for (size_t i = 0; i < r->set.n; i++)
		pred_rest(r->set.v[i].when);
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	ruleset_release(&r->set);
	buf_release(&r->text);
	free(r->masks);
	free(r->hits);
	free(r);
}

void rules_bind(struct rules *r, int (*place_of)(void *arg, const char *name), void *arg)
{
	for (unsigned i = 0; i < r->set.ndests; i++)
		r->places[i] = place_of(arg, r->set.names[i]);
	for (size_t k = 0; k < r->set.n; k++) {
		r->masks[k] = 0;
		for (unsigned i = 0; i < r->set.ndests; i++)
			if (r->places[i] >= 0 && r->set.v[k].dests >> i & 1)
				r->masks[k] |= UINT64_C(1) << r->places[i];
	}
}

int rules_place(const struct rules *r, const char *name)
{
	for (unsigned i = 0; i < r->set.ndests; i++)
		if (strcmp(r->set.names[i], name) == 0)
			return r->places[i];
	return -1;
}

uint64_t rules_eval(const struct rules *r, const struct pred_line *l)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < r->set.n; i++) {
		/* A rule that could add nothing and stops nothing need not be asked. */
		if ((mask | r->masks[i]) == mask && !r->set.v[i].stop)
			continue;
		if (!pred_match(r->set.v[i].when, l))
			continue;
		mask |= r->masks[i];
		if (r->set.v[i].stop)
			break;
	}
	return mask;
}

uint64_t rules_decide(const struct rules *r, const struct pred_line *l)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < r->set.n; i++) {
		if (!pred_match(r->set.v[i].when, l))
			continue;
		r->hits[i]++;
		mask |= r->masks[i];
		if (r->set.v[i].stop)
			break;
	}
	return mask;
}
