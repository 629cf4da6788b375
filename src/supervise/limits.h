/*
 * limits: the optional file `limits` of a service directory: what chpst and softlimit are called for in a run script. For run; finish and
 * control/ run as supervise does.
 *
 *   memory = SIZE       address space and data (RLIMIT_AS, RLIMIT_DATA)       data, stack, locked = SIZE
 *   files = N           descriptors      processes = N   of the user          core, file-size = SIZE
 *   cpu = TIME          of the processor, whole seconds                       nice = -20..19, added to supervise's own
 *   user = NAME|UID     with its primary group only, as chpst -u has it       group = NAME|GID, ...   instead; the first is the primary one
 *   environment = DIR   one file for each variable, see env.h; relative to the service directory
 *
 * A size is a number and k, m or g; `unlimited` lifts a limit as far as supervise's own hard limit. Both the soft and the hard limit are set. # begins a
 * comment. Names are looked up in /etc/passwd and /etc/group alone: a directory service that hangs must not hold up supervise.
 * Every bad line is told with its number; then the service is not started, since it must not run without the limit that was meant.
 */
#ifndef SUPERVISE_LIMITS_H
#define SUPERVISE_LIMITS_H

#include <stddef.h>

#include "supervise/spawn.h"

#define LIMITS_FILE_MAX 16384
#define LIMITS_GROUPS 32

struct limits {
	struct spawn_limits spawn;
	gid_t groups[LIMITS_GROUPS];
	char environment[256];	/* "": none */
};

/* Reads the text: 0, or how many lines are bad; bad is called for each. Looks at /etc/passwd and /etc/group for names. */
unsigned limits_parse(const char *p, size_t n, struct limits *out,
	void (*bad)(void *arg, unsigned line, const char *text, const char *why), void *arg);

/* The file of the directory: 1 it is there and good, 0 there is none, -1 with messages. label is for these. */
int limits_read(int dirfd, const char *label, struct limits *out);

#endif
