/* Which destination of route a service takes from, and whether there is one. */
#include "penstock/penstock.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/metric.h"

#define RUN_MAX (4u << 20)
#define FROM "ipc://run/to-"

char *service_takes(const struct tree *t, const char *service, bool *gives)
{
	char *path = text_of("%s/service/%s/run", t->dir, service), *word = NULL;
	const char *p;
	struct buf b;

	*gives = false;
	buf_init(&b, RUN_MAX);
	if (fd_read_file(path, &b) == 0 && buf_cstr(&b)) {
		*gives = strstr(b.p, "ipc://run/in") != NULL;
		p = strstr(b.p, FROM);
		if (p)
			word = text_of("%.*s", (int)strcspn(p + strlen(FROM), " \t\n'\""), p + strlen(FROM));
		errno = 0;
	}
	buf_release(&b);
	return word;
}

struct search { char *label; bool found; };

static void on_metric(void *arg, const struct metric_view *row)
{
	struct search *s = arg;

	s->found |= strstr(row->labels, s->label) != NULL;
}

bool dest_exists(const struct tree *t, const char *dest)
{
	struct search s = { .label = text_of("dest=\"%s\"", dest) };

	return metric_read(tree_path(t, "run/metrics/route"), on_metric, &s) < 0 || s.found;
}
