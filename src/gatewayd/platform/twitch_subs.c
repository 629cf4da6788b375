#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/account.h"
#include "base/fd.h"
#include "base/json.h"
#include "gatewayd/platform/twitch_impl.h"

#define PAIRS_MAX 8u
#define WORD_MAX 120u
#define FILE_MAX (4u << 20)
#define SHOWN_MAX 100u

/* The version of a type when the file does not say one: that of Twitch's documentation in 2026, 1 for all others. */
static const struct { const char *type, *version; } versions[] = {
	{"channel.follow", "2"}, {"channel.update", "2"}, {"channel.moderate", "2"}, {"automod.message.hold", "2"},
	{"automod.message.update", "2"},
};

static const char *version_of(const char *type)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++)
		if (strcmp(versions[i].type, type) == 0)
			return versions[i].version;
	return "1";
}

/* ---- keys ---- */

static int order_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int make_key(const char *type, const char *version, const char **pairs, size_t n, struct buf *key)
{
	if (n)
		qsort(pairs, n, sizeof(*pairs), order_text);
	buf_clear(key);
	if (buf_printf(key, "%s %s", type, version))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (buf_addc(key, ' ') || buf_adds(key, pairs[i]))
			return -1;
	return buf_cstr(key) ? 0 : -1;
}

static bool all_of(const char *s, size_t n, const char *more)
{
	for (size_t i = 0; i < n; i++)
		if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && !(s[i] && strchr(more, s[i])))
			return false;
	return n > 0 && n < WORD_MAX;
}

/* What can be written into JSON and a key as it stands. */
static bool value_ok(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\')
			return false;
	return n > 0 && n < WORD_MAX;
}

struct collect { char text[PAIRS_MAX][2 * WORD_MAX]; const char *pairs[PAIRS_MAX]; size_t n; };

static int collect_one(void *arg, const char *name, const struct json *value)
{
	struct collect *c = arg;
	const char *v = json_str(value, NULL);

	/* Twitch lists the members of a condition that were not used as "". */
	if (!v || !*v)
		return 0;
	if (c->n == PAIRS_MAX || !all_of(name, strlen(name), "_") || !value_ok(v))
		return -1;
	snprintf(c->text[c->n], sizeof(c->text[0]), "%s=%s", name, v);
	c->pairs[c->n] = c->text[c->n];
	c->n++;
	return 0;
}

int subs_key(const char *type, const char *version, const struct json *condition, struct buf *key)
{
	struct collect c = {.n = 0};

	if (!type || !version || !all_of(type, strlen(type), "._") || !all_of(version, strlen(version), "._-") ||
	    json_each(condition, collect_one, &c))
		return -1;
	return make_key(type, version, c.pairs, c.n, key);
}

int subs_members(const struct sub *s, struct buf *j)
{
	const char *version = strchr(s->key, ' ') + 1, *pairs = strchr(version, ' ');
	int nv = pairs ? (int)(pairs - version) : (int)strlen(version);
	const char *comma = "";

	if (buf_printf(j, "\"type\":\"%.*s\",\"version\":\"%.*s\",\"condition\":{", (int)(version - 1 - s->key), s->key, nv, version))
		return -1;
	while (pairs) {
		const char *name = pairs + 1, *value = strchr(name, '=') + 1;

		pairs = strchr(value, ' ');
		if (buf_printf(j, "%s\"%.*s\":\"%.*s\"", comma, (int)(value - 1 - name), name,
			       pairs ? (int)(pairs - value) : (int)strlen(value), value))
			return -1;
		comma = ",";
	}
	return buf_addc(j, '}');
}

/* ---- the file ---- */

/* One line, cut into words in place. 1: its key is in *key; 0: there is nothing in it; -1: *why. */
static int read_line(char *line, struct buf *key, const char **why)
{
	const char *pairs[PAIRS_MAX], *type, *version = NULL;
	char *save = NULL, *word = strchr(line, '#');
	size_t n = 0;

	if (word && (word == line || word[-1] == ' ' || word[-1] == '\t'))
		*word = '\0';
	type = strtok_r(line, " \t\r", &save);
	if (!type)
		return 0;
	*why = "want TYPE [VERSION] NAME=VALUE ..., as channel.chat.message 1 broadcaster_user_id=42 user_id=99";
	if (!all_of(type, strlen(type), "._"))
		return -1;
	while ((word = strtok_r(NULL, " \t\r", &save))) {
		char *is = strchr(word, '=');

		if (!is) {
			if (version || n || !all_of(word, strlen(word), "._-"))
				return -1;
			version = word;
			continue;
		}
		if (!all_of(word, (size_t)(is - word), "_") || !value_ok(is + 1))
			return -1;
		for (size_t i = 0; i < n; i++)
			if (strncmp(pairs[i], word, (size_t)(is + 1 - word)) == 0) {
				*why = "a name stands in the condition twice";
				return -1;
			}
		if (n == PAIRS_MAX) {
			*why = "a condition has at most 8 members";
			return -1;
		}
		pairs[n++] = word;
	}
	*why = "out of memory";
	return make_key(type, version ? version : version_of(type), pairs, n, key) ? -1 : 1;
}

static int order_subs(const void *a, const void *b)
{
	return strcmp(((const struct sub *)a)->key, ((const struct sub *)b)->key);
}

static int add(struct subs *to, const char *key, const char **why)
{
	if ((to->n & (to->n - 1)) == 0) {
		struct sub *v = reallocarray(to->v, to->n ? to->n * 2 : 1, sizeof(*v));

		if (!v)
			return -1;
		to->v = v;
	}
	if (to->n == TW_SUBS_MAX) {
		*why = "more than 10000 subscriptions";
		return -1;
	}
	to->v[to->n] = (struct sub){.key = strdup(key)};
	if (!to->v[to->n].key)
		return -1;
	to->n++;
	return 0;
}

static int read_lines(struct subs *to, const char *path, char *text)
{
	struct buf key;
	size_t number = 0;
	int rc = 0;

	buf_init(&key, 4096);
	for (char *line = text, *end; line && rc >= 0; line = end) {
		const char *why = NULL;

		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		number++;
		rc = read_line(line, &key, &why);
		if (rc > 0) {
			why = "out of memory";
			rc = add(to, key.p, &why);
		}
		if (rc < 0)
			log_error("%s:%zu: %s", path, number, why);
	}
	buf_release(&key);
	return rc < 0 ? -1 : 0;
}

int subs_read(struct subs *to, const struct account *a, const char *path)
{
	struct buf b;
	int rc = -1;

	*to = (struct subs){0};
	buf_init(&b, FILE_MAX);
	if (fd_read_file(path, &b) || !buf_cstr(&b)) {
		account_bad(a, "subscriptions", "%s: %s", path, errno == EMSGSIZE ? "larger than 4 MiB" : strerror(errno));
	} else if (memchr(b.p, '\0', b.len)) {
		account_bad(a, "subscriptions", "%s: holds a NUL byte; want a text file", path);
	} else if (read_lines(to, path, b.p) == 0) {
		rc = 0;
		if (to->n)
			qsort(to->v, to->n, sizeof(*to->v), order_subs);
		for (size_t i = 1; i < to->n && rc == 0; i++)
			if (strcmp(to->v[i - 1].key, to->v[i].key) == 0)
				rc = account_bad(a, "subscriptions", "%s: \"%s\" stands there twice", path, to->v[i].key);
	}
	buf_release(&b);
	if (rc)
		subs_release(to);
	return rc;
}

void subs_release(struct subs *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].key);
		free(s->v[i].said);
	}
	free(s->v);
	*s = (struct subs){0};
}

struct sub *subs_find(const struct subs *s, const char *key)
{
	struct sub wanted = {.key = (char *)(uintptr_t)key};

	return s->n ? bsearch(&wanted, s->v, s->n, sizeof(*s->v), order_subs) : NULL;
}

/* ---- what is known ---- */

void sub_set(struct sub *s, enum sub_state state, int http, const char *said)
{
	char *copy = said && *said ? strdup(said) : NULL;	/* without memory it goes unsaid; said may be what stood there */

	s->state = state;
	s->http = http;
	free(s->said);
	s->said = copy;
	if (state == SUB_MISSING)
		s->id[0] = '\0';
}

static int show(const struct sub *s, bool conns, bool first, struct buf *j)
{
	static const char *const words[] = {[SUB_MISSING] = "missing", [SUB_ASKED] = "asked", [SUB_PENDING] = "pending",
		[SUB_ENABLED] = "enabled", [SUB_REFUSED] = "refused"};

	return buf_adds(j, first ? "{" : ",{") || subs_members(s, j) || buf_printf(j, ",\"state\":\"%s\"", words[s->state]) ||
		(conns && buf_printf(j, ",\"connection\":%u", s->conn)) || (s->http && buf_printf(j, ",\"http\":%d", s->http)) ||
		(*s->id && (buf_adds(j, ",\"id\":") || buf_add_json(j, s->id, strlen(s->id)))) ||
		(s->said && (buf_adds(j, ",\"said\":") || buf_add_json(j, s->said, strlen(s->said)))) || buf_addc(j, '}') ? -1 : 0;
}

int subs_status(const struct subs *s, bool conns, struct buf *j)
{
	size_t enabled = 0, shown = 0;

	for (size_t i = 0; i < s->n; i++)
		enabled += s->v[i].state == SUB_ENABLED;
	if (buf_printf(j, "\"wanted\":%zu,\"enabled\":%zu,\"subscriptions\":[", s->n, enabled))
		return -1;
	/* Of many, those that somebody has to look at. */
	for (size_t i = 0; i < s->n && shown < SHOWN_MAX; i++) {
		if (s->n > SHOWN_MAX && s->v[i].state == SUB_ENABLED)
			continue;
		if (show(&s->v[i], conns, shown == 0, j))
			return -1;
		shown++;
	}
	return buf_addc(j, ']');
}
