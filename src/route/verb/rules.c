/* {"do":"rules"}: the rules in force, each with its line, its text and how many lines it held for; the flags they ask for. */
#include <inttypes.h>
#include <string.h>

#include "route/hub_impl.h"
#include "route/verb/verb.h"

static int add_rule(struct buf *out, struct buf *text, const struct rules *r, size_t i)
{
	buf_clear(text);
	return rule_describe(&r->set, &r->set.v[i], text) |
	    buf_printf(out, "%s{\"line\":%u,\"hits\":%" PRIu64 ",\"rule\":", i ? "," : "", r->set.v[i].line, r->hits[i]) |
	    buf_add_json(out, text->p, text->len) | buf_addc(out, '}');
}

static void run(struct hub *h, struct call *c, const struct json *question)
{
	const struct rules *r = h->book.now;
	struct buf out, text;
	int bad;

	(void)question;
	buf_init(&out, 16u << 20);
	buf_init(&text, 4u << 20);
	bad = buf_adds(&out, "\"file\":") | buf_add_json(&out, h->c->rules, strlen(h->c->rules)) |
	    buf_printf(&out, ",\"generation\":%" PRIu64 ",\"from\":%" PRIu64 ",\"rules\":[", r->gen, h->rules.from);
	for (size_t i = 0; i < r->set.n && !bad; i++)
		bad = add_rule(&out, &text, r, i);
	bad |= buf_adds(&out, "],\"flags\":{");
	for (unsigned i = 0; i < r->set.nflags; i++)
		bad |= buf_printf(&out, "%s\"%s\":%s", i ? "," : "", r->set.flags[i].name, r->set.flags[i].on ? "true" : "false");
	if (bad || buf_addc(&out, '}') < 0)
		verb_fail(c, "no memory for the answer");
	else
		verb_ok_text(c, out.p, out.len);
	buf_release(&out);
	buf_release(&text);
}

const struct verb verb_rules = { "rules", run };
