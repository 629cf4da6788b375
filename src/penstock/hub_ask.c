/* What the running hub answers to a question on run/control (route(8), CONTROL). */
#include "penstock/penstock.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "link/link.h"

struct json *hub_ask(const struct tree *t, const char *question, int64_t patience_ns)
{
	struct json *doc = NULL;
	struct json_error err;
	struct buf reply;

	buf_init(&reply, LINK_MESSAGE_BYTES);
	if (link_call(tree_url(t, "control"), question, strlen(question), patience_ns, &reply) == 0 &&
	    !(doc = json_parse(reply.p, reply.len, &err)))
		log_error("route: its answer is not understood: %s", err.text);
	buf_release(&reply);
	const char *error = json_str(json_member(doc, "error"), NULL);
	if (!error)
		return doc;
	log_error("route: %s", error);
	json_free(doc);
	return NULL;
}
