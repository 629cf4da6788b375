/* oauth: one account's tokens, against a server that is played here: http_start keeps the request, and the test answers it. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "base/account.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/http.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/oauth.h"
#include "base/oauth_impl.h"
#include "base/url.h"

/* ---- the server ---- */

struct http_call { bool live; http_fn *fn; void *arg; char method[8], url[128], header[256], body[512]; };

static struct http_call calls[64];
static unsigned ncalls, answered;
static struct loop *loop;

struct http_call *http_start(struct http *h, const struct http_request *r, http_fn *fn, void *arg)
{
	struct http_call *c = &calls[ncalls];

	(void)h;
	if (ncalls == sizeof(calls) / sizeof(*calls))
		abort();
	ncalls++;
	*c = (struct http_call){.live = true, .fn = fn, .arg = arg};
	snprintf(c->method, sizeof(c->method), "%s", r->method);
	snprintf(c->url, sizeof(c->url), "%s", r->url);
	snprintf(c->header, sizeof(c->header), "%s", r->headers[0]);
	if (r->nbody)
		memcpy(c->body, r->body, r->nbody);
	loop_stop(loop);
	return c;
}

void http_cancel(struct http_call *c)
{
	c->live = false;
}

struct http *http_open(struct loop *l, const struct http_opts *o)
{
	(void)l, (void)o;
	return NULL;
}

void http_close(struct http *h)
{
	(void)h;
}

const char *http_header(const struct http_answer *a, const char *name)
{
	(void)a, (void)name;
	return NULL;
}

/* The oldest request that has no answer yet; waits for it. */
static struct http_call *asked(void)
{
	while (answered < ncalls && !calls[answered].live)
		answered++;
	while (answered == ncalls) {
		if (loop_run(loop))
			abort();
		while (answered < ncalls && !calls[answered].live)
			answered++;
	}
	return &calls[answered];
}

static void answer(int status, const char *body)
{
	struct http_call *c = asked();
	struct http_answer a = {.status = status, .error = status ? NULL : "no route", .sent = true, .body = body, .nbody = strlen(body)};

	answered++;
	c->live = false;
	c->fn(c->arg, &a);
}

static bool asks(const char *url, const char *what)
{
	struct http_call *c = asked();

	return strstr(c->url, url) && (strstr(c->body, what) || strstr(c->header, what));
}

/* ---- the account ---- */

static char dir[SCRATCH];

static void write_file(const char *name, const char *text, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)))
		abort();
	close(fd);
}

static const char *read_file(const char *name)
{
	static struct buf b;
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	buf_release(&b);
	buf_init(&b, 65536);
	return fd_read_file(path, &b) ? "" : buf_cstr(&b);
}

static struct account *account(const char *more)
{
	char text[512], path[128];
	struct account *a;

	snprintf(text, sizeof(text), "platform = twitch\nclient-id = C\noauth = http://127.0.0.1:1/oauth2\n%s\n", more);
	write_file("bot.conf", text, 0600);
	snprintf(path, sizeof(path), "%s/bot.conf", dir);
	a = account_read(path, "acme", "bot");
	if (!a)
		abort();
	return a;
}

#define USER_WORDS "token-file = token.json\nclient-secret-file = secret"

struct got { int n; char text[64], error[200]; bool final; int64_t again; };

static void got(void *arg, const struct oauth_token *t)
{
	struct got *g = arg;

	g->n++;
	snprintf(g->text, sizeof(g->text), "%s", t->text ? t->text : "");
	snprintf(g->error, sizeof(g->error), "%s", t->error ? t->error : "");
	g->final = t->final;
	g->again = t->again;
	loop_stop(loop);
}

static unsigned news[2];

static void changed(void *arg, enum oauth_kind kind, bool ok)
{
	(void)arg;
	if (kind == OAUTH_USER)
		news[ok]++;
}

static const struct got *get(struct oauth *o, enum oauth_kind kind, const char *refused)
{
	static struct got g;

	g = (struct got){0};
	if (!oauth_get(o, kind, refused, got, &g))
		abort();
	while (!g.n)
		if (loop_run(loop))
			abort();
	return &g;
}

static struct oauth *opened(const char *words)
{
	struct account *a = account(words);
	struct oauth *o = oauth_open(loop, NULL, a, changed, NULL);

	account_free(a);
	if (!o)
		abort();
	return o;
}

/* ---- what is promised ---- */

static void refresh(void)
{
	struct oauth *o;
	struct got g[3] = {{0}};
	struct stat st;
	char path[128];

	write_file("token.json", "{\"access_token\":\"one\",\"refresh_token\":\"r1+/\",\"note\":\"mine\",\"scope\":[\"a\"]}\n", 0600);
	o = opened(USER_WORDS);
	CHECK(asks("/oauth2/validate", "Authorization: OAuth one"), "a token is validated at the start");
	oauth_get(o, OAUTH_USER, NULL, got, &g[0]);
	answer(200, "{\"client_id\":\"C\",\"login\":\"bot\",\"user_id\":\"99\",\"scopes\":[\"user:bot\"],\"expires_in\":14000}");
	CHECK(strcmp(get(o, OAUTH_USER, NULL)->text, "one") == 0 && strcmp(g[0].text, "one") == 0, "and given when it is valid");
	for (int i = 0; i < 3; i++) {
		g[i] = (struct got){0};
		oauth_get(o, OAUTH_USER, "one", got, &g[i]);
	}
	CHECK(asks("/oauth2/token", "grant_type=refresh_token&refresh_token=r1%2B%2F&client_id=C&client_secret=s%26cret"),
	      "refused: refreshed, the form encoded");
	CHECK(ncalls == 2 && oauth_busy(o), "one refresh for three who wait, and the process should not end now");
	answer(200, "{\"access_token\":\"two\",\"refresh_token\":\"r2\",\"expires_in\":14000,\"scope\":[\"b\"],\"token_type\":\"bearer\"}");
	CHECK(!oauth_busy(o) && g[0].n + g[1].n + g[2].n == 0 && strstr(read_file("token.json"), "\"access_token\":\"two\""), "saved before anybody has it");
	while (g[2].n == 0)
		loop_run(loop);
	CHECK(strcmp(g[0].text, "two") == 0 && strcmp(g[1].text, "two") == 0 && strcmp(g[2].text, "two") == 0, "all three have it");
	snprintf(path, sizeof(path), "%s/token.json", dir);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600, "mode 0600");
	CHECK(strcmp(read_file("token.json"), "{\"note\":\"mine\",\"access_token\":\"two\",\"refresh_token\":\"r2\",\"expires_in\":14000,"
	      "\"scope\":[\"b\"],\"token_type\":\"bearer\"}\n") == 0, "other members stay");
	CHECK(strcmp(get(o, OAUTH_USER, "one")->text, "two") == 0 && ncalls == 2, "a late refusal of the old one costs nothing");
	CHECK(news[1] == 2 && news[0] == 0, "told that another token is in force");
	oauth_close(o);
}

static void failures(void)
{
	struct oauth *o;
	const struct got *g;

	write_file("token.json", "{\"access_token\":\"one\",\"refresh_token\":\"r1\"}", 0600);
	o = opened(USER_WORDS "\nuser = 99");
	answer(0, "");
	CHECK(strcmp(get(o, OAUTH_USER, NULL)->text, "one") == 0, "no answer to a validation says nothing against a token");
	struct got first = {0};
	oauth_get(o, OAUTH_USER, "one", got, &first);
	asked();
	answer(503, "<html>");
	while (!first.n)
		loop_run(loop);
	CHECK(first.text[0] == '\0' && !first.final && first.again > 0 && strstr(first.error, "503"), "a 503 is no end: %s", first.error);
	g = get(o, OAUTH_USER, "one");
	CHECK(!g->final && g->again > 0, "meanwhile nobody asks again");
	CHECK(strstr(read_file("token.json"), "\"refresh_token\":\"r1\""), "and the refresh token stays");
	CHECK(asks("/token", "refresh_token=r1"), "it is tried again by itself");
	news[0] = 0;
	answer(400, "{\"status\":400,\"message\":\"Invalid refresh token\"}");
	g = get(o, OAUTH_USER, "one");
	CHECK(g->final && strstr(g->error, "Invalid refresh token"), "a 400 is the end: %s", g->error);
	CHECK(news[0] == 1, "which is told");
	unsigned before = ncalls;
	CHECK(get(o, OAUTH_USER, NULL)->final && ncalls == before, "nothing is asked any more");
	write_file("token.json", "{\"access_token\":\"three\",\"refresh_token\":\"r3\"}", 0600);
	struct got after = {0};
	oauth_get(o, OAUTH_USER, NULL, got, &after);
	CHECK(asks("/validate", "OAuth three"), "until a person writes another file");
	answer(200, "{\"client_id\":\"C\",\"user_id\":\"98\",\"expires_in\":0}");
	while (!after.n)
		loop_run(loop);
	CHECK(after.final && strstr(after.error, "another user"), "the token of somebody else is refused");
	oauth_close(o);
}

static void save(void)
{
	struct oauth *o;
	const struct got *g;
	char path[128];

	write_file("token.json", "{\"access_token\":\"one\",\"refresh_token\":\"r1\"}", 0600);
	o = opened(USER_WORDS);
	answer(200, "{\"client_id\":\"C\",\"expires_in\":1000}");
	struct got first = {0};
	oauth_get(o, OAUTH_USER, "one", got, &first);
	asked();
	/* A folder in the place of the new file: it cannot be written, whoever runs this. */
	snprintf(path, sizeof(path), "%s/token.json.new", dir);
	mkdir(path, 0700);
	answer(200, "{\"access_token\":\"two\",\"refresh_token\":\"r2\"}");
	while (!first.n)
		loop_run(loop);
	CHECK(first.text[0] == '\0' && !first.final && strstr(first.error, "cannot be written"), "not saved, not used: %s", first.error);
	rmdir(path);
	do
		g = get(o, OAUTH_USER, "one");
	while (!g->text[0] && !g->final);
	CHECK(strcmp(g->text, "two") == 0 && strstr(read_file("token.json"), "r2"), "saved later, then used");
	CHECK(ncalls == answered, "the server was asked once");
	oauth_close(o);
}

/* When a token is looked at again: every hour, and before its time is over. */
static void times(void)
{
	static const struct { int life; int64_t least, most; } rows[] = {
		{0, 3000, 3600}, {14000, 3000, 3600}, {3000, 2690, 2700}, {400, 290, 300},
	};
	char text[80];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct oauth_slot *s;
		struct oauth *o;
		int64_t due;

		write_file("token.json", "{\"access_token\":\"one\",\"refresh_token\":\"r1\"}", 0600);
		o = opened(USER_WORDS);
		snprintf(text, sizeof(text), "{\"client_id\":\"C\",\"expires_in\":%d,\"scopes\":\"a b\"}", rows[i].life);
		answer(200, text);
		CHECK(strcmp(get(o, OAUTH_USER, NULL)->text, "one") == 0, "a life of %d s: 0 is none that ends", rows[i].life);
		s = &o->slot[OAUTH_USER];
		due = s->timer.due - clock_mono();
		CHECK(due > rows[i].least * CLOCK_S && due <= rows[i].most * CLOCK_S, "looked at in %lld s", (long long)(due / CLOCK_S));
		CHECK(strcmp(s->scopes, "a b") == 0, "scopes as the plain text of old samples");
		oauth_close(o);
	}
}

/* What is given back is kept, and what was not given back, too. */
static void kept(void)
{
	struct oauth *o;
	struct got g = {0};
	char path[128];
	unsigned before;

	write_file("token.json", "{\"access_token\":\"one\",\"refresh_token\":\"r1\",\"scope\":[\"a\"]}", 0600);
	o = opened(USER_WORDS);
	answer(200, "{\"client_id\":\"C\"}");
	oauth_get(o, OAUTH_USER, "one", got, &g);
	asked();
	answer(200, "{\"access_token\":\"two\"}");
	CHECK(strstr(read_file("token.json"), "\"access_token\":\"two\",\"refresh_token\":\"r1\"}"), "no other refresh token came: the one that was used: %s", read_file("token.json"));
	while (!g.n)
		loop_run(loop);
	/* A folder that cannot be written is found before the refresh token is spent. */
	snprintf(path, sizeof(path), "%s/token.json.new", dir);
	mkdir(path, 0700);
	before = ncalls;
	g = (struct got){0};
	oauth_get(o, OAUTH_USER, "two", got, &g);
	while (!g.n)
		loop_run(loop);
	CHECK(ncalls == before && !g.final && strstr(g.error, "cannot be written"), "nothing is asked for that could not be kept: %s", g.error);
	rmdir(path);
	/* It comes, cannot be written, and the process ends. */
	CHECK(asks("/token", "refresh_token=r1"), "asked, as soon as it can be kept");
	mkdir(path, 0700);
	answer(200, "{\"access_token\":\"three\",\"refresh_token\":\"r3\"}");
	rmdir(path);
	oauth_close(o);
	CHECK(strstr(read_file("token.json"), "\"access_token\":\"three\",\"refresh_token\":\"r3\""), "the last chance to write it is taken");
	/* What a server says is shown, but for secrets in it. */
	o = opened(USER_WORDS);
	answer(401, "{\"message\":\"three is not good\"}");
	asked();
	answer(400, "{\"message\":\"nor three now\"}");
	CHECK(get(o, OAUTH_USER, NULL)->final && !strstr(get(o, OAUTH_USER, NULL)->error, "three"), "no token is told");
	oauth_close(o);
	write_file("token.json", "{\"access_token\":\"three\",\"refresh_token\":\"r3\"}", 0600);
	o = opened(USER_WORDS);
	answer(401, "{}");
	asked();
	answer(400, "{\"message\":\"r3 is not good\"}");
	CHECK(get(o, OAUTH_USER, NULL)->final && !strstr(get(o, OAUTH_USER, NULL)->error, "r3"), "nor what it would be had with");
	oauth_close(o);
}

static void processes(void)
{
	struct oauth *o;
	struct got g = {0};
	char path[128];
	int lock;

	write_file("token.json", "{\"access_token\":\"one\",\"refresh_token\":\"r1\"}", 0600);
	o = opened(USER_WORDS);
	answer(200, "{\"client_id\":\"C\",\"expires_in\":1000}");
	get(o, OAUTH_USER, NULL);
	snprintf(path, sizeof(path), "%s/token.json.lock", dir);
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(flock(lock, LOCK_EX | LOCK_NB) == 0, "another process refreshes");
	oauth_get(o, OAUTH_USER, "one", got, &g);
	struct buf j;
	buf_init(&j, 4096);
	do {
		buf_clear(&j);
		loop_poll(loop);
		oauth_status(o, &j);
	} while (!strstr(buf_cstr(&j), "\"user\":{\"state\":\"waiting\""));
	CHECK(ncalls == answered && !g.n, "nothing is asked meanwhile");
	write_file("token.json", "{\"access_token\":\"two\",\"refresh_token\":\"r2\"}", 0600);
	close(lock);
	CHECK(asks("/validate", "OAuth two"), "what the other one wrote is taken over");
	answer(200, "{\"client_id\":\"C\",\"login\":\"bot\",\"user_id\":\"99\",\"scopes\":[\"a\",\"b\"],\"expires_in\":1000}");
	while (!g.n)
		loop_run(loop);
	CHECK(strcmp(g.text, "two") == 0, "and given");
	buf_clear(&j);
	oauth_status(o, &j);
	CHECK(strstr(buf_cstr(&j), "\"user\":{\"state\":\"ok\",\"login\":\"bot\",\"user_id\":\"99\",\"scopes\":\"a b\",\"validated\":\"") &&
	      !strstr(buf_cstr(&j), "two"), "status: %s", buf_cstr(&j));
	buf_release(&j);
	lock = open(path, O_RDWR | O_CLOEXEC);
	CHECK(flock(lock, LOCK_EX | LOCK_NB) == 0, "the lock is given back");
	close(lock);
	oauth_close(o);
}

static void app(void)
{
	struct oauth *o = opened("client-secret-file = secret");
	struct got g = {0};

	CHECK(ncalls == answered && !oauth_has(o, OAUTH_USER), "an app token is not asked for before somebody wants it");
	CHECK(get(o, OAUTH_USER, NULL)->final, "without token-file there is no user token");
	oauth_get(o, OAUTH_APP, NULL, got, &g);
	CHECK(asks("/token", "grant_type=client_credentials&client_id=C&client_secret=s%26cret"), "client credentials");
	answer(200, "{\"access_token\":\"app1\",\"expires_in\":1,\"token_type\":\"bearer\"}");
	while (!g.n)
		loop_run(loop);
	CHECK(strcmp(g.text, "app1") == 0, "an app token");
	CHECK(asks("/token", "client_credentials"), "another one is asked for before its time is over");
	answer(200, "{\"access_token\":\"app2\",\"expires_in\":5000,\"token_type\":\"bearer\"}");
	CHECK(strcmp(get(o, OAUTH_APP, "app1")->text, "app2") == 0, "and given");
	g = (struct got){0};
	oauth_get(o, OAUTH_APP, "app2", got, &g);
	asked();
	answer(403, "{\"status\":403,\"message\":\"invalid client secret s&cret\"}");
	while (!g.n)
		loop_run(loop);
	CHECK(g.final && !strstr(g.error, "s&cret"), "a wrong secret is the end, and is not told: %s", g.error);
	oauth_close(o);
}

static void reload(void)
{
	struct oauth *o;
	struct account *a;

	write_file("token.json", "bare-token\n", 0600);
	o = opened(USER_WORDS);
	CHECK(asks("/validate", "OAuth bare-token"), "a bare token");
	answer(401, "{\"status\":401,\"message\":\"invalid access token\"}");
	CHECK(get(o, OAUTH_USER, NULL)->final, "which cannot be refreshed");
	write_file("token.json", "nothing good", 0600);
	a = account(USER_WORDS);
	CHECK(oauth_reload(o, a) == -1 && get(o, OAUTH_USER, NULL)->final, "a bad file is refused, all stays");
	account_free(a);
	write_file("token.json", "{\"access_token\":\"new\",\"refresh_token\":\"r\"}", 0600);
	a = account(USER_WORDS);
	CHECK(oauth_reload(o, a) == 0 && asks("/validate", "OAuth new"), "a good one is taken");
	answer(200, "{\"client_id\":\"other\"}");
	CHECK(get(o, OAUTH_USER, NULL)->final, "the token of another client is not");
	account_free(a);
	write_file("token.json", "{\"access_token\":\"x\"}", 0644);
	a = account(USER_WORDS);
	CHECK(!oauth_open(loop, NULL, a, NULL, NULL), "a token that others can read is refused");
	account_free(a);
	oauth_close(o);
}

static void urls(void)
{
	CHECK(url_safe("https://id.twitch.tv/oauth2") && url_safe("http://127.0.0.1:80/x") && url_safe("ws://localhost/") &&
	      url_safe("wss://h/") && url_safe("http://[::1]:1"), "where secrets may go");
	CHECK(!url_safe("http://example.org/") && !url_safe("http://127.0.0.1.example.org") && !url_safe("ftp://x") &&
	      !url_safe("http://localhost:x@example.org/") && !url_safe(""), "and where not");
}

int main(void)
{
	log_init("test");
	log_set(LOG_TEXT, LOG_ERROR);
	loop = loop_new();
	if (!loop)
		return 1;
	scratch_make(dir);
	write_file("secret", "s&cret\n", 0600);
	refresh();
	failures();
	save();
	times();
	kept();
	processes();
	app();
	reload();
	urls();
	loop_free(loop);
	return check_done();
}
