/*
 * report_json: one service as `supervise -s --json` prints it. The members are in supervise(8), THE STATE OF SERVICES.
 */
#ifndef SUPERVISE_REPORT_JSON_H
#define SUPERVISE_REPORT_JSON_H

#include <stdint.h>

#include "supervise/board.h"

struct buf;

/* dir is the scanned directory, whose link .supervise/logs leads to the last lines. Without a line feed. -1: no memory. */
int report_json(struct buf *b, const struct board_row *r, const char *dir, int64_t now);

/* The state in a word: more than state_word knows. */
const char *report_word(const struct board_row *r, const struct board_slot *s);

uint64_t report_restarts(const struct board_slot *s);

#endif
