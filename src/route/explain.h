/*
 * explain: why a line goes where it goes, rule by rule: which held, which did not and because of which condition, which was not tried. Pure
 * but for what the conditions ask (a jq).
 */
#ifndef ROUTE_EXPLAIN_H
#define ROUTE_EXPLAIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "route/rules.h"

/*
 * Appends the explanation of one event (p without LF, e its envelope), for people or, with `json`, as one JSON object in a line (route(8)
 * names its members). `file` names the rules. -1: no memory; 1: a condition could not be asked (decide_trouble).
 */
int explain(struct buf *out, const struct rules *r, const char *file, const char *p, size_t n, const struct envelope *e, bool json);

#endif
