/*
 * cursor_file: a cursor on disk, spool/cursor/NAME. Two slots of equal size, written in turn by pwrite into space the file already has, so that
 * saving works on a full disk and a kill at any moment leaves one good slot. Not synced but on cursor_file_sync: what a
 * power loss takes back is delivered again.
 */
#ifndef ROUTE_CURSOR_FILE_H
#define ROUTE_CURSOR_FILE_H

#include "route/cursor.h"

struct cursor_file {
	int fd;
	char *path;
	size_t slot;		/* bytes of one slot */
	char *text;		/* slot bytes of scratch */
};

enum { CURSOR_NEW, CURSOR_READ, CURSOR_DAMAGED };
/* CURSOR_READ: *c is what the file says; otherwise *c is as it was. CURSOR_NEW: there is no file. CURSOR_DAMAGED: not one good slot
 * (a file without a byte has none), a warning was printed, the caller starts at the oldest line. -1 with a message. */
int cursor_file_open(struct cursor_file *f, const char *dir, const char *name, struct cursor *c);
/* After CURSOR_NEW or CURSOR_DAMAGED, before anything else: makes the file, whole and on disk. -1 with a message. */
int cursor_file_make(struct cursor_file *f, struct cursor *c);
int cursor_file_save(struct cursor_file *f, struct cursor *c);	/* counts the turn up; -1 with a message */
int cursor_file_sync(struct cursor_file *f);
void cursor_file_close(struct cursor_file *f);
int cursor_file_remove(struct cursor_file *f);	/* closes too */

#endif
