/*
 * types: the event types of types.def, and whether a line's data has what its type promises. Pure.
 * A type that is not in the table is fine: penstock carries it.
 */
#ifndef LINE_TYPES_H
#define LINE_TYPES_H

#include "line/scan.h"

struct type_row { const char *name; const char *fields; /* required data fields, "channel.id:string text:string" */ const char *about; };

const struct type_row *types_rows(size_t *n);
const struct type_row *types_find(struct span raw_type);

/* 0: not in the table, or all required fields are there with their JSON types; -1: err says which is missing. */
int types_check(const char *line, const struct envelope *e, struct line_err *err);
/* envelope_check and then types_check, at once and in less time. */
int types_check_line(const char *p, size_t n, size_t max, struct envelope *e, struct line_err *err);

#endif
