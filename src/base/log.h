/*
 * log: what a program says on stderr.
 *
 * One object a line: {"ts":"...","level":"warn","prog":"route","msg":"..."} plus tenant, event_id and
 * trace_id where the caller knows them; `-L text` prints "route: warning: ..." for people. The default is
 * text when stderr is a terminal, JSON otherwise. A line is written with one write(2); EAGAIN and EPIPE
 * on stderr are survived (the line is lost, the program goes on). Messages longer than 8 KiB are cut.
 * log_init is called before any file is opened: it takes those of the descriptors 0 to 2 that came closed (using them still tells
 * EBADF), so that no file gets one of these numbers and messages into its contents. It makes the process ignore SIGPIPE, so that a write tells EPIPE instead; a child started by the program
 * must get the default back (posix_spawnattr_setsigdefault). %m in a format is errno, which the functions keep.
 * Thread safe. Never logs secrets: callers must not pass any.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_form { LOG_AUTO, LOG_JSON, LOG_TEXT };

struct log_ctx { const char *tenant, *event_id, *trace_id; }; /* each may be NULL */

void log_init(const char *prog);		/* prog is kept, not copied */
void log_set(enum log_form form, enum log_level lowest);
const char *log_prog(void);
const char *log_form_word(void);		/* "json" or "text": what a program that takes our place gets after -L */

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_about(enum log_level level, const struct log_ctx *ctx, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Until it is called with NULL: fn hears each message that this thread writes, errors and warnings above all: for who has to tell later what was
 * wrong. fn does not log. */
void log_hear(void (*fn)(void *arg, enum log_level level, const char *message), void *arg);

/* log_error and exit with code: 1 failure, 2 usage (supervise: 111, 100). */
_Noreturn void die(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
