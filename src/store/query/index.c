#include "store/query/query.h"

/* Every kind of question. Its file must be in files.mk, its entry in store.8. */
const struct query_kind *const query_kinds[] = {
	&query_last,
	&query_after,
	&query_id,
	&query_caused,
	&query_search,
	&query_stats,
	NULL,
};
