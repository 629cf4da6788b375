/* addr, http: which addresses are public; requests against a server of a few lines on the same loop. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/http.h"
#include "base/loop.h"

static void addresses(void)
{
	static const char *const no[] = {
		"0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.1",
		"224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1",
		"fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "2001::1", "2001:1ff::1", "2002:7f00:1::", "2002:a00:1::1",
		"64:ff9b::10.0.0.1", "64:ff9b:1::1", "fec0::1", "100::1", "3fff::1", "5f00::1", "", "localhost", "fe80::1%lo", "1.2.3",
		"::127.0.0.1",
	};
	static const char *const yes[] = {
		"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1",
		"223.255.255.255", "2606:4700::1111", "2001:4860:4860::8888", "2001:200::1", "2002:808:808::1", "64:ff9b::8.8.8.8",
		"::ffff:8.8.8.8", "3fff:1000::1",
	};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr un = {.sa_family = AF_UNIX};

	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		CHECK(!addr_public_text(no[i]), "\"%s\" is not public", no[i]);
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		CHECK(addr_public_text(yes[i]), "%s is public", yes[i]);
	CHECK(!addr_public((struct sockaddr *)&in) && !addr_public(&un), "the same of socket addresses");
	inet_pton(AF_INET6, "2606:4700::1", &in6.sin6_addr);
	CHECK(addr_public((struct sockaddr *)&in6), "the same of IPv6");
}

/* ---- the server: one answer for each path; it reads a request up to its blank line and Content-Length ---- */

#define CONNS 64

struct conn { struct loop_io io; struct server *s; size_t n; unsigned requests; char in[4096]; };
struct server {
	struct loop *l;
	struct loop_io io;
	int port;
	unsigned requests, accepted;
	char last[4096];		/* the last whole request */
	struct conn c[CONNS];
};

static void hang_up(struct conn *c)
{
	loop_io_del(c->s->l, &c->io);
	close(c->io.fd);
	c->io.fd = -1;
	c->n = 0;
}

static void answer(struct conn *c)
{
	static char big[70000];
	const char *path = strchr(c->in, ' '), *text = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n";

	snprintf(c->s->last, sizeof(c->s->last), "%s", c->in);
	c->s->requests++;
	c->requests++;
	if (!path)
		return;
	path++;
	if (strncmp(path, "/ok ", 4) == 0)
		text = "HTTP/1.1 200 OK\r\nX-One: 1\r\nx-one:  2 \r\nX-Empty:\r\nContent-Length: 5\r\n\r\nhello";
	else if (strncmp(path, "/moved ", 7) == 0)
		text = "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n";
	else if (strncmp(path, "/early ", 7) == 0)
		text = "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 429 Slow\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n"
			"2\r\nno\r\n0\r\nRetry-After: 9\r\n\r\n";
	else if (strncmp(path, "/hang ", 6) == 0)
		return;
	else if (strncmp(path, "/drop ", 6) == 0 || (strncmp(path, "/once ", 6) == 0 && c->requests > 1)) {
		hang_up(c);
		return;
	} else if (strncmp(path, "/once ", 6) == 0)
		text = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nonce";
	else if (strncmp(path, "/half ", 6) == 0)
		text = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 50\r\n\r\nhalf";
	else if (strncmp(path, "/garbage ", 9) == 0)
		text = "no protocol at all\r\n\r\n";
	else if (strncmp(path, "/head ", 6) == 0) {
		int n = snprintf(big, sizeof(big), "HTTP/1.1 200 OK\r\n");

		for (int i = 0; i < 660; i++)
			n += snprintf(big + n, sizeof(big) - (size_t)n, "X-%d: %099d\r\n", i, i);
		snprintf(big + n, sizeof(big) - (size_t)n, "\r\n");
		text = big;
	}
	if (write(c->io.fd, text, strlen(text)) < 0)
		hang_up(c);
	else if (strncmp(path, "/half ", 6) == 0)
		hang_up(c);
}

static void on_bytes(void *arg, unsigned events)
{
	struct conn *c = arg;
	ssize_t k = read(c->io.fd, c->in + c->n, sizeof(c->in) - 1 - c->n);
	const char *end, *len;

	(void)events;
	if (k <= 0) {
		hang_up(c);
		return;
	}
	c->n += (size_t)k;
	c->in[c->n] = '\0';
	end = strstr(c->in, "\r\n\r\n");
	if (!end)
		return;
	len = strstr(c->in, "Content-Length: ");
	if (len && len < end && strlen(end + 4) < (size_t)atoi(len + 16))
		return;
	c->n = 0;
	answer(c);
}

static void on_accept(void *arg, unsigned events)
{
	struct server *s = arg;
	int fd = accept4(s->io.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	for (size_t i = 0; i < CONNS; i++)
		if (s->c[i].io.fd < 0) {
			s->accepted++;
			s->c[i] = (struct conn){.io = {.fd = fd, .fn = on_bytes, .arg = &s->c[i]}, .s = s};
			if (loop_io_add(s->l, &s->c[i].io, LOOP_IN))
				exit(1);
			return;
		}
	close(fd);
}

static int listen_on(struct server *s)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) || listen(fd, 64) || getsockname(fd, (struct sockaddr *)&in, &n))
		return -1;
	s->io = (struct loop_io){.fd = fd, .fn = on_accept, .arg = s};
	s->port = ntohs(in.sin_port);
	return 0;
}

/* ---- calls ---- */

struct got { struct loop *l; int calls, status; bool sent, refused; char error[200], body[200], field[200], empty[8]; unsigned *left; struct http *close; };

static void keep(void *arg, const struct http_answer *a)
{
	struct got *g = arg;
	const char *f = http_header(a, "retry-after"), *e = http_header(a, "X-EMPTY");

	g->calls++;
	g->status = a->status;
	g->sent = a->sent;
	g->refused = a->refused;
	snprintf(g->error, sizeof(g->error), "%s", a->error ? a->error : "");
	snprintf(g->body, sizeof(g->body), "%s", a->body);
	f = f ? f : http_header(a, "x-ONE");
	snprintf(g->field, sizeof(g->field), "%s", f ? f : http_header(a, "X-Early") ? "early" : "none");
	snprintf(g->empty, sizeof(g->empty), "%s", e ? e : "none");
	if (g->close)
		http_close(g->close);
	if (!g->left || --*g->left == 0)
		loop_stop(g->l);
}

static char *url(const struct server *s, const char *path)
{
	static char to[200];

	snprintf(to, sizeof(to), "http://127.0.0.1:%d%s", s->port, path);
	return to;
}

static struct got call(struct server *s, struct http *h, const char *how, const char *path, const struct http_request *more)
{
	struct got g = {.l = s->l};
	struct http_request r = *more;

	r.method = how;
	r.url = url(s, path);
	if (!http_start(h, &r, keep, &g)) {
		g.status = -errno;
		return g;
	}
	loop_run(s->l);
	return g;
}

static void ordinary(struct server *s, struct http *h)
{
	static const char *const fields[] = {"Content-Type: application/json", "X-Mine: yes", NULL};
	const struct http_request post = {.headers = fields, .body = "{\"a\":1}", .nbody = 7}, plain = {0};
	struct got g = call(s, h, "GET", "/ok", &plain);

	CHECK(g.calls == 1 && g.status == 200 && strcmp(g.body, "hello") == 0, "an answer: %d %s %s", g.status, g.body, g.error);
	CHECK(strcmp(g.field, "2") == 0 && strcmp(g.empty, "") == 0, "the last field of a name, without blanks: \"%s\"", g.field);
	CHECK(strstr(s->last, "User-Agent: penstock/") && !strstr(s->last, "Content-Type"), "who asks, and nothing more");
	g = call(s, h, "POST", "/ok", &post);
	CHECK(g.status == 200 && g.sent && strstr(s->last, "{\"a\":1}") && strstr(s->last, "X-Mine: yes\r\n") &&
		strstr(s->last, "Content-Type: application/json\r\n"), "fields and body go out");
	CHECK(s->accepted == 1, "a connection is kept: %u", s->accepted);
	g = call(s, h, "PATCH", "/ok", &post);
	CHECK(strncmp(s->last, "PATCH /ok HTTP/1.1\r\n", 20) == 0, "any method");
	g = call(s, h, "POST", "/ok", &plain);
	CHECK(strstr(s->last, "Content-Length: 0\r\n") && !strstr(s->last, "Content-Type"), "a POST without a body");
	g = call(s, h, "GET", "/moved", &plain);
	CHECK(g.status == 302, "a redirect is told, not followed");
	g = call(s, h, "GET", "/early", &plain);
	CHECK(g.status == 429 && strcmp(g.field, "7") == 0, "neither a 1xx answer's fields nor trailers: \"%s\"", g.field);
}

static void bad(struct server *s, struct http *h)
{
	static const char *const inject[] = {"X: 1\r\nHost: evil", NULL}, *const shapeless[] = {"no colon", NULL};
	const struct http_request plain = {0}, small = {.max_answer = 4}, exact = {.max_answer = 5};
	const char *urls[] = {"ftp://localhost/", "file:///etc/passwd", "no", "http://", "http://a b/", "http://h\r\nX: 1/", "gopher://h/"};
	struct got g = {.l = s->l};
	struct http_request r = {.method = "GET", .headers = inject, .url = "http://127.0.0.1/"};

	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct http_request b = {.method = "GET", .url = urls[i]};

		errno = 0;
		CHECK(!http_start(h, &b, keep, &g) && errno == EINVAL, "refused: URL %zu", i);
	}
	CHECK(!http_start(h, &r, keep, &g) && errno == EINVAL, "refused: a line end in a field");
	r.headers = shapeless;
	CHECK(!http_start(h, &r, keep, &g) && errno == EINVAL, "refused: a field without a name");
	r = (struct http_request){.method = "GET /x HTTP/1.1\r\nX:", .url = "http://127.0.0.1/"};
	CHECK(!http_start(h, &r, keep, &g) && errno == EINVAL, "refused: a method that is none");
	g = call(s, h, "GET", "/ok", &small);
	CHECK(g.status == 0 && g.sent && strstr(g.error, "larger"), "an answer over its limit: %s", g.error);
	g = call(s, h, "GET", "/ok", &exact);
	CHECK(g.status == 200, "an answer of its limit: %s", g.error);
	g = call(s, h, "GET", "/head", &plain);
	CHECK(g.status == 0 && g.sent && g.error[0], "a head over its limit: %s", g.error);
	g = call(s, h, "GET", "/garbage", &plain);
	CHECK(g.status == 0 && g.sent, "no HTTP: %s", g.error);
	g = call(s, h, "GET", "/half", &plain);
	CHECK(g.status == 0 && g.sent, "half an answer is none: %s", g.error);
}

static void sent(struct server *s, struct http *h)
{
	const struct http_request plain = {0}, body = {.body = "x", .nbody = 1}, quick = {.timeout = 100 * CLOCK_MS};
	const struct http_request quick_body = {.body = "x", .nbody = 1, .timeout = 100 * CLOCK_MS};
	unsigned before;
	struct got g = call(s, h, "POST", "/hang", &quick_body);

	CHECK(g.status == 0 && g.sent, "no answer in time: it may have arrived (%s)", g.error);
	g = call(s, h, "GET", "/hang", &quick);
	CHECK(g.status == 0 && g.sent && strstr(g.error, "imed out"), "so of a GET (%s)", g.error);
	g = call(s, h, "POST", "/drop", &body);
	CHECK(g.status == 0 && g.sent, "the connection ends without an answer (%s)", g.error);
	/* A kept connection on which the server answers once, and hangs up on the next request. */
	g = call(s, h, "POST", "/once", &body);
	CHECK(g.status == 200, "a connection of its own");
	before = s->requests;
	g = call(s, h, "POST", "/once", &body);
	CHECK(g.status == 0 && g.sent && s->requests == before + 1, "a POST is not repeated by itself: %d %s, %u requests", g.status,
		g.error, s->requests - before);
	g = call(s, h, "GET", "/once", &plain);
	before = s->requests;
	g = call(s, h, "GET", "/once", &plain);
	CHECK(g.status == 200 && s->requests == before + 2, "a GET is: %d %s", g.status, g.error);
}

static void nobody(struct server *s, struct http *h)
{
	struct server none = {.l = s->l};
	const struct http_request body = {.body = "x", .nbody = 1}, open = {.body = "x", .nbody = 1, .flags = HTTP_PUBLIC};
	struct got g;
	unsigned before = s->requests;

	if (listen_on(&none))
		exit(1);
	close(none.io.fd);
	g = call(&none, h, "POST", "/ok", &body);
	CHECK(g.status == 0 && !g.sent && g.error[0], "nobody listens: nothing was sent (%s)", g.error);
	g = call(s, h, "POST", "/ok", &open);
	CHECK(g.status == 0 && !g.sent && g.refused && s->requests == before, "a private address is refused, though a connection is kept: %s",
		g.error);
	g = (struct got){.l = s->l};
	CHECK(http_start(h, &(struct http_request){.method = "GET", .url = "http://localhost:1/", .flags = HTTP_PUBLIC}, keep, &g), "a name");
	loop_run(s->l);
	CHECK(g.refused && !g.sent, "a name that leads to a private address: %s", g.error);
}

/* The only connection is taken for longer than the second call may take, once it has left. */
static void waiting(struct server *s)
{
	struct http *h = http_open(s->l, &(struct http_opts){.max_host = 1});
	struct got slow = {.l = s->l}, next = {.l = s->l}, both = {.l = s->l};
	struct http_request r = {.method = "GET", .timeout = 300 * CLOCK_MS};
	unsigned left = 2;

	slow.left = next.left = &left;
	r.url = url(s, "/hang");
	CHECK(http_start(h, &r, keep, &slow), "one that gets no answer");
	r = (struct http_request){.method = "GET", .url = url(s, "/ok"), .timeout = 200 * CLOCK_MS, .wait = 10 * CLOCK_S};
	CHECK(http_start(h, &r, keep, &next), "one that waits for its connection");
	loop_run(s->l);
	CHECK(!slow.status && next.status == 200, "the time spent waiting is not taken from it: %s", next.error);
	both = call(s, h, "GET", "/hang", &(struct http_request){.timeout = 50 * CLOCK_MS, .wait = CLOCK_S});
	CHECK(!both.status && both.sent && strcmp(both.error, "no answer came in time") == 0, "it left, and has only its own time: %s", both.error);
	both = (struct got){.l = s->l, .close = h};
	r = (struct http_request){.method = "GET", .url = url(s, "/hang"), .timeout = 50 * CLOCK_MS, .wait = CLOCK_S};
	CHECK(http_start(h, &r, keep, &both), "one more");
	loop_run(s->l);
	CHECK(both.calls == 1 && both.sent, "closed within its callback");
}

static void many(struct server *s)
{
	static struct got g[40];
	struct http *h = http_open(s->l, &(struct http_opts){.max_host = 3, .agent = "me/1"});
	struct http_call *c[40];
	unsigned before = s->accepted, left = 30;
	int ok = 0;

	for (int i = 0; i < 40; i++) {
		struct http_request r = {.method = "GET", .url = url(s, i % 4 ? "/ok" : "/hang")};

		g[i] = (struct got){.l = s->l, .left = &left};
		c[i] = http_start(h, &r, keep, &g[i]);
		if (i % 4 == 0)
			http_cancel(c[i]);
	}
	loop_run(s->l);
	for (int i = 0; i < 40; i++)
		ok += i % 4 ? g[i].calls == 1 && g[i].status == 200 : g[i].calls == 0;
	CHECK(ok == 40, "each is told once, a cancelled one never: %d", ok);
	CHECK(s->accepted - before <= 3, "at most so many connections to a host: %u", s->accepted - before);
	CHECK(strstr(s->last, "User-Agent: me/1\r\n"), "under its name");
	/* Closed by the first callback: the others' never come. */
	for (int i = 0; i < 40; i++) {
		struct http_request r = {.method = "GET", .url = url(s, "/ok")};

		g[i] = (struct got){.l = s->l, .close = h};
		c[i] = http_start(h, &r, keep, &g[i]);
	}
	loop_run(s->l);
	ok = 0;
	for (int i = 0; i < 40; i++)
		ok += g[i].calls;
	CHECK(ok == 1, "closed within a callback: %d", ok);
	CHECK(!http_open(s->l, &(struct http_opts){.ca = "/nowhere/ca.pem"}), "certificates that are not there");
}

int main(void)
{
	static struct server s;
	struct http *h;

	addresses();
	s.l = loop_new();
	for (size_t i = 0; i < CONNS; i++)
		s.c[i].io.fd = -1;
	if (!s.l || listen_on(&s) || loop_io_add(s.l, &s.io, LOOP_IN))
		return 1;
	h = http_open(s.l, NULL);
	CHECK(h, "it opens");
	ordinary(&s, h);
	bad(&s, h);
	sent(&s, h);
	nobody(&s, h);
	http_close(h);
	waiting(&s);
	many(&s);
	for (size_t i = 0; i < CONNS; i++)
		if (s.c[i].io.fd >= 0)
			hang_up(&s.c[i]);
	loop_io_del(s.l, &s.io);
	close(s.io.fd);
	loop_free(s.l);
	return check_done();
}
