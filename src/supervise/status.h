/*
 * status: the record and the texts that runit's `sv` reads in supervise/. Pure.
 *
 *   bytes 0-7    big-endian 2^62 + 10 + Unix seconds (a constant 10, no leap seconds)
 *         8-11   big-endian nanoseconds
 *         12-15  little-endian pid of run or finish, 0 none
 *         16     1: paused          17   'u' or 'd': wanted
 *         18     1: TERM was sent   19   0 down, 1 run, 2 finish
 *
 * Exactly 20 bytes: other readers (go-runit, busybox) insist. Source: runit 2.1.2's behaviour as observed.
 */
#ifndef SUPERVISE_STATUS_H
#define SUPERVISE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervise/state.h"

#define STATUS_BYTES 20
#define STATUS_FLAGS 16		/* the bytes that letters change: from here */
#define STATUS_FLAGS_END 19
#define STATUS_TEXT_MAX 64

struct status {
	int64_t since;		/* wall clock, nanoseconds */
	uint32_t pid;
	bool paused, term_sent;
	char want;		/* 'u' 'd' */
	uint8_t at;		/* 0 down, 1 run, 2 finish */
};

void status_of(struct status *out, const struct state *s, uint32_t pid);
void status_pack(const struct status *s, unsigned char out[STATUS_BYTES]);

/* Reads the first 20 of n bytes: 0, or -1 when there are fewer or one is out of its range. */
int status_unpack(const unsigned char *p, size_t n, struct status *out);

/* The line of supervise/stat: "run, paused, got TERM, want down\n"; returns its length. */
size_t status_text(const struct state *s, char out[STATUS_TEXT_MAX]);

#endif
