/*
 * template: text with places to fill in. Pure; the language is described in penstock-replies(5).
 *
 *   {name}  {name:default}       a value; the default, a template itself, when the value is unknown or empty
 *   {one of: a | b | c}          one of the templates
 *   {number 1 to 6}              a whole number
 *   \{ \} \| \\ \:  \n           the character; a line feed
 *
 * What is picked depends on the seed and the place in the template only: same seed, same text. Values are put in as they
 * are and never read as a template; control characters in them become blanks.
 */
#ifndef RESPOND_TEMPLATE_H
#define RESPOND_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "line/line.h"

#define TEMPLATE_DEPTH 8	/* templates inside templates */

struct buf;
struct template;

/* The value of a name into *out, borrowed until the next call; false when there is none. */
typedef bool template_value(void *arg, struct span name, struct span *out);

/* May this name stand in the template? Asked at compile time, so that a slip of the pen is found then. */
typedef bool template_known(void *arg, struct span name);

/* p must be valid UTF-8 and stay as it is while the template lives. NULL with err->at the offset in p and the reason. */
struct template *template_compile(const char *p, size_t n, template_known *known, void *arg, struct line_err *err);
void template_free(struct template *t);

/* Appends to out; what goes beyond its ceiling is left out, then the answer is false and out may end within a character. */
bool template_expand(const struct template *t, template_value *value, void *arg, uint64_t seed, struct buf *out);

#endif
