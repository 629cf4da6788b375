#include "route/verb/verb.h"

const struct verb *const verbs[] = {
	&verb_status,
	NULL,
};
