/*
 * Reads what is missing from the history: GET /channels/{id}/messages?after=ID&limit=100. The lines are those that the messages would have been, with
 * data.replayed; what comes back is sorted here, since the order within a page is not documented. A message there has no member: so no nick, no roles.
 *
 * One request at a time for an account, ten a second at most (the limit of all requests, 50 a second, belongs to deliver), at the pace of the platform's
 * own headers; their buckets are those of a channel. The next page is asked for when the hub has the lines of the one before: so a hub that is behind is not
 * buried, and what is saved is what is still to be done. Answers of 401, 403 and 429 count toward a ban of the address: after 403 a pause, and the
 * channel is not asked for again; after 401 nothing is.
 */
#include "gatewayd/platform/discord_fill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"

#define UNREAD (5 * CLOCK_S)		/* guilds that may lie there, as a heartbeat is not answered, are looked for again */
#define PAGE 100
#define PAGES_MAX 10u		/* of a channel */
#define ANSWER_MAX (8u << 20)
#define TRIES 5u		/* of a channel */
#define FAILED_MAX 24u		/* answers in a row that were none: all is given up, after some 20 minutes */
#define WAIT_MAX (64 * CLOCK_S)
#define PACE (100 * CLOCK_MS)
#define PACE_REFUSED (2 * CLOCK_S)	/* 300 in ten minutes; 10,000 are a ban */

/* ---- what is asked next ---- */

static struct missing *entry(const struct dconn *c, uint64_t channel)
{
	for (unsigned i = 0; c->fill && i < c->fill->n; i++)
		if (c->fill->v[i].channel == channel)
			return &c->fill->v[i];
	return NULL;
}

static void drop(struct fill *f, struct missing *m)
{
	memmove(m, m + 1, (size_t)(f->v + --f->n - m) * sizeof(*m));
}

static void wait_until(struct discord *d, int64_t at)
{
	d->gap.waits = true;
	out_timer(d->out, OUT_ACCOUNT, TIMER_GAP, at);
}

/* Connections take turns. *at: when the first of those that have to wait may be asked for; 0: there is none. */
static struct missing *choose(struct discord *d, int64_t now, int64_t *at)
{
	*at = 0;
	for (unsigned k = 1; k <= d->nconns; k++) {
		unsigned n = (d->gap.conn + k) % d->nconns;
		struct dconn *c = &d->conns[n];

		for (unsigned i = 0; c->fill && c->state == CONN_LIVE && i < c->fill->n; i++) {
			struct missing *m = &c->fill->v[i];

			if (m->at <= now) {
				d->gap.conn = n;
				return m;
			}
			if (!*at || m->at < *at)
				*at = m->at;
		}
	}
	return NULL;
}

/* ---- what is told ---- */

void fill_note(struct fill *f, uint64_t channel, uint64_t after, const char *why)
{
	if (f->notes.len > FILL_NOTES)
		f->unnoted++;
	else
		buf_printf(&f->notes, "; channel %" PRIu64 " after %" PRIu64 ": %s", channel, after, why);
}

static void tell(struct discord *d, unsigned n, struct fill *f)
{
	unsigned guilds = fill_missing_guilds(f);
	char from[24] = "", to[24] = "";

	buf_clear(&d->text);
	buf_printf(&d->text, "%s: %u message%s of %u channel%s read again from the history%s", f->why ? f->why : "the session was lost", f->messages,
		f->messages == 1 ? "" : "s", f->channels, f->channels == 1 ? "" : "s", f->notes.len || f->left || guilds ? ", not all" : "");
	if (f->notes.len)
		buf_add(&d->text, f->notes.p, f->notes.len);
	if (f->unnoted)
		buf_printf(&d->text, "; and %u channels more", f->unnoted);
	if (f->left)
		buf_printf(&d->text, "; no room for %u more", f->left);
	if (guilds)
		buf_printf(&d->text, "; %u guild%s not available: read when they are", guilds, guilds == 1 ? "" : "s");
	if (f->from)
		snprintf(from, sizeof(from), "%" PRIu64, f->from);
	if (f->to)
		snprintf(to, sizeof(to), "%" PRIu64, f->to);
	if (buf_cstr(&d->text))
		out_gap(d->out, n, d->text.p, from, to);
	buf_clear(&d->text);
}

void fill_end(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];
	struct fill *f = c->fill;

	(void)now;
	if (!f || f->n || (!f->late && fill_missing_guilds(f)))
		return;
	if (f->open) {
		tell(d, n, f);
		f->open = false;
		f->from = f->to = f->channels = f->messages = f->left = f->unnoted = 0;
		buf_clear(&f->notes);
		if (*c->session)
			session_save(d, n);
	}
	if (f->nw == 0)
		fill_free(c);
}

bool gap_filling(const struct dconn *c)
{
	return c->fill && c->fill->open;
}

void gap_late(struct discord *d, unsigned n, int64_t now)
{
	struct dconn *c = &d->conns[n];

	if (!c->fill)
		return;
	/* They may lie there unread. */
	if (c->beat_at) {
		out_timer(d->out, n, TIMER_FILL, now + UNREAD);
		return;
	}
	gap_not_come(d, n);
	c->fill->late = true;
	if (*c->session)
		session_save(d, n);
	fill_end(d, n, now);
}

/* ---- giving up, asking ---- */

/* Not read, for good. */
static void give_up(struct discord *d, struct missing *m, const char *why, int64_t now)
{
	struct dconn *c = &d->conns[d->gap.conn];

	fill_note(c->fill, m->channel, m->after, why);
	drop(c->fill, m);
	fill_end(d, d->gap.conn, now);
}

static void give_up_all(struct discord *d, const char *why, int64_t now)
{
	for (unsigned n = 0; n < d->nconns; n++) {
		d->gap.conn = n;
		while (d->conns[n].fill && d->conns[n].fill->n)
			give_up(d, d->conns[n].fill->v, why, now);
	}
}

void fill_next(struct discord *d, int64_t now)
{
	struct missing *m;
	char path[128];
	int64_t at;

	if (d->gap.refused)
		give_up_all(d, "the token was refused", now);
	if (d->gap.call || d->gap.waits || d->gap.mark)
		return;
	m = choose(d, now, &at);
	if (m) {
		snprintf(path, sizeof(path), "/channels/%" PRIu64 "/messages?after=%" PRIu64 "&limit=%d", m->channel, m->after, PAGE);
		d->gap.channel = m->channel;
		d->gap.asked = m->after;
		d->gap.call = discord_rest(d, path, ANSWER_MAX);
	} else if (at) {
		wait_until(d, at);
	}
}

void gap_due(struct discord *d, int64_t now)
{
	d->gap.waits = false;
	fill_next(d, now);
}

/* ---- what comes back ---- */

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

/* The lines of a page. They have a mark of their own, between those of sequences: so it is known when the hub has them. */
static void tell_again(struct discord *d, struct missing m, const struct page *p, int64_t now)
{
	struct dconn *c = &d->conns[d->gap.conn];
	struct event e = {.conn = d->gap.conn, .guild = m.guild, .now = now, .replayed = true, .before = c->top};

	c->base++;
	c->top++;
	for (unsigned i = 0; i < p->n; i++) {
		if (p->id[i] <= m.after || (i && p->id[i] == p->id[i - 1]))
			continue;
		e.d = p->v[i];
		e.mark = c->top;
		d->why = NULL;
		d->made = false;
		event_message(d, &e);
		c->fill->messages += d->made;
		event_tell(d, &e);
	}
	out_mark(d->out, d->gap.conn, c->top);
	d->gap.mark = c->top;
}

/* false: it is no page. */
static bool take_page(struct discord *d, const struct http_answer *a, struct missing *m, int64_t now)
{
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
	d->gap.after = p.n && p.id[p.n - 1] > m->after ? p.id[p.n - 1] : m->after;
	d->gap.more = p.n == PAGE && d->gap.after > m->after;
	if (d->gap.after > m->after)
		tell_again(d, *m, &p, now);
	return true;
}

/* The hub has the lines of the last page, or there were none. */
static void page_done(struct discord *d, int64_t now)
{
	struct dconn *c = &d->conns[d->gap.conn];
	struct missing *m = entry(c, d->gap.channel);

	d->gap.mark = 0;
	if (!m)
		return;
	if (d->gap.after > m->after && d->gap.after > c->fill->to)
		c->fill->to = d->gap.after;
	m->after = d->gap.after;
	m->tries = 0;
	if (d->gap.more && ++m->pages < PAGES_MAX)
		return;
	if (d->gap.more)
		fill_note(c->fill, m->channel, m->after, "there are more than are read again");
	c->fill->channels++;
	drop(c->fill, m);
	fill_end(d, d->gap.conn, now);
}

void gap_kept(struct discord *d, unsigned n, uint64_t mark, int64_t now)
{
	if (!d->gap.mark || d->gap.conn != n || mark < d->gap.mark)
		return;
	page_done(d, now);
	fill_next(d, now);
}

/* Seconds with decimals, and a little more, as Discord's own libraries do. */
static int64_t reset_after(const struct http_answer *a)
{
	const char *text = http_header(a, "x-ratelimit-reset-after");
	char *end;
	double s = text ? strtod(text, &end) : -1;

	return text && end != text && s >= 0 && s < 3600 ? (int64_t)(s * (double)CLOCK_S) + 50 * CLOCK_MS : CLOCK_S;
}

/* No answer, or none that says anything about the channel. Others have their turn first. Being told to wait is no failure. */
static void failed(struct discord *d, struct missing *m, const struct http_answer *a, int64_t now)
{
	struct fill *f = d->conns[d->gap.conn].fill;
	int64_t wait = CLOCK_S << (d->gap.failed < 6 ? d->gap.failed : 6), asked = discord_retry_after(a);
	struct missing again = *m;

	wait = asked ? asked : wait < WAIT_MAX ? wait : WAIT_MAX;
	if (++d->gap.failed >= FAILED_MAX) {
		give_up_all(d, a->status ? "Discord is overloaded" : "Discord does not answer", now);
		d->gap.failed = 0;
	} else if (a->status != 429 && ++again.tries >= TRIES) {
		give_up(d, m, a->status ? "Discord is overloaded" : "Discord does not answer", now);
	} else {
		drop(f, m);
		f->v[f->n++] = again;
	}
	wait_until(d, now + wait);
}

/* 401, 403, 404 and what is no history. */
static void refused(struct discord *d, struct missing *m, int status, int64_t now)
{
	if (status == 401) {
		d->gap.refused = true;	/* never again with this token: too many of these, and the address is banned */
		fill_next(d, now);
		return;
	}
	if (status == 403)
		gap_deny(d, m->channel, true);
	give_up(d, m, status == 403 ? "no access to its history" : status == 404 ? "it is gone" : "no history in the answer", now);
	wait_until(d, now + (status == 200 ? PACE : PACE_REFUSED));
}

void gap_answer(struct discord *d, const struct http_answer *a, int64_t now)
{
	struct missing *m = d->gap.conn < d->nconns ? entry(&d->conns[d->gap.conn], d->gap.channel) : NULL;
	const char *left = http_header(a, "x-ratelimit-remaining");

	d->gap.call = 0;
	if (!m || m->after != d->gap.asked) {
		fill_next(d, now);	/* given up meanwhile, or begun anew */
		return;
	}
	if (a->status == 429 || a->status == 0 || a->status >= 500) {
		failed(d, m, a, now);
		return;
	}
	d->gap.failed = 0;
	if (a->status != 200 || !take_page(d, a, m, now)) {
		refused(d, m, a->status, now);
		return;
	}
	m->at = left && strtol(left, NULL, 10) == 0 ? now + reset_after(a) : 0;
	wait_until(d, now + PACE);
	if (!d->gap.mark)
		page_done(d, now);
}

void gap_forget(struct discord *d, unsigned n)
{
	if (d->conns[n].fill)
		out_timer(d->out, n, TIMER_FILL, 0);
	fill_free(&d->conns[n]);
	if (!d->gap.mark || d->gap.conn != n)
		return;
	/* Nobody will tell that the hub has its page: others have their turn at once. */
	d->gap.mark = 0;
	wait_until(d, 1);
}
