/*
 * ack: the grammar of the two exchanges, both ends of each in this one folder (penstock-link(7)). Pure.
 *
 *   put    request: a batch                          reply: {"ack":254,"refused":[{"n":3,"error":"...","retry":true},...]}
 *   take   request: {"take":256,"as":"store-1"} or {"done":"B","refused":[...],"take":256,"as":"store-1"}; "set":"next" may be with both
 *          reply:   {"batch":"B","n":2,"seq":[7,9]}\n and the lines; n 0 and batch "" = nothing yet, ask again
 *          a done without take is answered {"ok":true}; a request that is none of these with {"error":"..."}
 *
 * A refusal with "retry":true may carry "retry_after":MS; one of a take may carry "stderr":"..." (struct refusal: detail).
 * Members not known are ignored by rule. Errors are cut at ACK_ERROR_MAX bytes; of a detail the last ACK_DETAIL_MAX are written and the first
 * read, and a message has at most ACK_DETAILS_MAX of them: later ones are left out. Writers refuse nothing: they escape.
 * What is wrong with a message, *why, is a text until the next call in the same thread.
 */
#ifndef LINK_ACK_H
#define LINK_ACK_H

#include "link/link.h"

#define ACK_ERROR_MAX 1024u
#define ACK_DETAIL_MAX 4096u
#define ACK_DETAILS_MAX (1u << 20)	/* bytes */
#define ACK_NAME_MAX 64u	/* worker names, sets and batch ids, bytes */
#define ACK_RETRY_AFTER_MAX 86400000u	/* ms; more is taken as this */

/* hub side */
struct take_request {
	char as[ACK_NAME_MAX + 1];
	char set[ACK_NAME_MAX + 1];		/* "" = none */
	char done[ACK_NAME_MAX + 1];		/* "" = none */
	uint32_t take;				/* 0 = nothing wanted */
	struct refusal *refused; size_t nrefused; /* owned: take_request_release */
};
int take_request_parse(const char *p, size_t n, struct take_request *out, const char **why);
void take_request_release(struct take_request *r);
int put_reply_write(struct buf *out, uint32_t acked, const struct refusal *refused, size_t n);
int take_reply_write(struct buf *out, const char *batch, uint32_t n, const uint64_t *seq);	/* the head line; seq may be NULL */

/* dialler side */
/* set, done: NULL or "" = none. */
int take_request_write(struct buf *out, const char *as, const char *set, const char *done, const struct refusal *refused, size_t n,
	uint32_t take);
struct put_reply { uint32_t acked; struct refusal *refused; size_t nrefused; };	/* owned: put_reply_release */
int put_reply_parse(const char *p, size_t n, struct put_reply *out, const char **why);
void put_reply_release(struct put_reply *r);
struct take_reply { char batch[ACK_NAME_MAX + 1]; uint32_t n; uint64_t *seq; size_t head; /* bytes of the head line with its LF */ };
int take_reply_parse(const char *p, size_t len, struct take_reply *out, const char **why);	/* checks that n lines follow */
void take_reply_release(struct take_reply *r);

#endif
