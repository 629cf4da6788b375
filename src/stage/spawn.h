/*
 * spawn: starts a program with pipes or a terminal on its descriptors, within limits, in a process group of its own, and so that the
 * kernel kills it when this process dies (whatever way it dies).
 */
#ifndef STAGE_SPAWN_H
#define STAGE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct spawn {
	char *const *argv;
	uint64_t memory;	/* bytes of address space; 0: as this process */
	uint64_t files;		/* open files; 0 the same */
	int64_t cpu;		/* time of a processor, ns; 0 the same. Rounded up to seconds */
	const char *user;	/* NULL: this one */
	uid_t uid;		/* spawn_user */
	gid_t gid;
	gid_t *groups;		/* and its groups; NULL: no other user than this one */
	size_t ngroups;
};

struct spawned {
	pid_t pid;
	int pidfd;			/* readable when it ends */
	int in, out, err;		/* our ends: not blocking, close-on-exec */
};

/* Looks up s->user; -1 with a message: no such user, or this process may not become it. */
int spawn_user(struct spawn *s);

/* Is there such a program? -1 with a message. */
int spawn_find(const struct spawn *s);

/* 0; or -1 with errno and in *what the step that failed. terminal: its standard output is one, raw. */
int spawn_start(const struct spawn *s, bool terminal, struct spawned *to, const char **what);

#endif
