/* rules_book: the generations of a spool (rules.h). */
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
		snprintf(why, RULES_WHY, "%.900s: %s", dir, strerror(errno));
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
	snprintf(why, RULES_WHY, "%.900s: %s", path, strerror(errno));
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
	memo_release(&b->memo);
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
	memo_release(&b->memo);
}
