#include "respond/tenants.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "line/envelope.h"
#include "respond/emotion.h"
#include "respond/replies.h"

#define SUFFIX ".conf"

static struct tenant *find(const struct tenants *t, const char *name)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(name, t->v[mid].name);

		if (c == 0)
			return &t->v[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

const struct replies *tenants_find(const struct tenants *t, const char *tenant)
{
	const struct tenant *own = find(t, tenant);

	if (own)
		return own->replies;
	own = find(t, "default");
	return own && own->replies->others ? own->replies : NULL;
}

/* A name that nobody scores is a slip, or meant for another analyzer: the trigger stays. */
static void warn_emotions(const char *path, const struct replies *r)
{
	for (size_t i = 0; i < r->n; i++)
		for (size_t k = 0; r->trigger[i].kind == TRIGGER_EMOTION && k < r->trigger[i].nname; k++)
			if (!emotion_known(r->trigger[i].name[k]))
				log_warn("%s:%zu: the built-in analyzer has no emotion \"%.*s\"", path, r->trigger[i].line,
					(int)r->trigger[i].name[k].n, r->trigger[i].name[k].p);
}

static struct replies *read_file(const char *path)
{
	struct replies_error err;
	struct replies *r = NULL;
	struct buf b;

	buf_init(&b, REPLIES_MAX_BYTES);
	if (fd_read_file(path, &b)) {
		log_error("%s: %s", path, errno == EMSGSIZE ? "the file is larger than 1 MiB" : strerror(errno));
	} else {
		r = replies_parse(b.p ? b.p : "", b.len, &err);
		if (r)
			warn_emotions(path, r);
		else
			log_error("%s:%zu:%zu: %s%s%s%s", path, err.line, err.column, err.what[0] ? "\"" : "", err.what,
				err.what[0] ? "\" " : "", err.why);
	}
	buf_release(&b);
	return r;
}

/* Length of the tenant's name in a file's name, 0 if it is no replies file. */
static size_t tenant_of(const char *file)
{
	size_t n = strlen(file), suffix = strlen(SUFFIX);

	if (n <= suffix || strcmp(file + n - suffix, SUFFIX) != 0 || *file == '.')
		return 0;
	n -= suffix;
	if (n > TENANT_MAX || strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789._-") < n || strchr("._-", *file)) {
		log_warn("no tenant can have the name of file %s: it is not read", file);
		return 0;
	}
	return n;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tenant *)a)->name, ((const struct tenant *)b)->name);
}

static void drop(struct tenants *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->v[i].name);
		replies_free(t->v[i].replies);
	}
	free(t->v);
	t->v = NULL;
	t->n = 0;
}

static int add(struct tenants *t, const char *name, size_t n, struct replies *r)
{
	struct tenant *v = reallocarray(t->v, t->n + 1, sizeof(*v));

	if (v)
		t->v = v;
	if (!v || !(v[t->n].name = strndup(name, n))) {
		log_error("out of memory");
		replies_free(r);
		return -1;
	}
	v[t->n++].replies = r;
	return 0;
}

/* What the tenant had, taken out of the old table. */
static struct replies *keep(const struct tenants *old, const char *file, size_t n)
{
	char name[TENANT_MAX + 1];
	struct tenant *had;
	struct replies *r;

	snprintf(name, sizeof(name), "%.*s", (int)n, file);
	had = find(old, name);
	if (!had)
		return NULL;
	r = had->replies;
	had->replies = NULL;
	return r;
}

/* Reads the directory into new; of a bad file what old had. Returns how many are bad, -1 when it cannot be read. */
static int read_dir(const char *dir, const struct tenants *old, struct tenants *new)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int bad = 0;

	if (!d) {
		log_error("replies directory %s: %m", dir);
		return -1;
	}
	for (errno = 0; (e = readdir(d)); errno = 0) {
		char path[PATH_MAX];
		struct replies *r;
		size_t n = tenant_of(e->d_name);

		if (!n)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		r = read_file(path);
		if (!r) {
			bad++;
			r = keep(old, e->d_name, n);
		}
		if (r && add(new, e->d_name, n, r))
			goto fail;
	}
	if (errno) {
		log_error("replies directory %s: %m", dir);
		goto fail;
	}
	closedir(d);
	if (new->n)
		qsort(new->v, new->n, sizeof(*new->v), by_name);
	return bad;
fail:
	closedir(d);
	return -1;
}

int tenants_open(struct tenants *t, const char *dir)
{
	struct tenants none = {0};

	*t = (struct tenants){.dir = dir};
	if (read_dir(dir, &none, t) == 0)
		return 0;
	drop(t);
	return -1;
}

void tenants_close(struct tenants *t)
{
	drop(t);
}

int tenants_reload(struct tenants *t)
{
	struct tenants new = {.dir = t->dir};
	int bad = read_dir(t->dir, t, &new);

	if (bad < 0) {
		/* What was taken out of the old table goes back to it. */
		for (size_t i = 0; i < new.n; i++) {
			struct tenant *had = find(t, new.v[i].name);

			if (had && !had->replies) {
				had->replies = new.v[i].replies;
				new.v[i].replies = NULL;
			}
		}
		drop(&new);
		return -1;
	}
	drop(t);
	*t = new;
	return bad;
}
