/* {"do":"reload"}: the rules and flags are read again; the answer comes when the new ones are in force, or says where the fault is. */
#include "route/hub_impl.h"
#include "route/verb/verb.h"

static void run(struct hub *h, struct call *c, const struct json *question)
{
	(void)question;
	hub_rules_reload(h, c);
}

const struct verb verb_reload = { "reload", run };
