/*
 * spawn: starts ./run, ./finish or a script of a service directory: own session and process group, every signal at its default,
 * nothing blocked, current directory = the service directory. Everything not named here is inherited: environment, umask, stderr.
 *
 * The child shares this process' memory until its exec (CLONE_VM | CLONE_VFORK): it costs the same however large this process is, and it
 * writes its own id into *told before it execs, so that with *told in a shared mapping no child can exist that is not on
 * record, wherever this process is killed. The table of descriptors is not copied but for its low end, where what the child is to have
 * is put beforehand: a copy of thousands, to be closed at the exec, would take longer than all else.
 */
#ifndef SUPERVISE_SPAWN_H
#define SUPERVISE_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define SPAWN_LIMITS_MAX 16

/* Applied in the child in this order: resources, nice, groups and user. Filled by the caller, who keeps it until spawn returns. */
struct spawn_limits {
	struct { int resource; struct rlimit value; } v[SPAWN_LIMITS_MAX];
	unsigned n;
	int nice;		/* added to ours */
	bool user;		/* the next four count */
	uid_t uid;
	gid_t gid;
	const gid_t *groups;
	size_t ngroups;
};

struct spawn {
	int dirfd;		/* the service directory */
	const char *const *argv;
	const char *path;	/* relative to dirfd; NULL: argv[0] */
	char *const *envp;	/* NULL: ours */
	const struct spawn_limits *limits;	/* NULL: ours */
	int in, out;		/* what becomes 0 and 1; -1: inherited */
	int err;		/* what becomes 2; 0 or -1: inherited */
	int notify;		/* what becomes descriptor notify_to; -1: none */
	int notify_to;
	uint32_t *told;		/* NULL, or where the child writes its id */
};

/* The new process' id, or -1 with errno: no such file, not executable, no process to be had; *told is then of no use. */
pid_t spawn(const struct spawn *s);

/* Once, before the first service is opened: raises the soft limit of open descriptors to the hard one (children get the limit that was),
 * and notes which descriptors are inherited. */
void spawn_init(void);

#define SPAWN_RESERVE 64	/* descriptors that are kept for work: pipes of readiness, files that are written, looks */

/* Is this descriptor one of the last? Then what it was opened for is not taken, so that what there is can go on. */
bool spawn_last_fd(int fd);

#endif
