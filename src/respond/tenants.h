/*
 * tenants: the replies files of a directory, DIR/TENANT.conf, and which of them answers for a tenant.
 *
 * A tenant without a file has default.conf's replies, unless that says "set others no". Messages are printed here:
 * every fault with file, line and column.
 */
#ifndef RESPOND_TENANTS_H
#define RESPOND_TENANTS_H

#include <stddef.h>

struct replies;

struct tenant { char *name; struct replies *replies; };
struct tenants { const char *dir; struct tenant *v; size_t n; };	/* sorted by name; dir is borrowed */

/* Reads all files; -1 when the directory cannot be read or any file is bad. */
int tenants_open(struct tenants *t, const char *dir);
void tenants_close(struct tenants *t);

/* Reads them again. A bad file is refused and what its tenant had stays in force; a file that has gone takes its replies
 * along. Returns how many were refused; -1 when the directory cannot be read, then nothing changes. */
int tenants_reload(struct tenants *t);

const struct replies *tenants_find(const struct tenants *t, const char *tenant);	/* NULL: says nothing */

#endif
