/*
 * scratch: a folder for a unit check or a fuzzer, in TMPDIR or else /tmp. It goes with all that is in it when the program ends by exit, also behind
 * a check that failed; not when a child of it ends, nor by a signal.
 */
#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH 64

static struct { char path[8][SCRATCH]; unsigned n; pid_t owner; } scratch_all;

static int scratch_one(const char *path, const struct stat *st, int what, struct FTW *at)
{
	(void)st, (void)what, (void)at;
	return remove(path);
}

static inline void scratch_remove(const char *path)
{
	nftw(path, scratch_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void scratch_end(void)
{
	for (unsigned i = 0; scratch_all.owner == getpid() && i < scratch_all.n; i++)
		scratch_remove(scratch_all.path[i]);
}

/* Makes it and says where it is; the program ends when it cannot. */
static inline void scratch_make(char to[SCRATCH])
{
	const char *tmp = getenv("TMPDIR");

	snprintf(to, SCRATCH, "%s/penstock-unit.XXXXXX", tmp && *tmp && strlen(tmp) < SCRATCH - 24 ? tmp : "/tmp");
	if (scratch_all.n == 8 || !mkdtemp(to)) {
		perror(to);
		exit(2);
	}
	if (scratch_all.n == 0) {
		scratch_all.owner = getpid();
		atexit(scratch_end);
	}
	strcpy(scratch_all.path[scratch_all.n++], to);
}

#endif
