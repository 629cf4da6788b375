/* The service directory of a trial: run, finish, notification-fd, and for a shadow a logger that keeps what it says. */
#include "penstock/swap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/place.h"

#define SCRIPT_MAX (4u << 20)

static void put(char *argv[], unsigned *n, unsigned max, const char *word)
{
	if (*n + 1 >= max)
		die(2, "the command line of the program is too long");
	argv[(*n)++] = (char *)word;
	argv[*n] = NULL;
}

static void put_all(char *argv[], unsigned *n, unsigned max, char *const words[])
{
	for (size_t i = 0; words[i]; i++)
		put(argv, n, max, words[i]);
}

/* What stage and every native stage know alike. */
static void put_links(const struct swap *s, char *argv[], unsigned *n, unsigned max)
{
	put(argv, n, max, "-i");
	put(argv, n, max, text_of("ipc://run/to-%s", s->dest));
	put(argv, n, max, "-o");
	put(argv, n, max, s->how == SWAP_SHADOW ? "-" : "ipc://run/in");
	put(argv, n, max, "--set");
	put(argv, n, max, s->trial);
	put(argv, n, max, "-F");
	put(argv, n, max, "3");
	put(argv, n, max, "-M");
	put(argv, n, max, text_of("run/metrics/%s", s->trial));
}

void swap_command(const struct tree *t, const struct swap *s, bool probe, char *argv[], unsigned max)
{
	const struct swap_program *p = &s->program;
	unsigned n = 0;

	if (!p->mode) {
		put_all(argv, &n, max, p->words);
		if (!probe)
			put_links(s, argv, &n, max);
		return;
	}
	put(argv, &n, max, probe ? program_path("stage") : "stage");
	if (!probe)
		put_links(s, argv, &n, max);
	put(argv, &n, max, "-s");
	put(argv, &n, max, s->stage);
	put(argv, &n, max, "-a");
	put(argv, &n, max, p->mode);
	put_all(argv, &n, max, p->options);
	put(argv, &n, max, "--");
	if (strcmp(p->folder, t->dir) != 0 || probe) {
		size_t len = strlen(t->dir);
		bool below = !probe && strncmp(p->folder, t->dir, len) == 0 && p->folder[len] == '/';

		put(argv, &n, max, "env");
		put(argv, &n, max, "-C");
		put(argv, &n, max, p->folder + (below ? len + 1 : 0));	/* a tree may be moved */
	}
	put_all(argv, &n, max, p->words);
}

/* A word as sh takes it. */
static void add_quoted(struct buf *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";

	buf_addc(b, ' ');
	if (*word && strspn(word, plain) == strlen(word)) {
		buf_adds(b, word);
		return;
	}
	buf_addc(b, '\'');
	for (; *word; word++)
		if (*word == '\'')
			buf_adds(b, "'\\''");
		else
			buf_addc(b, *word);
	buf_addc(b, '\'');
}

static int write_file(const char *folder, const char *name, mode_t mode, const struct buf *b)
{
	char *path = text_of("%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int rc = fd < 0 ? -1 : fd_write_all(fd, b->p, b->len);

	if (rc == 0)
		rc = fdatasync(fd);
	if (fd >= 0 && close(fd) < 0)
		rc = -1;
	if (rc < 0)
		log_error("%s: %s", path, strerror(errno));
	return rc;
}

static int write_run(const struct tree *t, const struct swap *s, const char *folder)
{
	char *argv[3 * SWAP_WORDS_MAX];
	struct buf b;
	int rc;

	swap_command(t, s, false, argv, sizeof argv / sizeof *argv);
	buf_init(&b, SCRIPT_MAX);
	buf_printf(&b, "#!/bin/sh\n# Made by penstock swap, in the place of service/%s; penstock swap %s --back removes it.\n"
		"cd ../.. || exit 111\nexec", swap_top(s), s->name);
	for (size_t i = 0; argv[i]; i++)
		add_quoted(&b, argv[i]);
	rc = buf_addc(&b, '\n') < 0 ? -1 : write_file(folder, "run", 0755, &b);
	buf_release(&b);
	return rc;
}

/* A script that runs this penstock on the tree. */
static int write_hook(const struct swap *s, const char *folder, const char *name, const char *before, const char *option)
{
	struct buf b;
	int rc;

	buf_init(&b, SCRIPT_MAX);
	buf_printf(&b, "#!/bin/sh\n%s\nexec", before);
	add_quoted(&b, text_of("%s/penstock", place_folder()));
	buf_adds(&b, " -C . swap");
	add_quoted(&b, s->name);
	buf_printf(&b, " %s", option);
	rc = buf_addc(&b, '\n') < 0 ? -1 : write_file(folder, name, 0755, &b);
	buf_release(&b);
	return rc;
}

static int write_logger(const struct swap *s, const char *folder)
{
	char *log = text_of("%s/log", folder);

	if (mkdir(log, 0755) < 0) {
		log_error("%s: %s", log, strerror(errno));
		return -1;
	}
	return write_hook(s, log, "run", "# Keeps what the shadow says, for penstock swap --diff.\ncd ../../.. || exit 111", "--keep");
}

int swap_make(const struct tree *t, const struct swap *s)
{
	char *made = text_of("%s/service/.swap/%s.new", t->dir, s->trial), *place = text_of("%s/service/%s", t->dir, s->trial);
	struct buf three;
	int rc = -1;

	if (swap_remove(t, s->trial) < 0)
		return -1;
	if (mkdir(made, 0755) < 0) {
		log_error("%s: %s", made, strerror(errno));
		return -1;
	}
	buf_init(&three, 16);
	if (buf_adds(&three, "3\n") == 0 && write_run(t, s, made) == 0 &&
	    write_hook(s, made, "finish", "# A stage that keeps failing is taken back.\n[ \"$1\" != 0 ] || exit 0\ncd ../.. || exit 0",
		text_of("--died %s", s->trial)) == 0 &&
	    write_file(made, "notification-fd", 0644, &three) == 0 && (s->how != SWAP_SHADOW || write_logger(s, made) == 0)) {
		rc = rename(made, place) < 0 || fd_sync_dir(place) < 0 ? -1 : 0;
		if (rc < 0)
			log_error("%s: %s", place, strerror(errno));
	}
	buf_release(&three);
	return rc;
}
