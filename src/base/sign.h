/*
 * sign: HMAC-SHA256, SHA-256, Ed25519 checks and comparing in constant time; with tls.c the only includer of OpenSSL. Pure.
 *
 * A message comes as parts that are taken one behind the other, with nothing between them: what platforms sign is
 * fields of a request and then its body, as the bytes came. Secrets are the caller's; no copy is kept.
 * -1 is OpenSSL refusing (no memory); nothing is printed.
 */
#ifndef BASE_SIGN_H
#define BASE_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#define SIGN_SHA256 32		/* bytes */
#define SIGN_ED25519_KEY 32
#define SIGN_ED25519 64

struct sign_part { const void *p; size_t n; };

int sign_sha256(unsigned char out[SIGN_SHA256], const struct sign_part *parts, size_t n);			/* FIPS 180-4 */
int sign_hmac(unsigned char out[SIGN_SHA256], const void *key, size_t nkey, const struct sign_part *parts, size_t n);	/* RFC 2104 */

/* Did the holder of this key sign exactly these bytes (RFC 8032, pure Ed25519)? false also for a key that is no point, and
 * without memory. */
bool sign_ed25519(const unsigned char key[SIGN_ED25519_KEY], const unsigned char sig[SIGN_ED25519], const struct sign_part *parts,
	size_t n);

/* Takes as long whatever the bytes are. */
bool sign_equal(const void *a, const void *b, size_t n);

/* Hexadecimal digits, either case when reading, lower when writing. -1: not exactly 2 * n digits. */
int sign_unhex(unsigned char *out, size_t n, const char *text, size_t ntext);
void sign_hex(char *out, const unsigned char *p, size_t n);	/* 2 * n + 1 bytes, NUL behind */

#endif
