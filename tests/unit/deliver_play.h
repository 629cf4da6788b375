/* What the checks of deliver's targets share: accounts in a folder of their own, messages and answers as rows. */
#ifndef UNIT_DELIVER_PLAY_H
#define UNIT_DELIVER_PLAY_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "base/account.h"
#include "deliver/target/target.h"

static char dir[SCRATCH];

static inline void put(const char *file, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) || chmod(path, 0600)) {
		perror(path);
		exit(1);
	}
}

static inline void *open_as(const struct target *t, const char *name, const char *text)
{
	char path[PATH_MAX];
	struct account *a;
	void *it;

	put("bot.conf", text);
	snprintf(path, sizeof(path), "%s/bot.conf", dir);
	a = account_read(path, "t", name);
	it = a ? t->open(a) : NULL;
	account_free(a);
	return it;
}

static inline void *open_one(const struct target *t, const char *text)
{
	return open_as(t, "bot", text);
}

static inline struct say say_of(const char *data, enum form form)
{
	static char line[4096];
	struct say s;
	struct line_err err;

	snprintf(line, sizeof(line), "{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"/s\",\"type\":\"message.send\",\"data\":{%s}}", data);
	if (say_parse(&s, line, strlen(line), true, &err)) {
		fprintf(stderr, "%s: %s\n", line, err.why);
		exit(1);
	}
	s.form = form;
	return s;
}

struct fields { const char *const *v; };

static inline const char *field(const void *arg, const char *name)
{
	const struct fields *f = arg;

	for (const char *const *p = f->v; p && *p; p += 2)
		if (strcasecmp(*p, name) == 0)
			return p[1];
	return NULL;
}

static inline struct verdict judge(const struct target *t, void *it, const struct say *s, int status, const char *body, const char *const *fields)
{
	struct fields f = {fields};
	struct answer a = {.status = status, .body = body, .nbody = strlen(body), .field = field, .arg = &f, .wall = 1000 * CLOCK_S};
	struct verdict v = {.kind = REFUSED};

	t->answer(it, s, &a, &v);
	return v;
}

static inline struct request ask(const struct target *t, void *it, const struct say *s)
{
	struct request r = {0};

	buf_init(&r.url, 1u << 16);
	buf_init(&r.fields, 1u << 16);
	buf_init(&r.body, 1u << 22);
	if (t->request(it, s, &r) || !buf_cstr(&r.url) || !buf_cstr(&r.body))
		exit(1);
	return r;
}

static inline bool has_field(const struct request *r, const char *want)
{
	for (const char *p = r->fields.p; p < r->fields.p + r->fields.len; p += strlen(p) + 1)
		if (strcmp(p, want) == 0)
			return true;
	return false;
}

static inline void release(struct request *r)
{
	buf_release(&r->url);
	buf_release(&r->fields);
	buf_release(&r->body);
}

#define CHANNEL "\"platform\":\"discord\",\"channel\":{\"id\":\"11\"}"
#define INTERACTION CHANNEL ",\"interaction\":{\"id\":\"5\",\"token\":\"to-k.en\",\"application_id\":\"6\"}"

#endif
