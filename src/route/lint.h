/*
 * lint: rules that can never do anything: a condition that contradicts itself, a rule behind one that stops all its lines, a rule whose lines go
 * where they go already. Pure. It finds what can be seen from one rule, or from two; that a rule is not named proves nothing.
 * It gives up on a file of thousands of rules that overlap in many ways (LINT_WORK comparisons), so that it never takes long.
 */
#ifndef ROUTE_LINT_H
#define ROUTE_LINT_H

#include "route/parse.h"

#define LINT_WORK 2000000u

/* fn for every such rule, in their order; its line, and what is wrong as "this rule ...". */
void lint_rules(const struct ruleset *set, void (*fn)(void *arg, unsigned line, const char *text), void *arg);

#endif
