/* {"do":"status"}: generation of the rules, and which numbers the spool holds. The template of a verb. */
#include <inttypes.h>

#include "route/hub_impl.h"
#include "route/verb/verb.h"

static void run(struct hub *h, struct call *c, const struct json *question)
{
	(void)question;
	verb_ok(c, "\"generation\":%" PRIu64 ",\"oldest\":%" PRIu64 ",\"end\":%" PRIu64 ",\"bytes\":%" PRIu64,
		h->book.now->gen, spool_oldest(h->spool), spool_end(h->spool), spool_bytes(h->spool));
}

const struct verb verb_status = { "status", run };
