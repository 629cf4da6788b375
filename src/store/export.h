/*
 * export: what is stored, on standard output; and whether it is sound. Both read beside a store that runs, in their own
 * process, a few thousand lines at a time, so that its log of changes can be taken in between.
 *
 * export_lines writes every line exactly as it came in, in the order of sequence numbers, tenant after tenant by name. What is
 * stored while it runs may be in it or not.
 */
#ifndef STORE_EXPORT_H
#define STORE_EXPORT_H

#define EXPORT_NO_READER 141	/* 128 + SIGPIPE: what a shell tells of a program whose reader went away */

/* tenant NULL: all. The exit code: 0, or 1 after a message; what can be read is written all the same. EXPORT_NO_READER, without a message,
 * when standard output is a pipe that nobody reads any more. */
int export_lines(const char *dir, const char *tenant);

/* SQLite's integrity check and ours (every line is a line, the counts agree); "TENANT: ok, N events" or what is wrong, a line each. */
int export_check(const char *dir, const char *tenant);

#endif
