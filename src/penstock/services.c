/* What supervise says about the services of the tree. */
#include "penstock/penstock.h"

#include <string.h>

#include "base/buf.h"
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
