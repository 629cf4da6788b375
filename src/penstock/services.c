/* What supervise says about the services of the tree. */
#include "penstock/penstock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"

static int one(const char *p, size_t n, void (*fn)(void *arg, const struct service_view *v), void *arg)
{
	struct json_error err;
	struct json *doc = json_parse(p, n, &err);
	const struct json *ready;
	struct service_view v;

	if (!doc) {
		log_error("supervise -s: not understood: %s", err.text);
		return -1;
	}
	ready = json_member(doc, "ready");
	v = (struct service_view){
		.name = json_str(json_member(doc, "name"), NULL), .state = json_str(json_member(doc, "state"), NULL),
		.want = json_str(json_member(doc, "want"), NULL), .fault = json_str(json_member(doc, "fault"), NULL),
		.pid = json_int(json_member(doc, "pid"), 0), .restarts = json_int(json_member(doc, "restarts"), 0),
		.seconds = json_int(json_member(doc, "seconds"), 0),
		.ready = json_bool(ready, false) ? 1 : json_bool(ready, true) ? -1 : 0, .doc = doc,
	};
	if (!v.name || !v.state || !v.want) {
		log_error("supervise -s: a service without name, state or want");
		json_free(doc);
		return -1;
	}
	fn(arg, &v);
	json_free(doc);
	return 0;
}

int services_each(const struct tree *t, void (*fn)(void *arg, const struct service_view *v), void *arg, struct buf *raw)
{
	char *argv[] = { program_path("supervise"), (char *)"-s", (char *)"--json", tree_path(t, "service"), NULL };
	struct buf own, *b = raw ? raw : &own;
	const char *p, *end, *lf;
	int code;

	buf_init(&own, SERVICES_TEXT_MAX);
	code = program_read(argv, b);
	if (code > 1 && code != 111) {
		log_error("supervise -s ended with code %d", code);
		code = -1;
	}
	end = b->p + b->len;
	for (p = b->p; code >= 0 && fn && p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL; p = lf + 1)
		if (one(p, (size_t)(lf - p), fn, arg) < 0)
			code = -1;
	buf_release(&own);
	return code;
}

/* ---- one service ---- */

char *service_said(const struct json *doc)
{
	const struct json *lines = json_member(json_at(json_member(doc, "deaths"), 0), "lines");
	char *text = text_of("%s", "");

	for (size_t i = 0; i < json_count(lines); i++)
		text = text_of("%s    %s\n", text, text_plain(json_str(json_at(lines, i), NULL)));
	return text;
}

struct look { const char *name; struct service_seen *out; };

static void see(void *arg, const struct service_view *v)
{
	const struct look *l = arg;
	const struct json *last = json_member(v->doc, "last_exit");
	int64_t code = json_int(json_member(last, "code"), -1);
	struct service_seen *s = l->out;

	if (strcmp(v->name, l->name) != 0)
		return;
	s->found = true;
	s->pid = v->pid;
	s->running = v->pid > 0;
	s->ready = strcmp(v->state, "run") == 0 && v->ready != 0;
	s->says = v->ready >= 0;
	s->seconds = v->seconds;
	s->looping = strcmp(v->state, "crash-loop") == 0;
	s->restarts = v->restarts;
	s->said = s->looping ? service_said(v->doc) : NULL;
	snprintf(s->fault, sizeof s->fault, "%s", v->fault ? v->fault : "");
	if (last)
		snprintf(s->end, sizeof s->end, "%s %lld", code >= 0 ? "code" : "signal",
			(long long)(code >= 0 ? code : json_int(json_member(last, "signal"), 0)));
}

int service_see(const struct tree *t, const char *name, struct service_seen *out)
{
	struct look l = { name, out };

	memset(out, 0, sizeof *out);
	return services_each(t, see, &l, NULL) < 0 ? -1 : 0;
}

int service_letters(const struct tree *t, const char *name, const char *letters)
{
	char *path = text_of("%s/service/%s/supervise/control", t->dir, name);
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), rc = -1;

	if (fd < 0)
		log_error("%s: %s", name, errno == ENXIO ? "nobody supervises it" : strerror(errno));
	else if (fd_write_all(fd, letters, strlen(letters)) < 0)
		log_error("%s: %s", path, strerror(errno));
	else
		rc = 0;
	if (fd >= 0)
		close(fd);
	return rc;
}
