/* hub_letters: dead letters that a killed hub had said again and not yet marked. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "route/hub_impl.h"

/* The last lines said again for a destination, by their place in turn. */
struct letters_said { uint64_t n; struct { unsigned place; uint64_t of; } v[LETTERS_MOST]; };

void hub_letters_seen(struct hub *h, const struct spool_view *v)
{
	struct again a;
	int place;

	if (again_open(v->p, v->n, &a) != 1 || !a.to[0] || (place = dests_place(&h->dests, a.to)) < 0)
		return;
	if (!h->letters && !(h->letters = calloc(1, sizeof(*h->letters))))
		die(1, "no memory");
	h->letters->v[h->letters->n % LETTERS_MOST].place = (unsigned)place;
	h->letters->v[h->letters->n++ % LETTERS_MOST].of = a.of;
}

struct looked_for { uint64_t of[LETTERS_MOST]; size_t n; struct dead_ref found[LETTERS_MOST]; size_t nfound; };

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool look_at(void *arg, off_t off, const char *p, size_t n)
{
	struct looked_for *f = arg;
	uint64_t seq;
	bool alive;

	if (letter_head(p, n, &alive, &seq) == 0 && alive && bsearch(&seq, f->of, f->n, sizeof(seq), compare))
		f->found[f->nfound++] = (struct dead_ref){ seq, off };
	return f->nfound < LETTERS_MOST;
}

static int settle(struct dest *d, const struct letters_said *s, struct looked_for *f)
{
	uint64_t marked;

	f->n = f->nfound = 0;
	for (uint64_t i = 0; i < s->n && i < LETTERS_MOST; i++)
		if (s->v[i].place == d->place)
			f->of[f->n++] = s->v[i].of;
	if (!f->n)
		return 0;
	qsort(f->of, f->n, sizeof(f->of[0]), compare);
	if (dead_each(d->dead.path, look_at, f) < 0 || (f->nfound && dead_mark(&d->dead, f->found, f->nfound, &marked) < 0))
		return -1;
	if (f->nfound)
		log_info("destination %s: %zu dead letters were said again before the last end of route: they are no longer dead", d->name,
			f->nfound);
	dest_show_letters(d);
	return 0;
}

int hub_letters_settle(struct hub *h)
{
	struct looked_for *f;
	int r = 0;

	if (!h->letters)
		return 0;
	f = malloc(sizeof(*f));
	if (!f) {
		log_error("no memory");
		return -1;
	}
	EACH_DEST(&h->dests, d)
		r |= settle(d, h->letters, f);
	free(f);
	free(h->letters);
	h->letters = NULL;
	return r;
}
