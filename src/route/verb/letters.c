#include "route/verb/letters.h"

#include <string.h>

#include "base/json.h"

static int read_ref(const struct json *j, struct dead_ref *out)
{
	int64_t seq = json_int(json_at(j, 0), 0), off = json_int(json_at(j, 1), -1);

	if (seq <= 0 || off < 0)
		return -1;
	*out = (struct dead_ref){ (uint64_t)seq, (off_t)off };
	return 0;
}

int letters_read(struct letters *l, struct hub *h, struct call *c, const struct json *question, const char *member)
{
	const char *dest = json_str(json_member(question, "dest"), NULL);
	const struct json *refs = json_member(question, member);

	l->hub = h;
	l->n = json_count(refs);
	l->own.path = NULL;
	if (!dest || !rules_dest_name(dest, strlen(dest))) {
		verb_fail(c, "dest must be the name of a destination");
		return -1;
	}
	strcpy(l->dest, dest);
	if (!json_is_array(refs) || l->n > LETTERS_MOST) {
		verb_fail(c, "%s must be a list of at most %u [number, offset]", member, LETTERS_MOST);
		return -1;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (read_ref(json_at(refs, i), &l->refs[i]) < 0) {
			verb_fail(c, "%s: element %zu is no [number, offset]", member, i + 1);
			return -1;
		}
	}
	return 0;
}

struct dead *letters_dead(struct letters *l)
{
	int place = dests_place(&l->hub->dests, l->dest);

	if (place >= 0)
		return &l->hub->dests.v[place]->dead;
	/* Letters outlive their destination. */
	if (dead_init(&l->own, l->hub->c->spool.dir, l->dest) < 0 || dead_scan(&l->own, NULL, NULL) < 0) {
		letters_done(l);
		return NULL;
	}
	return &l->own;
}

void letters_done(struct letters *l)
{
	int place = dests_place(&l->hub->dests, l->dest);

	if (l->own.path)
		dead_release(&l->own);
	if (place >= 0)
		dest_show_letters(l->hub->dests.v[place]);
}
