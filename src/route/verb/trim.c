/*
 * {"do":"trim"}: segments that no cursor needs go now, whatever --keep and the repeat window say.
 * {"do":"trim","before":SEQ}: only those whose lines are all below SEQ; with "force":true those, too, that destinations still need: their
 * cursors are set forward, and what they skip is counted as shed.
 */
#include <inttypes.h>

#include "base/json.h"
#include "route/books.h"
#include "route/deliver.h"
#include "route/hub_impl.h"
#include "route/verb/verb.h"

struct order { struct hub *hub; unsigned place; uint64_t seq; struct books_moved moved; };

static int move(void *arg, struct cursor *c)
{
	struct order *o = arg;

	return books_move(o->hub->spool, &o->hub->book, o->place, c, o->seq, &o->moved);
}

/* -1: one of them could not be moved. */
static int move_all(struct hub *h, uint64_t to, uint64_t *shed)
{
	for (unsigned i = 0; i < RULES_DESTS; i++) {
		struct dest *d = h->dests.v[i];
		struct order o = { .hub = h, .place = i, .seq = to };
		if (!d || d->cursor.low >= to)
			continue;
		if (dests_renew(&h->dests, d, move, &o) < 0)
			return -1;
		*shed += o.moved.shed;
		deliver_serve(h->dests.v[i]);
	}
	return 0;
}

static void run(struct hub *h, struct call *c, const struct json *question)
{
	uint64_t before = (uint64_t)json_int(json_member(question, "before"), INT64_MAX), shed = 0, removed = 0;
	uint64_t held = timer_low(&h->timer), low = dests_low(&h->dests, held), bytes = spool_bytes(h->spool);
	bool force = json_bool(json_member(question, "force"), false);
	uint64_t to = spool_boundary(h->spool, force ? before : before < low ? before : low);

	if (to > held) {
		verb_fail(c, "lines from %" PRIu64 " on are held until their time (notbefore): they cannot be removed", held);
		return;
	}
	if (force && to > low && move_all(h, to, &shed) < 0) {
		verb_fail(c, "a cursor cannot be set forward: see the log");
		return;
	}
	if (spool_remove(h->spool, to, &removed) < 0) {
		verb_fail(c, "not all could be removed: see the log");
		return;
	}
	rules_book_trim(&h->book, spool_oldest_gen(h->spool));
	verb_ok(c, "\"removed\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"shed\":%" PRIu64 ",\"oldest\":%" PRIu64, removed,
		bytes - spool_bytes(h->spool), shed, spool_oldest(h->spool));
}

const struct verb verb_trim = { "trim", run };
