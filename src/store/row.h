/*
 * row: what the history wants to know of a line: its columns and hashes. Pure.
 *
 * A row borrows the line. The hashes are keyed by the tenant's salt; they narrow a search to a few lines, the line itself decides.
 */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "line/envelope.h"

struct buf;

#define ROW_NO_TIME INT64_MIN

struct row {
	struct span line;			/* without LF */
	char tenant[TENANT_MAX + 1];
	struct span id, source, type, key;	/* raw JSON; key.p NULL: no partitionkey */
	struct span user;			/* raw data.user.id; p NULL: none, or no string */
	int64_t time;				/* milliseconds since 1970, ROW_NO_TIME */
};

/* Checks the line as envelope_check does: 0, or -1 with *err. */
int row_from(struct row *r, const char *p, size_t n, struct line_err *err);

/* Hash of id and source. scratch is cleared and used; -1 no memory. */
int row_seen(const struct row *r, const uint64_t salt[2], struct buf *scratch, int64_t *hash);

/* Is the stored line the same event: same source and same id, decoded? */
bool row_same(const struct row *r, const char *p, size_t n, struct buf *scratch);

/* The hash of an id with any source lies within *from .. *to (signed, from < to). */
void row_id_range(const char *id, size_t n, const uint64_t salt[2], int64_t *from, int64_t *to);

/* Number of a person: positive. */
int64_t row_person(const char *uid, size_t n, const uint64_t salt[2]);

#endif
