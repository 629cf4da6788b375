/*
 * db_schema: the numbered steps of a schema (see struct db_schema in db.h). Private to db.c, written with what db.h offers.
 */
#ifndef BASE_DB_SCHEMA_H
#define BASE_DB_SCHEMA_H

#include "base/db.h"

/* Compares the steps that d has with ours and carries out those it lacks; a reader only compares. */
int db_upgrade(struct db *d, bool reader, const struct db_schema *steps, size_t n);

/* Sets the error of d; always -1. */
int db_refuse(struct db *d, enum db_fault fault, const char *what);

#endif
