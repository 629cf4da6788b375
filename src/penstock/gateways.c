/* What the gateways of a tree say of their accounts: each has a socket run/SERVICE.ctl (gatewayd(8), CONTROL). */
#include "penstock/penstock.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "link/link.h"

#define PATIENCE CLOCK_S
#define SUFFIX ".ctl"
#define GATEWAYS_MAX 64

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The services that have such a socket, in order. A gateway that was killed leaves its. */
static size_t names(const struct tree *t, char *v[GATEWAYS_MAX])
{
	DIR *d = opendir(tree_path(t, "run"));
	struct dirent *e;
	size_t n = 0;

	while (d && n < GATEWAYS_MAX && (e = readdir(d))) {
		size_t len = strlen(e->d_name), k = strlen(SUFFIX);

		if (len > k && strcmp(e->d_name + len - k, SUFFIX) == 0)
			v[n++] = text_of("%.*s", (int)(len - k), e->d_name);
	}
	if (d)
		closedir(d);
	if (n)
		qsort(v, n, sizeof(*v), by_name);
	return n;
}

/* Does anybody listen there? A gateway that was killed leaves its socket, and is no fault here: the services tell of it. */
static bool listens(const struct tree *t, const char *service)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char *path = tree_path(t, text_of("run/%s" SUFFIX, service));
	int fd = strlen(path) < sizeof(sa.sun_path) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
	bool yes = true;	/* a path that is too long to try: link_call says so */

	if (fd < 0)
		return yes;
	strcpy(sa.sun_path, path);
	yes = connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 || errno == EAGAIN;
	close(fd);
	return yes;
}

static struct json *ask(const struct tree *t, const char *service, const char *question, int64_t patience_ns)
{
	struct json *doc = NULL;
	struct json_error err;
	struct buf reply;

	buf_init(&reply, LINK_MESSAGE_BYTES);
	if (link_call(tree_url(t, text_of("%s" SUFFIX, service)), question, strlen(question), patience_ns, &reply) == 0 &&
	    !(doc = json_parse(reply.p, reply.len, &err)))
		log_error("%s: its answer is not understood: %s", service, err.text);
	buf_release(&reply);
	return doc;
}

int gateways_ask(const struct tree *t, const char *only, const char *question, int64_t patience_ns,
	void (*fn)(void *arg, const char *service, const struct json *answer), void *arg)
{
	char *v[GATEWAYS_MAX];
	size_t n = names(t, v);
	int answered = 0;

	for (size_t i = 0; i < n; i++) {
		struct json *doc;

		if ((only && strcmp(only, v[i]) != 0) || !listens(t, v[i]))
			continue;
		doc = ask(t, v[i], question, patience_ns);
		if (!doc)
			continue;
		answered++;
		fn(arg, v[i], doc);
		json_free(doc);
	}
	return answered;
}

static const char *str(const struct json *object, const char *name, const char *otherwise)
{
	const char *s = json_str(json_member(object, name), NULL);

	return s ? text_plain(s) : otherwise;
}

static bool is_error(const struct json *fault)
{
	return strcmp(str(fault, "level", ""), "error") == 0;
}

/* Warnings do not count. */
static unsigned print_faults(const struct json *faults, FILE *to)
{
	unsigned bad = 0;

	for (size_t i = 0; i < json_count(faults); i++) {
		const struct json *f = json_at(faults, i);

		fprintf(to, "  %s%s\n", is_error(f) ? "" : "warning: ", str(f, "text", ""));
		bad += is_error(f);
	}
	return bad;
}

/* ---- asked to read again ---- */

static void on_reload(void *arg, const char *service, const struct json *answer)
{
	const char *error = str(answer, "error", "");
	int *rc = arg;

	if (*error) {
		log_error("%s: %s", service, error);
		*rc = -1;
	} else if (print_faults(json_member(answer, "faults"), stderr)) {
		log_error("%s: that is wrong with its accounts; the others are in force", service);
		*rc = -1;
	}
}

int gateway_reload(const struct tree *t, const char *service, int64_t patience_ns)
{
	int rc = 0;

	return gateways_ask(t, service, "{\"do\":\"reload\"}\n", patience_ns, on_reload, &rc) ? rc : 1;
}

/* ---- for people ---- */

static void on_begun(void *arg, const char *service, const struct json *answer)
{
	const struct json *faults = json_member(answer, "faults");

	(void)arg;
	if (json_count(faults) == 0)
		return;
	log_warn("%s: not all is well with its accounts (penstock reload %s, when it is mended):", service, service);
	print_faults(faults, stderr);
}

void accounts_warn(const struct tree *t, const char *service)
{
	gateways_ask(t, service, "{\"do\":\"accounts\"}\n", PATIENCE, on_begun, NULL);
}

/* How long ago a time was, "2m"; "" when it is none. */
static const char *ago(const char *when)
{
	int64_t at, s;

	if (!when[0] || clock_parse(when, strlen(when), &at))
		return "";
	s = (clock_wall() - at) / CLOCK_S;
	if (s < 0)
		s = 0;
	return s < 120 ? text_of("%" PRId64 "s", s) : s < 7200 ? text_of("%" PRId64 "m", s / 60) :
		s < 172800 ? text_of("%" PRId64 "h", s / 3600) : text_of("%" PRId64 "d", s / 86400);
}

static void print_conn(const struct json *account, const struct json *c)
{
	const char *lost = str(c, "lost", ""), *session = str(c, "session", "");
	int64_t code = json_int(json_member(c, "code"), 0), holder = json_int(json_member(c, "holder"), 0);

	printf("%-28s %-12s %6s %8s %10" PRId64, text_of("%s:%s/%" PRId64, str(account, "platform", ""), str(account, "account", ""),
		json_int(json_member(c, "n"), 0)), str(c, "state", ""), ago(str(c, "since", "")), *session ? ago(session) : "-",
		json_int(json_member(c, "lines"), 0));
	if (holder)
		printf("  held by process %" PRId64, holder);
	if (*str(c, "waits", ""))
		printf("  waits: %s", str(c, "waits", ""));
	if (*lost && code)
		printf("  lost %s ago: %s (%" PRId64 ")", ago(str(c, "lost_at", "")), lost, code);
	else if (*lost)
		printf("  lost %s ago: %s", ago(str(c, "lost_at", "")), lost);
	putchar('\n');
}

/* What a row tells, as text; "" for nothing. */
static const char *plain(const struct json *value)
{
	const char *s = json_str(value, NULL), *out;
	struct buf b;

	if (s)
		return text_plain(s);
	buf_init(&b, 4096);
	out = json_print(value, &b) == 0 && buf_cstr(&b) ? text_plain(b.p) : "";
	buf_release(&b);
	return out;
}

/* "name value, name value", those of an object in it among them; state, which stands before it, is left out. */
static int add_member(void *arg, const char *name, const struct json *value)
{
	struct buf *b = arg;
	const char *text;

	if (json_is_object(value))
		return json_each(value, add_member, b);
	text = plain(value);
	if (*text && strcmp(name, "state") != 0)
		buf_printf(b, "%s%s %s", b->len ? ", " : "", name, text);
	return 0;
}

/* A line for an object, "label: state, name value, ...". */
static void print_object(const char *label, const struct json *object)
{
	const char *state = str(object, "state", "");
	struct buf b;

	buf_init(&b, 16384);
	json_each(object, add_member, &b);
	if (*state || b.len)
		printf("    %s: %s%s%s\n", label, state, *state && b.len ? ", " : "", b.len && buf_cstr(&b) ? b.p : "");
	buf_release(&b);
}

/* Tokens that there are not need no line. */
static int print_token(void *arg, const char *name, const struct json *value)
{
	(void)arg;
	if (strcmp(str(value, "state", ""), "none") != 0)
		print_object(text_of("%s token", name), value);
	return 0;
}

/* What a platform says of an account: what is wrong; all that is no list in one line; a line for each element of a list. */
static int print_list(void *arg, const char *name, const struct json *value)
{
	(void)arg;
	for (size_t i = 0; json_is_array(value) && i < json_count(value); i++)
		print_object(name, json_at(value, i));
	return 0;
}

static int add_single(void *arg, const char *name, const struct json *value)
{
	return json_is_array(value) || strcmp(name, "error") == 0 ? 0 : add_member(arg, name, value);
}

static void print_status(const struct json *status)
{
	const char *error = str(status, "error", "");
	struct buf b;

	buf_init(&b, 16384);
	if (*error)
		printf("    error: %s\n", error);
	json_each(status, add_single, &b);
	if (b.len && buf_cstr(&b))
		printf("    %s\n", b.p);
	buf_release(&b);
	json_each(status, print_list, NULL);
}

static bool holds_any(const struct json *conns)
{
	for (size_t i = 0; i < json_count(conns); i++)
		if (strcmp(str(json_at(conns, i), "state", ""), "standby") != 0)
			return true;
	return json_count(conns) == 0;
}

static void print_account(const char *service, const struct json *a)
{
	const struct json *conns = json_member(a, "connections"), *left = json_member(a, "identifies_left");

	for (size_t k = 0; k < json_count(conns); k++)
		print_conn(a, json_at(conns, k));
	if (json_count(conns) == 0)
		printf("%-28s %s\n", text_of("%s:%s", str(a, "platform", ""), str(a, "account", "")), "no connection");
	if (strcmp(service, "gatewayd") != 0)
		printf("    service: %s\n", service);
	if (strcmp(str(a, "tenant", "default"), "default") != 0)
		printf("    tenant: %s\n", str(a, "tenant", ""));
	/* Who only waits knows nothing of it. */
	if (!holds_any(conns))
		return;
	if (left)
		printf("    identifies: %" PRId64 " left of %" PRId64 "\n", json_int(left, 0), json_int(json_member(a, "identifies_total"), 0));
	json_each(json_member(a, "tokens"), print_token, NULL);
	print_status(json_member(a, "status"));
}

/* What a person has to do something about: a connection that is not tried again, an account that cannot even begin. */
static unsigned stopped(const struct json *account)
{
	const struct json *conns = json_member(account, "connections");
	unsigned n = json_count(conns) == 0 && *str(json_member(account, "status"), "error", "");

	for (size_t i = 0; i < json_count(conns); i++)
		n += strcmp(str(json_at(conns, i), "state", ""), "stopped") == 0;
	return n;
}

struct print { bool began; unsigned bad; };

static void print_gateway(void *arg, const char *service, const struct json *answer)
{
	const struct json *accounts = json_member(answer, "accounts"), *faults = json_member(answer, "faults");
	struct print *p = arg;
	unsigned bad = 0;

	if (json_count(accounts) && !p->began)
		printf("\n%-28s %-12s %6s %8s %10s\n", "CONNECTION", "STATE", "SINCE", "SESSION", "LINES");
	p->began |= json_count(accounts) > 0;
	for (size_t i = 0; i < json_count(accounts); i++) {
		print_account(service, json_at(accounts, i));
		bad += stopped(json_at(accounts, i));
	}
	if (json_count(faults))
		printf("\n%s, when it read the accounts:\n", service);
	bad += print_faults(faults, stdout);
	if (bad)
		printf("  Changes are taken over by: penstock reload %s\n", service);
	p->bad += bad;
	if (json_bool(json_member(answer, "held"), false))
		printf("%s reads no platform now: the hub is behind\n", service);
}

unsigned accounts_print(const struct tree *t)
{
	struct print p = {.bad = 0};

	gateways_ask(t, NULL, "{\"do\":\"accounts\"}\n", PATIENCE, print_gateway, &p);
	return p.bad;
}

/* ---- for programs ---- */

struct object { struct buf *to; unsigned bad; };

static void add_gateway(void *arg, const char *service, const struct json *answer)
{
	const struct json *accounts = json_member(answer, "accounts"), *faults = json_member(answer, "faults");
	struct object *o = arg;
	struct buf *b = o->to;
	size_t at;

	buf_adds(b, b->len && b->p[b->len - 1] == '}' ? ",{\"service\":" : "{\"service\":");
	buf_add_json(b, service, strlen(service));
	at = b->len;
	/* The answer is an object: its brace becomes the comma before its members. */
	if (json_print(answer, b) == 0 && b->len > at + 2)
		b->p[at] = ',';
	for (size_t i = 0; i < json_count(accounts); i++)
		o->bad += stopped(json_at(accounts, i));
	for (size_t i = 0; i < json_count(faults); i++)
		o->bad += is_error(json_at(faults, i));
}

unsigned accounts_json(const struct tree *t, struct buf *out)
{
	struct object o = {.to = out};

	buf_addc(out, '[');
	gateways_ask(t, NULL, "{\"do\":\"accounts\"}\n", PATIENCE, add_gateway, &o);
	buf_addc(out, ']');
	return o.bad;
}
