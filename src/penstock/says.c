/*
 * What deliver counts of the accounts it says things with (deliver(8), METRICS): those that are left out, and those that have stopped; and how many
 * channels refuse what is said there, which is no fault of the tree's.
 */
#include "penstock/penstock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/metric.h"

#define ACCOUNT "account=\"%130[^\"]\""
#define LABELS "account=\"%130[^\"]\",cause=\"%30[^\"]\""

struct says {
	struct buf *json;		/* NULL: for people */
	const char *service;
	uint64_t bad, stopped, named;
	uint64_t refusing, nrefusing;	/* channels; accounts of which some do */
};

/* Read a second time, as the lines of those that are stopped stand above. */
static void on_refusing(void *arg, const struct metric_view *row)
{
	struct says *s = arg;
	char account[131];

	if (strcmp(row->name, "deliver_refusing_channels") == 0)
		s->refusing = row->value;
	if (strcmp(row->name, "deliver_refusing") != 0 || !row->value || sscanf(row->labels, ACCOUNT, account) != 1)
		return;
	if (s->json) {
		buf_adds(s->json, s->nrefusing ? ",{\"account\":" : "{\"account\":");
		buf_add_json(s->json, account, strlen(account));
		buf_printf(s->json, ",\"channels\":%" PRIu64 "}", row->value);
	} else {
		printf("%s%" PRIu64 " channel%s refuse%s what %s says with account %s\n", s->nrefusing ? "" : "\n", row->value, row->value == 1 ? "" : "s",
			row->value == 1 ? "s" : "", s->service, text_plain(account));
	}
	s->nrefusing++;
}

static void on_metric(void *arg, const struct metric_view *row)
{
	struct says *s = arg;
	char account[131], cause[31];

	if (strcmp(row->name, "deliver_bad_accounts") == 0)
		s->bad = row->value;
	else if (strcmp(row->name, "deliver_stopped_accounts") == 0)
		s->stopped = row->value;
	if (strcmp(row->name, "deliver_stopped") != 0 || row->value != 1 || sscanf(row->labels, LABELS, account, cause) != 2)
		return;
	if (s->json) {
		buf_adds(s->json, s->named ? ",{\"account\":" : "{\"account\":");
		buf_add_json(s->json, account, strlen(account));
		buf_adds(s->json, ",\"cause\":");
		buf_add_json(s->json, cause, strlen(cause));
		buf_addc(s->json, '}');
	} else {
		printf("%s%s says nothing with account %s: %s\n", s->named ? "" : "\n", s->service, text_plain(account),
			strcmp(cause, "gone") == 0 ? "its address is gone" : strcmp(cause, "credentials") == 0 ? "its credentials are refused" : text_plain(cause));
	}
	s->named++;
}

static bool read_counts(const struct tree *t, struct says *s, void (*fn)(void *arg, const struct metric_view *row))
{
	char *path = tree_path(t, text_of("run/metrics/%s", s->service));

	if (metric_read(path, fn, s) == 0)
		return true;
	if (errno != ENOENT)
		log_warn("%s: %s: no counts", path, strerror(errno));
	return false;
}

unsigned says_print(const struct tree *t, const char *service)
{
	struct says s = {.service = service};

	if (!read_counts(t, &s, on_metric))
		return 0;
	if (s.bad)
		printf("%s%s leaves out %" PRIu64 " account%s, whose file is wrong\n", s.named ? "" : "\n", service, s.bad, s.bad == 1 ? "" : "s");
	if (s.stopped > s.named)
		printf("%s%s says nothing with %" PRIu64 " more\n", s.named || s.bad ? "" : "\n", service, s.stopped - s.named);
	if (s.bad || s.stopped)
		printf("  Why: penstock logs %s. Changes are taken over by: penstock reload %s\n", service, service);
	if (read_counts(t, &s, on_refusing) && s.nrefusing)
		printf("  Which: penstock logs %s. What is for them fails, but for a message that tries it now and then.\n", service);
	return (unsigned)(s.bad + s.stopped);
}

unsigned says_json(const struct tree *t, const char *service, struct buf *out)
{
	struct says s = {.json = out, .service = service};

	buf_adds(out, "{\"stopped\":[");
	read_counts(t, &s, on_metric);
	buf_printf(out, "],\"stopped_accounts\":%" PRIu64 ",\"bad_accounts\":%" PRIu64 ",\"refusing\":[", s.stopped, s.bad);
	read_counts(t, &s, on_refusing);
	buf_printf(out, "],\"refusing_channels\":%" PRIu64 "}", s.refusing);
	return (unsigned)(s.bad + s.stopped);
}
