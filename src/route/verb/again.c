/*
 * {"do":"again","dest":D,"letters":[[SEQ,OFF],...]}: dead letters go back to their destination, each as a line said again (again.h), and
 * are gone from the dead letters when those lines are on disk: then the answer comes.
 *
 * One such question at a time: so the letters that a killed hub had said again and not marked are among the last LETTERS_MOST lines of
 * that kind in the spool, and the next start marks them (hub_letters.c).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "line/envelope.h"
#include "line/err.h"
#include "line/types.h"
#include "route/verb/letters.h"

#define BYTES_MOST (4u << 20)	/* of events in one go; the rest is not looked at */

struct retry {
	struct spool_waiter waiter;	/* first */
	struct call *call;
	struct letters l;		/* of refs the first `said` are those that were said again */
	size_t said, looked, missing, nbad;
	size_t bytes;
	struct buf bad;			/* [{"seq":..,"error":".."},...] without the brackets */
};

static struct retry *now;

static void retry_free(struct retry *r)
{
	buf_release(&r->bad);
	free(r);
	now = NULL;
}

static void answer(struct retry *r)
{
	struct buf b;

	buf_init(&b, 4u << 20);
	if (buf_printf(&b, "\"said\":%zu,\"missing\":%zu,\"rest\":%zu,\"bad\":[", r->said, r->missing, r->l.n - r->looked) < 0 ||
	    (r->bad.len && buf_add(&b, r->bad.p, r->bad.len) < 0) || buf_addc(&b, ']') < 0)
		verb_fail(r->call, "no memory for the answer; %zu letters were said again", r->said);
	else
		verb_ok_text(r->call, b.p, b.len);
	buf_release(&b);
}

static void told(struct spool_waiter *w, int err)
{
	struct retry *r = (struct retry *)w;
	struct dead *d;
	uint64_t marked;

	if (err) {
		verb_fail(r->call, "nothing was said again: %s", strerror(err));
	} else {
		d = letters_dead(&r->l);
		if (!d || dead_mark(d, r->l.refs, r->said, &marked) < 0)
			verb_fail(r->call, "%zu letters of %s were said again, but cannot be marked: a restart of route does that; do not retry them before",
				r->said, r->l.dest);
		else
			answer(r);
		letters_done(&r->l);
	}
	retry_free(r);
}

static int bad_letter(struct retry *r, uint64_t seq, const char *why)
{
	r->nbad++;
	return buf_printf(&r->bad, "%s{\"seq\":%" PRIu64 ",\"error\":", r->bad.len ? "," : "", seq) < 0 ||
		buf_add_json(&r->bad, why, strlen(why)) < 0 || buf_addc(&r->bad, '}') < 0 ? -1 : 0;
}

/* One letter. false: it was not looked at, and none behind it should be. */
static bool say(struct retry *r, const struct dead *d, const struct dead_ref *ref)
{
	struct again a = { .of = ref->seq };
	char why[LINE_ERR_TEXT];
	struct buf text, event;
	struct line_err err = { .why = "it cannot be read" };
	struct envelope e;
	struct letter l;
	bool ok = true;
	int found;

	buf_init(&text, 2 * LETTER_MAX);
	buf_init(&event, LETTER_MAX);
	found = dead_get(d, ref, &text, &l);
	if (found < 0) {
		ok = false;
	} else if (!found) {
		r->missing++;
	} else if (scan_string(l.line, &event) < 0 || envelope_check(event.p, event.len, LINE_MAX_BYTES, &e, &err) < 0 ||
		   types_check(event.p, &e, &err) < 0) {
		ok = bad_letter(r, ref->seq, event.len ? line_err_text(&err, why) : "it has no text") == 0;
	} else {
		strcpy(a.to, r->l.dest);
		a.p = event.p;
		a.n = event.len;
		r->bytes += a.n;
		ok = hub_again(r->l.hub, &a) != 0;
		if (ok)
			r->l.refs[r->said++] = *ref;
	}
	buf_release(&text);
	buf_release(&event);
	return ok;
}

static void say_all(struct retry *r)
{
	const struct dead *d = letters_dead(&r->l);

	while (d && r->looked < r->l.n && r->bytes < BYTES_MOST && say(r, d, &r->l.refs[r->looked]))
		r->looked++;
	if (r->said) {
		letters_done(&r->l);
		r->l.own.path = NULL;
		if (!spool_wait(r->l.hub->spool, &r->waiter))
			told(&r->waiter, 0);
		return;
	}
	if (r->l.n && !r->looked)
		verb_fail(r->call, "letters of %s cannot be said again now: %s", r->l.dest,
			spool_fails(r->l.hub->spool) ? spool_fails(r->l.hub->spool) : "see the log");
	else
		answer(r);
	letters_done(&r->l);
	retry_free(r);
}

static void run(struct hub *h, struct call *c, const struct json *question)
{
	struct retry *r;

	if (now) {
		verb_fail(c, "another retry is on its way: try again in a moment");
		return;
	}
	if (h->stopping) {
		verb_fail(c, "route is stopping");
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r) {
		verb_fail(c, "no memory");
		return;
	}
	r->waiter.told = told;
	r->call = c;
	buf_init(&r->bad, 1 << 20);
	now = r;
	if (letters_read(&r->l, h, c, question, "letters") < 0) {
		retry_free(r);
	} else if (rules_place(h->book.now, r->l.dest) < 0) {
		verb_fail(c, "the rules name no destination %s: name it there, or drop its letters", r->l.dest);
		retry_free(r);
	} else {
		say_all(r);
	}
}

const struct verb verb_again = { "again", run };
