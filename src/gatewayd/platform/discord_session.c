/*
 * What of a connection outlives its process: the session, the last sequence that the hub has acknowledged, and what is needed to ask the history when
 * Discord no longer has the session. As JSON text, written by out_save:
 *
 *   {"session":"...","url":"wss://...","seq":41,"shards":1,"intents":37377,"presence":N,"user":"...","after":"...",
 *    "channels":["CHANNEL","GUILD",...],"moved":"...","fill":["CHANNEL","GUILD","AFTER",...],"wait":["GUILD","FROM",...],
 *    "read":[CHANNELS,MESSAGES,LEFT,UNNOTED],"between":["FROM","TO"],"notes":"..."}
 *
 * intents: what it was begun with. presence: `told`. after: `sure` of discord_gap.c. fill and what follows are there while history is read: what is still
 * to be read, guilds that have not come, and what is told at the end (struct fill).
 *
 * moved: since when messages may be missing of guilds that came to other shards when their number changed, until all of those have begun: there is nothing
 * on disk of these by which a process after a crash would know. A shard that finds nothing of its own, or of another number, looks at what all the others
 * left: those may be another process's, or there may be none with their number any more.
 *
 * A session that Discord refuses stays saved until READY names its successor: a crash in between finds it, is refused again, and so still knows
 * what it missed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "gatewayd/platform/discord_fill.h"

#define SAVE_EVERY CLOCK_S		/* and connection; with many of them a little longer: */
#define SAVE_SHARE (5 * CLOCK_MS)

/* A token goes out in the clear only where the account's own URL does so. */
bool discord_url_ok(const struct discord *d, const char *s)
{
	return strlen(s) < DISCORD_URL && !strpbrk(s, "?# \"\\\r\n\t") &&
		(strncmp(s, "wss://", 6) == 0 || (strncmp(s, "ws://", 5) == 0 && strncmp(d->conf.api, "http://", 7) == 0));
}

static bool session_ok(const char *s)
{
	size_t n = strlen(s);

	return n && n <= DISCORD_SESSION && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static uint64_t text_id(const struct json *j)
{
	size_t n;
	const char *s = json_str(j, &n);
	char raw[24];

	if (!s || n > 20)
		return 0;
	return names_id((struct span){raw, (size_t)snprintf(raw, sizeof(raw), "\"%s\"", s)});
}

static void load_channels(struct dconn *c, const struct json *list)
{
	for (size_t i = 0; i + 1 < json_count(list); i += 2)
		gap_channel(c, text_id(json_at(list, i)), text_id(json_at(list, i + 1)), 0);
}

static void load_fill(struct discord *d, struct dconn *c, const struct json *doc)
{
	const struct json *list = json_member(doc, "fill"), *read = json_member(doc, "read"), *wait = json_member(doc, "wait");
	const struct json *between = json_member(doc, "between"), *soon = json_member(doc, "soon");
	size_t n = 0;
	const char *notes = json_str(json_member(doc, "notes"), &n);
	uint64_t from = text_id(json_at(between, 0));

	if (!json_is_array(list) || !fill_of(c))
		return;
	for (size_t i = 0; i < json_count(soon); i++)
		fill_wait(d, c, text_id(json_at(soon, i)), 0);
	c->begun_id = text_id(json_member(doc, "begun"));
	c->fill->open = !c->begun_id || json_count(list) || json_count(wait) || from || n;
	for (size_t i = 0; i + 2 < json_count(list); i += 3)
		fill_add(d, c, text_id(json_at(list, i)), text_id(json_at(list, i + 1)), text_id(json_at(list, i + 2)));
	for (size_t i = 0; i + 1 < json_count(wait); i += 2)
		fill_wait(d, c, text_id(json_at(wait, i)), text_id(json_at(wait, i + 1)));
	c->fill->channels = (unsigned)json_int(json_at(read, 0), 0);
	c->fill->messages = (unsigned)json_int(json_at(read, 1), 0);
	c->fill->left += (unsigned)json_int(json_at(read, 2), 0);
	c->fill->unnoted += (unsigned)json_int(json_at(read, 3), 0);
	if (from && (!c->fill->from || from < c->fill->from))
		c->fill->from = from;
	c->fill->to = text_id(json_at(between, 1));
	if (notes && n)
		buf_add(&c->fill->notes, notes, n);
}

/* Since when something may be missing of what it stands for; 0: it does not say. */
static uint64_t since(const struct json *doc)
{
	uint64_t after = text_id(json_member(doc, "after")), from = text_id(json_at(json_member(doc, "between"), 0));

	return from && from < after ? from : after;
}

/* Takes a session over that was saved, here before or elsewhere, unless the one in memory is the same and further on. */
void session_load(struct discord *d, unsigned n, const char *saved, size_t nsaved)
{
	struct dconn *c = &d->conns[n];
	struct json_error err;
	struct json *doc = saved ? json_parse(saved, nsaved, &err) : NULL;
	const char *session = json_str(json_member(doc, "session"), NULL), *url = json_str(json_member(doc, "url"), NULL);
	int64_t seq = json_int(json_member(doc, "seq"), -1), shards = json_int(json_member(doc, "shards"), 0);

	if (!session || !session_ok(session) || seq < 0 || shards < 1 || shards > DISCORD_SHARDS)
		goto out;
	if (strcmp(session, c->session) == 0 && (uint64_t)seq <= c->seq)
		goto out;
	strcpy(c->session, session);
	snprintf(c->url, sizeof(c->url), "%s", url && discord_url_ok(d, url) ? url : "");
	c->seq = c->kept = c->saved = (uint64_t)seq;
	c->base = c->top > c->seq ? c->top - c->seq : 0;
	c->top = c->base + c->seq;
	c->shards = (unsigned)shards;
	c->intents = (uint64_t)json_int(json_member(doc, "intents"), (int64_t)d->conf.intents);
	c->told = (uint32_t)json_int(json_member(doc, "presence"), 0);
	c->refused = c->closed = 0;
	gap_forget(d, n);
	c->sure = c->saved_sure = text_id(json_member(doc, "after"));
	c->next_mark = 0;
	if (!d->self)
		d->self = text_id(json_member(doc, "user"));
	load_channels(c, json_member(doc, "channels"));
	load_fill(d, c, doc);
	gap_moves(d, text_id(json_member(doc, "moved")));
	c->settled = c->shards == d->nconns;
	if (!c->settled)
		gap_moves(d, since(doc));
out:
	json_free(doc);
}

/* ---- another number of shards ---- */

/* conn: for which one. n: the number in which all began. Nothing that is older and above it is missed by anybody. */
struct look { struct discord *d; unsigned conn, n; int64_t whole; };

static unsigned shards_of(const struct json *doc)
{
	int64_t n = json_int(json_member(doc, "shards"), 0);

	return n < 1 || n > DISCORD_SHARDS ? 0 : (unsigned)n;
}

static void look_for_last(void *arg, unsigned conn, const char *text, size_t n, int64_t whole)
{
	struct look *l = arg;
	struct json_error err;
	struct json *doc = json_parse(text, n, &err);

	if (conn < shards_of(doc) && !json_member(doc, "moved") && whole > l->whole) {
		l->n = shards_of(doc);
		l->whole = whole;
	}
	json_free(doc);
}

static void look_at(void *arg, unsigned conn, const char *text, size_t n, int64_t whole)
{
	const struct look *l = arg;
	const struct dconn *c = conn < l->d->nconns ? &l->d->conns[conn] : NULL;
	struct json_error err;
	struct json *doc;
	uint64_t from;

	if (l->n && conn >= l->n && whole < l->whole)
		return;
	if (c && (c->shards == l->d->nconns || (*c->session && c->sure)))
		return;		/* what is in memory is younger */
	doc = json_parse(text, n, &err);
	from = since(doc);
	if (shards_of(doc) == l->d->nconns)
		from = text_id(json_member(doc, "moved"));
	else if (!shards_of(doc) && conn == l->conn)
		from = 0;	/* what it had itself is not known, which upstream tells */
	else if (!from)
		from = sure_wall(whole);
	gap_moves(l->d, from);
	json_free(doc);
}

void session_look(struct discord *d, unsigned n)
{
	struct look l = {.d = d, .conn = n};

	if (d->looked)
		return;
	d->looked = true;
	out_saved_all(d->out, look_for_last, &l);
	out_saved_all(d->out, look_at, &l);
}

bool session_resumable(const struct discord *d, const struct dconn *c)
{
	return *c->session && strcmp(c->session, c->dead) != 0 && c->shards == d->nconns && c->intents == d->conf.intents;
}

/* Guilds that are to come with nothing missing: whoever goes on waits for them, too. */
static void put_soon(struct buf *to, const struct discord *d, const struct dconn *c)
{
	const char *sep = "";
	unsigned n = 0;

	buf_printf(to, ",\"begun\":\"%" PRIu64 "\",\"soon\":[", gap_begun(d, c));
	for (unsigned i = 0; i < c->fill->nw && n < FILL_GUILDS_SAVED; i++) {
		if (c->fill->w[i].from)
			continue;
		buf_printf(to, "%s\"%" PRIu64 "\"", sep, c->fill->w[i].guild);
		sep = ",";
		n++;
	}
	buf_addc(to, ']');
}

static void put_fill(struct buf *to, const struct discord *d, const struct dconn *c)
{
	const struct fill *f = c->fill;
	const char *sep = "";
	unsigned more = f->left, guilds = 0;

	buf_adds(to, ",\"fill\":[");
	for (unsigned i = 0; i < f->n; i++, sep = ",")
		buf_printf(to, "%s\"%" PRIu64 "\",\"%" PRIu64 "\",\"%" PRIu64 "\"", sep, f->v[i].channel, f->v[i].guild, f->v[i].after);
	buf_adds(to, "],\"wait\":[");
	sep = "";
	for (unsigned i = 0; i < f->nw; i++) {
		if (!f->w[i].from)
			continue;
		if (++guilds > FILL_GUILDS_SAVED) {
			more++;
			continue;
		}
		buf_printf(to, "%s\"%" PRIu64 "\",\"%" PRIu64 "\"", sep, f->w[i].guild, f->w[i].from);
		sep = ",";
	}
	buf_printf(to, "],\"read\":[%u,%u,%u,%u],\"between\":[\"%" PRIu64 "\",\"%" PRIu64 "\"],\"notes\":", f->channels, f->messages, more, f->unnoted,
		f->from, f->to);
	buf_add_json(to, f->notes.len ? f->notes.p : "", f->notes.len);
	if (guilds < f->nw)
		put_soon(to, d, c);
}

void session_save(struct discord *d, unsigned n)
{
	struct dconn *c = &d->conns[n];
	const char *sep = "";

	buf_clear(&d->text);
	buf_printf(&d->text, "{\"session\":\"%s\",\"url\":\"%s\",\"seq\":%" PRIu64 ",\"shards\":%u,\"intents\":%" PRIu64
		",\"presence\":%" PRIu32 ",\"user\":\"%" PRIu64 "\",\"after\":\"%" PRIu64 "\",\"channels\":[", c->session, c->url, c->kept, c->shards, c->intents,
		c->told, d->self, c->sure);
	for (unsigned i = 0; c->seen && i < SEEN_SETS * SEEN_WAYS; i++) {
		if (!c->seen[i].channel)
			continue;
		buf_printf(&d->text, "%s\"%" PRIu64 "\",\"%" PRIu64 "\"", sep, c->seen[i].channel, c->seen[i].guild);
		sep = ",";
	}
	buf_addc(&d->text, ']');
	if (gap_moved(d))
		buf_printf(&d->text, ",\"moved\":\"%" PRIu64 "\"", d->moved);
	if (c->fill && (c->fill->open || c->fill->nw))
		put_fill(&d->text, d, c);
	if (buf_addc(&d->text, '}') == 0) {
		out_save(d->out, n, d->text.p, d->text.len);
		c->saved = c->kept;
		c->saved_sure = c->sure;
	}
}

/* READY; the caller saves it. Its sequence is the session's first; the lines of the one before may still be on their way to the hub. */
void session_begin(struct discord *d, unsigned n, struct span ready, uint64_t s)
{
	struct dconn *c = &d->conns[n];
	char session[DISCORD_SESSION + 2], url[DISCORD_URL];
	uint64_t self = names_id(scan_path(ready, "user.id"));

	if (scan_cstr(scan_member(ready, "session_id"), session, sizeof(session)) < 0 || !session_ok(session))
		*session = '\0';	/* then the next connection cannot resume, and begins anew */
	if (scan_cstr(scan_member(ready, "resume_gateway_url"), url, sizeof(url)) < 0 || !discord_url_ok(d, url))
		*url = '\0';
	strcpy(c->session, session);
	strcpy(c->url, url);
	*c->dead = '\0';
	c->base = c->top;
	c->seq = 0;
	c->begun = session_mark(c, s);
	c->settled = false;
	out_mark(d->out, n, c->begun);
	c->kept = c->seq;
	c->shards = d->nconns;
	c->intents = d->conf.intents;
	if (self)
		d->self = self;
}

/* A mark of its own, behind the gap: whether the hub has that, a shard without guilds would not hear from a line behind it. */
void session_told(struct discord *d, unsigned n)
{
	struct dconn *c = &d->conns[n];

	c->base++;
	c->begun = ++c->top;
	out_mark(d->out, n, c->begun);
}

uint64_t session_mark(struct dconn *c, uint64_t s)
{
	if (s > c->seq)
		c->seq = s;
	if (c->base + s > c->top)
		c->top = c->base + s;
	return c->top;
}

void session_acked(struct discord *d, unsigned n, uint64_t mark, int64_t now)
{
	struct dconn *c = &d->conns[n];
	int64_t share = (int64_t)d->nconns * SAVE_SHARE;
	uint64_t moved;

	gap_acked(c, mark);
	moved = gap_moved(d);
	c->settled |= c->begun && mark >= c->begun;
	for (unsigned i = 0; moved && !gap_moved(d) && i < d->nconns; i++)
		if (*d->conns[i].session)
			session_save(d, i);
	if (mark > c->base && mark <= c->top && mark - c->base > c->kept)	/* else it is of the session before this one */
		c->kept = mark - c->base;
	if (c->kept > c->saved && !c->save_armed && *c->session) {
		c->save_armed = true;
		out_timer(d->out, n, TIMER_SAVE, now + (share > SAVE_EVERY ? share : SAVE_EVERY));
	}
	gap_kept(d, n, mark, now);
}
