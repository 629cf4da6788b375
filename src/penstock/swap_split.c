/* What route is asked and told about the worker set of a trial: its verb split, over run/control. */
#include "penstock/swap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "link/link.h"

#define ANSWER_MAX (1u << 20)
#define PATIENCE (5 * CLOCK_S)

static bool unknown;	/* the hub is of a version that has no sets: workers beside each other are equal */

/* The answer as a document, to be freed; NULL with a message: nobody answers, or route says no. */
static struct json *ask(const struct tree *t, const struct buf *question)
{
	const char *error;
	struct json_error err;
	struct json *doc = NULL;
	struct buf reply;

	buf_init(&reply, ANSWER_MAX);
	if (link_call(tree_url(t, "control"), question->p, question->len, PATIENCE, &reply) == 0) {
		doc = json_parse(reply.p, reply.len, &err);
		if (!doc)
			log_error("route: its answer is not understood: %s", err.text);
	}
	buf_release(&reply);
	error = json_str(json_member(doc, "error"), NULL);
	unknown = error && strstr(error, "no such verb");
	if (error) {
		if (!unknown)
			log_error("route: %s", error);
		json_free(doc);
		doc = NULL;
	}
	return doc;
}

static void begin(struct buf *b, const struct swap *s)
{
	buf_init(b, 4096);
	buf_adds(b, "{\"do\":\"split\",\"dest\":");
	buf_add_json(b, s->dest, strlen(s->dest));
}

static struct json *end(const struct tree *t, struct buf *b, const char *rest)
{
	struct json *doc = NULL;

	if (buf_printf(b, "%s}\n", rest) == 0)
		doc = ask(t, b);
	buf_release(b);
	return doc;
}

int swap_split_set(const struct tree *t, const struct swap *s, enum swap_how how, uint64_t percent)
{
	struct json *doc;
	struct buf b;

	begin(&b, s);
	buf_adds(&b, ",\"set\":");
	buf_add_json(&b, s->trial, strlen(s->trial));
	doc = end(t, &b, how == SWAP_SHADOW ? ",\"copy\":true" : text_of(",\"percent\":%" PRIu64, percent));
	json_free(doc);
	if (!doc && unknown && how != SWAP_WHOLE)
		log_error("route: knows no worker sets: no canary and no shadow is possible");
	return doc || (unknown && how == SWAP_WHOLE) ? 0 : -1;
}

int swap_split_off(const struct tree *t, const struct swap *s)
{
	char *kept = text_of("%s/spool/split/%s", t->dir, s->dest);
	struct json *doc;
	struct buf b;

	if (tree_supervise(t) <= 0) {
		unlink(kept);	/* what the hub would begin with */
		return 0;
	}
	if (swap_wait_ready(t, "route") < 0)
		return -1;
	begin(&b, s);
	doc = end(t, &b, ",\"off\":true");
	json_free(doc);
	return doc || unknown ? 0 : -1;
}

int swap_split_ask(const struct tree *t, const struct swap *s, struct swap_split *out)
{
	const char *set, *because;
	struct service_seen seen;
	struct json *doc;
	struct buf b;

	memset(out, 0, sizeof *out);
	if (tree_supervise(t) <= 0 || service_see(t, "route", &seen) < 0 || !seen.ready)
		return -1;
	begin(&b, s);
	doc = end(t, &b, "");
	if (!doc)
		return -1;
	set = json_str(json_member(doc, "set"), NULL);
	because = json_str(json_member(doc, "off_because"), NULL);
	out->on = set && !(because && *because);
	out->percent = json_int(json_member(doc, "percent"), 0);
	out->copy = json_bool(json_member(doc, "copy"), false);
	out->given = json_int(json_member(doc, "given"), 0);
	out->done = json_int(json_member(doc, "done"), 0);
	out->refused = json_int(json_member(doc, "refused"), 0);
	out->shed = json_int(json_member(doc, "shed"), 0);
	snprintf(out->set, sizeof out->set, "%s", set ? set : "");
	snprintf(out->because, sizeof out->because, "%s", because ? because : "");
	json_free(doc);
	return 0;
}

int swap_hub_end(const struct tree *t, uint64_t *seq)
{
	struct json *doc;
	struct buf b;

	buf_init(&b, 64);
	buf_adds(&b, "{\"do\":\"status\"}\n");
	doc = ask(t, &b);
	buf_release(&b);
	if (!doc)
		return -1;
	*seq = (uint64_t)json_int(json_member(doc, "end"), 1);
	json_free(doc);
	return 0;
}
