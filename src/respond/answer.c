#include "respond/answer.h"

#include <stdio.h>
#include <string.h>

#include "line/id.h"
#include "line/line.h"
#include "line/types.h"
#include "line/writer.h"
#include "respond/emotion.h"
#include "respond/match.h"
#include "respond/replies.h"
#include "respond/scene.h"
#include "respond/template.h"

#define STAGE "respond"
#define ELLIPSIS "\xe2\x80\xa6"

/* Stands for what is not in the file: !help. */
static const struct trigger builtin;

static const uint64_t pick_key[2] = {0x70656e73746f636bu, 0x7069636b00000001u};	/* no secret: picks must repeat */

void answer_init(struct answer *a, size_t max_line)
{
	*a = (struct answer){.max_line = max_line};
	buf_init(&a->text, max_line);
	buf_init(&a->folded, 2 * max_line);
	buf_init(&a->value, max_line);
	buf_init(&a->said, ANSWER_MAX_BYTES + 1);	/* one byte more tells that something was left out */
	buf_init(&a->list, ANSWER_MAX_BYTES + 1);
}

void answer_release(struct answer *a)
{
	buf_release(&a->text);
	buf_release(&a->folded);
	buf_release(&a->value);
	buf_release(&a->said);
	buf_release(&a->list);
}

static bool is(struct span name, const char *text)
{
	return name.n == strlen(text) && memcmp(name.p, text, name.n) == 0;
}

static struct span of_buf(const struct buf *b)
{
	return (struct span){b->p ? b->p : "", b->len};	/* an empty buffer may have no memory */
}

/* ---- lines ---- */

/* Cuts what is too long at a character's border. */
static struct span cut(struct buf *b)
{
	size_t n = b->len;

	if (n > ANSWER_MAX_BYTES) {
		n = ANSWER_MAX_BYTES - strlen(ELLIPSIS);
		while (n && ((unsigned char)b->p[n] & 0xc0) == 0x80)
			n--;
		memcpy(b->p + n, ELLIPSIS, strlen(ELLIPSIS));
		n += strlen(ELLIPSIS);
	}
	while (n && (b->p[n - 1] == ' ' || b->p[n - 1] == '\n'))
		n--;
	return (struct span){b->p, n};
}

/* "browser" of partitionkey "browser:lobby" or source "/browser/lobby". */
static void write_platform(struct writer *w, const struct scene *s)
{
	const struct envelope *e = s->e;
	struct span p = scene_data(s, "platform");
	char text[256];
	const char *from = text;
	int n;

	if (p.p) {
		writer_value(w, "platform", p);
		return;
	}
	n = scan_cstr(e->a[LA_PARTITIONKEY], text, sizeof(text));
	if (n > 0 && strchr(text, ':')) {
		writer_str(w, "platform", text, strcspn(text, ":"));
		return;
	}
	/* An analysis has its analyzer as source, which is no platform. */
	if (scan_is(e->a[LA_TYPE], "analysis.emotion"))
		return;
	n = scan_cstr(e->a[LA_SOURCE], text, sizeof(text));
	if (n > 0) {
		from += *from == '/';
		writer_str(w, "platform", from, strcspn(from, "/"));
	}
}

static int write_line(const struct scene *s, struct span text, unsigned n, struct buf *out, const char **why)
{
	const struct envelope *e = s->e;
	struct span to = scene_data(s, "message_id");
	struct line_err err;
	struct writer w;

	writer_begin(&w, out, s->a->max_line);
	writer_attr(&w, "specversion", "1.0");
	id_derive(&w, e, STAGE, n);
	writer_attr(&w, "type", "message.send");
	writer_attr_raw(&w, "time", e->a[LA_TIME]);
	id_inherit(&w, e, STAGE, n);
	writer_open(&w, "data");
	writer_open(&w, "channel");
	writer_value(&w, "id", scene_data(s, "channel.id"));
	writer_value(&w, "name", scene_data(s, "channel.name"));
	writer_close(&w);
	writer_open(&w, "user");
	writer_str(&w, "name", s->r->bot.p, s->r->bot.n);
	writer_bool(&w, "bot", true);
	writer_close(&w);
	writer_str(&w, "text", text.p, text.n);
	writer_value(&w, "reply_to", to.p ? to : e->a[LA_ID]);
	write_platform(&w, s);
	/* So that deliver speaks as the bot that heard it, and answers what the platform wants answered. */
	writer_value(&w, "account", scene_data(s, "account"));
	writer_value(&w, "interaction", scene_data(s, "interaction"));
	writer_close(&w);
	if (writer_end(&w, &err) == 0)
		return 1;
	*why = err.why;
	return -1;
}

static int say_text(struct scene *s, unsigned n, struct buf *out, const char **why)
{
	struct span text = cut(&s->a->said);

	return text.n ? write_line(s, text, n, out, why) : 0;
}

static int say_all(struct scene *s, struct buf *out, const char **why)
{
	uint64_t seed = id_key(s->e, pick_key).a;
	unsigned made = 0;

	for (size_t i = 0; i < s->t->nsay; i++) {
		int n;

		buf_clear(&s->a->said);
		/* Too long is told by the length. */
		(void)template_expand(s->t->say[i], scene_value, s, seed + i * 0x632be59bd9b4e019u, &s->a->said);
		n = say_text(s, made, out, why);
		if (n < 0)
			return -1;
		made += (unsigned)n;
	}
	return (int)made;
}

/* ---- commands ---- */

/* The built-in !help: all commands, or one. */
static int say_help(struct scene *s, struct buf *out, const char **why)
{
	struct buf *said = &s->a->said;
	const struct trigger *t = NULL;
	struct span list, name;

	if (s->cmd.n) {
		name = s->cmd.arg[0];
		if (name.n > s->r->prefix.n && memcmp(name.p, s->r->prefix.p, s->r->prefix.n) == 0) {
			name.p += s->r->prefix.n;
			name.n -= s->r->prefix.n;
		}
		t = replies_command(s->r, name);
	}
	buf_clear(said);
	if (t) {
		scene_add_usage(said, s->r, t);
		if (t->help.n)
			scene_put(said, ": ", 2);
		scene_put(said, t->help.p, t->help.n);
	} else {
		scene_value(s, (struct span){"commands", 8}, &list);
		scene_put(said, "I know ", 7);
		scene_put(said, list.p, list.n);
	}
	return say_text(s, 0, out, why);
}

static int run_command(struct scene *s, struct buf *out, const char **why)
{
	const struct trigger *t = replies_command(s->r, s->cmd.name);

	if (!t)
		return match_same(s->cmd.name, (struct span){"help", 4}) ? say_help(s, out, why) : 0;
	s->t = t;
	for (size_t i = 0; i < t->nparam; i++) {
		if (t->param[i].optional || (i < s->cmd.n && s->cmd.arg[i].n))
			continue;
		buf_clear(&s->a->said);
		scene_put(&s->a->said, "Usage: ", 7);
		scene_add_usage(&s->a->said, s->r, t);
		return say_text(s, 0, out, why);
	}
	return say_all(s, out, why);
}

/* ---- events ---- */

static int answer_message(struct scene *s, struct buf *out, const char **why)
{
	struct answer *a = s->a;
	struct span text, folded;

	buf_clear(&a->text);
	buf_clear(&a->folded);
	if (scan_string(scene_data(s, "text"), &a->text)) {
		*why = "data.text cannot be decoded";
		return -1;
	}
	text = of_buf(&a->text);
	if (command_parse(text, s->r->prefix, &s->cmd))
		return run_command(s, out, why);
	if (match_fold(text.p, text.n, &a->folded)) {
		*why = "out of memory";
		return -1;
	}
	folded = of_buf(&a->folded);
	for (size_t i = 0; i < s->r->n; i++) {
		const struct trigger *t = &s->r->trigger[i];

		for (size_t k = 0; k < t->nname; k++) {
			if ((t->kind == TRIGGER_WORD && match_word(folded, t->name[k])) ||
			    (t->kind == TRIGGER_CONTAINS && match_contains(folded, t->name[k]))) {
				s->t = t;
				return say_all(s, out, why);
			}
		}
	}
	return 0;
}

/* An argument of a platform's command behind the others, as a person would have typed it. Lists and objects are left out. */
static int add_arg(void *arg, struct span name, struct span value)
{
	struct buf *text = arg;
	size_t from;

	(void)name;
	if (!value.n || *value.p == '{' || *value.p == '[')
		return 0;
	if (*value.p != '"')
		return buf_addc(text, ' ') || buf_add(text, value.p, value.n) ? -1 : 0;
	if (buf_adds(text, " \""))
		return -1;
	from = text->len;
	if (scan_string(value, text))
		return -1;
	for (; from < text->len; from++)
		if (text->p[from] == '"')
			text->p[from] = '\'';
	return buf_addc(text, '"');
}

/* The same commands, used as the platform's own. */
static int answer_invoked(struct scene *s, struct buf *out, const char **why)
{
	struct buf *text = &s->a->text;
	struct span args = scene_data(s, "args");

	buf_clear(text);
	if (buf_add(text, s->r->prefix.p, s->r->prefix.n) || scan_string(scene_data(s, "command"), text) ||
	    (args.n && *args.p == '{' && scan_each(args, add_arg, text))) {
		*why = "data.command cannot be decoded";
		return -1;
	}
	return command_parse(of_buf(text), s->r->prefix, &s->cmd) ? run_command(s, out, why) : 0;
}

static int answer_emotion(struct scene *s, struct buf *out, const char **why)
{
	for (size_t i = 0; i < s->r->n; i++) {
		const struct trigger *t = &s->r->trigger[i];

		for (size_t k = 0; t->kind == TRIGGER_EMOTION && k < t->nname; k++) {
			if (!emotion_probability(s->e->a[LA_DATA], t->name[k], &s->probability) ||
			    s->probability <= t->above)
				continue;
			s->t = t;
			s->emotion = t->name[k];
			return say_all(s, out, why);
		}
	}
	return 0;
}

int answer_event(struct answer *a, const struct replies *r, const char *line, const struct envelope *e, struct buf *out,
	const char **why)
{
	struct scene s = {.a = a, .r = r, .e = e, .t = &builtin};
	bool message = scan_is(e->a[LA_TYPE], "chat.message"), invoked = !message && scan_is(e->a[LA_TYPE], "command.invoked");
	size_t start = out->len;
	struct line_err err;
	int made;

	if (!message && !invoked && !scan_is(e->a[LA_TYPE], "analysis.emotion"))
		return 0;
	if (types_check(line, e, &err)) {
		*why = line_err_text(&err, a->why);
		return -1;
	}
	if (!r || is(scene_data(&s, "user.bot"), "true"))
		return 0;
	/* Shared Chat: each channel that takes part has the message, and whoever hears several of them would answer in each. */
	if (!r->shared && scene_data(&s, "shared_id").p)
		return 0;
	made = message ? answer_message(&s, out, why) : invoked ? answer_invoked(&s, out, why) : answer_emotion(&s, out, why);
	if (made < 0)
		out->len = start;	/* all its answers or none */
	return made;
}
