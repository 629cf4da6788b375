/*
 * prepare: makes what is missing in the folders supervise/ of many directories, before these are taken up one after the other.
 *
 * On a disk each of the files waits for the journal. Threads that live for this call wait for it at the same time. Nothing depends on it:
 * what could not be made is made, and complained of, by files.c.
 */
#ifndef SUPERVISE_PREPARE_H
#define SUPERVISE_PREPARE_H

#include <stddef.h>

#define PREPARE_THREADS 16
#define PREPARE_EACH 8		/* directories for each thread, at least */

/* The directories, relative to the current one, and their log/ where there is one. */
void prepare(const char *const *names, size_t n);

#endif
