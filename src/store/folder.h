/*
 * folder: the tenants that have a database in a folder, sorted by name.
 */
#ifndef STORE_FOLDER_H
#define STORE_FOLDER_H

#include <stddef.h>

struct folder { char **name; size_t n; };

int folder_read(struct folder *f, const char *dir);	/* -1 with errno; f is then empty */
void folder_release(struct folder *f);

#endif
