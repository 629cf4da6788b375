#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/http.h"
#include "base/json.h"
#include "base/oauth_impl.h"

void oauth_wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void oauth_file_release(struct oauth_file *f)
{
	oauth_wipe(&f->token);
	oauth_wipe(&f->refresh);
	if (f->text.p)
		explicit_bzero(f->text.p, f->text.len);
	buf_release(&f->text);
}

/* A token goes into a header: printable ASCII without blanks (RFC 6750, b64token and more). */
static bool token_ok(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	return n > 0 && n <= OAUTH_TOKEN_MAX;
}

/* A token of an object. absent: 0 and *to NULL; -1: it can be none. */
static int take(const struct json *doc, const char *name, char **to)
{
	const struct json *v = json_member(doc, name);
	const char *text;
	size_t n;

	*to = NULL;
	if (!v)
		return 0;
	text = json_str(v, &n);
	if (!text || !token_ok(text, n))
		return -1;
	*to = strndup(text, n);
	return *to ? 0 : -1;
}

static int parse(const struct oauth_conf *c, struct oauth_file *f)
{
	struct json *doc;
	struct json_error err;
	int rc;

	if (f->text.len == 0 || f->text.p[0] != '{') {
		if (!token_ok(f->text.p, f->text.len))
			return account_bad(c->a, "token-file", "%s: holds neither a JSON object nor a bare token", c->path);
		f->token = strndup(f->text.p, f->text.len);
		return f->token ? 0 : account_bad(c->a, "token-file", "out of memory");
	}
	doc = json_parse(f->text.p, f->text.len, &err);
	if (!doc)	/* The parser's own text may quote what it read. */
		return account_bad(c->a, "token-file", "%s: malformed JSON in line %zu, column %zu", c->path, err.line, err.column);
	rc = take(doc, "access_token", &f->token) || take(doc, "refresh_token", &f->refresh) ? -1 : 0;
	json_free(doc);
	if (rc)
		return account_bad(c->a, "token-file", "%s: access_token and refresh_token are strings without blanks, at most %u bytes",
			c->path, OAUTH_TOKEN_MAX);
	if (!f->token && !f->refresh)
		return account_bad(c->a, "token-file", "%s: there is neither access_token nor refresh_token", c->path);
	return 0;
}

int oauth_file_read(const struct oauth_conf *c, struct oauth_file *f)
{
	*f = (struct oauth_file){0};
	buf_init(&f->text, OAUTH_FILE_MAX + 1);
	if (account_secret(c->a, "token-file", &f->text) == 0 && parse(c, f) == 0)
		return 0;
	oauth_file_release(f);
	return -1;
}

/* ---- a new text out of the old one and the answer ---- */

static const char *const replaced[] = {"access_token", "refresh_token", "expires_in", "scope", "token_type", NULL};

struct merge { struct buf *out; bool kept; };	/* kept: the members that the answer replaces are left out */

static int member(void *arg, const char *name, const struct json *value)
{
	struct merge *m = arg;

	for (size_t i = 0; m->kept && replaced[i]; i++)
		if (strcmp(name, replaced[i]) == 0)
			return 0;
	if (m->out->len > 1 && buf_addc(m->out, ','))
		return -1;
	return buf_add_json(m->out, name, strlen(name)) || buf_addc(m->out, ':') || json_print(value, m->out);
}

static int answer_members(const struct json *answer, const struct oauth_file *old, struct buf *out)
{
	struct merge m = {out, false};

	for (size_t i = 0; replaced[i]; i++) {
		const struct json *v = json_member(answer, replaced[i]);

		if (v && member(&m, replaced[i], v))
			return -1;
	}
	/* An answer without a refresh token leaves the one that was used in force. */
	if (json_member(answer, "refresh_token"))
		return 0;
	return buf_adds(out, ",\"refresh_token\":") || buf_add_json(out, old->refresh, strlen(old->refresh));
}

static int64_t life_of(const struct json *doc)
{
	int64_t s = json_int(json_member(doc, "expires_in"), 0);

	return s <= 0 ? 0 : s > 366 * 86400 ? 366 * 86400 * CLOCK_S : s * CLOCK_S;
}

int oauth_file_merge(const struct oauth_file *old, const struct http_answer *a, struct oauth_file *fresh, int64_t *life)
{
	struct json *was = NULL, *is;
	struct json_error err;
	struct merge m = {&fresh->text, true};
	int rc = -1;

	*fresh = (struct oauth_file){0};
	buf_init(&fresh->text, OAUTH_FILE_MAX);
	is = json_parse(a->body, a->nbody, &err);
	was = json_parse(old->text.p, old->text.len, &err);
	if (!json_is_object(is) || take(is, "access_token", &fresh->token) || !fresh->token ||
	    take(is, "refresh_token", &fresh->refresh))
		goto out;
	if (!fresh->refresh && !(fresh->refresh = strdup(old->refresh)))
		goto out;
	*life = life_of(is);
	if (buf_addc(m.out, '{') || (was && json_each(was, member, &m)) || answer_members(is, old, m.out) || buf_adds(m.out, "}\n"))
		goto out;
	rc = 0;
out:
	json_free(was);
	json_free(is);
	if (rc)
		oauth_file_release(fresh);
	return rc;
}

char *oauth_answer_token(const struct http_answer *a, int64_t *life)
{
	struct json_error err;
	struct json *doc = json_parse(a->body, a->nbody, &err);
	char *token = NULL;

	if (json_is_object(doc) && take(doc, "access_token", &token) == 0)
		*life = life_of(doc);
	json_free(doc);
	return token;
}

int oauth_file_write(const struct oauth_conf *c, const struct oauth_file *f)
{
	return fd_replace(c->path, f->text.p, f->text.len, 0600);
}

uint64_t oauth_file_stamp(const struct oauth_conf *c)
{
	struct stat st;

	if (!c->path || stat(c->path, &st))
		return 0;
	return (uint64_t)st.st_ino * 31 + (uint64_t)st.st_mtim.tv_sec * (uint64_t)CLOCK_S + (uint64_t)st.st_mtim.tv_nsec;
}

int oauth_file_lock(const struct oauth_conf *c)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s.lock", c->path) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return fd_lock_at(AT_FDCWD, path);	/* in a loop: who does not get it comes again */
}
