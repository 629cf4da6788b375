/* route spool cursors, cursor set, trim: where the destinations stand, and what is removed. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/num.h"
#include "route/books.h"
#include "route/tool/offline.h"
#include "route/tool/spool.h"

#define ANSWER_MAX (1u << 20)

/* ---- cursors ---- */

static int show(const struct spool_tool *t, const char *dir, const char *name)
{
	struct cursor_file f;
	struct cursor c;

	cursor_init(&c, 0);
	int how = cursor_file_open(&f, dir, name, &c);
	if (how == CURSOR_READ && t->json)
		printf("{\"name\":\"%s\",\"low\":%" PRIu64 ",\"seen\":%" PRIu64 ",\"pending\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"filtered\":%"
			PRIu64 ",\"dead\":%" PRIu64 ",\"shed\":%" PRIu64 "}\n", name, c.low, c.seen, c.pending, c.delivered, c.filtered, c.dead, c.shed);
	else if (how == CURSOR_READ)
		printf("%-16s %17" PRIu64 " %17" PRIu64 " %10" PRIu64 " %12" PRIu64 " %12" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n", name, c.low,
			c.seen, c.pending, c.delivered, c.filtered, c.dead, c.shed);
	if (how >= 0)
		cursor_file_close(&f);
	cursor_release(&c);
	return how == CURSOR_READ ? 0 : 1;
}

int spool_cursors(const struct spool_tool *t)
{
	struct dirent **names;
	char dir[4096];
	int code = 0, n;

	snprintf(dir, sizeof(dir), "%s/cursor", t->dir);
	n = scandir(dir, &names, NULL, alphasort);
	if (n < 0) {
		log_error("%s: %s", dir, strerror(errno));
		return 1;
	}
	if (offline_in_use(t->dir)) {
		struct buf reply;
		buf_init(&reply, ANSWER_MAX);
		if (offline_ask(t->run_dir, "{\"do\":\"cursor\"}", &reply) < 0) {
			log_warn("what follows is as old as the files of %s", dir);
			code = 1;
		}
		buf_release(&reply);
	}
	if (!t->json)
		printf("%-16s %17s %17s %10s %12s %12s %8s %8s\n", "DESTINATION", "CURSOR", "COUNTED UP TO", "PENDING", "DELIVERED", "FILTERED",
			"DEAD", "SHED");
	for (int i = 0; i < n; i++) {
		if (rules_dest_name(names[i]->d_name, strlen(names[i]->d_name)))
			code |= show(t, dir, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (fflush(stdout) < 0 || ferror(stdout)) {
		log_error("standard output: %s", strerror(errno));
		return 1;
	}
	return code;
}

/* ---- changes without a hub ---- */

/* The counts come up to the end first. */
static int read_books(struct offline *o)
{
	struct book v[RULES_DESTS];

	for (size_t i = 0; i < o->n; i++)
		v[i] = (struct book){ .cursor = &o->dests[i].c, .place = (unsigned)i };
	return books_read(o->spool, &o->book, v, o->n);
}

static int set_offline(const struct spool_tool *t, const char *dest, uint64_t seq, struct books_moved *m)
{
	struct offline o;
	int r = -1;
	size_t i = 0;

	if (offline_open(&o, t->dir) < 0)
		goto done;
	while (i < o.n && strcmp(o.dests[i].name, dest) != 0)
		i++;
	if (i == o.n)
		log_error("there is no destination %s", dest);
	else if (seq < spool_oldest(o.spool) || seq > spool_end(o.spool))
		log_error("SEQ must be a number from %" PRIu64 " (the oldest line) to %" PRIu64 " (the end)", spool_oldest(o.spool), spool_end(o.spool));
	else if (read_books(&o) == 0 && books_move(o.spool, &o.book, (unsigned)i, &o.dests[i].c, seq, m) == 0)
		r = offline_save(&o.dests[i]);
done:
	offline_close(&o);
	return r;
}

struct trimmed { uint64_t removed, bytes, shed, oldest; };

static int trim_offline(const struct spool_tool *t, struct trimmed *out)
{
	struct offline o;
	struct books_moved m;
	int r = offline_open(&o, t->dir);

	if (r == 0) {
		uint64_t low = o.held, before = t->before ? t->before : INT64_MAX, bytes = spool_bytes(o.spool);
		for (size_t i = 0; i < o.n; i++)
			low = !o.dests[i].c.mirror && o.dests[i].c.low < low ? o.dests[i].c.low : low;
		uint64_t to = spool_boundary(o.spool, t->force || before < low ? before : low);
		if (to > o.held) {
			log_error("lines from %" PRIu64 " on are held until their time (notbefore): they cannot be removed", o.held);
			r = -1;
		}
		if (r == 0 && to > low)
			r = read_books(&o);
		for (size_t i = 0; r == 0 && i < o.n; i++) {
			if (o.dests[i].c.low < to) {
				r = books_move(o.spool, &o.book, (unsigned)i, &o.dests[i].c, to, &m);
				out->shed += r == 0 ? m.shed : 0;
			}
			if (r == 0)
				r = offline_save(&o.dests[i]);
		}
		if (r == 0)
			r = spool_remove(o.spool, to, &out->removed);
		rules_book_trim(&o.book, spool_oldest_gen(o.spool));
		out->bytes = bytes - spool_bytes(o.spool);
		out->oldest = spool_oldest(o.spool);
	}
	offline_close(&o);
	return r;
}

/* ---- */

/* A member of the hub's answer. */
static uint64_t number(const struct buf *reply, const char *name)
{
	struct json_error err;
	struct json *doc = json_parse(reply->p, reply->len, &err);
	uint64_t v = (uint64_t)json_int(json_member(doc, name), 0);

	json_free(doc);
	return v;
}

int spool_set(const struct spool_tool *t, const char *dest, const char *text)
{
	struct books_moved m = { 0, 0 };
	char question[256];
	struct buf reply;
	const char *why;
	uint64_t seq;
	int r;

	if (num_u64(text, 0, INT64_MAX, &seq, &why) < 0) {
		log_error("SEQ %s: %s", text, why);
		return 2;
	}
	if (!rules_dest_name(dest, strlen(dest))) {
		log_error("%s: not the name of a destination", dest);
		return 2;
	}
	buf_init(&reply, ANSWER_MAX);
	if (offline_in_use(t->dir)) {
		snprintf(question, sizeof(question), "{\"do\":\"cursor\",\"dest\":\"%s\",\"set\":%" PRIu64 "}", dest, seq);
		r = offline_ask(t->run_dir, question, &reply);
		if (r == 0)
			m = (struct books_moved){ .shed = number(&reply, "shed"), .again = number(&reply, "again") };
	} else {
		r = set_offline(t, dest, seq, &m);
	}
	buf_release(&reply);
	if (r == 0)
		printf("%s goes on with line %" PRIu64 ": %" PRIu64 " line%s skipped, %" PRIu64 " %s delivered again\n", dest, seq, m.shed,
			m.shed == 1 ? " is" : "s are", m.again, m.again == 1 ? "is" : "are");
	return r < 0 || fflush(stdout) < 0;
}

int spool_trim_now(const struct spool_tool *t)
{
	struct trimmed out = { 0 };
	char question[256], before[64] = "";
	struct buf reply;
	int r;

	buf_init(&reply, ANSWER_MAX);
	if (offline_in_use(t->dir)) {
		if (t->before)
			snprintf(before, sizeof(before), ",\"before\":%" PRIu64, t->before);
		snprintf(question, sizeof(question), "{\"do\":\"trim\"%s%s}", before, t->force ? ",\"force\":true" : "");
		r = offline_ask(t->run_dir, question, &reply);
		if (r == 0)
			out = (struct trimmed){ .removed = number(&reply, "removed"), .bytes = number(&reply, "bytes"),
				.shed = number(&reply, "shed"), .oldest = number(&reply, "oldest") };
	} else {
		r = trim_offline(t, &out);
	}
	buf_release(&reply);
	if (r == 0)
		printf("%" PRIu64 " segment%s removed (%" PRIu64 " bytes), %" PRIu64 " line%s given up; the oldest line is %" PRIu64 "\n", out.removed,
			num_s(out.removed), out.bytes, out.shed, num_s(out.shed), out.oldest);
	return r < 0 || fflush(stdout) < 0;
}
