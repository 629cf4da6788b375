#include "route/control.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "link/link.h"
#include "route/verb/verb.h"

#define ANSWER_MAX (4u << 20)

struct call {
	struct call *next;
	struct control *control;	/* NULL: closed */
	struct link_peer *peer;		/* NULL: it has gone */
};

/* ---- answers ---- */

static void end(struct call *c)
{
	if (c->control) {
		struct call **at = &c->control->calls;
		while (*at != c)
			at = &(*at)->next;
		*at = c->next;
	}
	free(c);
}

static void answer(struct call *c, const struct buf *b)
{
	struct iovec v = { b->p, b->len };

	if (c->peer)
		link_reply(c->peer, &v, 1);
	end(c);
}

void verb_ok_text(struct call *c, const char *members, size_t n)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	if (buf_adds(&b, "{\"ok\":true") < 0 || (n && (buf_addc(&b, ',') < 0 || buf_add(&b, members, n) < 0)) || buf_adds(&b, "}\n") < 0)
		verb_fail(c, "the answer would be longer than %u bytes", ANSWER_MAX);
	else
		answer(c, &b);
	buf_release(&b);
}

void verb_ok(struct call *c, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		verb_fail(c, "no memory for the answer");
		return;
	}
	verb_ok_text(c, text, (size_t)n);
	free(text);
}

void verb_fail(struct call *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	struct buf b;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_init(&b, 8 * sizeof text);
	if (buf_adds(&b, "{\"error\":") < 0 || buf_add_json(&b, text, strlen(text)) < 0 || buf_adds(&b, "}\n") < 0) {
		log_error("control: no memory for the answer: %s", text);
		if (c->peer)
			link_drop(c->peer, "no memory for the answer");
		end(c);
	} else {
		answer(c, &b);
	}
	buf_release(&b);
}

/* ---- questions ---- */

static void run(struct control *k, struct call *c, const char *p, size_t n)
{
	struct json_error err;
	struct json *doc = json_parse(p, n, &err);
	const char *name = json_str(json_member(doc, "do"), NULL);
	const struct verb *const *v = verbs;

	if (!doc) {
		verb_fail(c, "a question is one JSON object; byte %zu: %s", err.offset, err.text);
		return;
	}
	if (!name)
		verb_fail(c, "a question is an object like {\"do\":\"status\"}: \"do\" is missing");
	while (name && *v && strcmp((*v)->name, name) != 0)
		v++;
	if (name && *v)
		(*v)->run(k->hub, c, doc);
	else if (name)
		verb_fail(c, "%.64s: no such verb; route(8) lists them under CONTROL", name);
	json_free(doc);
}

static void on_request(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	struct control *k = arg;
	struct call *c = malloc(sizeof(*c));

	if (!c) {
		link_drop(peer, "no memory");
		return;
	}
	*c = (struct call){ .next = k->calls, .control = k, .peer = peer };
	k->calls = c;
	run(k, c, p, n);
}

static void on_gone(void *arg, struct link_peer *peer)
{
	struct control *k = arg;

	for (struct call *c = k->calls; c; c = c->next)
		if (c->peer == peer)
			c->peer = NULL;
}

int control_listen(struct control *k, struct hub *h, struct loop *l, const char *url, const struct link_opts *o)
{
	static const struct link_handler handler = { .on_request = on_request, .on_gone = on_gone };

	k->hub = h;
	k->calls = NULL;
	k->server = link_listen(l, url, o, &handler, k);
	return k->server ? 0 : -1;
}

void control_close(struct control *k)
{
	if (k->server)
		link_server_close(k->server);
	k->server = NULL;
	for (struct call *c = k->calls; c; c = c->next) {
		c->peer = NULL;
		c->control = NULL;
	}
	k->calls = NULL;
}
