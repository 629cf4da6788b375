/* What http.c (the calls and curl's waiting) and http_call.c (one call: what curl is told, what it tells) share. Private to them. */
#ifndef BASE_HTTP_IMPL_H
#define BASE_HTTP_IMPL_H

#include "base/http.h"

#include <curl/curl.h>

#include "base/buf.h"
#include "base/loop.h"

#define HTTP_SPARE 64	/* handles kept for the next calls: making one costs more than a request */

struct http_fields { struct buf text; };	/* "Name: value" NUL ... */

struct http_call {
	struct http *h;
	struct http_call *next, **at;
	CURL *easy;
	struct curl_slist *headers;
	struct http_fields fields;
	struct buf body;
	size_t max;
	char error[CURL_ERROR_SIZE];
	const char *why;		/* what we ended it for */
	bool public_only, repeatable, head_over, issued, refused;
	int64_t timeout;		/* once it has left; 0: curl keeps the time */
	struct loop_timer timer;
	http_fn *fn;
	void *arg;
};

struct http {
	struct loop *l;
	CURLM *multi;
	struct loop_timer timer;
	struct http_call *calls;
	CURL *spare[HTTP_SPARE];
	size_t nspare;
	char *ca, *agent;
	bool busy, closed;		/* closed by a callback: freed behind it */
};

/* All of curl's options of a call. -1 with errno: EINVAL the request is none, ENOMEM. */
int http_prepare(struct http_call *c, const struct http_request *r);
bool http_written(const struct http_call *c);	/* has curl written bytes of the request? */

#endif
