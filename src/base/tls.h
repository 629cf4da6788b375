/*
 * tls: TLS 1.2 or newer over a non-blocking socket; the only includer of OpenSSL's ssl headers.
 *
 * A context holds what many connections share. ca names the PEM file of those who may sign the other side's
 * certificate; a server with ca asks for one and refuses a client without. A client without ca trusts the system's store.
 * The client checks the name or address it dialled against the certificate. Session resumption and renegotiation are off.
 *
 * The socket stays the caller's: it is not closed here. Nothing raises SIGPIPE. One thread for a context.
 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tls_ctx;
struct tls;

/* Files may be NULL, but a server needs cert and key. NULL with a message that names the file. */
struct tls_ctx *tls_ctx_new(bool server, const char *ca, const char *cert, const char *key);
void tls_ctx_free(struct tls_ctx *x);

/* host: client only, the name or numeric address to check. NULL with errno. The context must outlive it. */
struct tls *tls_new(struct tls_ctx *x, int fd, const char *host);
void tls_free(struct tls *t);				/* says goodbye (close_notify) if the socket takes it at once */

int tls_handshake(struct tls *t);			/* 1 done, 0 call again when tls_want comes true, -1 see tls_error */
ssize_t tls_read(struct tls *t, void *p, size_t n);	/* 0 = end; -1 with errno EAGAIN, or EPROTO and others: see tls_error */
ssize_t tls_write(struct tls *t, const void *p, size_t n);	/* may be short; after EAGAIN the same bytes must come again */
/* What the last call that had to wait needs of the socket. */
bool tls_wants_write(const struct tls *t);
bool tls_pending(const struct tls *t);			/* bytes are decrypted already: the socket will not become readable for them */
const char *tls_error(const struct tls *t);		/* why the last call failed; valid until the next one */

#endif
