/* penstock new DIR: share/tree copied, with the port in it; share/rules, share/emotes.tsv and share/replies.conf into etc. */
#include "penstock/penstock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/args.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/place.h"

#define PORT_DEFAULT 8080
#define TEMPLATE_MAX (4u << 20)	/* bytes of one file */
#define PORT_WORD "@PORT@"

static uint64_t port = PORT_DEFAULT;

static const struct arg rows[] = {
	{ 'p', "port", ARG_U64, &port, 1, 65535, "N", "port of the chat page on 127.0.0.1", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock new", .synopsis = "[--port N] DIR",
	.about = "Writes a tree with a working configuration; everything it will ever write lies under DIR.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

/* Files of share that stand outside share/tree because other programs use them, too. */
static const struct { const char *from, *to; } extra[] = {
	{ "rules", "etc/rules" },
	{ "emotes.tsv", "etc/emotes.tsv" },
	{ "replies.conf", "etc/replies/default.conf" },
};

static int fail(const char *path)
{
	log_error("%s: %s", path, strerror(errno));
	return -1;
}

/* Puts the port where the template says so. */
static int fill(struct buf *to, const struct buf *from)
{
	const char *p = from->p, *end = p + from->len, *at;
	int rc = 0;

	while (rc == 0 && p < end && (at = memmem(p, (size_t)(end - p), PORT_WORD, strlen(PORT_WORD))) != NULL) {
		rc = buf_add(to, p, (size_t)(at - p));
		if (rc == 0)
			rc = buf_printf(to, "%u", (unsigned)port);
		p = at + strlen(PORT_WORD);
	}
	return rc < 0 ? -1 : buf_add(to, p, (size_t)(end - p));
}

static int write_new(const char *path, const struct buf *b, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int rc;

	if (fd < 0)
		return fail(path);
	rc = fd_write_all(fd, b->p, b->len);
	if (close(fd) < 0 || rc < 0)
		return fail(path);
	return 0;
}

static int copy_file(const char *from, const char *to, mode_t mode)
{
	struct buf in, out;
	int rc = -1;

	buf_init(&in, TEMPLATE_MAX);
	buf_init(&out, TEMPLATE_MAX);
	if (fd_read_file(from, &in) < 0 || fill(&out, &in) < 0)
		fail(from);
	else
		rc = write_new(to, &out, mode);
	buf_release(&in);
	buf_release(&out);
	return rc;
}

static int copy_folder(const char *from, const char *to);

static int copy_entry(const char *from, const char *to)
{
	struct stat st;

	if (stat(from, &st) < 0)
		return fail(from);
	if (!S_ISDIR(st.st_mode))
		return copy_file(from, to, st.st_mode & S_IXUSR ? 0755 : 0644);
	if (mkdir(to, 0755) < 0 && errno != EEXIST)
		return fail(to);
	return copy_folder(from, to);
}

static int copy_folder(const char *from, const char *to)
{
	DIR *d = opendir(from);
	struct dirent *e;
	int rc = 0;

	if (!d)
		return fail(from);
	while (rc == 0 && (errno = 0, e = readdir(d)) != NULL) {
		char *a, *b;

		if (e->d_name[0] == '.')
			continue;
		a = text_of("%s/%s", from, e->d_name);
		b = text_of("%s/%s", to, e->d_name);
		rc = copy_entry(a, b);
	}
	if (rc == 0 && errno)
		rc = fail(from);
	closedir(d);
	return rc;
}

/* DIR is made, or is there and empty. */
static int claim(const char *dir)
{
	struct dirent *e;
	DIR *d;

	if (fd_mkdirs(dir, 0755) < 0)
		return fail(dir);
	d = opendir(dir);
	if (!d)
		return fail(dir);
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			break;
	if (e)
		log_error("%s: not empty (%s is in it): nothing is written", dir, e->d_name);
	closedir(d);
	return e ? -1 : 0;
}

static char *share_needed(const char *rel)
{
	char *path = place_share(rel);

	if (!path)
		log_error("share/%s is not found: is penstock installed whole? (PENSTOCK_SHARE names the folder)", rel);
	return path;
}

/* The path as a shell reads it: between quotes when anything else than a plain character is in it. */
static const char *shell_word(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+,:@%=-";
	char *word, *to;

	if (path[strspn(path, plain)] == 0)
		return path;
	to = word = text_of("%*s", (int)(4 * strlen(path) + 2), "");
	*to++ = '\'';
	for (; *path; path++) {
		if (*path == '\'')
			to = stpcpy(to, "'\\'");
		*to++ = *path;
	}
	*to++ = '\'';
	*to = 0;
	return word;
}

int cmd_new(struct tree *t, int argc, char **argv)
{
	int at = args_parse(&args, argc, argv);
	char *from[sizeof extra / sizeof *extra], *tree;

	if (argc - at != 1)
		args_usage(&args, argc == at ? "name the folder to make" : "one folder only");
	tree = share_needed("tree");
	if (!tree)
		return 1;
	for (size_t i = 0; i < sizeof extra / sizeof *extra; i++)
		if (!(from[i] = share_needed(extra[i].from)))
			return 1;
	if (claim(argv[at]) < 0 || copy_folder(tree, argv[at]) < 0)
		return 1;
	t->asked = argv[at];
	tree_open(t);
	if (fd_mkdirs(tree_path(t, "etc/replies"), 0755) < 0)
		return fail("etc/replies") < 0;
	for (size_t i = 0; i < sizeof extra / sizeof *extra; i++)
		if (copy_file(from[i], tree_path(t, extra[i].to), 0644) < 0)
			return 1;
	if (tree_folders(t) < 0)
		return 1;
	printf("%s: a tree is made. Start it:  penstock -C %s up\n", argv[at], shell_word(argv[at]));
	return fflush(stdout) == 0 ? 0 : 1;
}
