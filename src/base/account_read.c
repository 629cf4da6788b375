#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/account_impl.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/pairs.h"

#define WORDS_MAX 256u
#define SUFFIX ".conf"

/* ---- reading one ---- */

static bool name_ok(const char *s, size_t n)
{
	return n >= 1 && n < ACCOUNT_NAME_BYTES && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") >= n && !strchr("._-", s[0]);
}

static bool names_file(const char *word)
{
	size_t n = strlen(word);

	return (n > 5 && strcmp(word + n - 5, "-file") == 0) || strcmp(word, "ca") == 0 || strcmp(word, "subscriptions") == 0;
}

/* A file that cannot be read counts as none: whoever needs it says so. */
static void print_file(const struct account *a, const char *value, struct sip *s)
{
	char *path = account_path_of(a, value);
	struct buf b;
	struct stat st;

	buf_init(&b, 1u << 20);
	if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && fd_read_file(path, &b) == 0)
		sip_add(s, b.p ? b.p : "", b.len);
	sip_add(s, "", 1);
	if (b.p)
		explicit_bzero(b.p, b.len);
	buf_release(&b);
	free(path);
}

static void print_make(struct account *a)
{
	static const uint64_t key[2] = {0x70656e73746f636bu, 0x6163636f756e7401u};	/* the same in every process: account_print */
	struct sip s;

	sip_init(&s, key);
	for (size_t i = 0; i < a->n; i++) {
		sip_add(&s, a->words[i].word, strlen(a->words[i].word) + 1);
		sip_add(&s, a->words[i].value, strlen(a->words[i].value) + 1);
		if (names_file(a->words[i].word))
			print_file(a, a->words[i].value, &s);
	}
	a->print = sip_end(&s);
}

static int parse(struct account *a, size_t n)
{
	struct pairs it;
	int rc;

	pairs_init(&it, a->text, n);
	while ((rc = pairs_next(&it)) > 0) {
		if (a->n == WORDS_MAX) {
			log_error("%s:%zu: more than %u words", a->path, it.line, WORDS_MAX);
			return -1;
		}
		if (a->n % 16 == 0) {
			struct word *w = reallocarray(a->words, a->n + 16, sizeof(*w));

			if (!w) {
				log_error("%s: out of memory", a->path);
				return -1;
			}
			a->words = w;
		}
		a->words[a->n++] = (struct word){it.word, it.value, it.line};
	}
	if (rc < 0)
		log_error("%s:%zu: %s", a->path, it.line, it.why);
	return rc;
}

static int read_text(struct account *a, size_t *n)
{
	struct buf b;

	buf_init(&b, ACCOUNT_FILE_BYTES);
	if (fd_read_file(a->path, &b) || !buf_cstr(&b)) {
		log_error("%s: %s", a->path, errno == EMSGSIZE ? "larger than 64 KiB" : strerror(errno));
		buf_release(&b);
		return -1;
	}
	a->text = b.p;
	*n = b.len;
	if (memchr(b.p, '\0', b.len)) {
		log_error("%s: holds a NUL byte; want a text file", a->path);
		return -1;
	}
	return 0;
}

struct account *account_read(const char *path, const char *tenant, const char *name)
{
	struct account *a;
	size_t n;

	if (!name_ok(tenant, strlen(tenant)) || !name_ok(name, strlen(name))) {
		log_error("%s: \"%s\" is no name: 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit", path,
			name_ok(tenant, strlen(tenant)) ? name : tenant);
		return NULL;
	}
	a = calloc(1, sizeof(*a));
	if (!a || !(a->path = strdup(path))) {
		log_error("%s: out of memory", path);
		free(a);
		return NULL;
	}
	a->refs = 1;
	strcpy(a->tenant, tenant);
	strcpy(a->name, name);
	if (read_text(a, &n) || parse(a, n))
		goto fail;
	if (!account_get(a, "platform", NULL)) {
		log_error("%s: there is no line platform = NAME, as in: platform = discord", path);
		goto fail;
	}
	if (asprintf(&a->source, "/%s/%s/%s", account_platform(a), tenant, name) < 0) {
		a->source = NULL;
		log_error("%s: out of memory", path);
		goto fail;
	}
	print_make(a);
	return a;
fail:
	account_free(a);
	return NULL;
}

struct account *account_ref(struct account *a)
{
	a->refs++;
	return a;
}

void account_free(struct account *a)
{
	if (!a || --a->refs)
		return;
	free(a->words);
	free(a->text);
	free(a->path);
	free(a->source);
	free(a);
}

/* ---- reading all ---- */

static int add(struct accounts *to, struct account *a)
{
	if ((to->n & (to->n - 1)) == 0) {
		struct account **v = reallocarray(to->v, to->n ? to->n * 2 : 1, sizeof(*v));

		if (!v) {
			log_error("%s: out of memory", a->path);
			account_free(a);
			return -1;
		}
		to->v = v;
	}
	to->v[to->n++] = a;
	return 0;
}

/* An account file, or what an editor or the system leaves beside it? */
static bool is_conf(const char *file, size_t *stem)
{
	size_t n = strlen(file);

	*stem = n - (sizeof(SUFFIX) - 1);
	return n > sizeof(SUFFIX) - 1 && file[0] != '.' && strcmp(file + *stem, SUFFIX) == 0;
}

static void read_tenant(struct accounts *to, const char *dir, const char *tenant, unsigned *bad)
{
	char path[PATH_MAX], name[NAME_MAX + 1];
	struct dirent *e;
	struct stat st;
	DIR *d;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, tenant) >= sizeof(path) || stat(path, &st) || !S_ISDIR(st.st_mode))
		return;
	d = opendir(path);
	if (!d) {
		log_error("%s: %s", path, strerror(errno));
		++*bad;
		return;
	}
	while ((e = readdir(d))) {
		struct account *a;
		size_t stem;

		if (!is_conf(e->d_name, &stem))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)stem, e->d_name);
		if ((size_t)snprintf(path, sizeof(path), "%s/%s/%s", dir, tenant, e->d_name) >= sizeof(path)) {
			log_error("%s/%s/%s: the path is too long", dir, tenant, e->d_name);
			++*bad;
			continue;
		}
		a = account_read(path, tenant, name);
		if (!a || add(to, a))
			++*bad;
	}
	closedir(d);
}

static int order(const void *x, const void *y)
{
	const struct account *a = *(struct account *const *)x, *b = *(struct account *const *)y;
	int rc = strcmp(a->tenant, b->tenant);

	return rc ? rc : strcmp(a->name, b->name);
}

int accounts_read(struct accounts *to, const char *dir, unsigned *bad)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	*to = (struct accounts){0};
	*bad = 0;
	if (!d) {
		log_error("%s: %s", dir, strerror(errno));
		return -1;
	}
	while ((e = readdir(d)))
		if (name_ok(e->d_name, strlen(e->d_name)))
			read_tenant(to, dir, e->d_name, bad);
	closedir(d);
	if (to->n)
		qsort(to->v, to->n, sizeof(*to->v), order);
	return 0;
}

void accounts_release(struct accounts *a)
{
	for (size_t i = 0; i < a->n; i++)
		account_free(a->v[i]);
	free(a->v);
	*a = (struct accounts){0};
}
