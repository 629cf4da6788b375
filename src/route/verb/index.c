#include "route/verb/verb.h"

const struct verb *const verbs[] = {
	&verb_status,
	&verb_ledger,
	&verb_cursor,
	&verb_trim,
	&verb_split,
	&verb_dead,
	&verb_again,
	&verb_reload,
	&verb_rules,
	NULL,
};
