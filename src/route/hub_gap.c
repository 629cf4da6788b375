#include "route/hub_gap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "line/envelope.h"
#include "line/err.h"
#include "line/id.h"
#include "line/line.h"
#include "line/writer.h"
#include "route/decide.h"
#include "route/gap.h"
#include "route/hub_impl.h"

#define AGAIN (500 * CLOCK_MS)

static int write_event(struct buf *out, const struct gap *g)
{
	char id[64], at[CLOCK_RFC3339_MAX];
	struct line_err err;
	struct writer w;

	snprintf(id, sizeof(id), "spool.gap.%" PRIu64 "-%" PRIu64, g->from, g->to);
	clock_rfc3339(at, clock_wall());
	buf_clear(out);
	writer_begin(&w, out, LINE_MAX_BYTES);
	writer_attr(&w, "specversion", "1.0");
	writer_attr(&w, "id", id);
	writer_attr(&w, "source", "/route");
	writer_attr(&w, "type", "spool.gap");
	writer_attr(&w, "time", at);
	writer_open(&w, "data");
	writer_int(&w, "from", (int64_t)g->from);
	writer_int(&w, "to", (int64_t)g->to);
	writer_str(&w, "reason", g->reason, strlen(g->reason));
	if (g->file[0])
		writer_str(&w, "file", g->file, strlen(g->file));
	writer_close(&w);
	return writer_end(&w, &err);
}

static void told(struct spool_waiter *w, int err)
{
	struct hub_gap *g = (struct hub_gap *)w;

	g->busy = false;
	if (err == 0)
		spool_gap_said(g->hub->spool, g->from);
	else
		loop_timer_in(g->hub->loop, &g->again, AGAIN);
}

static void on_again(void *arg)
{
	(void)arg;	/* hub_gap_say is called in every round */
}

/* 1: it is on its way; 0: it was said before; -1: not now. */
static int put(struct hub *h, const struct gap *g)
{
	static struct buf text = { .max = LINE_MAX_BYTES + 1 };
	struct spool_line what;
	struct envelope e;
	struct line_err err;
	int is_new;

	if (spool_refuses(h->spool) || write_event(&text, g) < 0 ||
	    envelope_check(text.p, text.len - 1, LINE_MAX_BYTES, &e, &err) < 0)
		return -1;
	is_new = repeat_add(&h->intake.repeat, id_key(&e, h->intake.key));
	if (is_new <= 0)
		return is_new;
	decide(h->book.now, text.p, text.len - 1, &e, &what);
	if (spool_add(h->spool, text.p, text.len, &what))
		return 1;
	repeat_undo(&h->intake.repeat, 1);
	return -1;
}

void hub_gap_say(struct hub *h)
{
	struct hub_gap *s = &h->gap;
	const struct gap *g;
	int r;

	if (!spool_gap_to_say(h->spool) || s->busy || s->again.due)
		return;
	s->hub = h;
	s->again.fn = on_again;
	EACH_DEST(&h->dests, d)
		if (spool_is_gone(h->spool, d->cursor.from, d->cursor.seen))
			dest_gone(d);
	while ((g = spool_gap(h->spool))) {
		r = put(h, g);
		if (r < 0) {
			loop_timer_in(h->loop, &s->again, AGAIN);
			return;
		}
		s->from = g->from;
		s->waiter.told = told;
		s->busy = true;
		/* A repeat of one that is not on disk yet waits for it, too. */
		if (spool_wait(h->spool, &s->waiter))
			return;
		told(&s->waiter, 0);
	}
}

void hub_gap_release(struct hub *h)
{
	loop_timer_del(h->loop, &h->gap.again);
}
