/* say: what a client says, on its way to the hub and back as an acknowledgement or a refusal. */
#include "gatewayd/browser/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "gatewayd/metrics.h"
#include "gatewayd/outlet.h"
#include "line/id.h"
#include "line/writer.h"

#define SAYING_MAX 64u		/* messages of one client without an outcome */
#define RETRY_MS 1000		/* when the hub is away or behind */

/* A message with the outlet. */
struct say {
	struct client *c;		/* NULL: the client has gone */
	uint64_t n;
	char id[FRAME_ID_LEN + 1];
	struct say *prev, *next;
};

static void say_free(struct say *s)
{
	if (s->c) {
		if (s->prev)
			s->prev->next = s->next;
		else
			s->c->saying = s->next;
		if (s->next)
			s->next->prev = s->prev;
		s->c->nsaying--;
	}
	free(s);
}

void client_refuse(struct client *c, uint64_t n, const char *code, const char *why, int64_t retry_ms)
{
	struct buf text;

	buf_init(&text, 16384);
	if (buf_add_json(&text, why, strlen(why)) || !buf_cstr(&text))
		client_close(c, CLOSE_BUSY, "no memory; join again");
	else if (retry_ms)
		client_tell(c, "{\"refuse\":{\"n\":%llu,\"code\":\"%s\",\"error\":%s,\"retry\":true,\"after\":%lld}}",
			(unsigned long long)n, code, text.p, (long long)retry_ms);
	else
		client_tell(c, "{\"refuse\":{\"n\":%llu,\"code\":\"%s\",\"error\":%s,\"retry\":false}}",
			(unsigned long long)n, code, text.p);
	buf_release(&text);
}

static void on_outcome(void *arg, uint32_t index, enum outcome what, const char *error)
{
	struct say *s = arg;

	(void)index;
	if (what == OUT_DONE)
		metric_add(metrics[M_SAYS], 1);
	if (s->c && what == OUT_DONE)
		client_tell(s->c, "{\"ack\":{\"n\":%llu,\"id\":\"%s\"}}", (unsigned long long)s->n, s->id);
	else if (s->c && what == OUT_RETRY)
		client_refuse(s->c, s->n, "busy", error, RETRY_MS);
	else if (s->c)
		client_refuse(s->c, s->n, "refused", error, 0);
	say_free(s);
}

/* The event for what the frame says. */
static int write_line(const struct client *c, const struct frame *f, const char *id, struct buf *line)
{
	char source[ROOM_NAME_MAX + 16], key[ROOM_NAME_MAX + 16], time[CLOCK_RFC3339_MAX], trace[TRACEPARENT_LEN + 1];
	struct writer w;
	struct line_err err;

	snprintf(source, sizeof(source), "/browser/%s", c->room->name);
	snprintf(key, sizeof(key), "browser:%s", c->room->name);
	clock_rfc3339(time, clock_wall());
	id_trace_new(trace, hash_random(), hash_random(), hash_random());
	writer_begin(&w, line, line->max - 1);
	writer_attr(&w, "specversion", "1.0");
	writer_attr(&w, "id", id);
	writer_attr(&w, "source", source);
	writer_attr(&w, "type", "chat.message");
	writer_attr(&w, "time", time);
	writer_attr(&w, "tenant", c->b->opts.tenant);
	writer_attr(&w, "partitionkey", key);
	writer_attr(&w, "traceparent", trace);
	writer_open(&w, "data");
	writer_str(&w, "platform", "browser", 7);
	writer_open(&w, "channel");
	writer_str(&w, "id", c->room->name, strlen(c->room->name));
	writer_str(&w, "name", c->room->name, strlen(c->room->name));
	writer_close(&w);
	writer_open(&w, "user");
	writer_str(&w, "id", c->user, strlen(c->user));
	writer_str(&w, "name", c->name, strlen(c->name));
	writer_open_array(&w, "roles");
	writer_close(&w);
	writer_close(&w);
	writer_str(&w, "text", f->text.p, f->text.len);
	writer_close(&w);
	if (writer_end(&w, &err)) {
		log_error("a browser's message cannot be written as a line: %s", err.why);
		return -1;
	}
	return 0;
}

void client_say(struct client *c, const struct frame *f)
{
	int64_t wait = bucket_take(&c->says, clock_mono());
	const char *away = outlet_room(c->b->outlet, 1, f->text.len);
	struct say *s;
	struct buf line;

	if (wait) {
		client_refuse(c, f->n, "too-fast", "too many messages in a short time", wait / CLOCK_MS + 1);
		return;
	}
	if (away || c->nsaying == SAYING_MAX || !(s = calloc(1, sizeof(*s)))) {
		metric_add(metrics[M_EVENTS_RETRY], 1);
		client_refuse(c, f->n, "busy", away ? away : "too many messages wait for the hub", RETRY_MS);
		return;
	}
	frame_event_id(c->session, c->b->opts.tenant, c->room->name, f->n, s->id);
	s->n = f->n;
	buf_init(&line, 65536);
	if (write_line(c, f, s->id, &line) || outlet_add(c->b->outlet, line.p, line.len - 1, on_outcome, s, 0)) {
		client_refuse(c, f->n, "busy", "the gateway has no memory for it", RETRY_MS);
		free(s);
	} else {
		s->c = c;
		s->next = c->saying;
		if (s->next)
			s->next->prev = s;
		c->saying = s;
		c->nsaying++;
	}
	buf_release(&line);
}

void client_forget_says(struct client *c)
{
	while (c->saying) {
		struct say *s = c->saying;

		c->saying = s->next;
		s->c = NULL;
	}
}
