/* HTTP requests of platforms, with the account's token when they ask for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/http.h"
#include "base/log.h"
#include "base/oauth.h"
#include "gatewayd/upstream/impl.h"

#define UNAUTHORIZED 401

/* A client for each file of authorities. */
struct http_list { struct http_list *next; struct http *http; char ca[]; };

/* A copy of what a request with a token needs until its answer. */
struct saved_request { struct http_request r; char *method, *url, *body; char **headers; size_t n; };

static struct http *client(struct out *o)
{
	struct upstream *u = o->u;
	const char *ca = o->ca ? o->ca : "";
	struct http_opts opts = {.ca = o->ca};
	struct http_list *e;

	for (e = u->https; e; e = e->next)
		if (strcmp(e->ca, ca) == 0)
			return e->http;
	e = calloc(1, sizeof(*e) + strlen(ca) + 1);
	if (!e)
		return NULL;
	strcpy(e->ca, ca);
	e->http = http_open(u->loop, &opts);
	if (!e->http) {
		free(e);
		errno = EINVAL;
		return NULL;
	}
	e->next = u->https;
	u->https = e;
	return e->http;
}

void http_lists_close(struct upstream *u)
{
	struct http_list *e;

	while ((e = u->https)) {
		u->https = e->next;
		http_close(e->http);
		free(e);
	}
}

/* ---- copies ---- */

static void request_free(struct saved_request *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->headers[i]);
	free(s->headers);
	free(s->method);
	free(s->url);
	free(s->body);
	free(s);
}

static struct saved_request *request_copy(const struct http_request *r)
{
	struct saved_request *s = calloc(1, sizeof(*s));
	size_t n = 0;

	if (!s)
		return NULL;
	while (r->headers && r->headers[n])
		n++;
	s->r = *r;
	/* Room for the token's field and the end. */
	s->headers = calloc(n + 2, sizeof(*s->headers));
	s->method = strdup(r->method);
	s->url = strdup(r->url);
	s->body = r->body ? malloc(r->nbody + 1) : NULL;
	if (!s->headers || !s->method || !s->url || (r->body && !s->body)) {
		request_free(s);
		return NULL;
	}
	if (r->body)
		memcpy(s->body, r->body, r->nbody);
	for (; s->n < n; s->n++) {
		s->headers[s->n] = strdup(r->headers[s->n]);
		if (!s->headers[s->n]) {
			request_free(s);
			return NULL;
		}
	}
	s->r.method = s->method;
	s->r.url = s->url;
	s->r.body = s->body;
	s->r.headers = (const char *const *)s->headers;
	return s;
}

/* ---- calls ---- */

static void call_free(struct call *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		c->out->calls = c->next;
	if (c->next)
		c->next->prev = c->prev;
	if (c->used)
		explicit_bzero(c->used, strlen(c->used));
	free(c->used);
	request_free(c->request);
	free(c);
}

/* The platform is told; the call is over. */
static void answer(struct call *c, const struct http_answer *a)
{
	struct out *o = c->out;
	unsigned n = c->n;

	call_free(c);
	if (o->platform->answer)
		o->platform->answer(o->p, n, a, clock_mono());
}

static void fail(struct call *c, const char *why, int status)
{
	struct http_answer a = {.status = status, .error = why, .body = ""};

	answer(c, &a);
}

static int ask_token(struct call *c, const char *refused);

static void on_answer(void *arg, const struct http_answer *a)
{
	struct call *c = arg;

	c->http = NULL;
	if (a->status == UNAUTHORIZED && c->token != OUT_TOKEN_NONE && !c->again) {
		c->again = true;
		if (ask_token(c, c->used) == 0)
			return;
	}
	answer(c, a);
}

static void on_token(void *arg, const struct oauth_token *t)
{
	struct call *c = arg;
	struct saved_request *s = c->request;
	char *field;

	c->wait = NULL;
	if (!t->text) {
		fail(c, t->error ? t->error : "there is no token", t->final ? UNAUTHORIZED : 0);
		return;
	}
	free(c->used);
	c->used = strdup(t->text);
	if (!c->used || asprintf(&field, "Authorization: Bearer %s", t->text) < 0) {
		fail(c, "no memory", 0);
		return;
	}
	s->headers[s->n] = field;
	c->http = http_start(client(c->out), &s->r, on_answer, c);
	explicit_bzero(field, strlen(field));
	free(field);
	s->headers[s->n] = NULL;
	if (!c->http)
		fail(c, errno == EINVAL ? "the request is malformed" : "no memory", 0);
}

static void on_changed(void *arg, enum oauth_kind kind, bool ok)
{
	struct out *o = arg;

	if (o->platform->token)
		o->platform->token(o->p, kind == OAUTH_APP ? OUT_TOKEN_APP : OUT_TOKEN_USER, ok, clock_mono());
}

static struct oauth *oauth(struct out *o)
{
	struct http *h;

	if (!o->oauth && (h = client(o)))
		o->oauth = oauth_open(o->u->loop, h, o->account, on_changed, o);
	return o->oauth;
}

static int ask_token(struct call *c, const char *refused)
{
	struct oauth *a = oauth(c->out);

	if (!a)
		return -1;
	c->wait = oauth_get(a, c->token == OUT_TOKEN_APP ? OAUTH_APP : OAUTH_USER, refused, on_token, c);
	return c->wait ? 0 : -1;
}

/* What could not even be begun is told from the loop. */
static void on_failed(void *arg)
{
	fail(arg, "the request could not be made", 0);
}

static int begin(struct call *c, const struct http_request *r)
{
	struct http *h = client(c->out);

	if (!h)
		return -1;
	if (c->token == OUT_TOKEN_NONE) {
		c->http = http_start(h, r, on_answer, c);
		return c->http ? 0 : -1;
	}
	c->request = request_copy(r);
	return c->request ? ask_token(c, NULL) : -1;
}

unsigned out_http(struct out *o, const struct http_request *r, int token)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		die(1, "out of memory");
	c->out = o;
	c->token = token;
	c->n = ++o->next_call ? o->next_call : ++o->next_call;
	c->next = o->calls;
	if (c->next)
		c->next->prev = c;
	o->calls = c;
	if (begin(c, r)) {
		/* Without the query, which may hold what is nobody's business. */
		log_error("%s: %s %.*s: %s", account_file(o->account), r->method, (int)strcspn(r->url, "?#"), r->url, strerror(errno));
		c->timer = (struct loop_timer){.fn = on_failed, .arg = c};
		if (loop_timer_in(o->u->loop, &c->timer, 0))
			die(1, "out of memory");
	}
	return c->n;
}

void http_calls_stop(struct out *o)
{
	while (o->calls) {
		struct call *c = o->calls;

		if (c->http)
			http_cancel(c->http);
		if (c->wait)
			oauth_cancel(c->wait);
		loop_timer_del(o->u->loop, &c->timer);
		call_free(c);
	}
	if (o->oauth)
		oauth_close(o->oauth);
	o->oauth = NULL;
}

void http_reload(struct out *o)
{
	if (o->oauth && oauth_reload(o->oauth, o->account))
		log_error("%s: the tokens stay as they were", account_file(o->account));
}
