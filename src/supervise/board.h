/*
 * board: the state of all services in one mapped file, DIR/.supervise/state. supervise writes it with plain stores, so that a
 * death waits for no disk; `supervise -s` reads a thousand services with one read.
 *
 * File: a header of BOARD_HEAD bytes, then rows of sizeof(struct board_row), in the machine's byte order: it is read on the machine that wrote
 * it, by the same version (magic and row size are checked). A row is written under its `seq`: odd while it changes; a reader that finds it
 * odd, or changed by the end of its copy, reads that row again.
 */
#ifndef SUPERVISE_BOARD_H
#define SUPERVISE_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervise/past.h"
#include "supervise/state.h"

#define BOARD_HEAD 64
#define BOARD_NAME_MAX 256
#define BOARD_ROWS_MAX 20000

struct board_head {
	char magic[8];		/* "PENSTKB1" */
	uint32_t row_size, rows;	/* rows in use or once used */
	uint32_t pid;
	uint32_t stopping;
	int64_t started;	/* wall */
	uint64_t pidns;		/* in which pid counts; 0: not known */
};

struct board_slot {
	uint8_t at, want, paused, term_sent;	/* enum sv_at, enum sv_want */
	uint8_t ready, loop, notifies, present;	/* notifies: it has a notification-fd */
	uint32_t pid;
	int32_t died;		/* wait status of the last run; valid when died_at is not 0 */
	int64_t since, ready_since, died_at;	/* wall */
	int64_t due;		/* wall: end of a wait, 0 none */
	uint64_t starts;
};

struct board_row {
	uint32_t seq;
	uint32_t used;
	char name[BOARD_NAME_MAX];	/* ended by NUL */
	char fault[160];	/* why it is not supervised; "" = it is */
	struct board_slot main, log;
	struct past past;	/* of main; goes on over a restart of supervise */
	char waits[64];		/* whose turn comes first (a file after); "" nobody's */
};

struct board {
	struct board_head *head;	/* the mapping; private memory when there is no file to be had */
	size_t size;
	int fd;
	uint32_t rows;		/* room in the mapping */
	uint32_t free;		/* rows given back below head->rows */
	struct board_row *old;	/* of the run before, until board_settled */
	uint32_t nold, hint;
};

/* Creates path anew; the past of services of the run before is kept for those of the same name. On failure a warning is printed and the board works in private memory. -1: no memory. */
int board_open(struct board *b, const char *path);
void board_settled(struct board *b);	/* every service has been seen: what the run before left is forgotten */
void board_close(struct board *b);

/* A row for name: its index, or -1 (no memory, no disk, too many), with a message. */
int board_take(struct board *b, const char *name);
void board_give(struct board *b, int row);

/* Between these two the row may be changed. The pointer dies with the next board_take. */
struct board_row *board_begin(struct board *b, int row);
void board_end(struct board *b, int row);

/* Was it written by the process `owner`, which holds the lock? Else an earlier run wrote it, and owner is about to make it anew. True
 * where that cannot be told: from another process namespace. */
bool board_is_of(const struct board_head *head, pid_t owner);

/* Reading. Checks a copy of a file's bytes: fn for each used row, whose name ends with NUL and whose enums are in range. 0; -1 with a
 * static reason when it is no board. A row that was being written is passed with *torn true. Pure. */
bool board_row_sound(const struct board_row *r);	/* texts that end, enums in range */
int board_each(const void *p, size_t n, struct board_head *head,
	void (*fn)(void *arg, const struct board_row *row, bool torn), void *arg, const char **why);

#endif
