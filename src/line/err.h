/*
 * err: the one form in which a program says why it refused a line: "byte 17: the line ends inside a string". The byte counts
 * from 0, from the start of the line. Pure.
 */
#ifndef LINE_ERR_H
#define LINE_ERR_H

#include "line/line.h"

#define LINE_ERR_TEXT 160	/* room for the longest reason of line/why.h */

/* Writes the text to out, cut if it must be, and returns out. */
const char *line_err_text(const struct line_err *err, char out[LINE_ERR_TEXT]);

#endif
