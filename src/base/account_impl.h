/*
 * account_impl: what account.c (asking) and account_read.c (files) share; private to the two.
 */
#ifndef BASE_ACCOUNT_IMPL_H
#define BASE_ACCOUNT_IMPL_H

#include "base/account.h"
#include "base/hash.h"

#define ACCOUNT_NAME_BYTES 65u
#define ACCOUNT_FILE_BYTES (64u << 10)

struct word { const char *word, *value; size_t line; };

struct account {
	unsigned refs;
	char tenant[ACCOUNT_NAME_BYTES], name[ACCOUNT_NAME_BYTES];
	char *path, *source;
	char *text;			/* words and values point into it */
	struct word *words;
	size_t n;
	struct hash128 print;		/* of words, values and the files they name */
};

/* The path that a value names, relative to the account's folder. NULL: no memory. */
char *account_path_of(const struct account *a, const char *value);

#endif
