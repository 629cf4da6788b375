/*
 * source: a pipe that is logged: from its reading end to a folder.
 *
 * Nothing that is in the pipe is lost when logd is killed: bytes are looked at with tee(2), written, and only then taken out.
 * Killed between the two, the next logd writes them once more. (What is no pipe - a file, a terminal - is just read.)
 *
 * Every line gets a stamp: the time at which logd saw its first byte. A line may be of any length, and is never held back until it is whole.
 * A file is rotated between lines; a line longer than the limit is in a file of its own. A line that is not ended when the pipe ends gets its LF.
 *
 * Where the folder cannot be written (a full disk) the source is held: what can be removed is removed (config: N), and it is tried again every
 * SOURCE_RETRY. Meanwhile the pipe fills and its writer waits; sources of other folders go on.
 *
 * A record of supervise's begins with FRAME_MARK: the byte RS is dropped, and a line that is not whole is ended before it.
 */
#ifndef LOGD_SOURCE_H
#define LOGD_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "logd/folder.h"
#include "logd/frame.h"

#define SOURCE_RETRY CLOCK_S
#define SOURCE_CHUNK 65536u
/* What all sources share. */
struct desk {
	struct loop *loop;
	enum stamp stamp;
	bool echo;			/* lines go to stderr, too, without a stamp */
	int scratch[2];			/* a pipe for tee */
	struct loop_timer sync, retry, age;
	struct source *all;
	unsigned open;			/* of all */
	uint64_t *bytes, *rotations, *held;
	void (*ended)(struct desk *d);	/* a source has ended and is freed */
};

struct source {
	struct source *next;
	struct desk *desk;
	char *name;			/* of the folder, relative to the current directory */
	struct loop_io io;
	struct folder folder;
	bool opened;			/* the folder is open */
	bool peeks;			/* it is a pipe */
	bool held;
	bool said;			/* why it is held was logged */
};

int desk_open(struct desk *d);		/* loop, stamp, echo, ended and the counters are set beforehand; -1 with a message */
void desk_close(struct desk *d);	/* ends all sources */

/* Logs fd into the folder name; takes fd. A source of this name that is there already is drained and ended. -1: no memory, with a message. */
int source_add(struct desk *d, const char *name, int fd);

/* Reads what is in the pipe now. */
void source_drain(struct source *s);
void source_free(struct source *s);

void sources_retry(struct desk *d);	/* all that are held */

struct source *desk_find(struct desk *d, const char *name);
void desk_rotate(struct desk *d);	/* every folder that has something, now */
void desk_configure(struct desk *d);	/* every config again */
void desk_age_of(struct desk *d, const struct source *s);	/* its folder may have become the next whose age is to be looked at */

#endif
