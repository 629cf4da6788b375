#include "route/rules.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"

struct rules *rules_parse(const char *file, const char *text, size_t n)
{
	struct parse_error err;
	struct rules *r = calloc(1, sizeof(*r));

	if (!r)
		goto no_memory;
	buf_init(&r->text, RULES_TEXT_MAX);
	if (buf_add(&r->text, text, n) < 0)
		goto no_memory;
	if (parse_rules(&r->set, text, n, &err) < 0) {
		log_error("%s:%u:%u: %s", file, err.line, err.column, err.text);
		rules_free(r);
		return NULL;
	}
	r->masks = calloc(r->set.n ? r->set.n : 1, sizeof(*r->masks));
	if (!r->masks)
		goto no_memory;
	for (size_t i = 0; i < r->set.n; i++)
		r->masks[i] = r->set.v[i].dests;
	for (unsigned i = 0; i < r->set.ndests; i++)
		r->places[i] = (int)i;
	return r;
no_memory:
	log_error("%s: no memory", file);
	rules_free(r);
	return NULL;
}

struct rules *rules_read(const char *file)
{
	struct rules *r = NULL;
	struct buf text;

	buf_init(&text, RULES_TEXT_MAX);
	if (fd_read_file(file, &text) < 0)
		log_error("%s: %s", file, errno == EMSGSIZE ? "larger than 1 MiB, the limit for rules" : strerror(errno));
	else
		r = rules_parse(file, text.p, text.len);
	buf_release(&text);
	return r;
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	ruleset_release(&r->set);
	buf_release(&r->text);
	free(r->masks);
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

/* ---- the book ---- */

static int gen_of(const char *name, uint64_t *gen)
{
	const char *why;

	return num_u64(name, 1, UINT64_C(1) << 53, gen, &why);
}

/* The newest generation in dir; 0 when there is none, -1 with a message. */
static int newest(const char *dir, uint64_t *gen)
{
	DIR *d = opendir(dir);
	uint64_t g;

	if (!d) {
		log_error("%s: %s", dir, strerror(errno));
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
	char path[4096];

	snprintf(path, sizeof(path), "%s/%" PRIu64, b->dir, gen);
	struct rules *r = rules_read(path);
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

int rules_book_use(struct rules_book *b, struct rules *r)
{
	char path[4096];
	struct rules *last = NULL;
	uint64_t gen;

	if (newest(b->dir, &gen) < 0)
		goto fail;
	if (gen && !(last = loaded(b, gen)) && (last = load(b, gen)))
		enter(b, last);
	if (last && last->text.len == r->text.len && memcmp(last->text.p, r->text.p, r->text.len) == 0) {
		rules_free(r);
		b->now = last;
		return 0;
	}
	r->gen = gen + 1;
	snprintf(path, sizeof(path), "%s/%" PRIu64, b->dir, r->gen);
	if (fd_replace(path, r->text.p, r->text.len, 0644) < 0) {
		log_error("%s: %s", path, strerror(errno));
		goto fail;
	}
	enter(b, r);
	b->now = r;
	return 0;
fail:
	rules_free(r);
	return -1;
}

const struct rules *rules_book_get(struct rules_book *b, uint64_t gen)
{
	struct rules *r = loaded(b, gen);

	if (r || (r = load(b, gen))) {
		if (r != loaded(b, gen))
			enter(b, r);
		return r;
	}
	/* An empty stand-in, so that it is said once; lines of that generation go by today's rules. */
	log_warn("%s/%" PRIu64 " is gone: lines it decided about are routed by the rules of now", b->dir, gen);
	r = b->now ? rules_parse("rules", b->now->text.p, b->now->text.len) : NULL;
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
