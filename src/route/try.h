/*
 * try: rules without a spool: `route -t` says where each line of stdin would go; the filter prints the lines of one destination.
 */
#ifndef ROUTE_TRY_H
#define ROUTE_TRY_H

#include <stdbool.h>

/* ID<TAB>dest,dest for each line of stdin ("-" for none), or -<TAB>refused: reason. Exit code: 0, or 1 when a line was refused. */
int try_rules(const char *rules_file, const char *flags);

/* An explanation (explain.h) of each line of stdin, refused ones as above (as {"refused":"reason"} with json). Exit code as above. */
int try_explain(const char *rules_file, const char *flags, bool json);

/* Passes the lines of destination `dest` from stdin to stdout, unchanged and in order. Refused lines are logged; exit code as above.
 * When stdout is closed it ends with 0. */
int try_filter(const char *rules_file, const char *flags, const char *dest);

#endif
