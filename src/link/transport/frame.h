/*
 * frame: nng's scalability protocol on the wire, as far as REQ and REP need it. Pure.
 *
 *   hello    8 bytes each way, once: 00 'S' 'P' 00, the protocol as 2 bytes (REQ 0x0030, REP 0x0031), 00 00
 *   frame    on ipc a byte 01; then 8 bytes length (big-endian), then that many bytes of payload
 *   payload  words of 4 bytes up to and with the first whose top bit is set (the request id; words before it are the
 *            trace of devices in between); then the message. A reply carries the same words.
 *
 * Source: the SP mappings for TCP and IPC and the REQ/REP RFCs in nanomsg's rfc/ folder; checked against libnng 1.5.2.
 */
#ifndef LINK_TRANSPORT_FRAME_H
#define LINK_TRANSPORT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SP_HELLO 8u		/* bytes of a hello */
#define SP_HEAD_MAX 9u		/* most bytes before a payload */
#define SP_TRACE_MAX 64u	/* most bytes of words, id included: 15 devices */
#define SP_ID 0x80000000u	/* top bit of a request id */

enum { SP_REQ = 0x30, SP_REP = 0x31 };

void frame_hello(unsigned char out[SP_HELLO], unsigned protocol);
/* 0, or -1: no hello of SP, or not of that protocol; *got is what it speaks, 0 if it is none at all. */
int frame_hello_check(const unsigned char p[SP_HELLO], unsigned protocol, unsigned *got);

/* Looks at the n bytes at p. 1: *head bytes of head and then *payload bytes (which may not be there yet); 0: the head is not
 * complete; -1: no frame, or its payload is over max (then *payload says how much, otherwise 0). */
int frame_head(const void *p, size_t n, bool ipc, uint64_t max, size_t *head, uint64_t *payload);
size_t frame_head_write(unsigned char out[SP_HEAD_MAX], bool ipc, uint64_t payload);

/* Bytes of the words before the message; 0: there is no request id within SP_TRACE_MAX bytes. */
size_t frame_trace(const void *p, size_t n);
uint32_t frame_word(const void *p);
void frame_word_write(unsigned char out[4], uint32_t word);

#endif
