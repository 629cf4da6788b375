/*
 * service: ./run and ./finish of the services that tests/supervise/torture lets supervise run. What it does is the name of its
 * directory up to the dot, see kinds below.
 *
 * run takes a lock on the file lock that the kernel drops when exactly this process ends (fcntl: not inherited by fork). If
 * another has it, the service runs twice: that is written to the file twice. Its process id is appended to the file starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void nap(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static _Noreturn void live(void)
{
	for (;;)
		pause();
}

static void ignore_all(void)
{
	static const int sig[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2 };

	for (size_t i = 0; i < sizeof sig / sizeof *sig; i++)
		signal(sig[i], SIG_IGN);
}

static void end_slowly(int sig)
{
	(void)sig;
	nap(200);
	_exit(0);
}

static void append(const char *file, const char *what)
{
	char line[64];
	int fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	int n = snprintf(line, sizeof line, "%s%d\n", what, (int)getpid());

	if (fd < 0 || write(fd, line, (size_t)n) != n)
		_exit(98);
	close(fd);
}

static void take_lock(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		_exit(98);
	if (fcntl(fd, F_SETLK, &l) < 0) {
		fcntl(fd, F_GETLK, &l);
		dprintf(2, "%d: RUNS TWICE: %d has the lock\n", (int)getpid(), (int)l.l_pid);
		append("twice", "");
		_exit(99);
	}
	append("starts", "");
}

static void run(const char *kind)
{
	static const struct rlimit no_core;

	setrlimit(RLIMIT_CORE, &no_core);
	take_lock();
	if (strcmp(kind, "crash") == 0)
		_exit(3);
	if (strcmp(kind, "clean") == 0)
		_exit(0);
	if (strcmp(kind, "segv") == 0)
		raise(SIGSEGV);
	if (strcmp(kind, "late") == 0) {	/* beyond the rule of one second */
		nap(1300);
		_exit(2);
	}
	if (strcmp(kind, "stubborn") == 0)
		ignore_all();
	if (strcmp(kind, "slow") == 0)
		signal(SIGTERM, end_slowly);
	if (strcmp(kind, "forks") == 0 && fork() == 0) {
		setsid();
		ignore_all();
		nap(3000);
		_exit(0);
	}
	if (strcmp(kind, "ready") == 0) {
		nap(30);
		if (write(3, "\n", 1) == 1)
			close(3);
	}
	if (strcmp(kind, "logged") == 0)
		dprintf(1, "started %d\n", (int)getpid());
	live();		/* plain, finish, hangs: too */
}

static void finish(const char *kind)
{
	if (strcmp(kind, "hangs") == 0) {
		ignore_all();
		nap(400);
	}
	_exit(1);
}

/* log/run: keeps what it reads. */
static void logger(void)
{
	char bytes[4096];
	ssize_t n;
	int fd = open("out", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	while (fd >= 0 && (n = read(0, bytes, sizeof bytes)) > 0)
		if (write(fd, bytes, (size_t)n) != n)
			_exit(98);
	_exit(0);
}

int main(int argc, char **argv)
{
	char cwd[4096], *kind;

	if (argc < 1 || !getcwd(cwd, sizeof cwd))
		return 98;
	kind = strrchr(cwd, '/') + 1;
	kind[strcspn(kind, ".")] = 0;
	if (strcmp(kind, "log") == 0)
		logger();
	if (strstr(argv[0], "finish"))
		finish(kind);
	run(kind);
}
