/* {"do":"ledger"}: do the books of each destination add up? (books.h) */
#include "route/books.h"
#include "route/hub_impl.h"
#include "route/verb/verb.h"

#define ANSWER_MAX (1u << 20)

static void run(struct hub *h, struct call *c, const struct json *question)
{
	struct book_row row;
	bool all = true, first = true;
	struct buf b;
	int bad;

	(void)question;
	buf_init(&b, ANSWER_MAX);
	bad = buf_adds(&b, "\"destinations\":[");
	EACH_DEST(&h->dests, d) {
		books_row(h->spool, &d->cursor, &row);
		/* All of it is in the window: that is another way to count. */
		if (!d->fill.starting && !d->cursor.behind.n && d->fill.next >= spool_end(h->spool)) {
			row.counted = true;
			row.found = d->lanes.items;
		}
		bad |= first ? 0 : buf_addc(&b, ',');
		bad |= books_json(&b, d->name, &row);
		all &= books_add_up(&row);
		first = false;
	}
	bad |= buf_printf(&b, "],\"adds_up\":%s", all ? "true" : "false");
	if (bad)
		verb_fail(c, "no memory for the answer");
	else
		verb_ok_text(c, b.p, b.len);
	buf_release(&b);
}

const struct verb verb_ledger = { "ledger", run };
