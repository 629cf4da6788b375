/* sign: digests and signatures against known answers (FIPS 180-4, RFC 4231, RFC 8032, and those of two platforms). */
#include "check.h"

#include <string.h>

#include "base/sign.h"

#define PART(s) {s, sizeof(s) - 1}

static bool is_hex(const unsigned char *p, size_t n, const char *hex)
{
	char text[2 * SIGN_ED25519 + 1];

	sign_hex(text, p, n);
	return strcmp(text, hex) == 0;
}

static void digests(void)
{
	unsigned char d[SIGN_SHA256];

	CHECK(sign_sha256(d, NULL, 0) == 0 &&
	      is_hex(d, sizeof(d), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "SHA-256 of nothing");
	CHECK(sign_sha256(d, (struct sign_part[]){PART("a"), PART(""), PART("bc")}, 3) == 0 &&
	      is_hex(d, sizeof(d), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "SHA-256 of abc in parts");
	CHECK(sign_hmac(d, "Jefe", 4, (struct sign_part[]){PART("what do ya want "), PART("for nothing?")}, 2) == 0 &&
	      is_hex(d, sizeof(d), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), "HMAC, RFC 4231 case 2");
	CHECK(sign_hmac(d, NULL, 0, NULL, 0) == 0 &&
	      is_hex(d, sizeof(d), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"), "HMAC of nothing with no key");
	CHECK(sign_hmac(d, "gateway-test-secret-0001", 24, (struct sign_part[]){PART("11111111-2222-4333-8444-555555555555"),
	      PART("2024-01-02T03:04:05.678901234Z"), PART("{\"challenge\":\"abc123\"}")}, 3) == 0 &&
	      is_hex(d, sizeof(d), "d49ce48d9884e4a824f50a2e0858bc53c7adac13a7fb20d13d5d8f7a707f5235"), "HMAC of a webhook as Twitch signs it");
}

static void ed25519(void)
{
	unsigned char key[SIGN_ED25519_KEY], sig[SIGN_ED25519], bad[SIGN_ED25519];
	struct sign_part m[] = {PART("1700000000"), PART("{\"type\":1}")};
	static const char k[] = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
	static const char s[] = "c1098e97d711377f30225d53d94b89d43537f92e5b3afaddc590781b1f9f9d4b"
		"2eeab335d370be3b9a090bc61a85b86448bc140dcd195f1569c2bff181257607";
	static const char rfc_k[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
	static const char rfc_s[] = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
		"5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

	CHECK(sign_unhex(key, sizeof(key), rfc_k, 64) == 0 && sign_unhex(sig, sizeof(sig), rfc_s, 128) == 0 &&
	      sign_ed25519(key, sig, NULL, 0), "Ed25519, RFC 8032 test 1: the empty message");
	CHECK(sign_unhex(key, sizeof(key), k, 64) == 0 && sign_unhex(sig, sizeof(sig), s, 128) == 0, "key and signature from hex");
	CHECK(sign_ed25519(key, sig, m, 2), "Ed25519 of an interaction as Discord signs it");
	CHECK(sign_ed25519(key, sig, (struct sign_part[]){PART("1700000000"), PART(""), PART("{\"type\""), PART(":1}")}, 4), "however many parts it comes in");
	CHECK(!sign_ed25519(key, sig, m, 1), "a part is missing");
	CHECK(!sign_ed25519(key, sig, (struct sign_part[]){PART("1700000001"), PART("{\"type\":1}")}, 2), "another time");
	for (size_t i = 0; i < sizeof(sig); i += 9) {
		memcpy(bad, sig, sizeof(sig));
		bad[i] ^= 1;
		CHECK(!sign_ed25519(key, bad, m, 2), "a bit of the signature changed at byte %zu", i);
	}
	memset(key, 0xff, sizeof(key));
	CHECK(!sign_ed25519(key, sig, m, 2), "a key that is none");
}

static void text(void)
{
	unsigned char b[3];

	CHECK(sign_unhex(b, 3, "00aBfF", 6) == 0 && b[0] == 0 && b[1] == 0xab && b[2] == 0xff, "hex of either case");
	CHECK(sign_unhex(b, 3, "00abf", 5) == -1 && sign_unhex(b, 3, "00abff0", 7) == -1, "too few digits, and too many");
	CHECK(sign_unhex(b, 3, "00abfg", 6) == -1 && sign_unhex(b, 3, "0x0abc", 6) == -1 && sign_unhex(b, 3, "00 abf", 6) == -1 &&
	      sign_unhex(b, 1, "@`", 2) == -1, "no digits");
	CHECK(sign_equal("same", "same", 4) && !sign_equal("same", "sama", 4) && sign_equal("a", "b", 0), "equal or not");
}

int main(void)
{
	digests();
	ed25519();
	text();
	return check_done();
}
