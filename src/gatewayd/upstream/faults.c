/* What was wrong with accounts when they were read last, as it was logged: for penstock status and penstock reload. */
#include <string.h>

#include "base/utf8.h"
#include "gatewayd/upstream/impl.h"

#define FAULTS_BYTES (64u << 10)
#define TEXT_BYTES 1024u

static void add(struct upstream *u, const char *level, const char *text, size_t n)
{
	struct buf *b = &u->faults;
	size_t before = b->len, at = before + (before > 0);

	buf_printf(b, "%s{\"level\":\"%s\",\"text\":", before ? "," : "", level);
	buf_add_json(b, text, n);
	buf_addc(b, '}');
	/* A changed file may be read by what runs and by what is to take its place. */
	if (b->len > at && memmem(b->p, before, b->p + at, b->len - at))
		b->len = before;
}

static void hear(void *arg, enum log_level level, const char *message)
{
	static const char more[] = "there is more: the log has it all";
	struct upstream *u = arg;
	const char *end = message + strlen(message);
	char text[TEXT_BYTES];
	size_t n = 0;

	if (level > LOG_WARN || u->faults_full)
		return;
	/* The name of a file may be anything. */
	while (message < end && n + 4 < sizeof(text)) {
		unsigned k = utf8_len(message, end);

		memcpy(text + n, k ? message : "?", k ? k : 1);
		n += k ? k : 1;
		message += k ? k : 1;
	}
	u->faults_full = u->faults.len + 6 * n + 256 > FAULTS_BYTES;
	if (u->faults_full)
		add(u, "warn", more, sizeof(more) - 1);
	else
		add(u, level == LOG_ERROR ? "error" : "warn", text, n);
}

void faults_hear(struct upstream *u)
{
	buf_release(&u->faults);
	buf_init(&u->faults, FAULTS_BYTES);
	u->faults_full = false;
	log_hear(hear, u);
}

void faults_heard(void)
{
	log_hear(NULL, NULL);
}

void upstream_faults(const struct upstream *u, struct buf *json)
{
	buf_addc(json, '[');
	buf_add(json, u->faults.p, u->faults.len);
	buf_addc(json, ']');
}
