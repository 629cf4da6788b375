/*
 * test_link_ack: replays the talks of tests/link/talks (README.md there says how they are written) against both ends of the
 * grammar, and each message that is understood through the writing end and back. Then limits that no talk can hold.
 */
#include <dirent.h>
#include <string.h>

#include "base/buf.h"
#include "check.h"
#include "link/ack.h"
#include "link/batch.h"

#define TALKS "tests/link/talks"

/* ---- what was understood, as text ---- */

static void say_text(struct buf *out, const char *p)
{
	for (; *p; p++) {
		if (*p == '\n')
			buf_adds(out, "\\n");
		else
			buf_addc(out, *p);
	}
}

static void say_refused(struct buf *out, const struct refusal *r, size_t n)
{
	if (n)
		buf_adds(out, " refused");
	for (size_t i = 0; i < n; i++) {
		buf_printf(out, " %u:", r[i].n);
		say_text(out, r[i].error);
		buf_adds(out, r[i].retry ? "+retry" : "");
		if (r[i].retry_after)
			buf_printf(out, "+after %u", r[i].retry_after);
		if (r[i].detail) {
			buf_adds(out, "+stderr ");
			say_text(out, r[i].detail);
		}
	}
}

static int read_put_reply(const char *p, size_t n, struct buf *out, struct buf *again, const char **why)
{
	struct put_reply r;

	if (put_reply_parse(p, n, &r, why))
		return -1;
	buf_printf(out, "ack %u", r.acked);
	say_refused(out, r.refused, r.nrefused);
	if (again)
		put_reply_write(again, r.acked, r.refused, r.nrefused);
	put_reply_release(&r);
	return 0;
}

static int read_take_request(const char *p, size_t n, struct buf *out, struct buf *again, const char **why)
{
	struct take_request r;

	if (take_request_parse(p, n, &r, why))
		return -1;
	buf_printf(out, "as %s", r.as);
	if (r.set[0])
		buf_printf(out, " set %s", r.set);
	if (r.done[0])
		buf_printf(out, " done %s", r.done);
	if (r.take)
		buf_printf(out, " take %u", r.take);
	say_refused(out, r.refused, r.nrefused);
	if (again)
		take_request_write(again, r.as, r.set, r.done, r.refused, r.nrefused, r.take);
	take_request_release(&r);
	return 0;
}

static int read_take_reply(const char *p, size_t n, struct buf *out, struct buf *again, const char **why)
{
	struct take_reply r;

	if (take_reply_parse(p, n, &r, why))
		return -1;
	buf_printf(out, "batch %s n %u", r.batch, r.n);
	if (r.seq)
		buf_adds(out, " seq");
	for (uint32_t i = 0; r.seq && i < r.n; i++)
		buf_printf(out, " %llu", (unsigned long long)r.seq[i]);
	if (again) {
		take_reply_write(again, r.batch, r.n, r.seq);
		buf_add(again, p + r.head, n - r.head);
	}
	take_reply_release(&r);
	return 0;
}

static int read_batch(const char *p, size_t n, struct buf *out, struct buf *again, const char **why)
{
	int64_t lines = batch_count(p, n);

	*why = "no batch";
	if (lines < 0)
		return -1;
	buf_printf(out, "%lld lines", (long long)lines);
	if (again)
		buf_add(again, p, n);
	return 0;
}

static int read_message(bool put, bool from_hub, const struct buf *m, struct buf *out, struct buf *again, const char **why)
{
	/* A copy of exactly this size, so that ASan sees a read behind it. */
	char *p = malloc(m->len ? m->len : 1);
	int rc;

	if (!p)
		exit(1);
	if (m->len)
		memcpy(p, m->p, m->len);
	if (put)
		rc = (from_hub ? read_put_reply : read_batch)(p, m->len, out, again, why);
	else
		rc = (from_hub ? read_take_reply : read_take_request)(p, m->len, out, again, why);
	free(p);
	return rc;
}

/* ---- talks ---- */

static void check_message(const char *file, unsigned number, bool put, bool from_hub, const struct buf *m, char mark,
	const char *want)
{
	struct buf out, again, twice;
	const char *why = "";
	int rc;

	buf_init(&out, 1u << 20);
	buf_init(&again, 1u << 20);
	buf_init(&twice, 1u << 20);
	rc = read_message(put, from_hub, m, &out, &again, &why);
	if (mark == '!') {
		CHECK(rc < 0 && strstr(why, want), "%s:%u: refused: %s", file, number, rc ? why : buf_cstr(&out));
	} else {
		CHECK(rc == 0, "%s:%u: understood%s%s", file, number, rc ? ": " : "", rc ? why : "");
		CHECK(!strcmp(buf_cstr(&out), want), "%s:%u: as %s", file, number, buf_cstr(&out));
		rc = read_message(put, from_hub, &again, &twice, NULL, &why);
		CHECK(rc == 0 && !strcmp(buf_cstr(&twice), want), "%s:%u: and once more after writing", file, number);
	}
	buf_release(&out);
	buf_release(&again);
	buf_release(&twice);
}

static void replay(const char *name)
{
	char path[512], *line = NULL;
	size_t cap = 0;
	ssize_t n;
	bool put = false, from_hub = false;
	unsigned number = 0, messages = 0;
	struct buf m;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", TALKS, name);
	f = fopen(path, "r");
	CHECK(f, "%s can be opened", path);
	buf_init(&m, 1u << 20);
	while ((n = getline(&line, &cap, f)) > 0) {
		number++;
		if (line[n - 1] == '\n')
			line[--n] = 0;
		if (*line == '#' || !*line)
			continue;
		if (*line == '>' || *line == '<') {
			bool bare = line[1] == '.';
			const char *text = line + (bare ? 3 : 2);
			from_hub = *line == '<';
			buf_add(&m, text, n > text - line ? (size_t)(n - (text - line)) : 0);
			if (!bare)
				buf_addc(&m, '\n');
		} else if (*line == '=' || *line == '!') {
			check_message(name, number, put, from_hub, &m, *line, line + 2);
			buf_clear(&m);
			messages++;
		} else {
			put = !strcmp(line, "put");
			CHECK(put || !strcmp(line, "take"), "%s:%u: put or take", name, number);
		}
	}
	CHECK(messages > 0 && m.len == 0, "%s: has messages, and each has its = or !", name);
	buf_release(&m);
	free(line);
	fclose(f);
}

/* ---- limits ---- */

/* Of what a program said the end is kept, and not more than a message should hold. */
static void details(void)
{
	static char said[2 * ACK_DETAIL_MAX + 1];
	struct refusal *all = calloc(LINK_BATCH_LINES, sizeof *all);
	struct take_request req;
	const char *why = "";
	size_t kept = 0;
	struct buf b;

	CHECK(all, "memory");
	buf_init(&b, LINK_MESSAGE_BYTES);
	memset(said, 'x', sizeof said - 1);
	memcpy(said + ACK_DETAIL_MAX - 1, "\xe2\x82\xac", 3);
	memcpy(said + sizeof said - 5, "last", 4);
	for (uint32_t i = 0; i < LINK_BATCH_LINES; i++)
		all[i] = (struct refusal){ .n = i + 1, .error = "exit code 1", .detail = said };
	CHECK(!take_request_write(&b, "w", NULL, "b", all, LINK_BATCH_LINES, 1) && b.len < ACK_DETAILS_MAX + LINK_BATCH_LINES * 100,
		"4096 refusals with much said make a message of %zu bytes", b.len);
	CHECK(!take_request_parse(b.p, b.len, &req, &why) && req.nrefused == LINK_BATCH_LINES, "which is read: %s", why);
	CHECK(strlen(req.refused[0].detail) == ACK_DETAIL_MAX - 2 && !strcmp(req.refused[0].detail + ACK_DETAIL_MAX - 6, "last"),
		"the end of it, from a whole character on");
	for (size_t i = 0; i < req.nrefused; i++)
		kept += req.refused[i].detail != NULL;
	CHECK(kept >= 250 && kept <= 260 && !req.refused[4095].detail, "the first %zu", kept);
	take_request_release(&req);
	buf_release(&b);
	free(all);
}

static void limits(void)
{
	struct refusal *all = calloc(LINK_BATCH_LINES, sizeof *all);
	uint64_t *seq = calloc(LINK_BATCH_LINES, sizeof *seq);
	char longest[3 * ACK_ERROR_MAX + 1];
	struct take_request req;
	struct take_reply rep;
	const char *why = "";
	struct buf b;

	CHECK(all && seq, "memory");
	buf_init(&b, LINK_MESSAGE_BYTES);
	for (uint32_t i = 0; i < LINK_BATCH_LINES; i++) {
		all[i] = (struct refusal){ .n = i + 1, .error = i % 2 ? "" : NULL, .retry = i % 3 == 0 };
		seq[i] = INT64_MAX - i;
	}
	CHECK(!take_request_write(&b, "w", NULL, "b", all, LINK_BATCH_LINES, 1), "every line of the largest batch refused");
	CHECK(!take_request_parse(b.p, b.len, &req, &why) && req.nrefused == LINK_BATCH_LINES, "and read: %s", why);
	CHECK(req.refused[4095].n == 4096 && !strcmp(req.refused[0].error, "refused") && !*req.refused[1].error,
		"with numbers and reasons");
	take_request_release(&req);

	buf_clear(&b);
	CHECK(!take_reply_write(&b, "b", LINK_BATCH_LINES, seq), "a head with 4096 sequence numbers");
	for (uint32_t i = 0; i < LINK_BATCH_LINES; i++)
		buf_adds(&b, "\n");
	CHECK(!take_reply_parse(b.p, b.len, &rep, &why) && rep.seq[4095] == seq[4095], "and read: %s", why);
	take_reply_release(&rep);

	/* A reason too long is cut between characters; one that is no UTF-8 is made so. */
	for (size_t i = 0; i < sizeof longest - 1; i += 3)
		memcpy(longest + i, "\xe2\x82\xac", 3);
	longest[sizeof longest - 1] = 0;
	buf_clear(&b);
	all[0].error = longest;
	all[1].error = "\xff\xc3(\xed\xa0\x80";
	CHECK(!take_request_write(&b, longest, NULL, "b", all, 2, 0), "long and broken reasons");
	CHECK(!take_request_parse(b.p, b.len, &req, &why), "are read: %s", why);
	CHECK(strlen(req.refused[0].error) == ACK_ERROR_MAX / 3 * 3 && strlen(req.as) == ACK_NAME_MAX / 3 * 3, "cut");
	CHECK(!strcmp(req.refused[1].error, "?\?(???"), "mended: %s", req.refused[1].error);
	take_request_release(&req);

	buf_clear(&b);
	buf_adds(&b, "{\"ack\":0,\"refused\":[{\"n\":1,\"error\":\"");
	for (int i = 0; i < 1000; i++)
		buf_adds(&b, "a\xe2\x82\xac");
	buf_adds(&b, "\"}]}");
	struct put_reply put;
	CHECK(!put_reply_parse(b.p, b.len, &put, &why) && strlen(put.refused[0].error) == ACK_ERROR_MAX, "cut when read");
	put_reply_release(&put);
	buf_release(&b);

	/* A writer says so when its buffer is at its ceiling. */
	buf_init(&b, 10);
	CHECK(put_reply_write(&b, 1000, all, 1) && take_reply_write(&b, "b", 1, seq) &&
		take_request_write(&b, "a", NULL, NULL, NULL, 0, 1), "a full buffer is an error");
	buf_release(&b);
	free(all);
	free(seq);
}

int main(void)
{
	DIR *d = opendir(TALKS);
	struct dirent *e;

	CHECK(d, "%s is there (run from the top folder)", TALKS);
	while ((e = readdir(d)))
		if (strstr(e->d_name, ".talk"))
			replay(e->d_name);
	closedir(d);
	details();
	limits();
	return check_done();
}
