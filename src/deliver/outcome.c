#include "deliver/outcome.h"

#include <string.h>

#include "base/clock.h"
#include "line/id.h"
#include "line/writer.h"

#define STAGE "deliver"

static void write_ids(struct writer *w, const struct outcome *o)
{
	const char *end = o->ids + o->nids;
	size_t n = 0;

	for (const char *p = o->ids; p < end; p += strlen(p) + 1)
		n++;
	writer_str(w, "message_id", n ? o->ids : "", n ? strlen(o->ids) : 0);
	if (n < 2)
		return;
	writer_open_array(w, "message_ids");
	for (const char *p = o->ids; p < end; p += strlen(p) + 1)
		writer_str(w, NULL, p, strlen(p));
	writer_close(w);
}

int outcome_write(struct buf *to, const char *line, size_t n, const struct outcome *o, int64_t wall)
{
	char time[CLOCK_RFC3339_MAX];
	struct envelope e;
	struct line_err err;
	struct writer w;
	struct span data;

	if (scan_lazy(line, n, &e))
		return -1;
	data = e.a[LA_DATA];
	clock_rfc3339(time, wall);
	writer_begin(&w, to, 2 * LINE_MAX_BYTES);
	writer_attr(&w, "specversion", "1.0");
	id_derive(&w, &e, STAGE, 0);
	writer_attr(&w, "type", o->cause ? "message.failed" : "message.sent");
	writer_attr(&w, "time", time);
	id_inherit(&w, &e, STAGE, 0);
	writer_open(&w, "data");
	writer_value(&w, "platform", scan_member(data, "platform"));
	writer_value(&w, "account", scan_member(data, "account"));
	writer_open(&w, "channel");
	writer_value(&w, "id", scan_path(data, "channel.id"));
	writer_value(&w, "name", scan_path(data, "channel.name"));
	writer_close(&w);
	if (!o->cause) {
		write_ids(&w, o);
	} else {
		writer_str(&w, "error", o->error, strlen(o->error));
		writer_str(&w, "cause", o->cause, strlen(o->cause));
		if (*o->code)
			writer_str(&w, "code", o->code, strlen(o->code));
		if (o->pieces)
			writer_int(&w, "pieces", o->pieces);
	}
	writer_close(&w);
	return writer_end(&w, &err);
}
