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

#define SCRATCH 48		/* bytes of its path, at most */

struct scratch { char path[SCRATCH]; pid_t owner; struct scratch *next; };
static struct scratch *scratches;

static int scratch_one(const char *path, const struct stat *st, int what, struct FTW *at)
{
	(void)st, (void)what, (void)at;
	return remove(path);
}

static inline void scratch_remove(const char *path)
{
	struct scratch **at = &scratches, *s;

	while (*at && strcmp((*at)->path, path) != 0)
		at = &(*at)->next;
	s = *at;
	if (!s)
		return;
	*at = s->next;
	if (s->owner == getpid())
		nftw(path, scratch_one, 16, FTW_DEPTH | FTW_PHYS);
	free(s);
}

static inline void scratch_end(void)
{
	while (scratches)
		scratch_remove(scratches->path);
}

/* Makes it and says where it is; the program ends when it cannot. */
static inline void scratch_make(char to[SCRATCH])
{
	const char *tmp = getenv("TMPDIR");
	struct scratch *s = calloc(1, sizeof(*s));

	snprintf(to, SCRATCH, "%s/penstock-unit.XXXXXX", tmp && *tmp && strlen(tmp) < SCRATCH - 24 ? tmp : "/tmp");
	if (!s || !mkdtemp(to)) {
		perror(to);
		exit(2);
	}
	if (!scratches)
		atexit(scratch_end);
	strcpy(s->path, to);
	s->owner = getpid();
	s->next = scratches;
	scratches = s;
}

#endif
