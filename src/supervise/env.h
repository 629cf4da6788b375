/*
 * env: the environment of one child: supervise's own, with changes. Made anew for each start; what env_vector gives lives until the next env_begin.
 *
 * env_folder reads a directory as chpst -e and envdir do: one file for each variable, its first line, blanks and tabs at the end cut, NUL bytes
 * as line feeds; an empty file removes the variable; names that begin with a dot, and directories, are passed over.
 * One thread.
 */
#ifndef SUPERVISE_ENV_H
#define SUPERVISE_ENV_H

#include <stddef.h>

#define ENV_FILE_MAX 65536
#define ENV_TOTAL_MAX (1u << 20)	/* of what is added */

int env_begin(void);					/* -1: no memory */
int env_set(const char *name, const char *value);	/* NULL: removes it; -1: no memory, or too much */
/* -1 with a message that names the file; label is the service's. */
int env_folder(int dirfd, const char *dir, const char *label);
char *const *env_vector(void);

#endif
