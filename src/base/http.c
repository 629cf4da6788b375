#include "base/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"

#define SPARE_HANDLES 64	/* kept for the next calls: making one costs more than a request */
#define KEPT_CONNS 64L		/* open connections without a request */

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
	http_fn *fn;
	void *arg;
};

struct watch { struct loop_io io; struct http *h; };	/* one for each socket that curl waits for */

struct http {
	struct loop *l;
	CURLM *multi;
	struct loop_timer timer;
	struct http_call *calls;
	CURL *spare[SPARE_HANDLES];
	size_t nspare;
	char *ca, *agent;
	bool busy, closed;		/* closed by a callback: freed behind it */
};

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

/* ---- one call's callbacks ---- */

static size_t keep_body(char *p, size_t one, size_t n, void *arg)
{
	struct http_call *c = arg;

	if (one * n > c->max - c->body.len)
		c->why = "the answer is larger than allowed";
	else if (buf_add(&c->body, p, one * n))
		c->why = "no memory for the answer";
	else
		return one * n;
	return 0;
}

/* A line of the head, or a trailer. Each status line begins anew: of 1xx answers before the one that counts nothing is kept. */
static size_t keep_field(char *p, size_t one, size_t n, void *arg)
{
	struct http_call *c = arg;
	size_t len = one * n;
	const char *colon = memchr(p, ':', len);

	if (len >= 5 && memcmp(p, "HTTP/", 5) == 0) {
		buf_clear(&c->fields.text);
		c->head_over = false;
		return one * n;
	}
	while (len && (p[len - 1] == '\n' || p[len - 1] == '\r' || p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	if (len == 0)
		c->head_over = true;
	if (c->head_over || !colon || memchr(p, '\0', len))
		return one * n;
	if (buf_add(&c->fields.text, p, len) || buf_addc(&c->fields.text, '\0')) {
		c->why = errno == EMSGSIZE ? "the head of the answer is larger than allowed" : "no memory for the answer";
		return 0;
	}
	return one * n;
}

static void refuse(struct http_call *c)
{
	c->refused = true;
	c->why = "the address is not a public one";
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct http_call *c = arg;

	(void)purpose;
	if (c->public_only && !addr_public(&a->addr)) {
		refuse(c);
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* Has curl written bytes of the request? */
static bool written(const struct http_call *c)
{
	long n = 0;

	return curl_easy_getinfo(c->easy, CURLINFO_REQUEST_SIZE, &n) != CURLE_OK || n > 0;
}

/* CURLOPT_PREREQFUNCTION: a connection is there, the request goes out next; a second time when curl wants to repeat it on another. A kept
 * connection may have been opened for a call that was allowed more. */
static int before_request(void *arg, char *peer, char *own, int peer_port, int own_port)
{
	struct http_call *c = arg;

	(void)own, (void)peer_port, (void)own_port;
	if (c->issued && !c->repeatable && written(c)) {
		c->why = "the connection ended before an answer came";
		return CURL_PREREQFUNC_ABORT;
	}
	if (c->public_only && !addr_public_text(peer)) {
		refuse(c);
		return CURL_PREREQFUNC_ABORT;
	}
	c->issued = true;
	c->refused = false;
	c->why = NULL;
	return CURL_PREREQFUNC_OK;
}

/* ---- the life of a call ---- */

static void call_free(struct http_call *c)
{
	struct http *h = c->h;

	if (c->easy) {
		curl_multi_remove_handle(h->multi, c->easy);
		if (h->nspare < SPARE_HANDLES && !h->closed) {
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
	struct http_answer a = {.fields = &c->fields, .body = "", .sent = c->issued && written(c), .refused = c->refused};
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
		/* Out of the list first: neither http_close nor http_cancel of another one meets it. */
		*c->at = c->next;
		if (c->next)
			c->next->at = c->at;
		c->at = NULL;
		tell(c, rc);
		call_free(c);
	}
	h->busy = false;
	if (h->closed)
		http_free(h);
}

void http_cancel(struct http_call *c)
{
	call_free(c);
}

/* ---- starting one ---- */

static bool token(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

	return n > 0 && n <= 32 && !s[n];
}

static int add_header(struct http_call *c, const char *line)
{
	struct curl_slist *l = curl_slist_append(c->headers, line);

	if (!l) {
		errno = ENOMEM;
		return -1;
	}
	c->headers = l;
	return 0;
}

static bool names(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

/* curl adds a form's Content-Type to what has a body, and Expect to a large one: neither is wanted. */
static int headers(struct http_call *c, const struct http_request *r)
{
	bool typed = false, agent = false;

	for (const char *const *p = r->headers; p && *p; p++) {
		const char *colon = strchr(*p, ':');

		if (!colon || colon == *p || strpbrk(*p, "\r\n")) {
			errno = EINVAL;
			return -1;
		}
		typed |= names(*p, "Content-Type");
		agent |= names(*p, "User-Agent");
		if (colon[1 + strspn(colon + 1, " \t")] == '\0')
			continue; /* to curl it would mean: leave out what you add yourself */
		if (add_header(c, *p))
			return -1;
	}
	if (!agent)
		curl_easy_setopt(c->easy, CURLOPT_USERAGENT, c->h->agent);
	if ((!typed && add_header(c, "Content-Type:")) || add_header(c, "Expect:"))
		return -1;
	return curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers) == CURLE_OK ? 0 : -1;
}

static int method(struct http_call *c, const struct http_request *r)
{
	static const char *const again[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
	CURL *e = c->easy;
	CURLcode rc = CURLE_OK;

	for (size_t i = 0; i < sizeof(again) / sizeof(*again); i++)
		c->repeatable |= strcmp(r->method, again[i]) == 0;
	if (r->body || strcmp(r->method, "POST") == 0) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(r->body ? r->nbody : 0));
		rc = curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, r->body ? r->body : "");
	} else if (strcmp(r->method, "HEAD") == 0) {
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	}
	if (rc == CURLE_OK)
		rc = curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
	errno = ENOMEM;
	return rc == CURLE_OK ? 0 : -1;
}

static int address(struct http_call *c, const struct http_request *r)
{
	CURLU *u = curl_url();
	CURLUcode rc = u ? curl_url_set(u, CURLUPART_URL, r->url, 0) : CURLUE_OUT_OF_MEMORY;
	char *scheme = NULL;
	int ok = 0;

	if (rc == CURLUE_OK)
		rc = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
	if (rc == CURLUE_OK)
		ok = strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0;
	curl_free(scheme);
	curl_url_cleanup(u);
	errno = rc == CURLUE_OUT_OF_MEMORY ? ENOMEM : EINVAL;
	if (!ok)
		return -1;
	errno = ENOMEM;
	return curl_easy_setopt(c->easy, CURLOPT_URL, r->url) == CURLE_OK ? 0 : -1;
}

static void fixed_options(struct http_call *c, const struct http_request *r)
{
	CURL *e = c->easy;
	int64_t ms = (r->timeout ? r->timeout : HTTP_TIMEOUT_S * CLOCK_S) / CLOCK_MS;

	curl_easy_setopt(e, CURLOPT_PRIVATE, c);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);	/* ending a call does not wait for a name's resolver */
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_PROXY, "");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms < 1 ? 1L : ms > LONG_MAX ? LONG_MAX : (long)ms);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, HTTP_CONNECT_S * 1000L);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, keep_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, keep_field);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, c);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, c);
	if (c->h->ca)
		curl_easy_setopt(e, CURLOPT_CAINFO, c->h->ca);	/* the system's folder of authorities (CAPATH) stays */
}

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
	buf_init(&c->body, c->max + 1);
	buf_init(&c->fields.text, HTTP_FIELDS_BYTES);
	c->easy = h->nspare ? h->spare[--h->nspare] : curl_easy_init();
	errno = ENOMEM;
	if (!c->easy)
		goto fail;
	errno = EINVAL;
	if (!token(r->method))
		goto fail;
	fixed_options(c, r);
	if (address(c, r) || method(c, r) || headers(c, r))
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

const char *http_header(const struct http_answer *a, const char *name)
{
	const struct buf *b = &a->fields->text;
	const char *found = NULL;

	for (const char *p = b->p; b->len && p < b->p + b->len; p += strlen(p) + 1)
		if (names(p, name))
			found = p + strlen(name) + 1;
	return found ? found + strspn(found, " \t") : NULL;
}
