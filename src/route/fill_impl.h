/* fill_impl: what fill.c and fill_back.c share. Nobody else includes it. */
#ifndef ROUTE_FILL_IMPL_H
#define ROUTE_FILL_IMPL_H

#include "route/dest.h"

#define FILL_FAR 65536u		/* lines: farther ahead than that a file is looked up anew */

/* What was decided about a line; NULL: nothing can be (a message was printed), *stop: now. */
const struct spool_line *fill_decided(struct dest *d, const struct spool_view *v, struct spool_line *scratch, bool *stop);
bool fill_ours(const struct dest *d, const struct spool_line *line);
enum lanes_room fill_room(const struct dest *d, const struct spool_line *line);
/* It is a dead letter already; the hub was killed before the cursor said so: now it does. */
bool fill_buried(struct dest *d, const struct spool_line *line, uint64_t seq);
int fill_add(struct dest *d, uint64_t seq, const struct spool_line *line, const char *p, size_t n);	/* into the window; -1: no memory */

bool fill_read_back(struct dest *d);	/* the second reader goes on; false: nothing more for now */

#endif
