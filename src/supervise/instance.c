#include "supervise/instance.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "supervise/supervise.h"

#define LINK "template"
#define TEXT_MAX 64
#define NAME_LONGEST 255

int instance_parse(const char *p, size_t n, const char **why)
{
	char text[TEXT_MAX + 1];
	uint64_t v;

	while (n > 0 && strchr(" \t\r\n", p[n - 1]))
		n--;
	while (n > 0 && strchr(" \t\r\n", *p)) {
		p++;
		n--;
	}
	if (n > TEXT_MAX || memchr(p, 0, n)) {
		*why = "not a number";
		return -1;
	}
	memcpy(text, p, n);
	text[n] = 0;
	return num_u64(text, 0, INSTANCE_MAX, &v, why) < 0 ? -1 : (int)v;
}

unsigned instance_number(const char *name, size_t *base)
{
	const char *at = strrchr(name, '@'), *why;
	uint64_t v;

	if (!at || at == name || at[1] == '0' || num_u64(at + 1, 1, INSTANCE_MAX, &v, &why) < 0)
		return 0;
	*base = (size_t)(at - name);
	return (unsigned)v;
}

/* printf into a path that is checked for length; false: too long. */
static bool path_of(char out[PATH_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool path_of(char out[PATH_MAX], const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, PATH_MAX, fmt, ap);
	va_end(ap);
	return n < PATH_MAX;
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* How many instances a directory asks for; -1: it is no template; -2: its file is bad, *why says how. */
static int wanted(const char *name, const char **why)
{
	char path[PATH_MAX], text[TEXT_MAX + 1];
	ssize_t n;
	int fd, v;

	if (!path_of(path, "%s/instances", name))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || !is_dir(name)))
		return -1;
	if (fd < 0 && errno == EACCES && faccessat(AT_FDCWD, name, X_OK, AT_EACCESS) < 0)
		return -1;	/* a directory that cannot be entered is a service with a fault; one that runs is not to be stopped for that */
	n = fd < 0 ? -1 : read(fd, text, sizeof text);
	*why = strerror(errno);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return errno == EISDIR ? -1 : -2;	/* a folder of that name is s6's */
	v = instance_parse(text, (size_t)n, why);
	return v < 0 ? -2 : v;
}

bool instance_is(const char *name)
{
	char path[PATH_MAX], target[PATH_MAX], want[PATH_MAX];
	size_t base;
	ssize_t n;

	if (!instance_number(name, &base) || !path_of(path, "%s/" LINK, name))
		return false;
	n = readlink(path, target, sizeof target - 1);
	if (n < 0)
		return false;
	target[n] = 0;
	return path_of(want, "../%.*s", (int)base, name) && strcmp(target, want) == 0;
}

/* Beyond the number, or its template is one no more. A template whose file is bad keeps what there is. */
static bool surplus(const char *name)
{
	char template[NAME_LONGEST + 1];
	size_t base = 0;
	unsigned k = instance_number(name, &base);
	const char *why;
	int n;

	snprintf(template, sizeof template, "%.*s", (int)base, name);
	n = wanted(template, &why);
	return n == -1 || (n >= 0 && k > (unsigned)n);
}

bool instance_is_service(const char *name)
{
	const char *why;

	if (wanted(name, &why) != -1)
		return false;
	return !instance_is(name) || !surplus(name);
}

/* ---- making ---- */

/* What is the instance's own, or tells of the template only. */
static bool own(const char *entry)
{
	static const char *const names[] = { "supervise", "instances", "instance", "log", "event", LINK };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(entry, names[i]) == 0)
			return true;
	return entry[0] == '.';
}

static int link_to(const char *target, const char *path)
{
	return symlink(target, path) == 0 || errno == EEXIST ? 0 : -1;
}

/* A link that was made here: up from the instance, and down into its template. */
static bool is_ours(const char *path, const char *template)
{
	char target[PATH_MAX], *p = target;
	size_t len = strlen(template);
	ssize_t n = readlink(path, target, sizeof target - 1);

	if (n < 0)
		return false;
	target[n] = 0;
	while (strncmp(p, "../", 3) == 0)
		p += 3;
	return p > target && strncmp(p, template, len) == 0 && p[len] == '/';
}

/* Links whose target is gone: their entry was removed from the template. */
static void unlink_dangling(const char *dir, const char *template)
{
	DIR *d = opendir(dir);
	char path[PATH_MAX];
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d)) != NULL)
		if (path_of(path, "%s/%s", dir, e->d_name) && is_ours(path, template) && stat(path, &st) < 0 && errno == ENOENT)
			unlink(path);
	if (d)
		closedir(d);
}

/* The folder log/: links to its files, own folders. dir is where the instance is made, now or for good. */
static int mend_log(const char *name, const char *dir)
{
	char from[PATH_MAX], path[PATH_MAX], target[PATH_MAX];
	struct dirent *e;
	DIR *d;
	int rc = 0;

	if (!path_of(from, "%s/log", name) || !is_dir(from))
		return 0;
	if (!path_of(path, "%s/log", dir) || (mkdir(path, 0755) < 0 && errno != EEXIST))
		return -1;
	d = opendir(from);
	if (!d)
		return -1;
	while (rc == 0 && (e = readdir(d)) != NULL) {
		char entry[PATH_MAX];

		if (own(e->d_name) || !path_of(entry, "%s/%s", from, e->d_name) || !path_of(path, "%s/log/%s", dir, e->d_name))
			continue;
		if (!is_dir(entry)) {
			rc = path_of(target, "../../%s/log/%s", name, e->d_name) ? link_to(target, path) : -1;
			continue;
		}
		rc = mkdir(path, 0755) == 0 || errno == EEXIST ? 0 : -1;
		if (rc == 0 && path_of(entry, "%s/%s/config", from, e->d_name) && access(entry, F_OK) == 0 &&
		    path_of(path, "%s/log/%s/config", dir, e->d_name) && path_of(target, "../../../%s/log/%s/config", name, e->d_name))
			rc = link_to(target, path);
	}
	closedir(d);
	if (path_of(path, "%s/log", dir))
		unlink_dangling(path, name);
	return rc;
}

static int mend(const char *name, const char *dir)
{
	char path[PATH_MAX], target[PATH_MAX];
	DIR *d = opendir(name);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return -1;
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (own(e->d_name))
			continue;
		if (!path_of(path, "%s/%s", dir, e->d_name) || !path_of(target, "../%s/%s", name, e->d_name))
			rc = -1;
		else
			rc = link_to(target, path);
	}
	closedir(d);
	unlink_dangling(dir, name);
	return rc == 0 ? mend_log(name, dir) : -1;
}

/* May a folder in dir have anything of ours in it? supervise/ and log/ of an instance, and the folders in log/. */
static bool descends(const char *dir, const char *entry)
{
	const char *slash = strchr(dir, '/');

	return slash ? strcmp(slash, "/log") == 0 : strcmp(entry, "log") == 0 || strcmp(entry, "supervise") == 0;
}

/* Removes the links that were made here and, with all that is in them, the folders supervise/; others of ours if they are empty then. What is
 * not ours stays. template NULL: everything is ours. */
static void remove_own(const char *dir, const char *template)
{
	DIR *d = opendir(dir);
	char path[PATH_MAX];
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || !path_of(path, "%s/%s", dir, e->d_name) ||
		    lstat(path, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode)) {
			if (!template || descends(dir, e->d_name))
				remove_own(path, strcmp(e->d_name, "supervise") == 0 ? NULL : template);
		} else if (!template || is_ours(path, template)) {
			unlink(path);
		}
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

/* Made aside and moved in, so that it is never seen half made. */
static int make(const char *name, unsigned k)
{
	char dir[PATH_MAX], fresh[PATH_MAX], link[PATH_MAX], target[PATH_MAX];

	if (!path_of(dir, "%s@%u", name, k) || !path_of(fresh, SUPERVISE_FOLDER "/new") || !path_of(link, "%s/" LINK, fresh) ||
	    !path_of(target, "../%s", name))
		return -1;
	if (instance_is(dir))
		return mend(name, dir);
	if (mkdir(fresh, 0755) < 0 && errno == EEXIST) {
		remove_own(fresh, NULL);
		if (mkdir(fresh, 0755) < 0)
			return -1;
	}
	/* Links are relative to where the folder is going to be: from here they dangle, so nothing is unlinked before. */
	if (link_to(target, link) < 0 || rename(fresh, dir) < 0)
		return -1;
	return mend(name, dir);
}

/* Every fault is told once, until it is another. */
static void complain(const char *name, const char *why)
{
	static char last[PATH_MAX + 200];
	char text[sizeof last];

	snprintf(text, sizeof text, "%.255s: %.150s", name, why);
	if (strcmp(text, last) != 0)
		log_error("%s", text);
	memcpy(last, text, sizeof last);
}

static void look_at(const char *name)
{
	const char *why = "";
	int n = wanted(name, &why);

	if (n == -1)
		return;
	if (n == -2) {
		char text[200];

		snprintf(text, sizeof text, "%.60s: write one number from 0 to %d; its instances stay as they are", why, INSTANCE_MAX);
		complain(name, text);
		return;
	}
	if (strlen(name) + 5 > NAME_LONGEST) {
		complain(name, "the name is too long for a template");
		return;
	}
	for (unsigned k = 1; k <= (unsigned)n; k++)
		if (make(name, k) < 0) {
			char text[200];

			snprintf(text, sizeof text, "instance %u cannot be made: %.100s", k, strerror(errno));
			complain(name, text);
		}
}

void instance_look(void)
{
	DIR *d = opendir(".");
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && e->d_type != DT_REG)
			look_at(e->d_name);
	if (d)
		closedir(d);
}

/* Is there nothing in it but the link to its template? */
static bool is_bare(const char *name)
{
	DIR *d = opendir(name);
	struct dirent *e;
	bool bare = d != NULL;

	while (bare && (e = readdir(d)) != NULL)
		bare = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, LINK) == 0;
	if (d)
		closedir(d);
	return bare;
}

void instance_gone(const char *name)
{
	char link[PATH_MAX], template[NAME_LONGEST + 1];
	size_t base = 0;

	if (!instance_is(name) || !surplus(name) || !path_of(link, "%s/" LINK, name))
		return;
	instance_number(name, &base);
	snprintf(template, sizeof template, "%.*s", (int)base, name);
	remove_own(name, template);
	/* The link goes last, and with the directory only: one that stays is ours, and so no service, until it is wanted again. */
	if (!is_bare(name) || unlink(link) < 0 || rmdir(name) < 0)
		log_info("%s: stays, since there is more in it than supervise made", name);
}
