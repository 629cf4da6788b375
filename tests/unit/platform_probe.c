#include "platform_probe.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "base/account.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/http.h"

#define CONNS 64
#define TIMERS 4
#define FIELDS 32

/* Header fields as a script gave them; base/http.c has its own. */
struct http_fields { unsigned n; char *name[FIELDS], *value[FIELDS]; };

struct alarm { int64_t due; char why[128]; };

struct conn {
	struct alarm timer[TIMERS], expect[2];
	struct buf saved;
	int64_t whole;		/* wall, of saved; 0: nothing was */
};

struct out {
	const struct platform *pl;
	void *object;
	struct accounts accounts;
	char dir[SCRATCH], bot[OUT_BOT];
	int64_t now, wall;
	uint64_t random, count, lines;
	unsigned calls;
	bool quiet;
	void (*on_line)(void *arg, const char *line, size_t n);
	void *arg;
	struct conn conns[CONNS + 1];	/* the last one: conn UINT_MAX, the account itself */
	struct buf record;
};

static _Noreturn void fail(const char *what, const char *about)
{
	fprintf(stderr, "platform_probe: %s: %s\n", what, about);
	exit(2);
}

static struct conn *conn_of(struct out *o, unsigned conn)
{
	if (conn >= CONNS && conn != UINT32_MAX)
		fail("no such connection in a probe", "more than 64");
	return &o->conns[conn < CONNS ? conn : CONNS];
}

/* ---- the record ---- */

static void note(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(struct out *o, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (o->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_adds(&o->record, text);
}

static void note_bytes(struct out *o, const char *p, size_t n)
{
	for (size_t i = 0; i < n && !o->quiet; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '\\')
			buf_adds(&o->record, "\\\\");
		else if (c == '\r' || c == '\n' || c == '\t')
			buf_printf(&o->record, "\\%c", c == '\r' ? 'r' : c == '\n' ? 'n' : 't');
		else if (c < 0x20 || c >= 0x7f)
			buf_printf(&o->record, "\\x%02x", c);
		else
			buf_addc(&o->record, (char)c);
	}
}

static void note_end(struct out *o, const char *text)
{
	note_bytes(o, text ? text : "", text ? strlen(text) : 0);
	note(o, "\n");
}

static const char *conn_text(unsigned conn)
{
	static char text[2][12];
	static unsigned turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]), conn == UINT32_MAX ? "-" : "%u", conn);
	return text[turn];
}

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

const char *probe_take(struct out *o)
{
	static char *last;

	free(last);
	last = strdup(buf_cstr(&o->record) ? o->record.p : "");
	buf_clear(&o->record);
	return last;
}

bool probe_saw(struct out *o, const char *text)
{
	const char *p = buf_cstr(&o->record);
	size_t n = strlen(text);

	for (; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL)
		if (strncmp(p, text, n) == 0)
			return true;
	return false;
}

/* ---- the wishes ---- */

void out_connections(struct out *o, unsigned n)
{
	note(o, "connections %u\n", n);
}

void out_bot(struct out *o, const char *bot)
{
	snprintf(o->bot, sizeof(o->bot), "%s", bot);
}

const char *probe_bot(const struct out *o)
{
	return o->bot;
}

void out_budget(struct out *o, unsigned concurrency, int64_t every, uint64_t total, uint64_t remaining, int64_t reset)
{
	note(o, "budget keys=%u every=%gms total=%" PRIu64 " remaining=%" PRIu64 " reset=%.0fms\n", concurrency, ms(every), total, remaining,
		ms(reset));
}

void out_send(struct out *o, unsigned conn, unsigned sock, const char *p, size_t n)
{
	note(o, "send %s.%u ", conn_text(conn), sock);
	note_bytes(o, p, n);
	note(o, "\n");
}

void out_close(struct out *o, unsigned conn, unsigned sock, unsigned code, const char *reason)
{
	conn_of(o, conn)->expect[sock & 1].due = 0;
	note(o, "close %s.%u %u ", conn_text(conn), sock, code);
	note_end(o, reason);
}

void out_dial_next(struct out *o, unsigned conn, const char *url, int64_t opening)
{
	note(o, "dial-next %s ", conn_text(conn));
	note_bytes(o, url, strlen(url));
	note(o, " opening=%gms\n", ms(opening));
}

bool out_linger(struct out *o, unsigned conn, int64_t within, int64_t least, const char *from, const char *to)
{
	(void)least;
	note(o, "linger %s +%g [%s] [%s]\n", conn_text(conn), ms(within), from, to);
	return true;
}

void out_switch(struct out *o, unsigned conn)
{
	struct conn *c = conn_of(o, conn);

	c->expect[0] = c->expect[1];
	c->expect[1].due = 0;
	note(o, "switch %s\n", conn_text(conn));
}

void out_live(struct out *o, unsigned conn, bool resumed)
{
	note(o, "live %s %s\n", conn_text(conn), resumed ? "resumed" : "up");
}

void out_lost(struct out *o, unsigned conn, enum next next, unsigned code, const char *reason, int64_t wait)
{
	static const char *const words[] = {[NEXT_RESUME] = "resume", [NEXT_FRESH] = "fresh", [NEXT_STOP] = "stop"};
	struct conn *c = conn_of(o, conn);

	c->expect[0].due = c->expect[1].due = 0;
	for (unsigned i = 0; i < TIMERS; i++)
		c->timer[i].due = 0;
	note(o, "lost %s %s %u wait=%gms ", conn_text(conn), words[next], code, ms(wait));
	note_end(o, reason);
}

void out_expect(struct out *o, unsigned conn, unsigned sock, int64_t within, const char *why)
{
	struct alarm *a = &conn_of(o, conn)->expect[sock & 1];

	a->due = within ? o->now + within : 0;
	snprintf(a->why, sizeof(a->why), "%s", why ? why : "");
	if (!within) {
		note(o, "expect %s.%u off\n", conn_text(conn), sock);
		return;
	}
	note(o, "expect %s.%u %g ", conn_text(conn), sock, ms(within));
	note_end(o, why);
}

void out_line(struct out *o, unsigned conn, const char *line, size_t n, uint64_t mark, uint64_t ticket)
{
	o->lines++;
	if (o->on_line)
		o->on_line(o->arg, line, n);
	while (n && line[n - 1] == '\n')
		n--;
	note(o, "line %s mark=%" PRIu64 " ticket=%" PRIu64 " ", conn_text(conn), mark, ticket);
	if (!o->quiet) {
		buf_add(&o->record, line, n);
		buf_addc(&o->record, '\n');
	}
}

void out_mark(struct out *o, unsigned conn, uint64_t mark)
{
	note(o, "mark %s %" PRIu64 "\n", conn_text(conn), mark);
}

void out_gap(struct out *o, unsigned conn, const char *reason, const char *from, const char *to)
{
	note(o, "gap %s [", conn_text(conn));
	note_bytes(o, from, strlen(from));
	note(o, "] [");
	note_bytes(o, to, strlen(to));
	note(o, "] ");
	note_end(o, reason);
}

void out_timer(struct out *o, unsigned conn, unsigned timer, int64_t due)
{
	if (timer >= TIMERS)
		fail("a connection has four timers", "0 to 3");
	conn_of(o, conn)->timer[timer].due = due;
	if (due)
		note(o, "timer %s.%u +%g\n", conn_text(conn), timer, ms(due - o->now));
	else
		note(o, "timer %s.%u off\n", conn_text(conn), timer);
}

unsigned out_http(struct out *o, const struct http_request *r, int token)
{
	static const char *const words[] = {[OUT_TOKEN_NONE] = "", [OUT_TOKEN_USER] = " token=user", [OUT_TOKEN_APP] = " token=app"};

	note(o, "http %u %s ", ++o->calls, r->method);
	note_bytes(o, r->url, strlen(r->url));
	note(o, "%s", words[token]);
	if (r->timeout)
		note(o, " within=%gms", ms(r->timeout));
	note(o, "\n");
	for (const char *const *h = r->headers; h && *h; h++) {
		note(o, "  ");
		note_end(o, *h);
	}
	if (r->body) {
		note(o, "  > ");
		note_bytes(o, r->body, r->nbody);
		note(o, "\n");
	}
	return o->calls;
}

void out_save(struct out *o, unsigned conn, const char *text, size_t n)
{
	struct conn *c = conn_of(o, conn);

	buf_clear(&c->saved);
	if (n)
		buf_add(&c->saved, text, n);
	c->whole = clock_wall();
	note(o, "save %s ", conn_text(conn));
	note_bytes(o, text, n);
	note(o, "\n");
}

void out_saved_all(struct out *o, out_saved_fn *fn, void *arg)
{
	for (unsigned i = 0; i < CONNS; i++)
		if (o->conns[i].whole)
			fn(arg, i, buf_cstr(&o->conns[i].saved) ? o->conns[i].saved.p : "", o->conns[i].saved.len, o->conns[i].whole);
}

void out_hook_reply(struct out *o, uint64_t ticket, int status, const char *type, const char *body, size_t n, bool when_kept)
{
	note(o, "reply %" PRIu64 " %d %s%s ", ticket, status, type && *type ? type : "-", when_kept ? " kept" : "");
	note_bytes(o, body, body ? n : 0);
	note(o, "\n");
}

void out_hooks(struct out *o, int64_t again)
{
	(void)o, (void)again;	/* inside open nothing is recorded */
}

bool out_saying(struct out *o, uint64_t ticket)
{
	note(o, "saying %" PRIu64 "\n", ticket);
	return true;
}

void out_said(struct out *o, uint64_t ticket, enum said_as as, const char *text)
{
	static const char *const words[] = {[SAID_DONE] = "", [SAID_LATER] = " again", [SAID_REFUSED] = "", [SAID_INVALID] = " invalid",
		[SAID_UNKNOWN] = " unknown"};

	note(o, "said %" PRIu64 " %s ", ticket, as == SAID_DONE && *text ? text : "-");
	note_bytes(o, as == SAID_DONE ? "-" : text, as == SAID_DONE ? 1 : strlen(text));
	note(o, "%s\n", words[as]);
}

int64_t out_wall(struct out *o)
{
	return o->wall;
}

uint64_t out_random(struct out *o)
{
	return o->random + o->count++;
}

const struct account *out_account(const struct out *o)
{
	return o->accounts.v[0];
}

/* ---- fields of answers and hooks ---- */

static void fields_read(struct http_fields *f, char **rest)
{
	for (f->n = 0; f->n < FIELDS; f->n++) {
		char *colon = strstr(*rest, ": "), *bar = strstr(*rest, " |"), *space = strchr(*rest, ' ');

		if (!colon || !bar || colon > bar || space < colon)
			return;
		*colon = *bar = '\0';
		f->name[f->n] = *rest;
		f->value[f->n] = colon + 2;
		*rest = bar + 2 + (bar[2] == ' ');
	}
}

static const char *field_get(const struct http_fields *f, const char *name)
{
	const char *v = NULL;

	for (unsigned i = 0; i < f->n; i++)
		if (strcasecmp(f->name[i], name) == 0)
			v = f->value[i];
	return v;
}

const char *http_header(const struct http_answer *a, const char *name)
{
	return a->fields ? field_get(a->fields, name) : NULL;
}

static struct http_fields *hook_fields;	/* of the hook under way */

static const char *hook_field(const struct hook *h, const char *name, size_t *n)
{
	const char *v = field_get(hook_fields, name);

	(void)h;
	*n = v ? strlen(v) : 0;
	return v;
}

/* ---- the script ---- */

static unsigned digit(int c)
{
	return (unsigned)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
}

static void unescape(const char *s, struct buf *to)
{
	for (; *s; s++) {
		if (*s != '\\') {
			buf_addc(to, *s);
		} else if (s[1] == 'x' && isxdigit((unsigned char)s[2]) && isxdigit((unsigned char)s[3])) {
			buf_addc(to, (char)(digit(s[2]) << 4 | digit(s[3])));
			s += 3;
		} else if (*++s) {
			buf_addc(to, *s == 'r' ? '\r' : *s == 'n' ? '\n' : *s == 't' ? '\t' : *s);
		} else {
			return;
		}
	}
}

static void unhex(const char *s, struct buf *to)
{
	for (; isxdigit((unsigned char)s[0]) && isxdigit((unsigned char)s[1]); s += 2)
		buf_addc(to, (char)(digit(s[0]) << 4 | digit(s[1])));
}

static char *word(char **rest)
{
	char *w = *rest + strspn(*rest, " "), *end = w + strcspn(w, " ");

	*rest = *end ? end + 1 : end;
	*end = '\0';
	return w;
}

/* C or C.S */
static unsigned place(char **rest, unsigned *sock)
{
	char *w = word(rest), *dot = strchr(w, '.');

	*sock = dot ? (unsigned)atoi(dot + 1) % 3 : 0;
	return *w == '-' ? UINT32_MAX : (unsigned)atoi(w);
}

static void step_dial(struct out *o, char *rest)
{
	unsigned conn = (unsigned)atoi(word(&rest));
	struct conn *c = conn_of(o, conn);
	struct dial d = {.opening = 0};
	struct buf saved;
	int rc;

	buf_init(&saved, 1 << 20);
	if (*rest ? buf_adds(&saved, strcmp(rest, "-") == 0 ? "" : rest) : buf_add(&saved, c->saved.p, c->saved.len))
		fail("saved", "too long");
	rc = o->pl->dial(o->object, conn, saved.len ? saved.p : NULL, saved.len, &d, o->now);
	buf_release(&saved);
	if (rc) {
		note(o, "dial %u no\n", conn);
		return;
	}
	note(o, "dial %u ", conn);
	note_bytes(o, d.url, strlen(d.url));
	if (d.costs_identify)
		note(o, " identify=%u", d.budget_key);
	note(o, " opening=%gms greeting=%gms\n", ms(d.opening), ms(d.greeting));
}

static void step_disk(struct out *o, char *rest)
{
	struct conn *c = conn_of(o, (unsigned)atoi(word(&rest)));

	c->whole = strtoll(word(&rest), NULL, 10) * CLOCK_S;
	buf_clear(&c->saved);
	buf_adds(&c->saved, rest);
}

static void step_answer(struct out *o, char *rest)
{
	unsigned call = (unsigned)atoi(word(&rest));
	int status = atoi(word(&rest));
	struct http_fields f;
	struct http_answer a = {.status = status, .sent = true, .fields = &f};

	fields_read(&f, &rest);
	a.body = status ? rest : "";
	a.nbody = strlen(a.body);
	a.error = status ? NULL : rest;
	o->pl->answer(o->object, call, &a, o->now);
}

static void step_hook(struct out *o, char *rest)
{
	struct http_fields f;
	struct hook h = {.field = hook_field, .wall = o->wall};

	h.ticket = strtoull(word(&rest), NULL, 10);
	h.path = word(&rest);
	if (strcmp(h.path, "-") == 0)
		h.path = "";
	fields_read(&f, &rest);
	hook_fields = &f;
	h.body = rest;
	h.nbody = strlen(rest);
	o->pl->hook(o->object, &h, o->now);
	hook_fields = NULL;
}

/* The alarm that is due first, up to `until`. */
static struct alarm *first(struct out *o, int64_t until, unsigned *conn, unsigned *which)
{
	struct alarm *best = NULL;

	for (unsigned c = 0; c <= CONNS; c++) {
		for (unsigned i = 0; i < TIMERS + 2; i++) {
			struct alarm *a = i < TIMERS ? &o->conns[c].timer[i] : &o->conns[c].expect[i - TIMERS];

			if (!a->due || a->due > until || (best && best->due <= a->due))
				continue;
			best = a;
			*conn = c < CONNS ? c : UINT32_MAX;
			*which = i;
		}
	}
	return best;
}

static void advance(struct out *o, int64_t until)
{
	struct alarm *a;
	unsigned conn = 0, which = 0;

	while ((a = first(o, until, &conn, &which))) {
		if (o->now < a->due)
			o->now = a->due;
		a->due = 0;
		if (which < TIMERS) {
			o->pl->due(o->object, conn, which, o->now);
		} else {
			char why[sizeof(a->why)];

			strcpy(why, a->why);
			note(o, "expired %s.%u ", conn_text(conn), which - TIMERS);
			note_end(o, why);
			o->pl->gone(o->object, conn, which - TIMERS, 0, why, o->now);
		}
	}
	o->now = until;
}

static int account_write(struct out *o, const char *conf)
{
	struct accounts a = {NULL, 0};
	unsigned bad = 0;

	probe_file(o, "bot.conf", conf);
	if (accounts_read(&a, o->dir, &bad) || bad || a.n != 1) {
		accounts_release(&a);
		return -1;
	}
	accounts_release(&o->accounts);
	o->accounts = a;
	return 0;
}

static void step_reload(struct out *o, const char *text)
{
	struct accounts old = o->accounts;
	struct buf conf;
	bool done;

	o->accounts = (struct accounts){NULL, 0};
	buf_init(&conf, 1 << 16);
	unescape(text, &conf);
	if (account_write(o, buf_cstr(&conf)))
		fail("reload", "the account was refused");
	buf_release(&conf);
	done = o->pl->reload(o->object, o->accounts.v[0], o->now);
	note(o, "reload %s\n", done ? "yes" : "no");
	accounts_release(&old);
}

static void step_frame(struct out *o, const char *what, char *rest)
{
	unsigned sock, conn = place(&rest, &sock);
	struct buf b;

	buf_init(&b, 1 << 26);
	if (strcmp(what, "binary") == 0)
		unhex(rest, &b);
	else if (strcmp(what, "stream") == 0)
		unescape(rest, &b);
	else
		buf_adds(&b, rest);
	if (!buf_cstr(&b))
		fail(what, "no memory");
	o->pl->frame(o->object, conn, sock, b.p, b.len, strcmp(what, "binary") == 0, o->now);
	buf_release(&b);
}

static void step(struct out *o, char *line)
{
	char *rest = line, *what = word(&rest);
	unsigned sock, conn;

	if (!*what || *what == '#')
		return;
	if (strcmp(what, "start") == 0) {
		o->pl->start(o->object, o->now);
	} else if (strcmp(what, "dial") == 0) {
		step_dial(o, rest);
	} else if (strcmp(what, "disk") == 0) {
		step_disk(o, rest);
	} else if (strcmp(what, "opened") == 0) {
		conn = place(&rest, &sock);
		o->pl->opened(o->object, conn, sock, o->now);
	} else if (strcmp(what, "frame") == 0 || strcmp(what, "binary") == 0 || strcmp(what, "stream") == 0) {
		step_frame(o, what, rest);
	} else if (strcmp(what, "gone") == 0) {
		unsigned code;

		conn = place(&rest, &sock);
		code = (unsigned)atoi(word(&rest));
		if (sock < 2)
			conn_of(o, conn)->expect[sock].due = 0;
		o->pl->gone(o->object, conn, sock, code, rest, o->now);
	} else if (strcmp(what, "acked") == 0) {
		conn = place(&rest, &sock);
		o->pl->acked(o->object, conn, strtoull(rest, NULL, 10), o->now);
	} else if (strcmp(what, "drain") == 0) {
		o->pl->drain(o->object, (unsigned)atoi(rest), o->now);
	} else if (strcmp(what, "due") == 0) {
		conn = place(&rest, &sock);
		o->pl->due(o->object, conn, (unsigned)atoi(rest), o->now);
	} else if (strcmp(what, "advance") == 0) {
		advance(o, o->now + (int64_t)(atof(rest) * 1e6));
	} else if (strcmp(what, "answer") == 0) {
		step_answer(o, rest);
	} else if (strcmp(what, "hook") == 0) {
		step_hook(o, rest);
	} else if (strcmp(what, "say") == 0) {
		uint64_t ticket = strtoull(word(&rest), NULL, 10);

		o->pl->say(o->object, rest, strlen(rest), ticket, o->now);
	} else if (strcmp(what, "status") == 0) {
		note(o, "status ");
		o->pl->status(o->object, &o->record);
		note(o, "\n");
	} else if (strcmp(what, "random") == 0) {
		o->random = (uint64_t)(atof(rest) / 100 * 18446744073709000000.0);
		o->count = 0;
	} else if (strcmp(what, "wall") == 0) {
		o->wall = strtoll(rest, NULL, 10) * CLOCK_S;
	} else if (strcmp(what, "reload") == 0) {
		step_reload(o, rest);
	} else {
		fail("no such step", what);
	}
}

void probe_run(struct out *o, const char *script)
{
	while (*script) {
		size_t n = strcspn(script, "\n");
		char *line = strndup(script, n);

		if (!line)
			fail("script", "no memory");
		step(o, line);
		free(line);
		script += n + (script[n] == '\n');
	}
}

/* ---- open and close ---- */

struct out *probe_new(const struct platform *pl)
{
	struct out *o = calloc(1, sizeof(*o));
	char sub[80];

	if (!o || !pl)
		fail("new", pl ? "no memory" : "no such platform");
	o->pl = pl;
	o->now = 1000 * CLOCK_S;
	o->wall = INT64_C(1700000000) * CLOCK_S;
	o->random = UINT64_C(1) << 63;
	buf_init(&o->record, 1 << 28);
	for (unsigned c = 0; c <= CONNS; c++)
		buf_init(&o->conns[c].saved, 1 << 20);
	scratch_make(o->dir);
	snprintf(sub, sizeof(sub), "%s/t", o->dir);
	if (mkdir(sub, 0700))
		fail("cannot make a folder", sub);
	return o;
}

void probe_file(struct out *o, const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/t/%s", o->dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd))
		fail("cannot write", path);
}

int probe_account(struct out *o, const char *conf)
{
	if (account_write(o, conf))
		return -1;
	o->object = o->pl->open(o->accounts.v[0], o);
	return o->object ? 0 : -1;
}

int probe_again(struct out *o)
{
	if (o->object)
		o->pl->close(o->object);
	for (unsigned c = 0; c <= CONNS; c++) {
		memset(o->conns[c].timer, 0, sizeof(o->conns[c].timer));
		memset(o->conns[c].expect, 0, sizeof(o->conns[c].expect));
		buf_clear(&o->conns[c].saved);
		o->conns[c].whole = 0;
	}
	buf_clear(&o->record);
	o->calls = 0;
	o->object = o->pl->open(o->accounts.v[0], o);
	return o->object ? 0 : -1;
}

void *probe_object(struct out *o)
{
	return o->object;
}

int64_t probe_now(struct out *o)
{
	return o->now;
}

void probe_quiet(struct out *o, bool quiet)
{
	o->quiet = quiet;
}

uint64_t probe_lines(struct out *o)
{
	return o->lines;
}

void probe_on_line(struct out *o, void (*fn)(void *arg, const char *line, size_t n), void *arg)
{
	o->on_line = fn;
	o->arg = arg;
}

void probe_free(struct out *o)
{
	if (o->object)
		o->pl->close(o->object);
	accounts_release(&o->accounts);
	buf_release(&o->record);
	for (unsigned c = 0; c <= CONNS; c++)
		buf_release(&o->conns[c].saved);
	scratch_remove(o->dir);
	free(o);
}
