/* show: dead letters on standard output: a line each, as JSON, or whole for a reader. */
#ifndef ROUTE_TOOL_SHOW_H
#define ROUTE_TOOL_SHOW_H

#include "route/tool/pick.h"

void show_heading(void);
void show_row(const struct picked *l);		/* one line: number, destination, attempts, age, error, type, id */
void show_json(const struct picked *l);		/* one line: the same as an object */
void show_event(const struct picked *l);	/* only the event, as one line */
void show_indented(const struct picked *l);	/* only the event, over several lines */
void show_whole(const struct picked *l);	/* everything, the event indented */

#endif
