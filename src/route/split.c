#include "route/split.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/log.h"
#include "route/deliver.h"
#include "route/dest.h"

#define FILE_MAX 4096u

static void path_of(const struct dest *d, char out[4096])
{
	snprintf(out, 4096, "%s/split/%s", d->spool_dir, d->name);
}

static void save(const struct dest *d)
{
	char path[4096], dir[4096];
	struct buf b;

	path_of(d, path);
	snprintf(dir, sizeof(dir), "%s/split", d->spool_dir);
	buf_init(&b, FILE_MAX);
	if (buf_addc(&b, '{') < 0 || split_say(d, &b) < 0 || buf_adds(&b, "}\n") < 0 || fd_mkdirs(dir, 0755) < 0 ||
	    fd_replace(path, b.p, b.len, 0600) < 0)
		log_error("%s: %s; the split will not be there after a restart", path, strerror(errno));
	buf_release(&b);
}

/* What is with workers of the set is theirs until they say so; what waits goes. */
static void drop_copies(struct dest *d)
{
	struct split *s = &d->split;
	struct item *v[64];
	size_t n;

	while ((n = lanes_take(&s->copies, 0, v, 64, SIZE_MAX)) > 0) {
		while (n) {
			lanes_settle(&s->copies, v[--n]);
			free(v[n]);
		}
	}
}

static void begin(struct dest *d)
{
	struct split *s = &d->split;

	s->on = true;
	s->barred = false;
	s->off_because[0] = 0;
	s->given = s->done = s->refused = s->shed = s->worn = 0;
	s->others_given = s->others_done = s->others_refused = 0;
	s->at = s->nlast = s->nbad = 0;
	s->done_at = clock_mono();
	s->mute = false;
	s->alone_since = clock_mono();
	lanes_split(&d->lanes, s->copy ? 0 : s->percent);
}

int split_init(struct dest *d, const char *spool)
{
	struct split *s = &d->split;
	char path[4096];
	struct json_error err;
	struct json *doc = NULL;
	const char *set;
	struct buf b;

	d->spool_dir = spool;
	if (lanes_init(&s->copies) < 0) {
		log_error("destination %s: no memory", d->name);
		return -1;
	}
	path_of(d, path);
	buf_init(&b, FILE_MAX);
	if (fd_read_file(path, &b) == 0) {
		doc = json_parse(b.p, b.len, &err);
		if (!doc)
			log_warn("%s: %s; there is no split", path, err.text);
	} else if (errno != ENOENT) {
		log_warn("%s: %s; there is no split", path, strerror(errno));
	}
	set = json_str(json_member(doc, "set"), NULL);
	if (set && *set && strlen(set) <= ACK_NAME_MAX) {
		const char *why = json_str(json_member(doc, "off_because"), NULL);
		int64_t percent = json_int(json_member(doc, "percent"), 0);
		snprintf(s->set, sizeof(s->set), "%s", set);
		s->copy = json_bool(json_member(doc, "copy"), false);
		s->percent = percent > 0 && percent <= 100 ? (unsigned)percent : 0;
		s->barred = json_bool(json_member(doc, "barred"), false);
		if (why)
			snprintf(s->off_because, sizeof(s->off_because), "%s", why);
		else
			begin(d);
	}
	json_free(doc);
	buf_release(&b);
	return 0;
}

void split_release(struct dest *d)
{
	drop_copies(d);
	lanes_release(&d->split.copies);
}

static void count_workers(struct dest *d)
{
	d->split.workers = deliver_connected(d, d->split.set);
	d->split.alone_since = d->split.workers ? 0 : clock_mono();
}

const char *split_set(struct dest *d, const char *set, unsigned percent, bool copy)
{
	struct split *s = &d->split;

	if (!*set || strlen(set) > ACK_NAME_MAX)
		return "\"set\" is the name of a worker set, at most 64 bytes";
	if (percent > 100)
		return "\"percent\" must be 1 to 100";
	drop_copies(d);
	snprintf(s->set, sizeof(s->set), "%s", set);
	s->copy = copy;
	s->percent = copy ? 0 : percent;
	begin(d);
	count_workers(d);
	save(d);
	if (copy)
		log_info("destination %s: copies of its lines go to the workers of set %s", d->name, set);
	else
		log_info("destination %s: %u %% of its conversations go to the workers of set %s", d->name, percent, set);
	return NULL;
}

static void end(struct dest *d, const char *because, bool barred)
{
	struct split *s = &d->split;

	if (!s->set[0])
		return;
	if (s->on)
		log_info("destination %s: its split is off: %s", d->name, because);
	s->on = false;
	s->barred = barred;
	snprintf(s->off_because, sizeof(s->off_because), "%s", because);
	s->workers = deliver_connected(d, s->set);
	lanes_split(&d->lanes, 0);
	drop_copies(d);
	save(d);
}

void split_off(struct dest *d, const char *because)
{
	end(d, because, false);
}

static void retreat(struct dest *d, const char *because)
{
	metric_add(d->metrics[D_RETREATS], 1);
	log_warn("destination %s: workers of set %s are not used any more", d->name, d->split.set);
	end(d, because, true);
	deliver_recall(d);
}

int split_say(const struct dest *d, struct buf *out)
{
	const struct split *s = &d->split;

	if (!s->set[0])
		return buf_adds(out, "\"set\":null");
	if (buf_adds(out, "\"set\":") < 0 || buf_add_json(out, s->set, strlen(s->set)) < 0 ||
	    buf_printf(out, ",\"percent\":%u,\"copy\":%s,\"workers\":%u,\"given\":%" PRIu64 ",\"done\":%" PRIu64 ",\"refused\":%" PRIu64
		       ",\"shed\":%" PRIu64 ",\"others_given\":%" PRIu64 ",\"others_done\":%" PRIu64 ",\"others_refused\":%" PRIu64, s->percent,
		       s->copy ? "true" : "false", s->workers, s->given, s->done, s->refused, s->shed, s->others_given, s->others_done,
		       s->others_refused) < 0)
		return -1;
	if (s->on)
		return 0;
	return buf_printf(out, ",\"barred\":%s,\"off_because\":", s->barred ? "true" : "false") < 0 || buf_add_json(out, s->off_because, strlen(s->off_because)) < 0 ? -1 : 0;
}

bool split_has(const struct dest *d, const char *set)
{
	return (d->split.on || d->split.barred) && strcmp(d->split.set, set) == 0;
}

void split_workers(struct dest *d, int more)
{
	d->split.workers += (unsigned)more;
	d->split.alone_since = d->split.workers ? 0 : clock_mono();
}

void split_copy(struct dest *d, const struct item *it)
{
	struct split *s = &d->split;
	struct item *copy = NULL;

	if (!s->workers)
		return;
	s->copies.max_items = d->limits.window_lines / 4 + 1;
	s->copies.max_bytes = d->limits.window_bytes / 4 + 1;
	/* What workers hold is bounded here, too: they are many only when they are slow. */
	if (s->copies.items < 2 * s->copies.max_items && s->copies.bytes < 2 * s->copies.max_bytes &&
	    lanes_room(&s->copies, lane_tenant(it->lane), lane_key(it->lane)) == LANES_ROOM &&
	    (copy = malloc(sizeof(*it) + it->len))) {
		*copy = (struct item){ .seq = it->seq, .len = it->len };
		memcpy(copy->line, it->line, it->len);
		if (lanes_add(&s->copies, lane_tenant(it->lane), lane_key(it->lane), copy) == 0)
			return;
		free(copy);
	}
	s->shed++;
	metric_add(d->metrics[D_SHED], 1);
}

static void note_last(struct split *s, bool bad)
{
	if (s->nlast == SPLIT_LAST)
		s->nbad -= s->last[s->at];
	else
		s->nlast++;
	s->last[s->at] = bad;
	s->at = (s->at + 1) % SPLIT_LAST;
	s->nbad += bad;
}

void split_outcome(struct dest *d, bool of_set, bool refused)
{
	struct split *s = &d->split;

	if (!of_set) {
		s->others_done += !refused;
		s->others_refused += refused;
		return;
	}
	if (refused)
		s->refused++;
	else
		s->done++;
	if (!refused)
		s->done_at = clock_mono();
	if (!s->copy)
		note_last(s, refused);
}

void split_worn(struct dest *d, const struct item *it)
{
	if (it->trials >= d->limits.attempts && it->trials >= SPLIT_WORN)
		d->split.worn = it->seq;
}

void split_late(struct dest *d, uint32_t n, int64_t since)
{
	struct split *s = &d->split;

	if (!s->on || s->copy)
		return;
	while (n--)
		note_last(s, true);
	s->mute |= s->done_at < since;
}

bool split_gives(const struct dest *d)
{
	return d->split.on && (d->split.copy || d->split.percent);
}

int64_t split_due(struct dest *d, int64_t now)
{
	struct split *s = &d->split;
	char why[160];

	if (!s->on)
		return 0;
	if (!s->copy && s->nbad > SPLIT_BAD && s->nbad * 20 > s->nlast) {
		snprintf(why, sizeof(why), "it refused %u of its last %u lines, or did not do them in time", s->nbad, s->nlast);
		retreat(d, why);
		return 0;
	}
	if (s->worn) {
		snprintf(why, sizeof(why), "it refused line %" PRIu64 " again and again", s->worn);
		retreat(d, why);
		return 0;
	}
	if (s->mute) {
		snprintf(why, sizeof(why), "it did nothing for %g s, and had lines", (double)d->limits.deadline / (double)CLOCK_S);
		retreat(d, why);
		return 0;
	}
	if (!s->alone_since)
		return 0;
	if (now < s->alone_since + SPLIT_ALONE)
		return s->alone_since + SPLIT_ALONE;
	retreat(d, "none of its workers was connected for 5 s");
	return 0;
}
