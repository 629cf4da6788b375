#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define MESSAGE_MAX 8192
#define LINE_MAX_BYTES (MESSAGE_MAX * 2)

static const char *prog = "penstock";
static bool json = true;
static enum log_level lowest = LOG_INFO;
static _Thread_local void (*hear)(void *arg, enum log_level level, const char *message);
static _Thread_local void *hear_arg;

/* A line under construction. Bytes that do not fit are left out; the tail is kept free for what closes the line. */
struct out { size_t n; char p[LINE_MAX_BYTES]; };
#define TAIL 8

static void put(struct out *o, const char *p, size_t n)
{
	if (n > sizeof(o->p) - TAIL - o->n)
		n = sizeof(o->p) - TAIL - o->n;
	memcpy(o->p + o->n, p, n);
	o->n += n;
}

static void puts_raw(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

/* Length of the UTF-8 sequence at p that may be printed, 0 if the byte is none (control characters, C1, bad UTF-8). */
static size_t sequence(const unsigned char *p, size_t n)
{
	unsigned k = utf8_len((const char *)p, (const char *)p + n);

	if (p[0] < 0x20 || p[0] == 0x7f || (p[0] == 0xc2 && k == 2 && p[1] < 0xa0))
		return 0;
	return k;
}

/* Text that may hold anything: names from files, pieces of lines. Nothing in it can end the line, leave the JSON
 * string or move a terminal's cursor. */
static void put_text(struct out *o, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = strlen(s);

	while (n) {
		size_t k = sequence(p, n);

		if (o->n + 6 > sizeof(o->p) - TAIL)
			return;
		if (json && (*p == '"' || *p == '\\')) {
			put(o, (const char[]){'\\', (char)*p}, 2);
			k = 1;
		} else if (k) {
			put(o, (const char *)p, k);
		} else {
			char e[8];

			snprintf(e, sizeof(e), json && *p < 0x80 ? "\\u%04x" : json ? "\xef\xbf\xbd" : "\\x%02x", *p);
			puts_raw(o, e);
			k = 1;
		}
		p += k;
		n -= k;
	}
}

static void put_field(struct out *o, const char *name, const char *value)
{
	/* Room for a field is checked whole, so that a cut never leaves half a member. */
	if (!value || o->n + strlen(name) + 6 * strlen(value) + 6 > sizeof(o->p) - TAIL)
		return;
	put(o, ",\"", 2);
	puts_raw(o, name);
	put(o, "\":\"", 3);
	put_text(o, value);
	put(o, "\"", 1);
}

static void write_out(const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(STDERR_FILENO, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return;
		p += k;
		n -= (size_t)k;
	}
}

static void say(enum log_level level, const struct log_ctx *ctx, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
static void say(enum log_level level, const struct log_ctx *ctx, const char *fmt, va_list ap)
{
	static const struct { const char *json, *text; } words[] = {
		[LOG_ERROR] = {"error", "error: "}, [LOG_WARN] = {"warn", "warning: "},
		[LOG_INFO] = {"info", ""}, [LOG_DEBUG] = {"debug", "debug: "},
	};
	char message[MESSAGE_MAX], ts[CLOCK_RFC3339_MAX];
	struct out o = {.n = 0};
	int saved = errno;

	if (level > lowest)
		return;
	errno = saved;	/* %m */
	if (vsnprintf(message, sizeof(message), fmt, ap) < 0)
		memcpy(message, "?", 2);
	if (json) {
		clock_rfc3339(ts, clock_wall());
		puts_raw(&o, "{\"ts\":\"");
		puts_raw(&o, ts);
		puts_raw(&o, "\",\"level\":\"");
		puts_raw(&o, words[level].json);
		put(&o, "\"", 1);
		put_field(&o, "prog", prog);
		if (ctx) {
			put_field(&o, "tenant", ctx->tenant);
			put_field(&o, "event_id", ctx->event_id);
			put_field(&o, "trace_id", ctx->trace_id);
		}
		puts_raw(&o, ",\"msg\":\"");
		put_text(&o, message);
		memcpy(o.p + o.n, "\"}\n", 3);
		o.n += 3;
	} else {
		puts_raw(&o, prog);
		puts_raw(&o, ": ");
		puts_raw(&o, words[level].text);
		put_text(&o, message);
		if (ctx && ctx->event_id) {
			puts_raw(&o, " (event ");
			put_text(&o, ctx->event_id);
			puts_raw(&o, ")");
		}
		o.p[o.n++] = '\n';
	}
	write_out(o.p, o.n);
	if (hear)
		hear(hear_arg, level, message);
	errno = saved;
}

/* Descriptors 0 to 2 that came closed are taken, so that no file of ours is opened as one of them and has messages or output
 * written into it. Each is opened the wrong way round: using it still fails with EBADF, as if it were closed. */
static void take_standard(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			_exit(1);
}

void log_init(const char *name)
{
	take_standard();
	prog = name;
	json = !isatty(STDERR_FILENO);
	signal(SIGPIPE, SIG_IGN);
}

void log_set(enum log_form form, enum log_level level)
{
	if (form != LOG_AUTO)
		json = form == LOG_JSON;
	lowest = level;
}

void log_hear(void (*fn)(void *arg, enum log_level level, const char *message), void *arg)
{
	hear = fn;
	hear_arg = arg;
}

const char *log_prog(void)
{
	return prog;
}

const char *log_form_word(void)
{
	return json ? "json" : "text";
}

#define SAY(level) do { \
		va_list ap; \
		va_start(ap, fmt); \
		say(level, NULL, fmt, ap); \
		va_end(ap); \
	} while (0)

void log_error(const char *fmt, ...) { SAY(LOG_ERROR); }
void log_warn(const char *fmt, ...) { SAY(LOG_WARN); }
void log_info(const char *fmt, ...) { SAY(LOG_INFO); }
void log_debug(const char *fmt, ...) { SAY(LOG_DEBUG); }

void log_about(enum log_level level, const struct log_ctx *ctx, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(level, ctx, fmt, ap);
	va_end(ap);
}

void die(int code, const char *fmt, ...)
{
	SAY(LOG_ERROR);
	exit(code);
}
