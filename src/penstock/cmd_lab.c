/* penstock lab: share/lab/lab.py run by python3: a Discord and a Twitch on this machine. In a tree its bots become accounts of the tree. */
#include "penstock/penstock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/log.h"
#include "base/place.h"
#include "penstock/words.h"

static uint64_t port;
static const char *dir, *accounts, *script, *seed, *user;
static struct arg_list set;
static bool tls, quiet, follow;
static uint64_t notify_fd;

static const struct arg rows[] = {
	{ 'a', "accounts", ARG_STR, &accounts, 0, 0, "DIR", "up: write accounts lab-discord and lab-twitch to DIR/default (etc/accounts of the tree)", NULL, 0 },
	{ 'd', "dir", ARG_STR, &dir, 0, 0, "DIR", "the lab's folder (run/lab of the tree, else lab)", NULL, 0 },
	{ 'F', "notify-fd", ARG_U64, &notify_fd, 3, 1023, "FD", "up: write a newline there when it is ready", NULL, 0 },
	{ 'f', "follow", ARG_FLAG, &follow, 0, 0, NULL, "show: and what comes", NULL, 0 },
	{ 'o', "set", ARG_LIST, &set, 0, 0, "NAME=VALUE", "up: a number of a platform's rules", NULL, 0 },
	{ 'p', "port", ARG_U64, &port, 0, 65535, "N", "port on 127.0.0.1 (up: 0, any; else the one in DIR/port)", NULL, 0 },
	{ 'q', "quiet", ARG_FLAG, &quiet, 0, 0, NULL, "up: no chat on the terminal", NULL, 0 },
	{ 'S', "seed", ARG_STR, &seed, 0, 0, "TEXT", "up: faults by chance, the same ones for the same TEXT", NULL, 0 },
	{ 's', "script", ARG_STR, &script, 0, 0, "FILE", "up: faults", NULL, 0 },
	{ 't', "tls", ARG_FLAG, &tls, 0, 0, NULL, "up: also over TLS, with the authority DIR/ca.pem", NULL, 0 },
	{ 'u', "user", ARG_STR, &user, 0, 0, "NAME", "say: who says it (ada)", NULL, 0 },
};

static const struct args args = {
	.prog = "penstock lab",
	.synopsis = "[up] [-p N] [-d DIR] [-a DIR] [-o NAME=VALUE ...] [-s FILE] [-S TEXT] [-t] [-q]\n"
		"say [-u NAME] CHANNEL TEXT ...\nshow [-f]\nfault FILE\nviolations\nworld",
	.about = "A Discord and a Twitch on this machine that enforce the platforms' rules: for tests of bots, without accounts.",
	.rows = rows, .n = sizeof rows / sizeof *rows, .flags = ARGS_ANYWHERE,
};

/* Is there a tree? One that was named must be there; the current directory may be one. */
static bool in_tree(struct tree *t)
{
	const char *named = t->asked ? t->asked : getenv("PENSTOCK_DIR");

	if ((!named || !*named) && (access("etc", F_OK) < 0 || access("service", F_OK) < 0))
		return false;
	tree_open(t);
	return true;
}

static void up_words(struct words *w)
{
	words_option(w, "-a", accounts);
	words_option(w, "-s", script);
	words_option(w, "-S", seed);
	if (notify_fd)
		words_option(w, "-F", text_of("%u", (unsigned)notify_fd));
	for (size_t i = 0; i < set.n; i++)
		words_option(w, "-o", set.v[i]);
	if (tls)
		words_add(w, "-t");
	if (quiet)
		words_add(w, "-q");
}

int cmd_lab(struct tree *t, int argc, char **argv)
{
	static const char *const known[] = { "up", "say", "show", "fault", "violations", "world" };
	int at = args_parse(&args, argc, argv);
	const char *word = at < argc ? argv[at++] : "up";
	struct words w = { .n = 0 };
	char *lab;
	size_t i;

	for (i = 0; i < sizeof known / sizeof *known && strcmp(known[i], word) != 0; i++)
		;
	if (i == sizeof known / sizeof *known)
		args_usage(&args, "%s: up, say, show, fault, violations or world", word);
	lab = place_share("lab/lab.py");
	if (!lab)
		die(1, "share/lab/lab.py is not found: is penstock installed whole? (PENSTOCK_SHARE names the folder)");
	if (in_tree(t)) {
		dir = dir ? dir : tree_path(t, "run/lab");
		accounts = accounts ? accounts : tree_path(t, "etc/accounts");
	}
	words_option(&w, "python3", lab);
	words_add(&w, word);
	words_option(&w, "-d", dir ? dir : "lab");
	words_option(&w, "-p", text_of("%u", (unsigned)port));
	if (strcmp(word, "up") == 0)
		up_words(&w);
	if (strcmp(word, "say") == 0)
		words_option(&w, "-u", user);
	if (follow && strcmp(word, "show") == 0)
		words_add(&w, "-f");
	if (at < argc && strcmp(word, "up") != 0)
		words_add(&w, "--");
	for (; at < argc; at++)
		words_add(&w, argv[at]);
	execvp("python3", w.v);
	if (errno == ENOENT)
		die(1, "python3 is not found: install Debian's package python3");
	die(1, "python3: %s", strerror(errno));
}
