#include "logd/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sync.h"

#define SYNC_GROUP 64

/* ---- timers ---- */

void desk_age_of(struct desk *d, const struct source *s)
{
	int64_t due = s->opened ? folder_due(&s->folder) : 0, in;

	if (!due)
		return;
	in = due - clock_wall();
	if (in < CLOCK_S)
		in = CLOCK_S;
	if (!d->age.due || d->age.due > clock_mono() + in)
		loop_timer_in(d->loop, &d->age, in);
}

static void on_age(void *arg)
{
	struct desk *d = arg;

	for (struct source *s = d->all; s; s = s->next) {
		if (!s->opened)
			continue;
		if (!s->folder.torn)
			folder_age(&s->folder);
		desk_age_of(d, s);
	}
}

static void sync_group(struct folder **v, size_t n)
{
	int fd[SYNC_GROUP] = { 0 }, err[SYNC_GROUP];

	for (size_t i = 0; i < n; i++)
		fd[i] = v[i]->cur;
	sync_files(fd, err, n);
	for (size_t i = 0; i < n; i++) {
		v[i]->unsynced = false;
		if (err[i])
			log_error("%s/current: %s: its end may be lost with the power", v[i]->path, strerror(err[i]));
	}
}

static void on_sync(void *arg)
{
	struct desk *d = arg;
	struct folder *v[SYNC_GROUP];
	size_t n = 0;

	for (struct source *s = d->all; s; s = s->next) {
		if (!s->opened || !s->folder.unsynced)
			continue;
		v[n++] = &s->folder;
		if (n == SYNC_GROUP) {
			sync_group(v, n);
			n = 0;
		}
	}
	if (n)
		sync_group(v, n);
}

static void on_retry(void *arg)
{
	sources_retry(arg);
}

/* ---- all of them ---- */

struct source *desk_find(struct desk *d, const char *name)
{
	struct source *s = d->all;

	while (s && strcmp(s->name, name) != 0)
		s = s->next;
	return s;
}

void desk_rotate(struct desk *d)
{
	for (struct source *s = d->all; s; s = s->next)
		if (s->opened && !s->folder.torn && folder_rotate(&s->folder) < 0)
			log_warn("%s: not rotated: %s", s->name, strerror(errno));
}

void desk_configure(struct desk *d)
{
	for (struct source *s = d->all; s; s = s->next) {
		if (!s->opened)
			continue;
		folder_configure(&s->folder);
		folder_prune(&s->folder, false);
		desk_age_of(d, s);
	}
}

int desk_open(struct desk *d)
{
	d->sync = (struct loop_timer){ .fn = on_sync, .arg = d };
	d->retry = (struct loop_timer){ .fn = on_retry, .arg = d };
	d->age = (struct loop_timer){ .fn = on_age, .arg = d };
	if (pipe2(d->scratch, O_CLOEXEC) == 0)
		return 0;
	log_error("no pipe: %s", strerror(errno));
	return -1;
}

void desk_close(struct desk *d)
{
	while (d->all)
		source_free(d->all);
	loop_timer_del(d->loop, &d->sync);
	loop_timer_del(d->loop, &d->retry);
	loop_timer_del(d->loop, &d->age);
	close(d->scratch[0]);
	close(d->scratch[1]);
}
