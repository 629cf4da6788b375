/*
 * jq_failed: lines that a jq program could not judge, so that reading them again decides as when they came. A set of hashes of program
 * and line, and the file that keeps it: spool/rules/failed, 32 hexadecimal digits a line, appended and synced. One thread.
 */
#ifndef ROUTE_JQ_FAILED_H
#define ROUTE_JQ_FAILED_H

#include <stdbool.h>
#include <stddef.h>

bool jq_failed_has(const char *program, const char *p, size_t n);	/* free while nothing failed yet */
void jq_failed_add(const char *program, const char *p, size_t n);	/* a file that cannot be written is told, and remembered in memory only */

#endif
