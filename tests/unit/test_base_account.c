/* account: files of accounts, their words, the files they name, and what is refused. */
#include "check.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "base/account.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

static char dir[SCRATCH];

static void put(const char *file, mode_t mode, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f) || chmod(path, mode)) {
		perror(path);
		exit(1);
	}
}

static struct account *read_one(const char *file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return account_read(path, "t", "bot");
}

static int gather(void *arg, const char *value)
{
	strcat(arg, value);
	strcat(arg, ";");
	return 0;
}

static void tell_folder(void)
{
	struct accounts all;
	char path[PATH_MAX];
	unsigned bad;

	snprintf(path, sizeof(path), "%s/acme", dir);
	mkdir(path, 0700);
	put("acme/b.conf", 0600, "platform = null\n");
	put("acme/a.conf", 0600, "# comment\nplatform=twitch # here too\n");
	put("acme/a.conf~", 0600, "platform = no\n");
	put("acme/.c.conf", 0600, "platform = no\n");
	put("acme/A.conf", 0600, "platform = no\n");
	put("acme/empty.conf", 0600, "");
	put("acme/bad.conf", 0600, "platform = null\nwhat\n");
	CHECK(accounts_read(&all, dir, &bad) == 0 && all.n == 2 && bad == 3, "two accounts, three bad files: %zu, %u", all.n, bad);
	CHECK(strcmp(account_name(all.v[0]), "a") == 0 && strcmp(account_tenant(all.v[0]), "acme") == 0 &&
		strcmp(account_platform(all.v[0]), "twitch") == 0, "in order of their names");
	accounts_release(&all);
	CHECK(accounts_read(&all, "/nowhere/at/all", &bad) == -1, "a folder that is not there");
}

static void tell_words(void)
{
	struct account *a;
	uint64_t n = 7;
	int64_t t = 1;
	bool yes = false;
	char list[64] = "";

	put("w.conf", 0600, "platform = irc\nn = 5\ntime = 2s\nbig = 50\nraw = yes\nodd = maybe\nchannels = \"#a #b\"\nchannels = \"#c\"\n"
		"two = 1\ntwo = 2\nempty =\n");
	a = read_one("w.conf");
	CHECK(a && account_u64(a, "n", 1, 10, &n) == 0 && n == 5, "a number");
	CHECK(account_u64(a, "none", 1, 10, &n) == 0 && n == 5, "an absent one stays");
	CHECK(account_u64(a, "big", 1, 10, &n) == -1 && n == 5, "one out of range");
	CHECK(account_time(a, "time", 0, 10 * CLOCK_S, &t) == 0 && t == 2 * CLOCK_S, "a time");
	CHECK(account_bool(a, "raw", &yes) == 0 && yes && account_bool(a, "odd", &yes) == -1, "yes, and what is neither yes nor no");
	CHECK(account_u64(a, "two", 0, 9, &n) == -1 && strcmp(account_get(a, "two", ""), "2") == 0, "a word that stands twice");
	CHECK(account_each(a, "channels", gather, list) == 0 && strcmp(list, "#a;#b;#c;") == 0, "a list: %s", list);
	CHECK(strcmp(account_get(a, "empty", "x"), "") == 0 && strcmp(account_get(a, "none", "x"), "x") == 0, "empty and absent");
	account_free(a);
}

static void tell_secrets(void)
{
	struct account *a, *b;
	struct buf s;
	char *path;

	put("token", 0600, "abc\r\n");
	put("open", 0644, "abc\n");
	put("void", 0600, "\n");
	put("s.conf", 0600, "platform = x\ntoken-file = token\nopen-file = open\nvoid-file = void\nno-file = gone\ndir-file = acme\n");
	a = read_one("s.conf");
	buf_init(&s, 1 << 16);
	CHECK(a && account_secret(a, "token-file", &s) == 0 && s.len == 3 && memcmp(s.p, "abc", 3) == 0, "a secret without its line end");
	CHECK(account_secret(a, "open-file", &s) == -1 && account_secret(a, "no-file", &s) == -1 && account_secret(a, "dir-file", &s) == -1 &&
		account_secret(a, "void-file", &s) == -1 && account_secret(a, "absent-file", &s) == -1 && s.len == 3, "what is no secret");
	path = account_path(a, "no-file");
	CHECK(path && path[0] == '/' && strcmp(path + strlen(path) - 5, "/gone") == 0, "a path beside the file: %s", path);
	free(path);
	b = read_one("s.conf");
	CHECK(account_same(a, b), "read again it is the same");
	account_free(b);
	put("token", 0600, "abd\n");
	b = read_one("s.conf");
	CHECK(!account_same(a, b), "a changed secret is a change");
	account_free(b);
	account_free(account_ref(a));
	account_free(a);
	buf_release(&s);
}

int main(void)
{
	log_init("unit");
	log_set(LOG_TEXT, LOG_ERROR);
	scratch_make(dir);
	tell_folder();
	tell_words();
	tell_secrets();
	return check_done();
}
