#include "base/http_impl.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/addr.h"
#include "base/clock.h"

/* ---- what curl tells ---- */

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

bool http_written(const struct http_call *c)
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
	if (c->issued && !c->repeatable && http_written(c)) {
		c->why = "the connection ended before an answer came";
		return CURL_PREREQFUNC_ABORT;
	}
	if (c->public_only && !addr_public_text(peer)) {
		refuse(c);
		return CURL_PREREQFUNC_ABORT;
	}
	if (c->timeout && !c->issued && loop_timer_in(c->h->l, &c->timer, c->timeout)) {
		c->why = "no memory";
		return CURL_PREREQFUNC_ABORT;
	}
	c->issued = true;
	c->refused = false;
	c->why = NULL;
	return CURL_PREREQFUNC_OK;
}

static bool names(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncasecmp(line, name, n) == 0 && line[n] == ':';
}

const char *http_header(const struct http_answer *a, const char *name)
{
	const struct buf *b = a->fields ? &a->fields->text : NULL;
	const char *found = NULL;

	for (const char *p = b ? b->p : NULL; b && b->len && p < b->p + b->len; p += strlen(p) + 1)
		if (names(p, name))
			found = p + strlen(name) + 1;
	return found ? found + strspn(found, " \t") : NULL;
}

/* ---- what it is told ---- */

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
	int64_t ms = ((r->timeout ? r->timeout : HTTP_TIMEOUT_S * CLOCK_S) + r->wait) / CLOCK_MS;

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

int http_prepare(struct http_call *c, const struct http_request *r)
{
	errno = EINVAL;
	if (!token(r->method))
		return -1;
	fixed_options(c, r);
	return address(c, r) || method(c, r) || headers(c, r) ? -1 : 0;
}
