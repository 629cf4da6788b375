/* {"do":"status"}: generation of the rules, which numbers the spool holds, and "refuses": why no batch is taken now, or null. The template of a verb. */
#include <inttypes.h>

#include "route/hub_impl.h"
#include "route/verb/verb.h"

static void run(struct hub *h, struct call *c, const struct json *question)
{
	const char *why = spool_refuses(h->spool), *quote = why ? "\"" : "";

	(void)question;
	verb_ok(c, "\"generation\":%" PRIu64 ",\"oldest\":%" PRIu64 ",\"end\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"refuses\":%s%s%s",
		h->book.now->gen, spool_oldest(h->spool), spool_end(h->spool), spool_bytes(h->spool), quote, why ? why : "null", quote);
}

const struct verb verb_status = { "status", run };
