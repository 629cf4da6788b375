/*
 * tally: supervise/death_tally, what s6-permafailon reads in a finish script: the last deaths of run.
 *
 * Only where the directory has a file max-death-tally (a number, at most TALLY_MAX), since it has to be written before finish starts: such a
 * service's restart waits for the disk. Records of 14 bytes, oldest first: TAI64N as Debian's s6 has it (Unix + 37 s), exit
 * code (128 + signal if killed), signal. Source: s6 2.11's behaviour as observed.
 */
#ifndef SUPERVISE_TALLY_H
#define SUPERVISE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#define TALLY_MAX 4096
#define TALLY_RECORD 14

void tally_pack(unsigned char out[TALLY_RECORD], int64_t wall, int status);	/* pure */

/* One more death; a failure is logged. */
void tally_add(int dirfd, const char *label, int status);

#endif
