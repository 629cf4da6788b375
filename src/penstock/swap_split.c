/* What route is asked and told about the worker set of a trial: its verb split, over run/control. */
#include "penstock/swap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "link/link.h"

#define ANSWER_MAX (1u << 20)
#define PATIENCE (5 * CLOCK_S)

/* Route's answer when it is none: */
enum no { NO_ANSWER, NO_VERB, NO_SAID };	/* nobody answers, it knows no worker sets, it says no: all but the second with a message */

/* The answer as a document, to be freed; NULL: see *no. */
static struct json *ask(const struct tree *t, const struct buf *question, enum no *no)
{
	const char *error;
	struct json_error err;
	struct json *doc = NULL;
	struct buf reply;

	*no = NO_ANSWER;
	buf_init(&reply, ANSWER_MAX);
	if (link_call(tree_url(t, "control"), question->p, question->len, PATIENCE, &reply) == 0) {
		doc = json_parse(reply.p, reply.len, &err);
		if (!doc)
			log_error("route: its answer is not understood: %s", err.text);
	}
	buf_release(&reply);
	error = json_str(json_member(doc, "error"), NULL);
	if (error) {
		*no = strstr(error, "no such verb") ? NO_VERB : NO_SAID;
		if (*no == NO_SAID)
			log_error("route: %s", error);
		json_free(doc);
		doc = NULL;
	}
	return doc;
}

/* {"do":"split","dest":...,"set":... and the rest. set NULL: without one. */
static struct json *split(const struct tree *t, const struct swap *s, const char *set, const char *rest, enum no *no)
{
	struct json *doc = NULL;
	struct buf b;

	buf_init(&b, 4096);
	buf_adds(&b, "{\"do\":\"split\",\"dest\":");
	buf_add_json(&b, s->dest, strlen(s->dest));
	if (set) {
		buf_adds(&b, ",\"set\":");
		buf_add_json(&b, set, strlen(set));
	}
	if (buf_printf(&b, "%s}\n", rest) == 0)
		doc = ask(t, &b, no);
	buf_release(&b);
	return doc;
}

static char *kept_in(const struct tree *t, const struct swap *s)
{
	return text_of("%s/spool/split/%s", t->dir, s->dest);
}

/* With the tree down: what the hub will begin with. */
static int keep(const struct tree *t, const struct swap *s, const char *set, const char *what)
{
	char *path = kept_in(t, s);
	struct buf b;
	int rc = -1;

	buf_init(&b, 4096);
	if (buf_adds(&b, "{\"set\":") == 0 && buf_add_json(&b, set, strlen(set)) == 0 && buf_printf(&b, "%s}\n", what) == 0 &&
	    fd_mkdirs(text_of("%s/spool/split", t->dir), 0755) == 0 && fd_replace(path, b.p, b.len, 0600) == 0)
		rc = 0;
	else
		log_error("%s: %s", path, strerror(errno));
	buf_release(&b);
	return rc;
}

static int tell(const struct tree *t, const struct swap *s, const char *set, const char *what)
{
	enum no no = NO_ANSWER;
	struct json *doc;

	if (tree_supervise(t) <= 0)
		return keep(t, s, set, what);
	if (swap_wait_ready(t, "route") < 0)
		return -1;
	doc = split(t, s, set, what, &no);
	json_free(doc);
	if (doc || (no == NO_VERB && s->how == SWAP_WHOLE))
		return 0;	/* without sets the old and the new one share the lines */
	if (no == NO_VERB)
		log_error("route: this version knows no worker sets: no canary, no shadow");
	return no == NO_ANSWER ? -1 : -2;
}

int swap_split_share(const struct tree *t, const struct swap *s, const char *set, uint64_t percent)
{
	return tell(t, s, set, text_of(",\"percent\":%" PRIu64, percent));
}

int swap_split_copy(const struct tree *t, const struct swap *s, const char *set)
{
	return tell(t, s, set, ",\"copy\":true");
}

int swap_split_hold(const struct tree *t, const struct swap *s, const char *set)
{
	return tell(t, s, set, ",\"hold\":true");
}

int swap_split_off(const struct tree *t, const struct swap *s)
{
	enum no no = NO_ANSWER;
	struct json *doc;

	if (tree_supervise(t) <= 0) {
		unlink(kept_in(t, s));
		return 0;
	}
	if (swap_wait_ready(t, "route") < 0)
		return -1;
	doc = split(t, s, NULL, ",\"off\":true", &no);
	json_free(doc);
	return doc || no != NO_ANSWER ? 0 : -1;
}

static void read_tally(const struct json *doc, const char *const members[3], struct swap_tally *out)
{
	out->given = json_int(json_member(doc, members[0]), 0);
	out->done = json_int(json_member(doc, members[1]), 0);
	out->refused = json_int(json_member(doc, members[2]), 0);
}

int swap_split_ask(const struct tree *t, const struct swap *s, struct swap_split *out)
{
	const char *set, *because;
	struct service_seen seen;
	struct json *doc;
	enum no no;

	memset(out, 0, sizeof *out);
	if (tree_supervise(t) <= 0 || service_see(t, "route", &seen) < 0 || !seen.ready)
		return -1;
	doc = split(t, s, NULL, "", &no);
	if (!doc)
		return no == NO_VERB ? -2 : -1;
	set = json_str(json_member(doc, "set"), NULL);
	because = json_str(json_member(doc, "off_because"), NULL);
	out->on = set && !because;
	out->percent = json_int(json_member(doc, "percent"), 0);
	out->copy = json_bool(json_member(doc, "copy"), false);
	read_tally(doc, (const char *[]){ "given", "done", "refused" }, &out->set_has);
	read_tally(doc, (const char *[]){ "others_given", "others_done", "others_refused" }, &out->others);
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
	enum no no;

	buf_init(&b, 64);
	buf_adds(&b, "{\"do\":\"status\"}\n");
	doc = ask(t, &b, &no);
	buf_release(&b);
	if (!doc)
		return -1;
	*seq = (uint64_t)json_int(json_member(doc, "end"), 1);
	json_free(doc);
	return 0;
}
