/*
 * catchup: from a client's position to the ring of its room, by pages from store, without a hole and without repeats.
 *
 * The ring says where it begins (room_gap). Store is asked for what is behind pos, page by page, until pos has reached that place. Store takes its lines
 * from the same hub at its own pace, so it may not have it yet: it is asked again shortly. When it takes too long the client goes on with
 * the ring, and is told that lines may be missing.
 */
#include "gatewayd/browser/client.h"

#include "base/clock.h"

#define PAGE_LINES 200u
#define AGAIN_FIRST (10 * CLOCK_MS)
#define AGAIN_DOUBLINGS 5u
#define PAGES_BYTES (64u << 20)		/* of all clients; who comes then waits until others have read theirs */
#define GIVE_UP (2 * CLOCK_S)		/* store answers, but does not have it */
#define GIVE_UP_AWAY (500 * CLOCK_MS)	/* store is not there */

static void ask(struct client *c);

static void drop_page(struct client *c)
{
	c->b->page_bytes -= page_bytes(&c->page);
	page_release(&c->page);
}

bool catchup_covered(const struct client *c)
{
	uint64_t gap = room_gap(c->room);

	return c->pos >= gap || c->gap_taken == gap;
}

void catchup_tell(struct client *c)
{
	struct room_line *next = room_after(c->room, c->pos);

	if (!c->tell || (next && next->seq <= c->tell_at))
		return;
	client_tell(c, "{\"history\":{\"done\":true,\"more\":%s,\"lost\":%s}}", c->older ? "true" : "false",
		c->lost ? "true" : "false");
	c->tell = c->lost = false;
	c->told = true;
}

static void go_live(struct client *c)
{
	loop_timer_del(c->b->loop, &c->timer);
	c->state = CLIENT_LIVE;
	if (!c->told || c->lost) {
		c->tell = true;
		c->tell_at = c->told ? 0 : c->room->newest;
	}
	catchup_tell(c);
	client_want_write(c);
}

/* A new client is shown of the ring as many lines as it is to be shown. */
static void last_of_ring(struct client *c)
{
	size_t have = c->room->count;

	for (; have > c->b->opts.history; have--)
		c->pos = room_after(c->room, c->pos)->seq;
	c->older = c->pos || c->room->evicted;
	c->last = false;
}

/* What lies before the ring will not come: goes on behind it. */
static void take_gap(struct client *c)
{
	uint64_t gap = room_gap(c->room);

	c->lost = c->b->opts.query || (!c->told && !c->last);
	if (c->last)
		last_of_ring(c);
	if (c->room->evicted && c->pos < gap)
		c->pos = gap;
	c->gap_taken = gap;
	go_live(c);
}

static void ask_later(struct client *c, int64_t give_up)
{
	if (clock_mono() - c->began >= give_up) {
		take_gap(c);
		return;
	}
	loop_timer_in(c->b->loop, &c->timer, AGAIN_FIRST << (c->tries < AGAIN_DOUBLINGS ? c->tries : AGAIN_DOUBLINGS));
	c->tries++;
}

static void on_timer(void *arg)
{
	ask(arg);
}

/* The ring may be ahead of store: so many lines fewer are needed from the page. */
static void last_of_page(struct client *c)
{
	struct page *page = &c->page;
	uint64_t newest = page->n ? page->seq[page->n - 1] : 0, seq;
	size_t have = page->n + room_behind(c->room, newest), n;

	c->older = page->more || have > c->b->opts.history;
	for (; have > c->b->opts.history && page_next(page, &n, &seq); have--)
		;
}

static void on_page(void *arg, struct page *page)
{
	struct client *c = arg;

	c->ask = NULL;
	if (!page) {
		ask_later(c, GIVE_UP);
		return;
	}
	c->page = *page;
	c->b->page_bytes += page_bytes(page);
	c->answered = true;
	c->more = !c->last && page->more && page->n;
	if (c->last)
		last_of_page(c);
	c->last = false;
	if (page->n) {
		c->began = clock_mono();
		c->tries = 0;
	}
	catchup_go_on(c);
}

static void ask(struct client *c)
{
	const struct browser_opts *o = &c->b->opts;

	if (!o->query) {
		take_gap(c);
	} else if (c->b->page_bytes > PAGES_BYTES) {
		c->began = clock_mono();
		ask_later(c, GIVE_UP);
	} else if (!history_here(c->b->history)) {
		ask_later(c, GIVE_UP_AWAY);
	} else {
		c->more = false;
		c->ask = history_ask(c->b->history, o->tenant, c->room->name, c->last ? NULL : &c->pos,
			c->last ? (unsigned)o->history : PAGE_LINES, on_page, c);
		if (!c->ask)
			ask_later(c, GIVE_UP);
	}
}

void catchup_go_on(struct client *c)
{
	if (c->page.i < c->page.n) {
		client_want_write(c);
		return;
	}
	drop_page(c);
	if (c->more)
		ask(c);
	else if (c->answered && catchup_covered(c))
		go_live(c);
	else if (c->answered)
		ask_later(c, GIVE_UP);
	else
		ask(c);
}

void catchup_start(struct client *c)
{
	uint64_t gap = room_gap(c->room);

	c->state = CLIENT_CATCHUP;
	c->answered = false;
	c->began = clock_mono();
	c->tries = 0;
	loop_timer_del(c->b->loop, &c->timer);
	c->timer.fn = on_timer;
	if (c->last && c->room->count > c->b->opts.history)
		last_of_ring(c);
	if (!c->last && gap && c->pos >= gap)
		go_live(c);		/* the ring has all of it */
	else
		ask(c);
}

void catchup_stop(struct client *c)
{
	loop_timer_del(c->b->loop, &c->timer);
	if (c->ask)
		history_forget(c->ask);
	c->ask = NULL;
	drop_page(c);
}
