/* penstock send's outbox against a hub in the same loop: order within a key, refusals for good and for now, a hub that goes away; and compose. */
#include "check.h"

#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "scratch.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "line/envelope.h"
#include "line/types.h"
#include "link/ack.h"
#include "link/batch.h"
#include "link/link.h"
#include "penstock/compose.h"
#include "penstock/outbox.h"

#define LINES 3000
#define KEYS 7

struct hub {
	struct loop *loop;
	struct link_server *server;
	char url[64];
	struct outbox *box;
	unsigned requests, dropped;
	unsigned got[LINES + 1];	/* how often line i was kept */
	int last[KEYS];			/* the last line kept of each key */
	unsigned disorder, refused, later, bad_number;
	int fed;
};

static int number_of(const char *p, size_t n)
{
	const char *id = memmem(p, n, "\"id\":\"", 6);

	return id ? atoi(id + 6) : -1;
}

/* Every 10th line is refused for good; every 5th request is refused whole for now; every 11th connection is cut instead of answered,
 * after the lines were kept. */
static void on_request(void *arg, struct link_peer *peer, const char *p, size_t n)
{
	static struct refusal refused[LINK_BATCH_LINES];
	struct hub *h = arg;
	const char *end = p + n, *line;
	struct iovec part;
	struct buf reply;
	size_t len, bad = 0;
	uint32_t i = 0;
	bool later = ++h->requests % 5 == 0, cut = h->requests % 11 == 0;

	while ((line = batch_next(&p, end, &len)) != NULL) {
		int at = number_of(line, len);

		i++;
		if (later || at % 10 == 0) {
			refused[bad++] = (struct refusal){ .n = i, .retry = later, .error = later ? "full" : "no good" };
			continue;
		}
		/* A hub keeps a repeat once. */
		if (h->got[at] == 0) {
			h->disorder += h->last[at % KEYS] > at;
			h->last[at % KEYS] = at;
		}
		h->got[at] = 1;
	}
	if (cut && !later) {
		h->dropped++;
		link_drop(peer, "test");
		return;
	}
	buf_init(&reply, 1 << 20);
	put_reply_write(&reply, i - (uint32_t)bad, refused, bad);
	part = (struct iovec){ reply.p, reply.len };
	link_reply(peer, &part, 1);
	buf_release(&reply);
}

static void on_gone(void *arg, struct link_peer *peer)
{
	(void)arg;
	(void)peer;
}

static void on_refused(void *arg, uint64_t number, const char *why)
{
	struct hub *h = arg;

	h->refused++;
	h->bad_number += number % 10 != 0 || strcmp(why, "no good") != 0;
}

static void on_later(void *arg, const char *why)
{
	struct hub *h = arg;

	h->later++;
	h->bad_number += strcmp(why, "full") != 0;
}

static void feed(struct hub *h)
{
	char line[256];

	while (h->fed < LINES) {
		int i = h->fed + 1;
		int n = snprintf(line, sizeof line, "{\"specversion\":\"1.0\",\"id\":\"%d\",\"source\":\"/t\",\"type\":\"t\",\"partitionkey\":\"k%d\"}",
			i, i % KEYS);
		int rc = outbox_add(h->box, line, (size_t)n, (uint64_t)i);

		if (rc < 0)
			CHECK(0, "memory");
		if (rc == 0)
			break;
		h->fed++;
	}
	outbox_flush(h->box);
}

static void on_progress(void *arg)
{
	struct hub *h = arg;

	feed(h);
	if (h->fed == LINES && outbox_waiting(h->box) == 0)
		loop_stop(h->loop);
}

static void exchange(void)
{
	static const struct link_handler handler = { on_request, on_gone, false };
	static struct hub h;
	struct outbox_calls calls = { on_refused, on_later, on_progress, &h };
	char dir[SCRATCH];
	unsigned lost = 0, want_bad = LINES / 10;

	scratch_make(dir);
	snprintf(h.url, sizeof h.url, "ipc://%s/in", dir);
	h.loop = loop_new();
	h.server = link_listen(h.loop, h.url, NULL, &handler, &h);
	CHECK(h.loop && h.server, "a hub");
	h.box = outbox_open(h.loop, h.url, &calls);
	CHECK(h.box != NULL, "an outbox");
	feed(&h);
	CHECK(loop_run(h.loop) == 0, "runs to the end");
	for (int i = 1; i <= LINES; i++)
		lost += h.got[i] != (i % 10 != 0);
	CHECK(lost == 0, "every good line is kept, no bad one");
	CHECK(h.disorder == 0, "lines of a key are kept in their order");
	CHECK(h.refused == want_bad && outbox_refused(h.box) == want_bad, "a line that is refused for good is told once: %u", h.refused);
	CHECK(outbox_acked(h.box) == LINES - want_bad, "acked and refused are all: %u", (unsigned)outbox_acked(h.box));
	CHECK(h.bad_number == 0, "with its number and reason");
	CHECK(h.later > 0 && h.dropped > 0, "some were refused for now (%u), some connections cut (%u)", h.later, h.dropped);
	outbox_close(h.box);
	link_server_close(h.server);
	loop_free(h.loop);
}

static void composed(void)
{
	static const uint64_t random[4] = { 1, 2, 3, 4 };
	struct message m = { .text = "hello \"you\"\n\t\xc3\xbc", .room = "lobby", .name = "ann" };
	struct envelope e;
	struct line_err err;
	struct buf b;
	const char *why = NULL;
	char text[64];

	buf_init(&b, 1 << 20);
	CHECK(compose(&b, &m, random, CLOCK_S, &why) == 0 && b.len > 0 && b.p[b.len - 1] == '\n', "a line");
	CHECK(envelope_check(b.p, b.len - 1, 1 << 20, &e, &err) == 0 && types_check(b.p, &e, &err) == 0, "that may enter: %s", err.why ? err.why : "");
	CHECK(scan_cstr(scan_path(e.a[LA_DATA], "text"), text, sizeof text) > 0 && strcmp(text, m.text) == 0, "says the text");
	CHECK(scan_is(e.a[LA_PARTITIONKEY], "browser:lobby") && scan_is(e.a[LA_ID], "00000000000000010000000000000002"), "in the room");
	buf_clear(&b);
	m.text = "\xff";
	CHECK(compose(&b, &m, random, CLOCK_S, &why) < 0 && why && b.len == 0, "no UTF-8: %s", why);
	m.text = "x";
	m.room = "";
	CHECK(compose(&b, &m, random, CLOCK_S, &why) < 0, "no room: %s", why);
	buf_release(&b);
}

int main(void)
{
	log_init("test_outbox");
	log_set(LOG_TEXT, LOG_ERROR);
	exchange();
	composed();
	return check_done();
}
