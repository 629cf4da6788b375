/*
 * tool: `route WORD ...`: what a person or a script does to the files of a spool, with or without a hub that runs on it. Reading needs no
 * hub and no lock. A change goes to the hub when one runs (its control socket), else to the files, under the spool's lock.
 *
 * Adding one: NAME.c with a struct tool, its line in index.c, its objects in files.mk, a section in route(8). It has its own struct args, whose prog is
 * argv[0]: what the user typed, "route WORD" or "penstock WORD"; and returns the exit code.
 */
#ifndef ROUTE_TOOL_TOOL_H
#define ROUTE_TOOL_TOOL_H

struct tool { const char *name; int (*run)(int argc, char **argv); };

extern const struct tool tool_dead, tool_ledger, tool_spool;

extern const struct tool *const tools[];	/* index.c; ends with NULL */

#endif
