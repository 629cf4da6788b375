/*
 * url: what is said of URLs before anything is dialled. Pure.
 */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>

/* May a secret go there: https: or wss:, or http: or ws: to this host (127.0.0.1, [::1], localhost)? */
bool url_safe(const char *url);

#endif
