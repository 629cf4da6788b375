#include "penstock/compose.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "line/id.h"
#include "line/line.h"
#include "line/writer.h"

static void write_named(struct writer *w, const char *what, const char *id, const char *name)
{
	writer_open(w, what);
	writer_str(w, "id", id, strlen(id));
	writer_str(w, "name", name, strlen(name));
	writer_close(w);
}

int compose(struct buf *out, const struct message *m, const uint64_t random[4], int64_t wall, const char **why)
{
	char id[33], trace[TRACEPARENT_LEN + 1], time[CLOCK_RFC3339_MAX], key[300], user[300];
	struct line_err err;
	struct writer w;

	if (strlen(m->room) > 128 || strlen(m->name) > 128 || !*m->room || !*m->name) {
		*why = "room and name need 1 to 128 bytes";
		return -1;
	}
	snprintf(id, sizeof id, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
	snprintf(key, sizeof key, "browser:%s", m->room);
	snprintf(user, sizeof user, "penstock:%s", m->name);
	id_trace_new(trace, random[1], random[2], random[3]);
	clock_rfc3339(time, wall);
	writer_begin(&w, out, LINE_MAX_BYTES);
	writer_attr(&w, "specversion", "1.0");
	writer_attr(&w, "id", id);
	writer_attr(&w, "source", "/penstock/send");
	writer_attr(&w, "type", "chat.message");
	writer_attr(&w, "time", time);
	if (m->tenant)
		writer_attr(&w, "tenant", m->tenant);
	writer_attr(&w, "partitionkey", key);
	writer_attr(&w, "traceparent", trace);
	writer_open(&w, "data");
	write_named(&w, "channel", m->room, m->room);
	write_named(&w, "user", user, m->name);
	writer_str(&w, "text", m->text, strlen(m->text));
	writer_close(&w);
	if (writer_end(&w, &err) < 0) {
		*why = err.why;
		return -1;
	}
	return 0;
}
