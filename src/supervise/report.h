/*
 * report: `supervise -s DIR`: what the board of DIR says, as a table for people or as one JSON object a line.
 */
#ifndef SUPERVISE_REPORT_H
#define SUPERVISE_REPORT_H

#include <stdbool.h>

/* The exit code: 0 every service is as wanted, 1 one is not, 111 nobody supervises DIR or its state cannot be read (message). */
int report(const char *dir, bool json);

#endif
