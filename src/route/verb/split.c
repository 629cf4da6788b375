/* {"do":"split","dest":D,...}: workers of a destination in two sets (split.h): set, show, or switch off. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "route/deliver.h"
#include "route/hub_impl.h"
#include "route/verb/verb.h"

#define ANSWER_MAX 8192u

static void answer(struct call *c, const struct dest *d)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	if (split_say(d, &b) < 0)
		verb_fail(c, "no memory for the answer");
	else
		verb_ok_text(c, b.p, b.len);
	buf_release(&b);
}

static void run(struct hub *h, struct call *c, const struct json *question)
{
	const char *name = json_str(json_member(question, "dest"), NULL), *set = json_str(json_member(question, "set"), NULL);
	const char *why = NULL;
	int place = name ? dests_place(&h->dests, name) : -1;

	if (place < 0) {
		verb_fail(c, "\"dest\" is the name of a destination; %.64s is none", name ? name : "nothing");
		return;
	}
	struct dest *d = h->dests.v[place];
	if (json_bool(json_member(question, "off"), false)) {
		split_off(d, "told to");
	} else if (set) {
		bool copy = json_bool(json_member(question, "copy"), false), hold = json_bool(json_member(question, "hold"), false);
		int64_t percent = json_int(json_member(question, "percent"), 0);

		if (copy || hold)
			percent = 0;
		else if (percent < 1 || percent > 100)
			percent = 101;	/* refused */
		why = split_set(d, set, (unsigned)percent, copy && !hold);
	}
	if (why) {
		verb_fail(c, "%s", why);
		return;
	}
	answer(c, d);
	deliver_serve(d);
}

const struct verb verb_split = { "split", run };
