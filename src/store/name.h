/*
 * name: event types and partition keys as small numbers (table name), with the ones used last in memory.
 */
#ifndef STORE_NAME_H
#define STORE_NAME_H

#include <stddef.h>
#include <stdint.h>

struct db;
struct db_stmt;

enum name_kind { NAME_TYPE = 1, NAME_CONVERSATION = 2 };

#define NAME_SLOTS 128
#define NAME_KEPT 96	/* longer texts are looked up each time */

struct names {
	struct db_stmt *find, *add;
	struct name_slot { int64_t id; uint16_t kind, n; char text[NAME_KEPT]; } *slot;
};

int names_open(struct names *m, struct db *d);	/* -1: see db_error */
void names_release(struct names *m);		/* the statements belong to the database */
void names_clear(struct names *m);		/* after a rollback: numbers given out since are void */

/* The number of a text, given a new one if need be (inside a transaction): -1 on failure. */
int64_t names_id(struct names *m, enum name_kind kind, const char *p, size_t n);
/* The same without giving one: 0 if there is none. */
int64_t names_find(struct names *m, enum name_kind kind, const char *p, size_t n);

#endif
