/*
 * fuzz_deliver: what a target makes of an answer, and a line as deliver reads it. First byte: 0 a line; else which target. Second: the form. Third and
 * fourth: the status. Then fields, a line each, an empty line, the body. A verdict is sound whatever came.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/scratch.h"

#include "base/account.h"
#include "base/log.h"
#include "base/utf8.h"
#include "deliver/target/target.h"
#include "deliver/text.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define TARGETS 3
static const struct target *const which[TARGETS] = {&target_discord, &target_twitch, &target_webhook};
static void *objects[TARGETS];
static struct say say;
static const char line[] = "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"/s\",\"type\":\"message.send\",\"data\":{\"platform\":\"discord\","
	"\"channel\":{\"id\":\"11\"},\"text\":\"x\",\"interaction\":{\"id\":\"5\",\"token\":\"t\",\"application_id\":\"6\"}}}";

static void need(int holds)
{
	if (!holds)
		abort();
}

static void put(const char *dir, const char *name, const char *text, char *path, size_t size)
{
	FILE *f;

	snprintf(path, size, "%s/%s", dir, name);
	f = fopen(path, "w");
	need(f && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, 0600) == 0);
}

static void set_up(void)
{
	static const char *const conf[TARGETS] = {"platform = discord\ntoken-file = tok\n", "platform = twitch\nclient-id = c\nuser = 9\n",
		"platform = webhook\nurl = https://w.test/\n"};
	char dir[SCRATCH], tok[64], path[64];
	struct line_err err;

	log_init("fuzz");
	scratch_make(dir);
	put(dir, "tok", "token", tok, sizeof(tok));
	for (int i = 0; i < TARGETS; i++) {
		struct account *a;

		put(dir, "bot.conf", conf[i], path, sizeof(path));
		a = account_read(path, "t", "bot");
		need(a && (objects[i] = which[i]->open(a)));
		account_free(a);
	}
	scratch_remove(dir);
	need(say_parse(&say, line, sizeof(line) - 1, true, &err) == 0);
}

/* ---- a line ---- */

static void read_line(const char *p, size_t n)
{
	struct line_err err;
	struct say s;
	size_t from = 0, pieces = 0;

	if (say_parse(&s, p, n, true, &err) || s.kind == SAY_OTHER)
		return;
	need(strlen(s.platform) <= SAY_NAME_MAX && strlen(s.channel) <= SAY_NAME_MAX && strlen(s.interaction) <= SAY_NAME_MAX);
	while (from < s.ntext) {
		const char *piece;
		size_t before = from, k = text_piece(s.text, s.ntext, 20, &from, &piece);

		need(from > before && piece >= s.text + before && piece + k <= s.text + from && text_units(piece, k) <= 20);
		need(++pieces <= s.ntext);
	}
	for (int i = 0; i < TARGETS; i++)
		which[i]->check(objects[i], &s);
	say_release(&s);
}

/* ---- an answer ---- */

struct fields { char text[4096]; };

static const char *field(const void *arg, const char *name)
{
	const struct fields *f = arg;
	size_t n = strlen(name);

	for (const char *p = f->text; *p; p += strlen(p) + 1)
		if (strncasecmp(p, name, n) == 0 && p[n] == ':')
			return p + n + 1;
	return NULL;
}

static void read_answer(int i, int form, int status, const char *p, size_t n)
{
	struct fields f;
	struct verdict v = {.kind = REFUSED};
	struct answer a = {.status = status, .field = field, .arg = &f, .wall = 1700000000 * CLOCK_S};
	const char *end = memmem(p, n, "\n\n", 2);
	size_t head = end ? (size_t)(end - p) : 0;
	char *body;

	memset(&f, 0, sizeof(f));
	if (head > sizeof(f.text) - 2)
		head = sizeof(f.text) - 2;
	for (size_t k = 0; k < head; k++)
		f.text[k] = p[k] == '\n' ? '\0' : p[k];
	a.nbody = end ? n - (size_t)(end + 2 - p) : n;
	body = malloc(a.nbody + 1);
	need(body != NULL);
	memcpy(body, end ? end + 2 : p, a.nbody);
	body[a.nbody] = '\0';
	a.body = body;
	say.form = (enum form)form;
	which[i]->answer(objects[i], &say, &a, &v);
	free(body);
	need(v.kind < VERDICT_COUNT && v.wait >= 0 && v.wait <= 86401 * CLOCK_S && v.ntold <= NEEDS_MAX);
	need(strlen(v.text) < VERDICT_TEXT && !utf8_bad(v.text, v.text + strlen(v.text)) && strlen(v.code) < sizeof(v.code));
	for (unsigned k = 0; k < v.ntold; k++)
		need(v.told[k].reset >= 0 && strlen(v.told[k].name) > 0);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static int ready;

	if (!ready++)
		set_up();
	if (size < 4)
		return 0;
	if (data[0] == 0)
		read_line((const char *)data + 1, size - 1);
	else
		read_answer(data[0] % TARGETS, data[1] % FORM_COUNT, 100 + (data[2] * 256 + data[3]) % 500, (const char *)data + 4, size - 4);
	return 0;
}
