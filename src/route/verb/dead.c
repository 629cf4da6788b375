/*
 * {"do":"dead"}: how many letters each destination has.
 * {"do":"dead","dest":D,"drop":[[SEQ,OFF],...]}: those are gone for good.
 * {"do":"dead","dest":D,"edit":[[SEQ,OFF]],"line":"..."}: another event in the letter's place.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "line/envelope.h"
#include "line/err.h"
#include "line/types.h"
#include "route/verb/letters.h"

static void tell(struct hub *h, struct call *c)
{
	struct buf b;
	int bad;

	buf_init(&b, 1 << 20);
	bad = buf_adds(&b, "\"dests\":[");
	EACH_DEST(&h->dests, d)
		bad |= buf_printf(&b, "%s{\"dest\":\"%s\",\"letters\":%" PRIu64 "}", b.p[b.len - 1] == '[' ? "" : ",", d->name, d->dead.alive);
	bad |= buf_addc(&b, ']');
	if (bad)
		verb_fail(c, "no memory");
	else
		verb_ok_text(c, b.p, b.len);
	buf_release(&b);
}

static void drop(struct letters *l, struct call *c)
{
	struct dead *d = letters_dead(l);
	uint64_t marked = 0;

	if (!d || dead_mark(d, l->refs, l->n, &marked) < 0)
		verb_fail(c, "the dead letters of %s cannot be written: see the log", l->dest);
	else
		verb_ok(c, "\"dropped\":%" PRIu64 ",\"missing\":%" PRIu64, marked, l->n - marked);
	letters_done(l);
}

static void edit(struct letters *l, struct call *c, const struct json *question)
{
	char text[LINE_ERR_TEXT];
	struct envelope e;
	struct line_err err;
	struct dead *d;
	size_t n = 0;
	const char *line = json_str(json_member(question, "line"), &n);
	int r;

	if (!line || l->n != 1) {
		verb_fail(c, "an edit names one letter and its new line");
		return;
	}
	if (memchr(line, '\n', n)) {
		verb_fail(c, "the line must be one line");
		return;
	}
	if (envelope_check(line, n, LINE_MAX_BYTES, &e, &err) < 0 || types_check(line, &e, &err) < 0) {
		verb_fail(c, "%s", line_err_text(&err, text));
		return;
	}
	d = letters_dead(l);
	r = d ? dead_edit(d, &l->refs[0], line, n) : -1;
	if (r < 0)
		verb_fail(c, "the dead letters of %s cannot be written: see the log", l->dest);
	else
		verb_ok(c, "\"edited\":%d", r);
	letters_done(l);
}

static void run(struct hub *h, struct call *c, const struct json *question)
{
	static struct letters l;

	if (!json_member(question, "dest")) {
		tell(h, c);
	} else if (json_member(question, "drop")) {
		if (letters_read(&l, h, c, question, "drop") == 0)
			drop(&l, c);
	} else if (letters_read(&l, h, c, question, "edit") == 0) {
		edit(&l, c, question);
	}
}

const struct verb verb_dead = { "dead", run };
