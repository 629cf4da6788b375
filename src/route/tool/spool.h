/*
 * spool: the parts of `route spool`: each has its operands in argv[0..argc-1]; returns the exit code.
 */
#ifndef ROUTE_TOOL_SPOOL_H
#define ROUTE_TOOL_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spool_tool {
	const char *dir, *run_dir, *where, *since;
	uint64_t from, before;
	bool force, commits, json;
};

/* The segments of a folder, oldest first. NULL with a message; *n. */
struct shelf { uint64_t first; int64_t written; };
struct shelf *shelf_read(const char *dir, size_t *n);
int shelf_open(const char *dir, uint64_t first);	/* a descriptor; -1 with errno */

int spool_check(const struct spool_tool *t);
int spool_cat(const struct spool_tool *t);
int spool_cursors(const struct spool_tool *t);
int spool_trim_now(const struct spool_tool *t);
int spool_set(const struct spool_tool *t, const char *dest, const char *seq);

#endif
