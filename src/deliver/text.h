/*
 * text: how long a text is for a platform, and where it may be parted. Pure.
 *
 * Lengths count UTF-16 code units: neither Discord (2000) nor Twitch (500) says which unit its limit has, and of code points there are never more.
 */
#ifndef DELIVER_TEXT_H
#define DELIVER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

size_t text_units(const char *p, size_t n);
/* Nothing but blanks and line ends? Platforms refuse it. */
bool text_blank(const char *p, size_t n);
/*
 * The next piece of a text: *from moves to where the one after it begins, which is the end when there is none. A piece holds at most max
 * units; it ends before a blank or line end where there is one in its second half, else between two characters. Blanks at a border are left out.
 */
size_t text_piece(const char *p, size_t n, size_t max, size_t *from, const char **piece);

#endif
