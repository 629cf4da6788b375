#include "respond/scene.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "line/envelope.h"
#include "respond/match.h"
#include "respond/replies.h"

struct span scene_data(const struct scene *s, const char *path)
{
	return scan_path(s->e->a[LA_DATA], path);
}

void scene_put(struct buf *b, const char *p, size_t n)
{
	size_t room = b->max - b->len;

	/* Without memory the answer is cut earlier than at its ceiling. */
	(void)buf_add(b, p, n < room ? n : room);
}

/* The decoded string at path, or else at the other path; false if both are missing or empty. */
static bool text_at(struct scene *s, const char *path, const char *otherwise, struct span *out)
{
	struct buf *b = &s->a->value;

	buf_clear(b);
	if (scan_string(scene_data(s, path), b) || b->len == 0) {
		buf_clear(b);
		if (!otherwise || scan_string(scene_data(s, otherwise), b))
			return false;
	}
	*out = (struct span){b->p, b->len};
	return true;
}

static bool made(struct scene *s, int n, struct span *out)
{
	*out = (struct span){s->small, n > 0 ? (size_t)n : 0};
	return n > 0;
}

static bool user(struct scene *s, struct span *out)
{
	return text_at(s, "user.name", "user.id", out);
}

static bool channel(struct scene *s, struct span *out)
{
	return text_at(s, "channel.name", "channel.id", out);
}

static bool text(struct scene *s, struct span *out)
{
	return text_at(s, "text", NULL, out);
}

static bool args(struct scene *s, struct span *out)
{
	*out = s->cmd.args;
	return true;
}

/* When the event happened, if it says so. The clock would make another text of the same event the next time. */
static bool event_time(struct scene *s, char out[CLOCK_RFC3339_MAX])
{
	int n = scan_cstr(s->e->a[LA_TIME], s->small, sizeof(s->small));
	int64_t t;

	if (n <= 0 || clock_parse(s->small, (size_t)n, &t))
		return false;
	clock_rfc3339(out, t);
	return true;
}

static bool time_of_day(struct scene *s, struct span *out)
{
	char t[CLOCK_RFC3339_MAX];

	return event_time(s, t) && made(s, snprintf(s->small, sizeof(s->small), "%.5s UTC", t + 11), out);
}

static bool date(struct scene *s, struct span *out)
{
	char t[CLOCK_RFC3339_MAX];

	return event_time(s, t) && made(s, snprintf(s->small, sizeof(s->small), "%.10s", t), out);
}

static bool emotion(struct scene *s, struct span *out)
{
	*out = s->emotion;
	return s->emotion.n > 0;
}

static bool percent(struct scene *s, struct span *out)
{
	return s->emotion.n && made(s, snprintf(s->small, sizeof(s->small), "%.0f", s->probability * 100), out);
}

static bool tenant(struct scene *s, struct span *out)
{
	char name[TENANT_MAX + 1];

	envelope_tenant(s->e, name);
	return made(s, snprintf(s->small, sizeof(s->small), "%s", name), out);
}

static bool bot(struct scene *s, struct span *out)
{
	*out = s->r->bot;
	return true;
}

static bool prefix(struct scene *s, struct span *out)
{
	*out = s->r->prefix;
	return true;
}

void scene_add_usage(struct buf *b, const struct replies *r, const struct trigger *t)
{
	scene_put(b, r->prefix.p, r->prefix.n);
	scene_put(b, t->name[0].p, t->name[0].n);
	if (t->usage.n)
		scene_put(b, " ", 1);
	scene_put(b, t->usage.p, t->usage.n);
}

static bool commands(struct scene *s, struct span *out)
{
	const struct replies *r = s->r;
	struct buf *b = &s->a->list;

	buf_clear(b);
	if (!replies_command(r, (struct span){"help", 4})) {
		scene_put(b, r->prefix.p, r->prefix.n);
		scene_put(b, "help", 4);
	}
	for (size_t i = 0; i < r->n; i++) {
		if (r->trigger[i].kind != TRIGGER_COMMAND)
			continue;
		if (b->len)
			scene_put(b, ", ", 2);
		scene_add_usage(b, r, &r->trigger[i]);
	}
	*out = (struct span){b->p, b->len};
	return true;
}

/* penstock-replies(5) lists these. */
static const struct { const char *name; bool (*fn)(struct scene *s, struct span *out); } values[] = {
	{"user", user}, {"args", args}, {"channel", channel}, {"text", text}, {"time", time_of_day}, {"date", date},
	{"emotion", emotion}, {"percent", percent}, {"tenant", tenant}, {"bot", bot}, {"prefix", prefix},
	{"commands", commands},
};

static size_t find(struct span name)
{
	size_t i = 0;

	while (i < sizeof(values) / sizeof(*values) &&
	       !(strlen(values[i].name) == name.n && memcmp(values[i].name, name.p, name.n) == 0))
		i++;
	return i;
}

bool scene_value_known(struct span name)
{
	return find(name) < sizeof(values) / sizeof(*values);
}

static bool argument(const struct scene *s, size_t i, bool rest, struct span *out)
{
	if (i >= s->cmd.n)
		return false;
	/* When one argument is left it stands without its quotes, rest or not. */
	*out = rest && i + 1 < s->cmd.n ? s->cmd.rest[i] : s->cmd.arg[i];
	return true;
}

bool scene_value(void *scene, struct span name, struct span *out)
{
	struct scene *s = scene;
	size_t i;

	for (i = 0; i < s->t->nparam; i++)
		if (match_same(s->t->param[i].name, name))
			return argument(s, i, s->t->param[i].rest, out);
	if (name.p[0] >= '1' && name.p[0] <= '9')
		return argument(s, (size_t)(name.p[0] - '1'), name.n == 2, out);
	i = find(name);
	return i < sizeof(values) / sizeof(*values) && values[i].fn(s, out);
}
