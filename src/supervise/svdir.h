/*
 * svdir: what one service directory says. Read when the service is taken up, notification-fd again at each start.
 *
 *   run               started as ./run, in the directory        finish   looked for after every death of run
 *   down              do not start at first                     log/     a directory: its run reads what run writes
 *   timeout-kill, timeout-finish, down-signal, max-death-tally   as in s6, each read when it is needed
 *   notification-fd   a decimal number, 3 to 1023: run writes a newline there when it is ready; absent: never says
 *
 * The small files are text, at most SVDIR_FILE_MAX bytes; blanks and line feeds around the value are allowed.
 */
#ifndef SUPERVISE_SVDIR_H
#define SUPERVISE_SVDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SVDIR_FILE_MAX 64
#define SVDIR_FD_MIN 3
#define SVDIR_FD_MAX 1023

struct svdir {
	bool down;
	bool log;
	int notify;	/* descriptor number, -1: none */
};

/* dirfd is the service directory, name is for messages. A file that is wrong is named in a warning and counts as absent. */
void svdir_read(int dirfd, const char *name, struct svdir *out);

/* notification-fd alone, as svdir_read does. */
int svdir_notify(int dirfd, const char *name);

/* Makes or removes the file down; a failure is told. */
void svdir_set_down(int dirfd, const char *name, bool down);

/* Has it a file that only s6 knows: timeout-kill, timeout-finish, down-signal, max-death-tally? Not notification-fd: for readiness it is
 * added to directories of runit, too. */
bool svdir_is_s6(int dirfd);

/* s6's timeout-kill, timeout-finish: milliseconds in the file, as nanoseconds; 0: no such file, or 0. A bad one is named and
 * counts as none. */
int64_t svdir_time(int dirfd, const char *name, const char *file);

/* s6's down-signal: a name (TERM, SIGTERM) or a number; SIGTERM when there is none, or it is bad, which is said. */
int svdir_down_signal(int dirfd, const char *name);

/* The same of a file's text: -1 with a static reason. Pure. */
int svdir_parse_signal(const char *p, size_t n, const char **why);

/* A file with one number: 0; 1 it is not there; -1 with a message. */
int svdir_number(int dirfd, const char *name, const char *file, uint64_t max, uint64_t *out);

/* The number in the text of notification-fd: 3 to 1023, or -1 with a static reason. Pure. */
int svdir_parse_notify(const char *p, size_t n, const char **why);

#endif
