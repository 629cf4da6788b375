#include "gatewayd/api.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "gatewayd/browser/browser.h"
#include "gatewayd/http/host.h"
#include "gatewayd/intake.h"
#include "gatewayd/outlet.h"
#include "gatewayd/pages.h"
#include "gatewayd/upstream/upstream.h"

#define PAGE_HEADERS \
	"Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " \
	"object-src 'none'\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Opener-Policy: same-origin\r\n" \
	"Cache-Control: no-cache\r\n"
#define NO_STORE "Cache-Control: no-store\r\n"

static bool is(struct span path, const char *text)
{
	return strlen(text) == path.n && memcmp(path.p, text, path.n) == 0;
}

static bool is_hook(struct span path)
{
	return path.n > 6 && memcmp(path.p, "/hook/", 6) == 0;
}

static bool reads(const struct http_head *h)
{
	return h->method == HTTP_GET || h->method == HTTP_HEAD;
}

static void bad_method(struct request *r, const char *allow)
{
	struct problem p;

	problem_set(&p, 405, "bad-method", "Method not allowed", "this address does not take that method");
	p.headers = allow;
	request_problem(r, &p);
}

static void not_found(struct request *r)
{
	struct problem p;

	problem_set(&p, 404, "not-found", "Not found", "there is nothing here; the addresses are / /chat /events /livez /readyz");
	request_problem(r, &p);
}

static void send_page(struct request *r, const struct page_file *page)
{
	char extra[512];
	int status = http_span_is(http_field(request_head(r), "if-none-match"), page->etag) ? 304 : 200;

	snprintf(extra, sizeof(extra), PAGE_HEADERS "ETag: %s\r\n", page->etag);
	request_reply(r, status, page->type, extra, page->p, page->n);
}

bool api_ready(const struct api *a)
{
	return outlet_accepts(a->outlet) && browser_connected(a->browser);
}

static void send_ready(const struct api *a, struct request *r)
{
	bool ready = api_ready(a);
	char body[128];
	int n = snprintf(body, sizeof(body), "{\"ready\":%s,\"output\":%s,\"browser\":%s,\"history\":%s}\n",
		ready ? "true" : "false", outlet_accepts(a->outlet) ? "true" : "false",
		browser_connected(a->browser) ? "true" : "false", browser_history(a->browser) ? "true" : "false");

	request_reply(r, ready ? 200 : 503, "application/json", NO_STORE, body, (size_t)n);
}

/* The abuse handshake of CloudEvents' webhook specification: a sender asks whether it may deliver here. */
static void send_options(const struct api *a, struct request *r)
{
	struct span origin = http_field(request_head(r), "webhook-request-origin");
	char extra[400];

	if (!origin.p || origin.n > 255)
		snprintf(extra, sizeof(extra), "Allow: POST, OPTIONS\r\n");
	else
		snprintf(extra, sizeof(extra), "Allow: POST, OPTIONS\r\nWebHook-Allowed-Origin: %.*s\r\n"
			"WebHook-Allowed-Rate: %s\r\n", (int)origin.n, origin.p, a->webhook_rate);
	request_reply(r, 204, NULL, extra, NULL, 0);
}

static void not_ours(struct request *r, struct span host)
{
	struct problem p;

	problem_set(&p, 421, "not-this-host", "Not this host",
		"this server does not answer to %.*s; if it should, start it with --host and that name", (int)(host.n < 100 ? host.n : 100),
		host.p);
	strcpy(p.header, "host");
	request_problem(r, &p);
}

static uint64_t on_head(void *arg, struct request *r)
{
	struct api *a = arg;
	const struct http_head *h = request_head(r);
	const struct page_file *page = pages_find(h->path);
	struct span host = http_field(h, "host");

	if (host.p && !host_served(host, &a->hosts)) {
		not_ours(r, host);
		return 0;
	}
	if (is(h->path, "/events")) {
		if (h->method == HTTP_POST)
			return intake_head(a->intake, r);
		if (h->method == HTTP_OPTIONS)
			send_options(a, r);
		else
			bad_method(r, "Allow: POST, OPTIONS\r\n");
	} else if (a->upstream && is_hook(h->path)) {
		if (h->method == HTTP_POST)
			return upstream_hook_head(a->upstream, r);
		bad_method(r, "Allow: POST\r\n");
	} else if (page || is(h->path, "/chat") || is(h->path, "/livez") || is(h->path, "/readyz")) {
		if (!reads(h))
			bad_method(r, "Allow: GET, HEAD\r\n");
		else if (page)
			send_page(r, page);
		else if (is(h->path, "/chat"))
			browser_chat(a->browser, r);
		else if (is(h->path, "/livez"))
			request_reply(r, 200, "text/plain; charset=utf-8", NO_STORE, "ok\n", 3);
		else
			send_ready(a, r);
	} else {
		not_found(r);
	}
	return 0;
}

/* Only what is posted has a body that was waited for. */
static void on_request(void *arg, struct request *r)
{
	struct api *a = arg;

	if (a->upstream && is_hook(request_head(r)->path))
		upstream_hook(a->upstream, r);
	else
		intake_post(a->intake, r);
}

const struct server_handler api_handler = {on_head, on_request};
