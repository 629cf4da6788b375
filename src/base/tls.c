#include "base/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"

struct tls_ctx {
	SSL_CTX *ssl;
	BIO_METHOD *socket;
	bool server;
};

struct tls {
	SSL *ssl;
	bool wants_write;
	bool broken;		/* no goodbye */
	char error[160];
};

/* ---- the socket below, without SIGPIPE (OpenSSL's own socket BIO raises it) ---- */

static int bio_write(BIO *b, const char *p, int n)
{
	ssize_t k = send((int)(intptr_t)BIO_get_data(b), p, (size_t)n, MSG_NOSIGNAL);

	BIO_clear_retry_flags(b);
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(b);
	return (int)k;
}

static int bio_read(BIO *b, char *p, int n)
{
	ssize_t k = recv((int)(intptr_t)BIO_get_data(b), p, (size_t)n, 0);

	BIO_clear_retry_flags(b);
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(b);
	return (int)k;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *p)
{
	(void)b, (void)num, (void)p;
	return cmd == BIO_CTRL_FLUSH;
}

/* ---- contexts ---- */

/* The newest error of OpenSSL's queue in words; empties the queue. */
static const char *reason(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *why = e ? ERR_reason_error_string(e) : NULL;

	/* Errors of the system have no text of OpenSSL's own. */
	if (e && !why && ERR_SYSTEM_ERROR(e))
		why = strerror(ERR_GET_REASON(e));
	ERR_clear_error();
	return why ? why : "unknown reason";
}

static int load(SSL_CTX *ssl, bool server, const char *ca, const char *cert, const char *key)
{
	if (server && (!cert || !key)) {
		log_error("TLS: a listener needs a certificate and a key (PEM files)");
		return -1;
	}
	if (ca && SSL_CTX_load_verify_locations(ssl, ca, NULL) != 1) {
		log_error("TLS: %s: no certificates to trust: %s", ca, reason());
		return -1;
	}
	if (!ca && !server && SSL_CTX_set_default_verify_paths(ssl) != 1) {
		log_error("TLS: the system's certificates: %s", reason());
		return -1;
	}
	if (cert && SSL_CTX_use_certificate_chain_file(ssl, cert) != 1) {
		log_error("TLS: %s: no certificate: %s", cert, reason());
		return -1;
	}
	if (key && SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1) {
		log_error("TLS: %s: no private key: %s", key, reason());
		return -1;
	}
	if (cert && key && SSL_CTX_check_private_key(ssl) != 1) {
		log_error("TLS: %s is not the key of %s: %s", key, cert, reason());
		return -1;
	}
	return 0;
}

struct tls_ctx *tls_ctx_new(bool server, const char *ca, const char *cert, const char *key)
{
	struct tls_ctx *x = calloc(1, sizeof(*x));

	if (!x) {
		log_error("TLS: %s", strerror(errno));
		return NULL;
	}
	x->server = server;
	x->ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	x->socket = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "socket");
	if (!x->ssl || !x->socket || !BIO_meth_set_write(x->socket, bio_write) ||
	    !BIO_meth_set_read(x->socket, bio_read) || !BIO_meth_set_ctrl(x->socket, bio_ctrl) ||
	    !SSL_CTX_set_min_proto_version(x->ssl, TLS1_2_VERSION)) {
		log_error("TLS: %s", reason());
		goto fail;
	}
	SSL_CTX_set_mode(x->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
		SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(x->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
		SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_num_tickets(x->ssl, 0);
	SSL_CTX_set_session_cache_mode(x->ssl, SSL_SESS_CACHE_OFF);
	if (!server)
		SSL_CTX_set_verify(x->ssl, SSL_VERIFY_PEER, NULL);
	else if (ca)
		SSL_CTX_set_verify(x->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (load(x->ssl, server, ca, cert, key))
		goto fail;
	return x;
fail:
	tls_ctx_free(x);
	return NULL;
}

void tls_ctx_free(struct tls_ctx *x)
{
	if (!x)
		return;
	SSL_CTX_free(x->ssl);
	BIO_meth_free(x->socket);
	free(x);
}

/* ---- connections ---- */

static int set_host(SSL *ssl, const char *host)
{
	unsigned char ip[16];

	if (inet_pton(AF_INET, host, ip) == 1 || inet_pton(AF_INET6, host, ip) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ? 0 : -1;
	return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1 ? 0 : -1;
}

struct tls *tls_new(struct tls_ctx *x, int fd, const char *host)
{
	struct tls *t = calloc(1, sizeof(*t));
	BIO *b = NULL;

	if (!t)
		return NULL;
	t->ssl = SSL_new(x->ssl);
	b = BIO_new(x->socket);
	if (!t->ssl || !b || (host && set_host(t->ssl, host))) {
		BIO_free(b);
		t->broken = true;
		tls_free(t);
		ERR_clear_error();
		errno = ENOMEM;
		return NULL;
	}
	BIO_set_data(b, (void *)(intptr_t)fd);
	BIO_set_init(b, 1);
	SSL_set_bio(t->ssl, b, b);
	if (x->server)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	return t;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	if (!t->broken && SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl);
	ERR_clear_error();
	SSL_free(t->ssl);
	free(t);
}

/* What a call that did not go through means: 0 = the other side ended, -1 with errno. */
static int outcome(struct tls *t, int rc, int err)
{
	int what = SSL_get_error(t->ssl, rc);
	long verdict = SSL_get_verify_result(t->ssl);

	t->wants_write = what == SSL_ERROR_WANT_WRITE;
	if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	t->broken = true;
	/* The end, said or not: frames tell whether anything is missing. */
	if (what == SSL_ERROR_ZERO_RETURN || (what == SSL_ERROR_SYSCALL && !err))
		return 0;
	if (what == SSL_ERROR_SYSCALL)
		snprintf(t->error, sizeof(t->error), "%s", strerror(err));
	else if (!SSL_is_init_finished(t->ssl) && verdict != X509_V_OK)
		snprintf(t->error, sizeof(t->error), "certificate: %s", X509_verify_cert_error_string(verdict));
	else
		snprintf(t->error, sizeof(t->error), "%s", reason());
	ERR_clear_error();
	errno = what == SSL_ERROR_SYSCALL ? err : EPROTO;
	return -1;
}

static void start(struct tls *t)
{
	ERR_clear_error();
	t->wants_write = false;
	errno = 0;
}

int tls_handshake(struct tls *t)
{
	start(t);
	int rc = SSL_do_handshake(t->ssl);
	if (rc == 1)
		return 1;
	if (outcome(t, rc, errno) == 0) {
		snprintf(t->error, sizeof(t->error), "closed during the handshake");
		return -1;
	}
	return errno == EAGAIN ? 0 : -1;
}

ssize_t tls_read(struct tls *t, void *p, size_t n)
{
	size_t got = 0;

	start(t);
	int rc = SSL_read_ex(t->ssl, p, n, &got);
	return rc == 1 ? (ssize_t)got : outcome(t, rc, errno);
}

ssize_t tls_write(struct tls *t, const void *p, size_t n)
{
	size_t put = 0;

	start(t);
	int rc = SSL_write_ex(t->ssl, p, n, &put);
	if (rc == 1)
		return (ssize_t)put;
	if (outcome(t, rc, errno) == 0)
		errno = EPIPE;
	return -1;
}

bool tls_wants_write(const struct tls *t)
{
	return t->wants_write;
}

bool tls_pending(const struct tls *t)
{
	return SSL_pending(t->ssl) > 0;
}

const char *tls_error(const struct tls *t)
{
	return t->error;
}
