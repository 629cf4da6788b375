#include "gatewayd/control.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "gatewayd/upstream/upstream.h"
#include "link/link.h"

#define ANSWER_MAX (5u << 20)		/* below LINK_MESSAGE_BYTES */

struct control {
	struct link_server *server;
	struct upstream *upstream;
};

static void accounts(struct control *c, struct buf *b)
{
	if (!c->upstream)
		buf_adds(b, "{\"waiting\":0,\"held\":false,\"accounts\":[],\"faults\":[]}\n");
	else if (upstream_show(c->upstream, b)) {
		buf_clear(b);
		buf_adds(b, "{\"error\":\"there is too much to tell\"}\n");
	}
}

static void reload(struct control *c, struct buf *b)
{
	if (!c->upstream) {
		buf_adds(b, "{\"faults\":[]}\n");
	} else if (upstream_reload(c->upstream)) {
		buf_adds(b, "{\"error\":\"it is being stopped\"}\n");
	} else {
		buf_adds(b, "{\"faults\":");
		upstream_faults(c->upstream, b);
		buf_adds(b, "}\n");
	}
}

static void drain(struct control *c, const struct json *q, struct buf *b)
{
	const char *why = "there are no accounts";
	size_t n = c->upstream ? upstream_hand_over(c->upstream, json_str(json_member(q, "tenant"), NULL),
		json_str(json_member(q, "account"), NULL), &why) : 0;

	buf_printf(b, "{\"draining\":%zu", n);
	if (!n) {
		buf_adds(b, ",\"error\":");
		buf_add_json(b, why, strlen(why));
	}
	buf_adds(b, "}\n");
}

static void on_request(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	struct control *c = arg;
	struct json_error err;
	struct json *q = json_parse(p, n, &err);
	const char *what = json_str(json_member(q, "do"), NULL);
	struct buf b;
	struct iovec v;

	buf_init(&b, ANSWER_MAX);
	if (what && strcmp(what, "accounts") == 0)
		accounts(c, &b);
	else if (what && strcmp(what, "reload") == 0)
		reload(c, &b);
	else if (what && strcmp(what, "drain") == 0)
		drain(c, q, &b);
	else
		buf_adds(&b, "{\"error\":\"want {\\\"do\\\":\\\"accounts\\\"}, reload or drain\"}\n");
	v = (struct iovec){b.p, b.len};
	link_reply(peer, &v, 1);
	buf_release(&b);
	json_free(q);
}

static void on_gone(void *arg, struct link_peer *peer)
{
	(void)arg, (void)peer;
}

static const struct link_handler handler = {.on_request = on_request, .on_gone = on_gone};

struct control *control_open(struct loop *l, const char *url, struct upstream *u)
{
	struct control *c = calloc(1, sizeof(*c));
	struct link_opts o = {0};

	if (!c) {
		log_error("out of memory");
		return NULL;
	}
	c->upstream = u;
	c->server = link_listen(l, url, &o, &handler, c);
	if (!c->server) {
		free(c);
		return NULL;
	}
	return c;
}

void control_close(struct control *c)
{
	if (!c)
		return;
	link_server_close(c->server);
	free(c);
}
