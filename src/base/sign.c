#include "base/sign.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

int sign_sha256(unsigned char out[SIGN_SHA256], const struct sign_part *parts, size_t n)
{
	EVP_MD_CTX *x = EVP_MD_CTX_new();
	bool ok = x && EVP_DigestInit_ex(x, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_DigestUpdate(x, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_DigestFinal_ex(x, out, NULL) == 1;
	EVP_MD_CTX_free(x);
	ERR_clear_error();
	return ok ? 0 : -1;
}

int sign_hmac(unsigned char out[SIGN_SHA256], const void *key, size_t nkey, const struct sign_part *parts, size_t n)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *x = mac ? EVP_MAC_CTX_new(mac) : NULL;
	size_t len = 0;
	/* OpenSSL takes a key of NULL for "the one set before". */
	bool ok = x && EVP_MAC_init(x, key ? key : "", key ? nkey : 0, params) == 1;

	for (size_t i = 0; ok && i < n; i++)
		ok = EVP_MAC_update(x, parts[i].p, parts[i].n) == 1;
	ok = ok && EVP_MAC_final(x, out, &len, SIGN_SHA256) == 1 && len == SIGN_SHA256;
	EVP_MAC_CTX_free(x);
	EVP_MAC_free(mac);
	ERR_clear_error();
	return ok ? 0 : -1;
}

static bool check(const unsigned char key[SIGN_ED25519_KEY], const unsigned char sig[SIGN_ED25519], const void *p, size_t n)
{
	EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, SIGN_ED25519_KEY);
	EVP_MD_CTX *x = EVP_MD_CTX_new();
	bool ok = k && x && EVP_DigestVerifyInit(x, NULL, NULL, NULL, k) == 1 &&
		EVP_DigestVerify(x, sig, SIGN_ED25519, p, n) == 1;

	EVP_MD_CTX_free(x);
	EVP_PKEY_free(k);
	ERR_clear_error();
	return ok;
}

bool sign_ed25519(const unsigned char key[SIGN_ED25519_KEY], const unsigned char sig[SIGN_ED25519], const struct sign_part *parts,
	size_t n)
{
	unsigned char *whole = NULL;	/* pure Ed25519 reads the message twice: it has to be in one piece */
	size_t len = 0, at = 0;
	bool ok;

	for (size_t i = 0; i < n; i++)
		len += parts[i].n;
	whole = malloc(len + 1);
	if (!whole)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (parts[i].n)
			memcpy(whole + at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	ok = check(key, sig, whole, len);
	free(whole);
	return ok;
}

bool sign_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int sign_unhex(unsigned char *out, size_t n, const char *text, size_t ntext)
{
	if (ntext != 2 * n)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

void sign_hex(char *out, const unsigned char *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}
