/*
 * shim: what its parts share; shim.c says what it is. All of this is hidden: programs see only the calls that it stands in front of.
 */
#ifndef SHIM_H
#define SHIM_H

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"

#define REAL(name) \
	static __typeof__(&name) real; \
	if (!real) \
		real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#pragma GCC visibility push(hidden)

/* ---- shim.c ---- */

#define FDS 65536
extern int32_t node_of[FDS];		/* of a descriptor: index + 1 */
extern int64_t errors_of[FDS];		/* of its file's failed syncs, those that it knows of */
extern struct disk *disk;		/* NULL: none is simulated */
extern struct disk_class_state *me;	/* the faults of this program; NULL the same */
extern char state[PATH_MAX];

long sys(long n, ...);			/* the real calls, for our own use */
int sys_open(const char *path, int flags, mode_t mode);
void broken(const char *what, const char *path);	/* a fault of the harness itself must be seen */
void disk_lock(void);
void disk_unlock(void);

bool there(const char *path);
bool use_one(int32_t *left);		/* uses one up; true: there was one */
_Noreturn void end_here(void);
bool is_last(void);			/* counts a call that changes the disk; true: it is this process' last one */
void step(void);			/* the same, and ends it */
bool is_full(void);			/* sets errno */

/* ---- shim_node.c ---- */

void identify(int fd, uint64_t *ino, int64_t *born, int64_t *size, bool *is_dir);
/* The node of an open file; made if there is none and make is set (fresh: nothing of it is on the disk). NULL: none. */
struct disk_node *node_at(int fd, bool make, bool fresh);
struct disk_node *node_of_fd(int fd);
void note_bytes(struct disk_node *n, int fd, int64_t off, int64_t len);	/* what stands there now, as far as the disk has it */
void node_synced(struct disk_node *n, int64_t size);
/* Bytes from..to of the file are written again; or (synced) all that were are on the disk now. */
void drop_touch(struct disk_node *n, int64_t from, int64_t to, bool synced);
void drop_dirty(struct disk_node *n, int fd, int64_t size);	/* a sync failed, and the kernel takes the dirty pages for clean */

/* ---- shim_name.c ---- */

bool is_inside(const char *path);	/* a folder of the simulated disk? Not sockets and counters, not logs, not ours */
void path_of_fd(int fd, char path[PATH_MAX]);
int folder_of(int dirfd, const char *path, const char **name);	/* the folder of a name, opened; -1: none of ours */
void note_names(int dir, const char *line);
void folder_synced(int dir);

#pragma GCC visibility pop

#endif
