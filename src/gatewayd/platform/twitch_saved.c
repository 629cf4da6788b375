/*
 * What of a connection outlives the process, or goes to another one: its session and the time up to which the hub has all.
 *
 *	open SESSION TIME [CALLBACK] [listed=TIME subs=... lost=...]	it died with its process
 *	handed SESSION TIME [CALLBACK] [listed=TIME subs=... lost=...]	a shard that stays attached for a while, until its new holder attaches itself
 *
 * Of connection 0: the callback of webhooks that may be left, when a list had all subscriptions last, which those were, and which of them were missing since
 * and are not told yet (hashes of their keys, "*": all). Without sockets the first words are twitch_callback.c's.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "gatewayd/platform/twitch_impl.h"

#define BYE (4 * CLOCK_S)		/* the old socket is read while whoever takes over attaches */
#define READ (TW_IN_TIME + CLOCK_S / 4)	/* ... and at least so long */

/* ---- which subscriptions there were ---- */

#define HASH 6u				/* hexadecimal digits: one that is taken for another is told though it is new */
#define KNOWN_MAX 1000u			/* of more, all count as known */

static void hash_of(const struct sub *s, char hex[HASH + 1])
{
	static const uint64_t key[2] = {0, 0};

	snprintf(hex, HASH + 1, "%06llx", (unsigned long long)(sip_hash(key, s->key, strlen(s->key)).a & 0xffffff));
}

const char *tw_last_list(const struct twitch *p)
{
	return *p->list_time ? p->list_time : p->since;
}

/* Behind those that an earlier process left and that are not compared yet. */
static void add_hashes(struct twitch *p, const struct buf *left, bool missed)
{
	size_t begin = p->saved.len, k = 0;
	char hex[HASH + 1];

	buf_add(&p->saved, left->p ? left->p : "", left->len);
	for (; k < p->subs.n && p->saved.len - begin <= KNOWN_MAX * HASH; k++) {
		const struct sub *s = &p->subs.v[k];

		if (missed ? !*s->missed : s->state != SUB_ENABLED && s->state != SUB_PENDING && !*s->missed)
			continue;
		hash_of(s, hex);
		buf_add(&p->saved, hex, HASH);
	}
	if (p->saved.len - begin <= KNOWN_MAX * HASH && !(left->len && *left->p == '*'))
		return;
	p->saved.len = begin;
	buf_addc(&p->saved, '*');
}

/* Plain sockets make theirs anew. */
static void add_seen(struct twitch *p, unsigned i)
{
	const char *time = *p->since ? p->since : p->list_time;

	if (i || !*time || p->conf.transport == TW_WEBSOCKET)
		return;
	buf_printf(&p->saved, " listed=%s subs=", time);
	add_hashes(p, &p->known, false);
	buf_adds(&p->saved, " lost=");
	add_hashes(p, &p->lost, true);
}

/* The words behind the others, from the last one on: what stands behind NAME, which is cut off. */
static struct span cut(const char *saved, size_t *n, const char *name)
{
	const char *at = *n ? memmem(saved, *n, name, strlen(name)) : NULL;
	struct span s = {NULL, 0};

	if (!at)
		return s;
	s.p = at + strlen(name);
	s.n = (size_t)(saved + *n - s.p);
	*n = (size_t)(at - saved);
	return s;
}

static size_t recall_seen(struct twitch *p, const char *saved, size_t n)
{
	struct span lost = cut(saved, &n, " lost="), subs = cut(saved, &n, " subs="), listed = cut(saved, &n, " listed=");

	p->since[0] = p->list_time[0] = '\0';
	buf_clear(&p->known);
	buf_clear(&p->lost);
	if (!listed.p) {
		buf_addc(&p->known, '*');	/* an earlier version */
		return n;
	}
	snprintf(p->since, sizeof(p->since), "%.*s", (int)listed.n, listed.p);
	if (subs.n)
		buf_add(&p->known, subs.p, subs.n);
	if (lost.n)
		buf_add(&p->lost, lost.p, lost.n);
	return n;
}

bool tw_first_words(struct twitch *p, unsigned i, const char *saved, size_t n, char *text, size_t size)
{
	if (saved && i == 0)
		n = recall_seen(p, saved, n);
	if (!saved || !n || n >= size)
		return false;
	memcpy(text, saved, n);
	text[n] = '\0';
	return true;
}

static bool among(const struct buf *hashes, const struct sub *s)
{
	char hex[HASH + 1];

	if (hashes->len && *hashes->p == '*')
		return true;
	hash_of(s, hex);
	for (size_t i = 0; i + HASH <= hashes->len; i += HASH)
		if (memcmp(hashes->p + i, hex, HASH) == 0)
			return true;
	return false;
}

bool tw_known(const struct twitch *p, const struct sub *s)
{
	return among(&p->known, s);
}

bool tw_was_lost(const struct twitch *p, const struct sub *s)
{
	return among(&p->lost, s);
}

void tw_seen_changed(struct twitch *p)
{
	const struct tw_conn *c = p->nconns ? &p->conns[0] : NULL;

	if (!c || !c->held || p->conf.transport == TW_WEBSOCKET)
		return;
	if (!tw_sockets(p))
		tw_callback_save(p);
	else if (*c->safe && (*c->session || *c->old))
		tw_save(p, 0, "open", c->safe);
}

void tw_keep(struct twitch *p, unsigned i)
{
	add_seen(p, i);
	if (buf_cstr(&p->saved))
		out_save(p->out, i, p->saved.p, p->saved.len);
	else
		tw_say(p, LOG_ERROR, "connection %u: out of memory: what is missing after a crash may not be told", i);
}

/* ---- saving ---- */

void tw_save(struct twitch *p, unsigned i, const char *how, const char *time)
{
	const struct tw_conn *c = &p->conns[i];
	const char *stale = i == 0 && tw_stale_left(p) ? p->stale : "";

	if (strcmp(how, "open") == 0)
		time = tw_sure(c, time);
	buf_clear(&p->saved);
	buf_printf(&p->saved, "%s %s %s%s%s", how, *c->session ? c->session : c->old, *time ? time : "-", *stale ? " " : "", stale);
	tw_keep(p, i);
}

void tw_spot(struct twitch *p, unsigned i, bool told, int64_t now)
{
	struct tw_conn *c = &p->conns[i];

	if (c->unread) {
		tw_unread_tell(p, i, c->last);
		told = true;
	}
	if (told)
		out_mark(p->out, i, ++c->mark);
	if (c->kept < c->mark) {
		c->spot = c->mark;
		memcpy(c->spot_time, c->last, sizeof(c->spot_time));
	} else {
		c->spot = 0;
		memcpy(c->safe, c->last, sizeof(c->safe));
	}
	c->spot_at = now;
	tw_save(p, i, "open", c->safe);
}

void tw_recall(struct twitch *p, unsigned i, const char *saved, size_t n)
{
	char text[2 * TW_URL + 128], how[8], session[TW_ID], time[TW_TIME], url[TW_URL], stale[TW_URL];
	struct tw_conn *c = &p->conns[i];
	bool hook;
	int words;

	if (!tw_first_words(p, i, saved, n, text, sizeof(text)))
		return;
	words = sscanf(text, "%7s %159s %39s %511s %511s", how, session, time, url, stale);
	if (words < 3)
		return;
	hook = strcmp(how, "hook") == 0 || strcmp(how, "hole") == 0;
	if (i == 0 && words > 3)
		tw_stale(p, hook && words > 4 ? stale : url);
	if (hook) {		/* twitch_callback.c: TIME stands second */
		c->gap = true;
		snprintf(c->why, sizeof(c->why), "the webhooks were given up for sockets");
		snprintf(c->from, sizeof(c->from), "%.39s", strcmp(session, "-") == 0 ? "" : session);
		memcpy(c->safe, c->from, sizeof(c->safe));
		return;
	}
	memcpy(c->old, session, sizeof(session));
	/* A shard that was handed over stays attached for a while, until its new holder attaches itself. */
	if (p->conf.transport == TW_CONDUIT && strcmp(how, "handed") == 0 && clock_parse(time, strlen(time), &c->handed) == 0)
		c->resumable = true;
	else
		c->gap = true;
	snprintf(c->why, sizeof(c->why), "the process that held the socket ended or gave it away");
	memcpy(c->from, strcmp(time, "-") == 0 ? "" : time, strcmp(time, "-") == 0 ? 1 : sizeof(time));
	memcpy(c->safe, c->from, sizeof(c->safe));
	if (i == 0 && !*p->since)
		memcpy(p->since, c->from, sizeof(p->since));
	/* From the moment it is attached here what the other socket still brings proves nothing. */
	if (c->resumable)
		tw_save(p, i, "open", c->from);
}

void tw_acked(void *arg, unsigned i, uint64_t mark, int64_t now)
{
	struct twitch *p = arg;
	struct tw_conn *c;

	(void)now;
	if (i >= p->nconns)
		return;
	c = &p->conns[i];
	c->kept = mark;
	if (!c->spot || mark < c->spot || c->state != CONN_LIVE)
		return;
	c->spot = 0;
	memcpy(c->safe, c->spot_time, sizeof(c->safe));
	if (tw_sockets(p))
		tw_save(p, i, "open", c->safe);
	else
		tw_callback_save(p);
}

void tw_drain(void *arg, unsigned i, int64_t now)
{
	struct twitch *p = arg;
	char time[TW_TIME], until[TW_TIME], lingers[TW_TIME] = "";
	struct tw_conn *c;
	bool all, whole;

	if (i >= p->nconns)
		return;
	c = &p->conns[i];
	all = c->kept >= c->mark;
	c->held = false;
	if (!tw_sockets(p)) {
		if (c->state == CONN_LIVE)
			tw_callback_spot(p);
		tw_conn_forget(c);
		return;
	}
	whole = all && tw_sure(c, c->last) == c->last;
	if (all)
		memcpy(c->safe, tw_sure(c, c->last), sizeof(c->safe));
	tw_unread_tell(p, i, "");
	clock_rfc3339(time, tw_time(c, now));
	clock_rfc3339(until, tw_time(c, now) + BYE);
	if (c->move && c->next_up)
		out_close(p->out, i, 1, 1000, "handed over");
	/* A shard's new holder attaches itself before this socket is closed. A plain session cannot be handed over: two of them
	 * would tell everything twice, under different ids. */
	if (p->conf.transport == TW_CONDUIT && c->state == CONN_LIVE && !c->off && whole && out_linger(p->out, i, BYE, READ, c->safe, until)) {
		tw_save(p, i, "handed", time);
		memcpy(lingers, time, sizeof(lingers));
	} else {
		if (c->state == CONN_LIVE)
			tw_save(p, i, "open", c->safe);
		out_close(p->out, i, 0, 1000, "handed over");
	}
	tw_move_end(p, i);
	/* Whoever has it next says how it was left, this process too. */
	tw_conn_forget(c);
	memcpy(c->lingers, lingers, sizeof(lingers));
}
