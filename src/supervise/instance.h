/*
 * instance: a service directory with a file `instances` is a template: it holds one number, N from 0 to INSTANCE_MAX, and is no service itself.
 * Beside it supervise keeps N directories NAME@1 to NAME@N, each a service like any other, with its own supervise/ and so for sv, too.
 *
 * An instance's entries are symbolic links to those of its template, made and removed with them at each look: a change of run is a change for all. Its
 * own are supervise/ and log/ (whose files are links; folders in it are made, each with a link to the template's `config` there). The
 * link `template` names the template, and is what tells an instance from a stranger's directory of such a name, which is never touched.
 *
 * When the number falls, the highest are stopped, and their directories removed when nothing of theirs runs any more; what a service itself
 * wrote there, a log for one, stays where it is, beside the link: the instance has it again when the number rises.
 *
 * Paths are relative to the current directory, the scanned one.
 */
#ifndef SUPERVISE_INSTANCE_H
#define SUPERVISE_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>

#define INSTANCE_MAX 1000

/* The number in the text of the file, or -1 with a static reason. Pure. */
int instance_parse(const char *p, size_t n, const char **why);

/* "web@3": 3, and the length of "web"; 0: a name that is none of an instance. Pure. */
unsigned instance_number(const char *name, size_t *base);

/* Before a look: makes and mends instances of all templates. Faults are logged, each once. */
void instance_look(void);

/* In a look: is this directory a service? No: a template, or an instance beyond the number. */
bool instance_is_service(const char *name);

/* It is an instance that supervise made. */
bool instance_is(const char *name);

/* Nothing of this service runs any more: its directory goes if it is an instance beyond the number. */
void instance_gone(const char *name);

#endif
