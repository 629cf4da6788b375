#include "route/rules.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"

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

/* ---- the book ---- */

static int gen_of(const char *name, uint64_t *gen)
{
	const char *why;

	return num_u64(name, 1, UINT64_C(1) << 53, gen, &why);
}

/* The newest generation in dir; 0 when there is none, -1: why. */
static int newest(const char *dir, uint64_t *gen, char why[RULES_WHY])
{
	DIR *d = opendir(dir);
	uint64_t g;

	if (!d) {
		say(why, "%s: %s", dir, strerror(errno));
		return -1;
	}
	*gen = 0;
	for (const struct dirent *e; (e = readdir(d)); )
		if (gen_of(e->d_name, &g) == 0 && g > *gen)
			*gen = g;
	closedir(d);
	return 0;
}

static struct rules *load(const struct rules_book *b, uint64_t gen)
{
	char path[4096], why[RULES_WHY];
	struct rules *r = NULL;
	struct buf text;

	snprintf(path, sizeof(path), "%s/%" PRIu64, b->dir, gen);
	buf_init(&text, RULES_TEXT_MAX + RULES_FLAGS_MAX);
	if (fd_read_file(path, &text) < 0)
		log_error("%s: %s", path, strerror(errno));
	else if (!(r = rules_parse(path, text.p, text.len, why)))
		log_error("%s", why);
	buf_release(&text);
	if (r)
		r->gen = gen;
	return r;
}

static struct rules *loaded(const struct rules_book *b, uint64_t gen)
{
	struct rules *r = b->all;

	while (r && r->gen != gen)
		r = r->next;
	return r;
}

static void enter(struct rules_book *b, struct rules *r)
{
	r->next = b->all;
	b->all = r;
	rules_bind(r, b->place_of, b->arg);
}

static bool same_text(const struct rules *a, const struct rules *b)
{
	return a->text.len == b->text.len && (a->text.len == 0 || memcmp(a->text.p, b->text.p, a->text.len) == 0);
}

int rules_keep(const char *dir, const struct rules *now, struct rules *r, char why[RULES_WHY])
{
	char path[4096];
	uint64_t gen;

	if (now && same_text(now, r))
		return 0;
	if (newest(dir, &gen, why) < 0)
		return -1;
	r->gen = gen + 1;
	snprintf(path, sizeof(path), "%s/%" PRIu64, dir, r->gen);
	if (fd_replace(path, r->text.p, r->text.len, 0644) == 0)
		return 1;
	say(why, "%s: %s", path, strerror(errno));
	return -1;
}

void rules_book_enter(struct rules_book *b, struct rules *r)
{
	if (b->now)
		rules_rest(b->now);
	enter(b, r);
	b->now = r;
}

int rules_book_use(struct rules_book *b, struct rules *r)
{
	struct rules *last = NULL;
	char why[RULES_WHY];
	uint64_t gen;
	int kept;

	if (newest(b->dir, &gen, why) < 0)
		goto fail;
	if (gen && !(last = loaded(b, gen)) && (last = load(b, gen)))
		enter(b, last);
	kept = rules_keep(b->dir, last, r, why);
	if (kept < 0)
		goto fail;
	if (kept) {
		rules_book_enter(b, r);
	} else {
		rules_free(r);
		b->now = last;
	}
	return 0;
fail:
	log_error("%s", why);
	rules_free(r);
	return -1;
}

const struct rules *rules_book_get(struct rules_book *b, uint64_t gen)
{
	struct rules *r = loaded(b, gen);
	char why[RULES_WHY];

	if (r || (r = load(b, gen))) {
		if (r != loaded(b, gen))
			enter(b, r);
		return r;
	}
	/* An empty stand-in, so that it is said once; lines of that generation go by today's rules. */
	log_warn("%s/%" PRIu64 " is gone: lines it decided about are routed by the rules of now", b->dir, gen);
	r = b->now ? rules_parse("rules", b->now->text.p, b->now->text.len, why) : NULL;
	if (r) {
		r->gen = gen;
		enter(b, r);
	}
	return r;
}

void rules_book_bind(struct rules_book *b)
{
	for (struct rules *r = b->all; r; r = r->next)
		rules_bind(r, b->place_of, b->arg);
}

void rules_book_trim(struct rules_book *b, uint64_t oldest)
{
	char path[4096];
	uint64_t gen;
	DIR *d;

	for (struct rules **at = &b->all, *r; (r = *at); ) {
		if (r->gen >= oldest || r == b->now) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		rules_free(r);
	}
	if (!(d = opendir(b->dir)))
		return;
	for (const struct dirent *e; (e = readdir(d)); ) {
		if (gen_of(e->d_name, &gen) < 0 || gen >= oldest || (b->now && gen == b->now->gen))
			continue;
		snprintf(path, sizeof(path), "%s/%s", b->dir, e->d_name);
		if (unlink(path) < 0)
			log_warn("%s: %s", path, strerror(errno));
	}
	closedir(d);
}

void rules_book_release(struct rules_book *b)
{
	for (struct rules *r; (r = b->all); ) {
		b->all = r->next;
		rules_free(r);
	}
	b->now = NULL;
}
