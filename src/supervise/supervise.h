/*
 * supervise: exit codes, as runit's users expect them, and the places of its own files, relative to the directory of services.
 */
#ifndef SUPERVISE_SUPERVISE_H
#define SUPERVISE_SUPERVISE_H

#define SUPERVISE_USAGE 100
#define SUPERVISE_SYSTEM 111

#define SUPERVISE_FOLDER ".supervise"
#define SUPERVISE_LOCK SUPERVISE_FOLDER "/lock"		/* held in both families while supervise runs */
#define SUPERVISE_KEEP SUPERVISE_FOLDER "/keep"		/* keep.h */
#define SUPERVISE_STATE SUPERVISE_FOLDER "/state"	/* board.h */
#define SUPERVISE_LOGS SUPERVISE_FOLDER "/logs"		/* a link to the folder of the built-in logger, while supervise runs with one */

#endif
