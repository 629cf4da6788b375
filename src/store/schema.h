/*
 * schema: the steps of a tenant's database, made by the Makefile from src/store/schema/NNN-NAME.sql (schema/compile).
 *
 * A change of the schema is a new file with the next number; it is carried out when a tenant is opened. A released file is never edited:
 * compile refuses to build it, and a database refuses a program whose text of a step differs from the one it was made with.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "base/db.h"

extern const struct db_schema schema_steps[];
extern const size_t schema_count;

#endif
