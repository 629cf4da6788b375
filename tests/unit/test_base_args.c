/* args: command line, file, both, and what is refused. Each case runs in a child, since args_parse ends the program. */
#include "check.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

#include "base/args.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/notify.h"

static char dir[SCRATCH];
static char config[PATH_MAX], said[PATH_MAX];

static bool flag;
static const char *url = "-";
static struct arg_list list;
static uint64_t number = 5, size = 1 << 20;
static int64_t delay = 3 * CLOCK_S;
static int mode = 1;

static const struct arg rows[] = {
	{'f', "flag", ARG_FLAG, &flag, 0, 0, NULL, "a flag", NULL, 0},
	{'i', "in", ARG_STR, &url, 0, 0, "URL", "where from", NULL, 0},
	{'D', "dest", ARG_LIST, &list, 0, 0, "NAME", "destinations", NULL, 0},
	{'n', "number", ARG_U64, &number, 1, 10, "N", "how many", NULL, 0},
	{0, "size", ARG_SIZE, &size, 1024, 1 << 30, "BYTES", "how big", NULL, 0},
	{'w', "wait", ARG_TIME, &delay, CLOCK_MS, 0, "TIME", "how long", NULL, ARG_NOFILE},
	{'s', "sync", ARG_ENUM, &mode, 0, 0, "WHEN", "when to sync", "always|interval|never", 0},
};

static bool known(const char *word)
{
	return strcmp(word, "foreign") == 0;
}

static const struct args args = {
	.prog = "unit", .synopsis = "[-f] [-n N]\n--again", .about = "A test.", .rows = rows, .n = sizeof(rows) / sizeof(*rows),
	.flags = ARGS_DAEMON, .known_key = known,
};

/* A letter for every thing that must hold after parsing. */
static int verify(const char *want, int operand)
{
	for (; *want; want++) {
		bool ok = false;

		switch (*want) {
		case 'f': ok = flag; break;
		case 'u': ok = strcmp(url, "tcp://x#y") == 0; break;
		case 'U': ok = strcmp(url, " a # b ") == 0; break;
		case '-': ok = strcmp(url, "-") == 0; break;
		case 'l': ok = list.n == 2 && strcmp(list.v[0], "a") == 0 && strcmp(list.v[1], "b") == 0; break;
		case 'L': ok = list.n == 1 && strcmp(list.v[0], "c") == 0; break;
		case '7': ok = number == 7; break;
		case '5': ok = number == 5; break;
		case 's': ok = size == 2048; break;
		case 'w': ok = delay == 1500 * CLOCK_MS; break;
		case 'n': ok = mode == 2; break;
		case 'o': ok = operand == 2; break;
		}
		if (!ok)
			return 50 + *want % 50;
	}
	return 0;
}

static char *argv_of[12];

static int run(const char *want, const char *text, const char *again, char **words)
{
	pid_t child;
	int status, argc = 1;

	if (text)
		fd_replace(config, text, strlen(text), 0600);
	argv_of[0] = (char *)(uintptr_t)"unit";
	for (; words[argc - 1]; argc++)
		argv_of[argc] = words[argc - 1];
	argv_of[argc] = NULL;
	fflush(stdout);
	child = fork();
	if (child == 0) {
		int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600), operand;

		dup2(fd, 1);
		dup2(fd, 2);
		operand = args_parse(&args, argc, argv_of);
		if (again) {
			fd_replace(config, again, strlen(again), 0600);
			args_reload(&args);
		}
		_exit(verify(want, operand));
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool says(const char *text)
{
	struct buf b;
	bool yes;

	buf_init(&b, 1 << 20);
	yes = fd_read_file(said, &b) == 0 && buf_cstr(&b) && strstr(b.p, text);
	buf_release(&b);
	return yes;
}

#define W(...) ((char *[]){__VA_ARGS__, NULL})
#define C (char *)(uintptr_t)

static void command_line(void)
{
	CHECK(run("f7o", NULL, NULL, W(C"-fn7", C"x")) == 0, "a cluster");
	CHECK(run("f7", NULL, NULL, W(C"-f", C"-n", C"7", C"--", C"-x")) == 0, "--");
	CHECK(run("lu", NULL, NULL, W(C"-Da", C"--dest", C"b", C"--in=tcp://x#y")) == 0, "a list and long forms");
	CHECK(run("swn", NULL, NULL, W(C"--size=2k", C"-w1.5s", C"--sync", C"never")) == 0, "sizes, times, words");
	CHECK(run("5-o", NULL, NULL, W(C"-f", C"-")) == 0, "a lone - is an operand");
	CHECK(run("", NULL, NULL, W(C"-h")) == 0 && says("Usage: unit [-f] [-n N]\n       unit --again\n") && says("-n, --number N") &&
	      says("how many [5]") && says("[always]") == false && says("[interval]") && says("[1m]") && says("--metrics FILE"), "--help");
	CHECK(run("", NULL, NULL, W(C"--version")) == 0 && says("unit (penstock) "), "--version");
}

static void refusals(void)
{
	CHECK(run("", NULL, NULL, W(C"-q")) == 2 && says("no option -q"), "no such letter");
	CHECK(run("", NULL, NULL, W(C"--quiet=3")) == 2 && says("no option --quiet ("), "no such word");
	CHECK(run("", NULL, NULL, W(C"-n")) == 2 && says("-n needs a value: -n N"), "no value");
	CHECK(run("", NULL, NULL, W(C"-n11")) == 2 && says("-n 11: too large; want 1 to 10"), "out of range");
	CHECK(run("", NULL, NULL, W(C"--size", C"1")) == 2 && says("want 1k to 1g"), "a size out of range");
	CHECK(run("", NULL, NULL, W(C"-w0")) == 2 && says("want 1ms or more"), "a time out of range");
	CHECK(run("", NULL, NULL, W(C"-s", C"some")) == 2 && says("not one of always|interval|never"), "no such choice");
	CHECK(run("", NULL, NULL, W(C"--flag=yes")) == 2 && says("takes no value"), "a flag with a value");
	CHECK(run("", NULL, NULL, W(C"-F", C"2")) == 2 && says("want 3 to"), "descriptor 2 is no notification");
	CHECK(run("7", NULL, NULL, W(C"-F", C"777", C"-n7", C"-v")) == 0 && says("not open"), "a descriptor that is not open: nobody is told");
	CHECK(run("", NULL, NULL, W(C"-c", C"/nonexistent/x")) == 2 && says("/nonexistent/x: No such file"), "no file");
}

static void file(void)
{
	CHECK(run("f7slnu", "# comment\nflag = yes\n number=7 # seven\r\nsize = 2k\ndest = a\ndest = b\nsync = never\nin = tcp://x#y\nforeign = 1",
		NULL, W(C"-c", config)) == 0, "a file");
	CHECK(run("U", "in = \" a # b \" # quoted\n", NULL, W(C"-c", config)) == 0, "quotes");
	CHECK(run("L7", "dest = a\ndest = b\nnumber = 3\n", NULL, W(C"-c", config, C"-D", C"c", C"-n", C"7")) == 0, "the command line wins");
	CHECK(run("", "\n\nnumbr = 3\n", NULL, W(C"-c", config)) == 2 && says("conf:3: no option \\\"numbr\\\""), "no such word");
	CHECK(run("", "number = 30\n", NULL, W(C"-c", config)) == 2 && says("conf:1: number = 30: too large; want 1 to 10"), "out of range");
	CHECK(run("", "number 3\n", NULL, W(C"-c", config)) == 2 && says("word = value"), "no equals sign");
	CHECK(run("", "in = \"x\n", NULL, W(C"-c", config)) == 2 && says("closing quote"), "no closing quote");
	CHECK(run("", "number = 3\nnumber = 4\n", NULL, W(C"-c", config)) == 2 && says("conf:2:") && says("second time"), "twice");
	CHECK(run("", "wait = 3\n", NULL, W(C"-c", config)) == 2 && says("command line only"), "not for the file");
	CHECK(run("", "flag = maybe\n", NULL, W(C"-c", config)) == 2 && says("not yes or no"), "neither yes nor no");
}

static void reload(void)
{
	CHECK(run("57L", "flag = yes\n", "number = 7\ndest = c\n", W(C"-c", config)) == 50 + '5' % 50, "a reload sets what the file says");
	CHECK(run("5L", "number = 7\n", "dest = c\n", W(C"-c", config)) == 0, "and gives back what it no longer says");
	CHECK(run("7", "number = 7\n", "number = 8\nsize = x\n", W(C"-c", config)) == 0 && says("stays in force"), "a bad file changes nothing");
	CHECK(run("L5", "dest = a\ndest = b\n", "dest = c\n", W(C"-c", config)) == 0, "lists are replaced");
}

int main(void)
{
	scratch_make(dir);
	snprintf(config, sizeof(config), "%s/conf", dir);
	snprintf(said, sizeof(said), "%s/said", dir);
	command_line();
	refusals();
	file();
	reload();
	return check_done();
}
