/*
 * disk: what the shim (shim.c) and the tools of scripts/torture know together: one mapped file, STATE/ctl.
 *
 * The simulated disk. Every file that is opened for writing below `root` is a node: `durable` is its size as of its last sync, and
 * STATE/undo/NODE holds what the disk still has in place of what was overwritten or cut off since then (struct undo, then its bytes). Every change of
 * the names in a folder since its last fsync is a line of STATE/dir/INODE; what a name stood for before is kept as a hard link in root/.grave.
 * A sync throws away what is noted of its file or folder. So a loss of power can be played at any moment: `disk lose`.
 * Real syncs are not made: the page cache outlives any kill.
 *
 * A sync that fails, fails once for every descriptor of the file that was open before, as it does on Linux (errseq_t).
 *
 * Faults are armed for a class of processes (the name of the program) and used up by the shim in them.
 */
#ifndef TORTURE_DISK_H
#define TORTURE_DISK_H

#include <limits.h>
#include <pthread.h>
#include <stdint.h>

#define DISK_MAGIC 0x746f7274u
#define NODES 16384u

/* The program's name is looked up here; all else is CLASS_OTHER. */
#define CLASSES(X) X(other) X(route) X(store) X(stage) X(analyze) X(worker) X(source) X(supervise)
enum disk_class {
#define X(name) CLASS_##name,
	CLASSES(X)
#undef X
	CLASS_N
};

/*
 * Nothing was synced, and will be with the next sync; all was, and yet it fails; nothing was, and the kernel takes the pages for clean: they are read
 * as they were written, but never get to the disk unless they are written again (what Linux does when the device fails).
 */
enum fail_mode { FAIL_CLEAN, FAIL_LATE, FAIL_DROP, FAIL_N };

struct disk_class_state {
	int64_t clock;		/* ns added to the wall clock */
	int32_t kill_at;	/* counts down with each call that changes the disk; KILL at 1, with `part`/65536 of that call done */
	uint32_t part;
	int32_t fail_syncs;	/* so many syncs fail, */
	int32_t good_syncs;	/* after so many that do not */
	int32_t fail_mode;
	int32_t slow_syncs;	/* so many take slow_ms longer */
	int32_t slow_ms;
	int32_t full;		/* nothing grows: ENOSPC */
	int64_t changes, syncs;	/* calls so far */
	int64_t hit_kill, hit_fail, hit_slow, hit_full;	/* faults that were felt */
};

struct disk_node {
	uint64_t ino;		/* 0: free */
	int64_t born;		/* ns; an inode number may be used again, together with the time of birth it is not */
	int64_t durable;
	int64_t undo;		/* bytes of STATE/undo/NODE; 0: none */
	int64_t errors;		/* syncs that failed */
	int64_t dropped;	/* pages that the disk has otherwise: STATE/drop/NODE, struct dropped */
};

struct disk {
	uint32_t magic;
	uint32_t nnodes;
	pthread_mutex_t lock;	/* robust: finding and adding nodes, numbering graves */
	uint64_t grave;
	char root[PATH_MAX];
	struct disk_class_state of[CLASS_N];
	struct disk_node node[NODES];
};

/* A record of STATE/undo/NODE. What stood at off before: len bytes follow. */
struct undo { int64_t off, len; };

/* A record of STATE/drop/NODE: what the disk has of a page; len is less at the end of the file. */
#define DROP_PAGE 4096
struct dropped {
	int64_t page;		/* its number, -1: not dropped any more */
	int32_t len, written;	/* written again: the next sync saves it */
	char bytes[DROP_PAGE];
};

/*
 * A line of STATE/dir/INODE: a letter and words with a tab between.
 *   C NAME          was made          M NAME          a folder was made
 *   U NAME GRAVE    was removed       R FROM TO GRAVE was renamed; GRAVE is what TO was, or -
 */

#endif
