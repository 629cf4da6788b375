/*
 * base64: bytes as Base64 (RFC 4648, section 4), padded. Pure.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#define BASE64_LEN(n) (((n) + 2) / 3 * 4)

/* Writes BASE64_LEN(n) characters and no NUL; gives that number. */
size_t base64(const void *p, size_t n, char *out);

#endif
