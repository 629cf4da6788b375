/*
 * http: requests to other servers, many at a time, on our loop; http_impl.h is the only includer of curl's headers.
 *
 * TLS 1.2 or newer with the system's authorities (and those of the file in `ca`), redirects are never followed, no cookies, no proxy from
 * the environment. An answer is kept whole in memory up to its limit; more ends the call with an error. Everything given to http_start
 * is copied. One thread.
 *
 * HTTP/1.1, connections kept for the next request to the same server. Not HTTP/2: its streams would share the fate of one connection,
 * and whether a request left could not be told as exactly as `sent` has to.
 *
 * A request goes out once. A kept connection that the server closes in the moment of sending is replaced only when no byte of the
 * request was written, or the method is one that may be repeated (GET, HEAD, PUT, DELETE, OPTIONS; RFC 9110, 9.2.2).
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_TIMEOUT_S 30
#define HTTP_CONNECT_S 10		/* of it, to be connected */
#define HTTP_ANSWER_MAX (1u << 20)
#define HTTP_FIELDS_BYTES (64u << 10)	/* the fields of an answer together; more ends the call with an error */
#define HTTP_HOST_CONNS 8

struct loop;
struct http;
struct http_call;

struct http_opts {
	const char *ca;			/* PEM file of more authorities, NULL: the system's only */
	unsigned max_host;		/* connections to one host at a time; 0: HTTP_HOST_CONNS. Further calls wait their turn */
	const char *agent;		/* User-Agent of requests that name none; NULL: "penstock/VERSION" */
};

enum {
	/* Refuses an address that is not public (base/addr.h): what the name was resolved to in this very attempt is looked at, so that
	 * neither a name that changes its address nor a kept connection leads around it. */
	HTTP_PUBLIC = 1,
};

struct http_request {
	const char *method;		/* "GET", "POST", ... */
	const char *url;		/* http or https */
	const char *const *headers;	/* "Name: value", NULL at the end; NULL: none */
	const char *body;		/* NULL: none */
	size_t nbody;
	int64_t timeout;		/* nanoseconds for all of it, the wait for a connection included; 0: HTTP_TIMEOUT_S */
	int64_t wait;			/* so long it may wait for a connection, and `timeout` begins when it leaves; 0: see above */
	size_t max_answer;		/* bytes of the body; 0: HTTP_ANSWER_MAX */
	unsigned flags;
};

/* What Discord asks of a User-Agent: "DiscordBot (URL, VERSION)"; one that is missing or odd may be turned away. */
#define HTTP_AGENT_DISCORD "DiscordBot (https://localhost/penstock, " VERSION ")"

struct http_fields;
struct http_answer {
	int status;			/* 0: no answer */
	const char *error;		/* why there is none, for people; NULL when there is one */
	bool sent;			/* bytes of the request may have reached the server: without an answer, its outcome is unknown */
	bool refused;			/* HTTP_PUBLIC said no; sent is false */
	const char *body;		/* NUL behind it; "" when none */
	size_t nbody;
	const struct http_fields *fields;	/* NULL: none, as of an answer that somebody else made up */
};

typedef void http_fn(void *arg, const struct http_answer *a);	/* everything borrowed until it returns; may start and cancel calls */

struct http *http_open(struct loop *l, const struct http_opts *o);	/* NULL with a message; o may be NULL */
void http_close(struct http *h);			/* cancels what is under way: no callback; NULL is fine */
/* fn is called once, never from inside this call. NULL, without a callback: EINVAL bad URL, method or header, ENOMEM. */
struct http_call *http_start(struct http *h, const struct http_request *r, http_fn *fn, void *arg);
void http_cancel(struct http_call *c);			/* no callback will come; not after it came */
bool http_sent(const struct http_call *c);		/* bytes of it may have reached the server by now */

/* The last field of that name (any case), without blanks around; NULL: absent. Trailers are not kept. */
const char *http_header(const struct http_answer *a, const char *name);

#endif
