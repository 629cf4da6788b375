/*
 * spawn: starts ./run or ./finish of a service directory: own session and process group, every signal at its default,
 * nothing blocked, current directory = the service directory. Everything not named here is inherited: environment, umask, stderr.
 */
#ifndef SUPERVISE_SPAWN_H
#define SUPERVISE_SPAWN_H

#include <sys/types.h>

struct spawn {
	int dirfd;		/* the service directory */
	const char *const *argv;	/* argv[0] is the path, "./run" */
	int in, out;		/* what becomes 0 and 1; -1: inherited */
	int notify;		/* what becomes descriptor notify_to; -1: none */
	int notify_to;
};

/* The new process' id, or -1 with errno: no such file, not executable, no process to be had. */
pid_t spawn(const struct spawn *s);

/* Room for n services: raises the soft limit of open descriptors to the hard one. Children get the limit that was. */
void spawn_raise_limit(void);

#endif
