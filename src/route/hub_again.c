/* hub_again: lines that the hub says again. */
#include "route/decide.h"
#include "route/hub_impl.h"
#include "route/segment.h"

uint64_t hub_again(struct hub *h, const struct again *a)
{
	static struct buf text = { .max = SEGMENT_GROUP_MAX };
	struct spool_line what;

	buf_clear(&text);
	if (spool_fails(h->spool) || again_write(&text, a) < 0 || decide_again(h->book.now, text.p, text.len, &what) < 0)
		return 0;
	what.again = true;
	return spool_add(h->spool, text.p, text.len, &what);
}
