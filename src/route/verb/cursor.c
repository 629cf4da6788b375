/*
 * {"do":"cursor","dest":D,"set":SEQ}: D goes on with line SEQ. Lines that it skips are counted as shed; lines that it had are delivered again.
 * Its workers are disconnected, and dial again.
 * {"do":"cursor"}: where all destinations stand goes to their files now, for whoever is to read these.
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

static void run(struct hub *h, struct call *c, const struct json *question)
{
	const char *name = json_str(json_member(question, "dest"), NULL);
	int64_t seq = json_int(json_member(question, "set"), -1);
	uint64_t oldest = spool_oldest(h->spool), end = spool_end(h->spool);
	int place = name ? dests_place(&h->dests, name) : -1;

	if (!json_member(question, "dest") && !json_member(question, "set")) {
		unsigned n = 0;
		EACH_DEST(&h->dests, each) {
			dest_save(each);
			n++;
		}
		verb_ok(c, "\"destinations\":%u", n);
		return;
	}
	if (place < 0) {
		verb_fail(c, "there is no destination %.64s", name ? name : "(it is missing)");
		return;
	}
	if (seq < 0 || (uint64_t)seq < oldest || (uint64_t)seq > end) {
		verb_fail(c, "SEQ must be a number from %" PRIu64 " (the oldest line) to %" PRIu64 " (the end)", oldest, end);
		return;
	}
	struct order o = { .hub = h, .place = (unsigned)place, .seq = (uint64_t)seq };
	struct dest *d = h->dests.v[place];
	if (dests_renew(&h->dests, d, move, &o) < 0) {
		verb_fail(c, "%s: the cursor is not set: see the log", name);
		return;
	}
	deliver_serve(h->dests.v[place]);
	verb_ok(c, "\"shed\":%" PRIu64 ",\"again\":%" PRIu64, o.moved.shed, o.moved.again);
}

const struct verb verb_cursor = { "cursor", run };
