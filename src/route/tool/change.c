#include "route/tool/change.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "line/envelope.h"
#include "line/err.h"
#include "line/types.h"
#include "link/link.h"

#define PATIENCE (60 * CLOCK_S)	/* a full disk: the answer comes when it is known */

int change_open(struct change *c)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/lock", c->spool);
	c->lock = fd_lock(path);
	if (c->lock >= 0)
		return 0;
	if (errno != EWOULDBLOCK) {
		log_error("%s: %s", path, strerror(errno));
		return -1;
	}
	if (c->run_dir)
		return 0;
	log_error("%s: a route runs on this spool: say with -R where its control socket is", c->spool);
	return -1;
}

void change_close(struct change *c)
{
	if (c->lock >= 0)
		close(c->lock);
}

/* ---- a hub runs ---- */

static int add_refs(struct buf *b, const struct dead_ref *refs, size_t n)
{
	int bad = 0;

	for (size_t i = 0; i < n; i++)
		bad |= buf_printf(b, "%s[%" PRIu64 ",%lld]", i ? "," : "", refs[i].seq, (long long)refs[i].off);
	return bad;
}

static void read_bad(const char *dest, const struct json *bad, struct change_result *r)
{
	for (size_t i = 0; i < json_count(bad) && r->nbad < CHANGE_MOST; i++) {
		const struct json *one = json_at(bad, i);
		const char *why = json_str(json_member(one, "error"), NULL);
		int64_t seq = json_int(json_member(one, "seq"), 0);

		r->bad[r->nbad++] = (uint64_t)seq;
		log_error("%s:%" PRId64 " stays dead: its event would be refused: %s", dest, seq, why ? why : "?");
	}
}

static int ask(struct change *c, struct buf *question, const char *dest, struct change_result *r)
{
	char url[4096];
	struct json_error err;
	struct json *doc = NULL;
	const char *error;
	struct buf reply;
	int ret = -1;

	snprintf(url, sizeof(url), "ipc://%s/control", c->run_dir);
	buf_init(&reply, 8u << 20);
	if (link_call(url, question->p, question->len, PATIENCE, &reply) < 0)
		goto done;
	doc = json_parse(reply.p, reply.len, &err);
	if (!doc) {
		log_error("%s: an answer that is no JSON: %s", url, err.text);
		goto done;
	}
	error = json_str(json_member(doc, "error"), NULL);
	if (error) {
		log_error("%s", error);
		goto done;
	}
	*r = (struct change_result){ .missing = (uint64_t)json_int(json_member(doc, "missing"), 0),
		.rest = (uint64_t)json_int(json_member(doc, "rest"), 0),
		.done = (uint64_t)(json_int(json_member(doc, "said"), 0) + json_int(json_member(doc, "dropped"), 0) +
			json_int(json_member(doc, "edited"), 0)) };
	read_bad(dest, json_member(doc, "bad"), r);
	ret = 0;
done:
	json_free(doc);
	buf_release(&reply);
	return ret;
}

static int order(struct change *c, const char *verb, const char *dest, const char *member, const struct dead_ref *refs, size_t n,
	const char *line, size_t len, struct change_result *r)
{
	struct buf q;
	int ret = -1;

	buf_init(&q, 16u << 20);
	if (buf_printf(&q, "{\"do\":\"%s\",\"dest\":\"%s\",\"%s\":[", verb, dest, member) < 0 || add_refs(&q, refs, n) || buf_addc(&q, ']') < 0 ||
	    (line && (buf_adds(&q, ",\"line\":") < 0 || buf_add_json(&q, line, len) < 0)) || buf_addc(&q, '}') < 0)
		log_error("no memory");
	else
		ret = ask(c, &q, dest, r);
	buf_release(&q);
	return ret;
}

/* ---- no hub runs ---- */

/* The order of the calls is the one the hub keeps. */
static int in_file(const struct change *c, const char *dest, const struct dead_ref *refs, size_t n, const char *line, size_t len,
	struct change_result *r)
{
	struct dead d;
	int ret = -1;

	*r = (struct change_result){ 0 };
	if (dead_init(&d, c->spool, dest) < 0)
		return -1;
	if (dead_scan(&d, NULL, NULL) < 0)
		goto done;
	if (line) {
		ret = dead_edit(&d, refs, line, len);
		r->done = ret > 0;
	} else {
		ret = dead_mark(&d, refs, n, &r->done);
		r->missing = n - r->done;
	}
done:
	dead_release(&d);
	return ret < 0 ? -1 : 0;
}

int change_drop(struct change *c, const char *dest, const struct dead_ref *refs, size_t n, struct change_result *r)
{
	return c->lock >= 0 ? in_file(c, dest, refs, n, NULL, 0, r) : order(c, "dead", dest, "drop", refs, n, NULL, 0, r);
}

int change_retry(struct change *c, const char *dest, const struct dead_ref *refs, size_t n, struct change_result *r)
{
	if (c->lock >= 0) {
		log_error("route does not run on %s: start it; a letter goes back through it", c->spool);
		return -1;
	}
	return order(c, "again", dest, "letters", refs, n, NULL, 0, r);
}

int change_edit(struct change *c, const char *dest, const struct dead_ref *ref, const char *line, size_t n, struct change_result *r)
{
	char text[LINE_ERR_TEXT];
	struct envelope e;
	struct line_err err;

	if (envelope_check(line, n, LINE_MAX_BYTES, &e, &err) < 0 || types_check(line, &e, &err) < 0) {
		log_error("the event: %s", line_err_text(&err, text));
		return -1;
	}
	return c->lock >= 0 ? in_file(c, dest, ref, 1, line, n, r) : order(c, "dead", dest, "edit", ref, 1, line, n, r);
}
