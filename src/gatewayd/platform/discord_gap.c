/*
 * When a session is lost, Discord does not send what came meanwhile; messages can be read from the history of their channels:
 * GET /channels/{id}/messages?after=ID&limit=100, for each channel that had messages before. They become the lines that they would have been, with
 * data.replayed; the hub drops those it has. Joins, interactions, edits and deletions are not in the history: the gap is told in any case.
 *
 * One request at a time for an account, at the pace of the platform's own headers. What comes back is sorted here, since the order within
 * a page is not documented.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "base/log.h"
#include "gatewayd/platform/discord_impl.h"

#define PAGE 100
#define PAGES_MAX 10		/* of a channel */
#define ANSWER_MAX (8u << 20)
#define TRIES 5
#define SLACK_MS 10000		/* ids of different channels are not in the order of their events: so far back */

/* ---- channels seen ---- */

static struct seen *slot(struct dconn *c, uint64_t channel)
{
	struct seen *set = c->seen + ((channel >> 22 ^ channel) * UINT64_C(0x9e3779b97f4a7c15) >> 59) * SEEN_WAYS, *old = set;

	for (struct seen *s = set; s < set + SEEN_WAYS; s++) {
		if (s->channel == channel)
			return s;
		if (s->last < old->last)
			old = s;
	}
	return old;
}

void gap_seen(struct dconn *c, uint64_t channel, uint64_t guild, uint64_t message, uint64_t mark)
{
	struct seen *s;

	if (!channel || (!c->seen && !(c->seen = calloc(SEEN_SETS * SEEN_WAYS, sizeof(*c->seen)))))
		return;
	s = slot(c, channel);
	*s = (struct seen){channel, guild ? guild : s->channel == channel ? s->guild : 0, message};
	if (message && !c->next_mark) {
		c->next_sure = message > (uint64_t)SLACK_MS << 22 ? message - ((uint64_t)SLACK_MS << 22) : 0;
		c->next_mark = mark;
	}
}

/* ---- filling ---- */

void gap_begin(struct dconn *c)
{
	c->fill_from = c->sure || !c->next_mark ? c->sure : c->next_sure;
	c->fill = c->seen && c->fill_from;	/* else no message was ever seen: nowhere to begin */
	c->fill_slot = 0;
	c->fill_end = 0;
}

static struct dconn *current(struct discord *d)
{
	return d->gap_conn < d->nconns ? &d->conns[d->gap_conn] : NULL;
}

/* The next channel to ask: false, there is none. */
static bool choose(struct discord *d)
{
	for (unsigned k = 0; k < d->nconns; k++) {
		unsigned n = (d->gap_conn + k) % d->nconns;
		struct dconn *c = &d->conns[n];

		if (!c->fill || c->fill_end || c->state != CONN_LIVE || !c->seen)
			continue;
		while (c->fill_slot < SEEN_SETS * SEEN_WAYS && !c->seen[c->fill_slot].channel)
			c->fill_slot++;
		if (c->fill_slot < SEEN_SETS * SEEN_WAYS) {
			d->gap_conn = n;
			return true;
		}
		c->fill_end = c->top;
	}
	return false;
}

static void ask(struct discord *d)
{
	struct dconn *c = current(d);
	char path[128];

	snprintf(path, sizeof(path), "/channels/%" PRIu64 "/messages?after=%" PRIu64 "&limit=%d", c->seen[c->fill_slot].channel, d->gap_after, PAGE);
	d->gap_channel = c->seen[c->fill_slot].channel;
	d->gap_call = discord_rest(d, path, ANSWER_MAX);
}

void gap_next(struct discord *d, int64_t now)
{
	(void)now;
	if (d->gap_call || d->gap_wait || !choose(d))
		return;
	d->gap_after = current(d)->fill_from;
	d->gap_pages = d->gap_failed = 0;
	ask(d);
}

/* The wait is over. */
void gap_due(struct discord *d, int64_t now)
{
	struct dconn *c = current(d);

	d->gap_wait = false;
	if (d->gap_after && c && c->fill && c->seen && c->fill_slot < SEEN_SETS * SEEN_WAYS)
		ask(d);
	else
		gap_next(d, now);
}

static void wait_ask(struct discord *d, int64_t now, int64_t wait)
{
	d->gap_wait = true;
	out_timer(d->out, OUT_ACCOUNT, TIMER_GAP, now + wait);
}

/* The channel is done with; why: not all of it. */
static void channel_done(struct discord *d, const char *why)
{
	struct dconn *c = current(d);
	char text[160], from[24];

	if (why) {
		snprintf(text, sizeof(text), "messages of channel %" PRIu64 " after this id may be missing: %s", c->seen[c->fill_slot].channel, why);
		snprintf(from, sizeof(from), "%" PRIu64, d->gap_after);
		out_gap(d->out, d->gap_conn, text, from, "");
	}
	c->fill_slot++;
	d->gap_after = 0;
}

struct page { struct span v[PAGE]; uint64_t id[PAGE]; unsigned n; };

static int page_add(void *arg, struct span name, struct span value)
{
	struct page *p = arg;
	uint64_t id = names_id(scan_member(value, "id"));
	unsigned i;

	(void)name;
	if (!id || p->n == PAGE)
		return p->n == PAGE;
	for (i = p->n++; i && p->id[i - 1] > id; i--) {
		p->id[i] = p->id[i - 1];
		p->v[i] = p->v[i - 1];
	}
	p->id[i] = id;
	p->v[i] = value;
	return 0;
}

/* false: it is no page. */
static bool take_page(struct discord *d, const struct http_answer *a, unsigned *got, int64_t now)
{
	struct dconn *c = current(d);
	struct page p = {.n = 0};
	struct line_err err;

	if (scan_value(a->body, a->nbody, &err) || a->body[strspn(a->body, " \t\r\n")] != '[')
		return false;
	buf_clear(&d->plain);
	if (buf_add(&d->plain, a->body, a->nbody))
		return false;
	for (size_t i = 0; i < d->plain.len; i++)
		if (d->plain.p[i] == '\n' || d->plain.p[i] == '\r')
			d->plain.p[i] = ' ';
	scan_each((struct span){d->plain.p, d->plain.len}, page_add, &p);
	for (unsigned i = 0; i < p.n; i++) {
		struct event e = {.conn = d->gap_conn, .d = p.v[i], .mark = c->top, .before = c->top, .guild = c->seen[c->fill_slot].guild,
			.now = now, .replayed = true};

		d->why = NULL;
		if (p.id[i] > d->gap_after)
			event_message(d, &e);
		event_tell(d, &e);
	}
	if (p.n && p.id[p.n - 1] > d->gap_after)
		d->gap_after = p.id[p.n - 1];
	else
		p.n = 0;	/* it does not go on */
	*got = p.n;
	return true;
}

/* Seconds with decimals, from a header or (429) the body. */
static int64_t seconds(const char *text, int64_t otherwise)
{
	char *end;
	double s = text ? strtod(text, &end) : -1;

	return text && end != text && s >= 0 && s < 3600 ? (int64_t)(s * (double)CLOCK_S) + 50 * CLOCK_MS : otherwise;
}

static void failed(struct discord *d, int64_t now, const char *why, int64_t wait)
{
	if (++d->gap_failed < TRIES) {
		wait_ask(d, now, wait ? wait : (CLOCK_S << d->gap_failed));
		return;
	}
	channel_done(d, why);
	gap_next(d, now);
}

void gap_answer(struct discord *d, const struct http_answer *a, int64_t now)
{
	struct dconn *c = current(d);
	const char *left = http_header(a, "x-ratelimit-remaining");
	unsigned got = 0;
	bool more;

	d->gap_call = 0;
	if (!c || !c->fill || !c->seen || c->fill_slot >= SEEN_SETS * SEEN_WAYS || c->seen[c->fill_slot].channel != d->gap_channel) {
		gap_next(d, now);	/* given up meanwhile */
		return;
	}
	if (a->status == 429 || a->status == 0 || a->status >= 500) {
		failed(d, now, a->status ? "Discord is overloaded" : a->error, seconds(http_header(a, "retry-after"), 0));
		return;
	}
	if (a->status != 200 || !take_page(d, a, &got, now)) {
		channel_done(d, a->status == 401 ? "the token was refused" : a->status == 403 ? "no access to its history" :
			a->status == 404 ? "it is gone" : "no history in the answer");
		if (a->status == 401)
			c->fill_end = c->top;	/* never again with this token: too many of these, and the address is banned */
		gap_next(d, now);
		return;
	}
	d->gap_failed = 0;
	more = got == PAGE;
	if (!more || ++d->gap_pages == PAGES_MAX)
		channel_done(d, more ? "there are more than are read again" : NULL);
	if (left && strtol(left, NULL, 10) == 0)
		wait_ask(d, now, seconds(http_header(a, "x-ratelimit-reset-after"), CLOCK_S));
	else if (d->gap_after)
		ask(d);
	else
		gap_next(d, now);
}
