/*
 * query: a question to the history. ROOM: a file for each kind of question behind this header.
 *
 * A request is one JSON object (a LF behind it is allowed); the reply is a head line, then the lines, in the order of their sequence numbers,
 * byte for byte as they came in:
 *
 *   {"q":"last","tenant":"default","key":"browser:lobby","n":50}     {"n":2,"seq":[17,19],"more":true}
 *                                                                    ...two lines...
 *   {"q":"lsat"}                                                     {"error":"q: no question of this name: last after id caused search stats"}
 *
 * Members that a kind does not know are refused by name, so that a misspelt one is not an answer to another question. store(8) lists them.
 *
 * Adding a kind NAME: NAME.c with a struct query_kind, its line in index.c and files.mk, an entry in store.8, rows in
 * tests/store/50-queries.bats. A kind gets one tenant's open database and writes nothing to it; it is run between two batches, so it must be
 * quick: it reads through the history's statements (stopped by a deadline after QUERY_TIME) and ends when answer_add says that
 * the answer is full.
 */
#ifndef STORE_QUERY_QUERY_H
#define STORE_QUERY_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/json.h"
#include "line/envelope.h"

#define QUERY_LINES 1000		/* most lines in an answer */
#define QUERY_BYTES (4u << 20)		/* of lines in an answer; a single longer one is given alone */
#define QUERY_DEFAULT 50		/* lines, when a request names no n */
#define QUERY_TIME (1 * CLOCK_S)	/* then it is stopped with an error */
#define QUERY_REQUEST (64u << 10)	/* bytes of a request */

/* The members of requests, in the order of the table in parse.c. */
enum query_member { QM_Q, QM_TENANT, QM_KEY, QM_N, QM_SEQ, QM_BEFORE, QM_ID, QM_SOURCE, QM_TYPE, QM_TEXT, QM_RAW, QM_FROM, QM_COUNT };
#define QM(member) (1u << QM_##member)

struct text { const char *p; size_t n; };	/* decoded; p NULL: not given. Ends with a NUL behind n */

struct query {
	const struct query_kind *kind;
	unsigned given;				/* QM() of the members that were there */
	char tenant[TENANT_MAX + 1];		/* "default" if not given */
	struct text key, id, source, type, text, from;
	uint32_t n;				/* 1 .. QUERY_LINES */
	int64_t seq, before;			/* 0; before: INT64_MAX */
	bool raw;
	struct json *doc;			/* owns the texts */
};

/* 0, or -1 and why (written to out): the member's name and what is wrong. */
int query_parse(struct query *q, const char *p, size_t n, char *why, size_t size);
void query_release(struct query *q);

/* What a kind may use of a tenant. */
struct history {
	struct db *db;
	const char *tenant;
	/* A statement for this text (a string constant), prepared once for each tenant; NULL: db_error says why. */
	struct db_stmt *(*statement)(struct history *h, const char *sql);
	/* The number of an event type (conversation false) or of a partition key: 0 there is none, -1. */
	int64_t (*number)(struct history *h, bool conversation, struct text t);
	/* The hashes in seen of an id with any source; the first is its hash in cause. */
	void (*range)(struct history *h, struct text id, int64_t *from, int64_t *to);
	void *arg;
};

struct answer {
	struct buf lines;			/* each with its LF, in the order they were added */
	struct answer_line { int64_t seq; uint32_t at, n; } line[QUERY_LINES];
	uint32_t count, most;			/* most: lines wanted */
	bool more;				/* there are others that did not fit */
	bool backwards;				/* added newest first: the reply turns them round */
	char error[600];			/* not empty: the whole reply */
};

void answer_init(struct answer *a);
void answer_release(struct answer *a);
void answer_clear(struct answer *a, uint32_t most);
/* Adds a line without its LF. 0 added; 1 full, more is set, nothing was added: stop; -1 no memory, error is set. */
int answer_add(struct answer *a, int64_t seq, const char *p, size_t n);
/* Sets the error; always -1. */
int answer_fail(struct answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The head line and the lines as they go out, in at most QUERY_PARTS parts; head is cleared and used. Parts borrow. -1: no memory. */
#define QUERY_PARTS (QUERY_LINES + 1)
struct iovec;
int answer_parts(const struct answer *a, struct buf *head, struct iovec *parts);

struct query_kind {
	const char *name;
	unsigned may, must;			/* QM() of members; q and tenant are always allowed */
	bool whole;				/* without a tenant it is asked of all of them, one after the other */
	bool filled;				/* reads seen, cause, person or words: they are brought up to date before */
	/* 0, or -1 with an error in a (answer_fail; a failed statement: answer_db). a is clear. */
	int (*run)(struct history *h, const struct query *q, struct answer *a);
};

/* The error of a failed statement; always -1. */
int answer_db(struct answer *a, struct history *h);
/* Adds rows (seq, line) of s until there are no more or the answer is full; -1 with the error set. Resets s. Lines for
 * which keep (if not NULL) says no are left out. */
int answer_rows(struct answer *a, struct history *h, struct db_stmt *s,
	bool (*keep)(const struct query *q, const char *p, size_t n), const struct query *q);
/* Numbers of the key and the type that were asked for, 0 when not asked: 1; 0: there is no such key or type, so no line; -1. */
int answer_filter(struct answer *a, struct history *h, const struct query *q, int64_t *key, int64_t *type);
/* Is the decoded attribute the text? */
bool text_is(struct span raw, struct text t);

extern const struct query_kind query_last, query_after, query_id, query_caused, query_search, query_stats;
extern const struct query_kind *const query_kinds[];	/* ends with NULL */

#endif
