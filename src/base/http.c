#include "base/http_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define KEPT_CONNS 64L		/* open connections without a request */

struct watch { struct loop_io io; struct http *h; };	/* one for each socket that curl waits for */

/* ---- curl waits with our loop ---- */

static void finish(struct http *h);

static void on_socket(void *arg, unsigned events)
{
	struct watch *w = arg;
	struct http *h = w->h;
	int flags = (events & LOOP_IN ? CURL_CSELECT_IN : 0) | (events & LOOP_OUT ? CURL_CSELECT_OUT : 0), running;

	curl_multi_socket_action(h->multi, w->io.fd, flags, &running);
	finish(h);
}

static void on_time(void *arg)
{
	struct http *h = arg;
	int running;

	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish(h);
}

/* CURLMOPT_SOCKETFUNCTION */
static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
	struct http *h = arg;
	struct watch *w = of_socket;
	unsigned want = (what & CURL_POLL_IN ? LOOP_IN : 0u) | (what & CURL_POLL_OUT ? LOOP_OUT : 0u);

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			loop_io_del(h->l, &w->io);
			free(w);
			curl_multi_assign(h->multi, fd, NULL);
		}
		return 0;
	}
	if (w)
		return loop_io_want(h->l, &w->io, want);
	w = calloc(1, sizeof(*w));
	if (!w)
		return -1;
	w->h = h;
	w->io = (struct loop_io){.fd = fd, .fn = on_socket, .arg = w};
	if (loop_io_add(h->l, &w->io, want)) {
		free(w);
		return -1;
	}
	curl_multi_assign(h->multi, fd, w);
	return 0;
}

/* CURLMOPT_TIMERFUNCTION */
static int want_time(CURLM *multi, long ms, void *arg)
{
	struct http *h = arg;

	(void)multi;
	if (ms >= 0)
		return loop_timer_in(h->l, &h->timer, ms * CLOCK_MS);
	loop_timer_del(h->l, &h->timer);
	return 0;
}

/* ---- the life of a call ---- */

static void call_free(struct http_call *c)
{
	struct http *h = c->h;

	loop_timer_del(h->l, &c->timer);
	if (c->easy) {
		curl_multi_remove_handle(h->multi, c->easy);
		if (h->nspare < HTTP_SPARE && !h->closed) {
			curl_easy_reset(c->easy);
			h->spare[h->nspare++] = c->easy;
		} else {
			curl_easy_cleanup(c->easy);
		}
	}
	if (c->at) {
		*c->at = c->next;
		if (c->next)
			c->next->at = c->at;
	}
	curl_slist_free_all(c->headers);
	buf_release(&c->body);
	buf_release(&c->fields.text);
	free(c);
}

static void tell(struct http_call *c, CURLcode rc)
{
	struct http_answer a = {.fields = &c->fields, .body = "", .sent = http_sent(c), .refused = c->refused};
	long status = 0;

	if (rc == CURLE_OK && curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status > 0) {
		a.body = buf_cstr(&c->body);
		a.nbody = c->body.len;
		a.status = a.body ? (int)status : 0;
		a.error = a.body ? NULL : "no memory for the answer";
	} else {
		a.error = c->why ? c->why : c->error[0] ? c->error : curl_easy_strerror(rc);
	}
	if (!a.body)
		a.body = "";
	c->fn(c->arg, &a);
}

static void http_free(struct http *h)
{
	while (h->calls)
		call_free(h->calls);
	while (h->nspare)
		curl_easy_cleanup(h->spare[--h->nspare]);
	if (h->multi)
		curl_multi_cleanup(h->multi);
	loop_timer_del(h->l, &h->timer);
	free(h->ca);
	free(h->agent);
	free(h);
	curl_global_cleanup();
}

/* Out of the list first: neither http_close nor http_cancel of another one meets it. */
static void end(struct http_call *c, CURLcode rc)
{
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	c->at = NULL;
	tell(c, rc);
	call_free(c);
}

/* What has ended, after curl had its turn; callbacks start, cancel and close as they like. */
static void finish(struct http *h)
{
	struct CURLMsg *m;
	int left;

	h->busy = true;
	while (!h->closed && (m = curl_multi_info_read(h->multi, &left))) {
		struct http_call *c = NULL;
		CURLcode rc = m->data.result;

		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c) != CURLE_OK || !c)
			continue;
		end(c, rc);
	}
	h->busy = false;
	if (h->closed)
		http_free(h);
}

/* It left, and there is no answer. */
static void on_call_time(void *arg)
{
	struct http_call *c = arg;
	struct http *h = c->h;

	c->why = "no answer came in time";
	h->busy = true;
	end(c, CURLE_OPERATION_TIMEDOUT);
	h->busy = false;
	if (h->closed)
		http_free(h);
}

bool http_sent(const struct http_call *c)
{
	return c->issued && http_written(c);
}

void http_cancel(struct http_call *c)
{
	call_free(c);
}

/* ---- starting one ---- */

struct http_call *http_start(struct http *h, const struct http_request *r, http_fn *fn, void *arg)
{
	struct http_call *c = calloc(1, sizeof(*c));
	int e;

	if (!c)
		return NULL;
	c->h = h;
	c->fn = fn;
	c->arg = arg;
	c->public_only = r->flags & HTTP_PUBLIC;
	c->max = r->max_answer ? r->max_answer : HTTP_ANSWER_MAX;
	c->timeout = r->wait ? r->timeout : 0;
	c->timer = (struct loop_timer){.fn = on_call_time, .arg = c};
	buf_init(&c->body, c->max + 1);
	buf_init(&c->fields.text, HTTP_FIELDS_BYTES);
	c->easy = h->nspare ? h->spare[--h->nspare] : curl_easy_init();
	errno = ENOMEM;
	if (!c->easy)
		goto fail;
	if (http_prepare(c, r))
		goto fail;
	c->next = h->calls;
	c->at = &h->calls;
	if (c->next)
		c->next->at = &c->next;
	h->calls = c;
	errno = ENOMEM;
	if (curl_multi_add_handle(h->multi, c->easy) == CURLM_OK)
		return c;
fail:
	e = errno;
	call_free(c);
	errno = e;
	return NULL;
}

/* ---- all of them ---- */

struct http *http_open(struct loop *l, const struct http_opts *o)
{
	struct http *h = calloc(1, sizeof(*h));

	if (!h || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		log_error("requests to other servers: no memory");
		free(h);
		return NULL;
	}
	h->l = l;
	h->timer = (struct loop_timer){.fn = on_time, .arg = h};
	h->agent = strdup(o && o->agent ? o->agent : "penstock/" VERSION);
	h->multi = curl_multi_init();
	if (!h->agent || !h->multi || (o && o->ca && !(h->ca = strdup(o->ca)))) {
		log_error("requests to other servers: no memory");
		goto fail;
	}
	if (h->ca && access(h->ca, R_OK)) {
		log_error("%s: cannot read the certificates to trust: %m", h->ca);
		goto fail;
	}
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, want_time);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, o && o->max_host ? (long)o->max_host : (long)HTTP_HOST_CONNS);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNS);
	return h;
fail:
	http_free(h);
	return NULL;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	h->closed = true;
	while (h->calls)
		call_free(h->calls);
	if (!h->busy)
		http_free(h);
}
