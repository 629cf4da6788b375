/* penstock query: a question to store, put together from words; prints the lines that come back. */
#include "penstock/penstock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/num.h"
#include "link/link.h"

#define TIMEOUT (10 * CLOCK_S)
#define REQUEST_MAX (64u << 10)

static const char *tenant, *type, *source, *key;
static uint64_t lines, before;
static bool raw, all, head;

static const struct arg rows[] = {
	{ 'n', "lines", ARG_U64, &lines, 1, 1000, "N", "at most so many lines (50)", NULL, 0 },
	{ 'k', "key", ARG_STR, &key, 0, 0, "ROOM", "last, after, search: of this conversation", NULL, 0 },
	{ 0, "tenant", ARG_STR, &tenant, 0, 0, "TENANT", "whose history (default)", NULL, 0 },
	{ 't', "type", ARG_STR, &type, 0, 0, "TYPE", "only events of this type", NULL, 0 },
	{ 'b', "before", ARG_U64, &before, 1, INT64_MAX, "SEQ", "last, search: only below this sequence number", NULL, 0 },
	{ 's', "source", ARG_STR, &source, 0, 0, "SOURCE", "id: of this source", NULL, 0 },
	{ 'r', "raw", ARG_FLAG, &raw, 0, 0, NULL, "search: WORDS are an FTS5 query", NULL, 0 },
	{ 'a', "all", ARG_FLAG, &all, 0, 0, NULL, "after, stats: ask on until there is no more", NULL, 0 },
	{ 'H', "head", ARG_FLAG, &head, 0, 0, NULL, "print the head line of each answer too", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock query",
	.synopsis = "last [ROOM]\nafter SEQ [ROOM]\nid ID\ncaused ID\nsearch WORD ...\nstats\nREQUEST",
	.about = "Asks the history of the tree. ROOM is a room of the chat page, or any partition key with a colon. REQUEST is the JSON of store(8).",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

/* ---- the question ---- */

/* The words of each question: what its operands become. */
enum operand { O_NONE, O_KEY, O_SEQ, O_ID, O_WORDS };
static const struct kind { const char *name; enum operand operand[2]; int least; const char *on; } kinds[] = {
	{ "last", { O_KEY, O_NONE }, 0, NULL },
	{ "after", { O_SEQ, O_KEY }, 1, "seq" },
	{ "id", { O_ID, O_NONE }, 1, NULL },
	{ "caused", { O_ID, O_NONE }, 1, NULL },
	{ "search", { O_WORDS, O_NONE }, 1, NULL },
	{ "stats", { O_NONE, O_NONE }, 0, "from" },
};

struct question {
	const struct kind *kind;	/* NULL: given as JSON */
	const char *id;
	uint64_t seq;
	struct buf words, from, request;
};

static void no_memory(int rc)
{
	if (rc)
		die(1, "no memory for the question");
}

static void add_text(struct buf *b, const char *name, const char *p, size_t n)
{
	no_memory(buf_printf(b, ",\"%s\":", name) || buf_add_json(b, p, n));
}

static void add_number(struct buf *b, const char *name, uint64_t v)
{
	no_memory(buf_printf(b, ",\"%s\":%" PRIu64, name, v));
}

static void write_request(struct question *q)
{
	struct buf *b = &q->request;

	if (!q->kind)
		return;
	buf_clear(b);
	no_memory(buf_printf(b, "{\"q\":\"%s\"", q->kind->name));
	if (tenant)
		add_text(b, "tenant", tenant, strlen(tenant));
	if (key && !strchr(key, ':'))
		no_memory(buf_printf(b, ",\"key\":") || buf_add_json(b, text_of("browser:%s", key), strlen(key) + 8));
	else if (key)
		add_text(b, "key", key, strlen(key));
	if (q->kind->operand[0] == O_SEQ)
		add_number(b, "seq", q->seq);
	if (q->id)
		add_text(b, "id", q->id, strlen(q->id));
	if (q->words.len)
		add_text(b, "text", q->words.p, q->words.len);
	if (q->from.len)
		add_text(b, "from", q->from.p, q->from.len);
	if (type)
		add_text(b, "type", type, strlen(type));
	if (source)
		add_text(b, "source", source, strlen(source));
	if (before)
		add_number(b, "before", before);
	if (lines)
		add_number(b, "n", lines);
	no_memory((raw && buf_adds(b, ",\"raw\":true")) || buf_adds(b, "}"));
}

static void take_operand(struct question *q, enum operand o, char **argv, int n)
{
	const char *why;

	switch (o) {
	case O_KEY:
		if (key)
			args_usage(&args, "%s: the room is named twice", argv[0]);
		key = argv[0];
		return;
	case O_SEQ:
		if (num_u64(argv[0], 0, INT64_MAX, &q->seq, &why))
			args_usage(&args, "SEQ %s: %s", argv[0], why);
		return;
	case O_ID:
		q->id = argv[0];
		return;
	case O_WORDS:
		for (int i = 0; i < n; i++)
			no_memory((i && buf_addc(&q->words, ' ')) || buf_adds(&q->words, argv[i]));
		return;
	case O_NONE:
		args_usage(&args, "%s: not expected", argv[0]);
	}
}

static void read_operands(struct question *q, int argc, char **argv)
{
	int most;

	if (argc == 0)
		args_usage(&args, "what shall be asked?");
	if (argv[0][0] == '{') {
		if (argc > 1)
			args_usage(&args, "%s: not expected", argv[1]);
		no_memory(buf_adds(&q->request, argv[0]));
		return;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(argv[0], kinds[i].name) == 0)
			q->kind = &kinds[i];
	if (!q->kind)
		args_usage(&args, "%s: no such question", argv[0]);
	if (argc - 1 < q->kind->least)
		args_usage(&args, "%s: something is missing", argv[0]);
	if (all && !q->kind->on)
		args_usage(&args, "%s: --all goes with after and stats", argv[0]);
	most = q->kind->operand[0] == O_WORDS ? 1 : 2;
	for (int i = 1; i < argc && (i <= most || q->kind->operand[0] != O_WORDS); i++)
		take_operand(q, i <= most ? q->kind->operand[i - 1] : O_NONE, argv + i, argc - i);
}

/* ---- the answer ---- */

/* Where the next page begins. */
static void go_on_behind(struct question *q, const struct json *answer, const char *last, size_t n)
{
	const struct json *seq = json_member(answer, "seq");
	struct json *line;
	struct json_error err;
	const char *name;
	size_t len;

	q->seq = (uint64_t)json_int(json_at(seq, json_count(seq) - 1), 0);
	if (strcmp(q->kind->on, "from"))
		return;
	line = json_parse(last, n, &err);
	name = json_str(json_member(line, "tenant"), &len);
	buf_clear(&q->from);
	if (name)
		no_memory(buf_add(&q->from, name, len));
	json_free(line);
}

/* 1 there is more and it is asked for, 0 done, -1. */
static int print_answer(struct question *q, const struct buf *reply)
{
	const char *lf = memchr(reply->p, '\n', reply->len), *body, *last;
	struct json_error err;
	struct json *answer;
	const char *error;
	size_t left;
	int rc = 0;

	answer = json_parse(reply->p, lf ? (size_t)(lf - reply->p) : reply->len, &err);
	if (!json_is_object(answer)) {
		log_error("store answered something else than JSON: is it a store that listens there?");
		json_free(answer);
		return -1;
	}
	error = json_str(json_member(answer, "error"), NULL);
	if (error) {
		log_error("%s", error);
		rc = -1;
	}
	body = lf ? lf + 1 : reply->p + reply->len;
	left = reply->len - (size_t)(body - reply->p);
	if (head && !error)
		fwrite(reply->p, 1, (size_t)(body - reply->p), stdout);
	fwrite(body, 1, left, stdout);
	if (!error && all && left > 1 && json_bool(json_member(answer, "more"), false)) {
		last = memrchr(body, '\n', left - 1);
		last = last ? last + 1 : body;
		go_on_behind(q, answer, last, (size_t)(body + left - last) - 1);
		rc = 1;
	}
	json_free(answer);
	return rc;
}

/* Nobody is waited for where nobody will come. */
static void expect_store(const struct tree *t)
{
	if (access(tree_path(t, "run/query"), F_OK) != 0 && tree_supervise(t) == 0)
		die(1, "%s: store does not run, the tree is down: penstock up", tree_path(t, "run/query"));
}

int cmd_query(struct tree *t, int argc, char **argv)
{
	struct question q = { .kind = NULL };
	struct buf reply;
	int at = args_parse(&args, argc, argv), rc = 1;

	buf_init(&q.request, REQUEST_MAX);
	buf_init(&q.words, REQUEST_MAX);
	buf_init(&q.from, REQUEST_MAX);
	buf_init(&reply, LINK_MESSAGE_BYTES);
	read_operands(&q, argc - at, argv + at);
	tree_open(t);
	expect_store(t);
	while (rc > 0) {
		write_request(&q);
		buf_clear(&reply);
		rc = link_call(tree_url(t, "query"), q.request.p, q.request.len, TIMEOUT, &reply) ? -1 : print_answer(&q, &reply);
	}
	buf_release(&q.request);
	buf_release(&q.words);
	buf_release(&q.from);
	buf_release(&reply);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("stdout: %s", strerror(errno));
		return 1;
	}
	return rc < 0;
}
