/*
 * sv_drive [-n SERVICES] [-k KILLS] [-i SECONDS] [-s COMMAND] [-g SIGNAL] FIFO SUPERVISOR ARG...
 *
 * Measures a supervisor of directories 0 to SERVICES-1 whose run is sv_service, writing to FIFO (which is made here):
 *
 *   start    from before its exec until the last service is in main()
 *   memory   PSS of all processes under it that are no services or loggers; their number
 *   idle     their voluntary context switches in SECONDS
 *   status   COMMAND (by sh), the median of five
 *   restart  from before kill -9 of a service until its successor is in main(), KILLS services, one after the other
 *   stop     from SIGNAL (15) until the last service is gone
 *
 * Prints "start_ms stop_ms p50_ms p99_ms max_ms pss_kib processes wakes status_ms"; what was not asked for is 0.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sv_born.h"

#define SERVICES_MAX 20000
#define PATIENCE_MS 60000
#define YOUNG (1500 * CLOCK_MS)	/* supervisors hold back a service that dies within its first second */

static int services = 1000, kills, idle, stop_signal = SIGTERM;
static const char *status_command;
static int32_t pid_of[SERVICES_MAX];
static int fifo = -1;
static pid_t supervisor;

static void fail(const char *what)
{
	fprintf(stderr, "sv_drive: %s: %s\n", what, strerror(errno));
	if (supervisor > 0)
		kill(supervisor, stop_signal);
	exit(1);
}

static void nap(int64_t ns)
{
	poll(NULL, 0, (int)(ns / CLOCK_MS));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The next service that begins. */
static struct sv_born born(void)
{
	struct sv_born b;
	struct pollfd p = { .fd = fifo, .events = POLLIN };

	errno = ETIMEDOUT;
	if (poll(&p, 1, PATIENCE_MS) != 1 || read(fifo, &b, sizeof b) != sizeof b)
		fail("no service begins");
	if (b.service < 0 || b.service >= services)
		fail("a service with another number");
	pid_of[b.service] = b.pid;
	return b;
}

static double start(char **argv)
{
	int64_t begin = clock_mono(), last = 0;

	supervisor = fork();
	if (supervisor == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	for (int i = 0; i < services; i++) {
		struct sv_born b = born();

		if (b.at > last)
			last = b.at;
	}
	return (double)(last - begin) / CLOCK_MS;
}

static double stop(void)
{
	struct pollfd p = { .fd = fifo, .events = POLLIN };
	int64_t begin = clock_mono();
	struct sv_born late;	/* began when the signal was on its way */
	double took;

	kill(supervisor, stop_signal);
	do {
		errno = ETIMEDOUT;
		if (poll(&p, 1, PATIENCE_MS) != 1)
			fail("a service does not end");
	} while (read(fifo, &late, sizeof late) != 0);
	took = (double)(clock_mono() - begin) / CLOCK_MS;
	/* Adopted ones too: runsvdir goes before its runsv. */
	while (wait(NULL) > 0)
		;
	return took;
}

/* ---- processes under the supervisor ---- */

struct sum { long pss_kib, wakes, processes; };

static long field(pid_t pid, const char *file, const char *name)
{
	char path[64], line[256];
	long value = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		if (strncmp(line, name, strlen(name)) == 0)
			value = atol(line + strlen(name));
	if (f)
		fclose(f);
	return value;
}

static pid_t parent_of(pid_t pid)
{
	return (pid_t)field(pid, "status", "PPid:");
}

static int is_service(pid_t pid)
{
	char path[64], exe[4096];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof exe - 1);
	if (n < 0)
		return 1;	/* a zombie */
	exe[n] = 0;
	return strstr(exe, "/sv_service") != NULL;
}

static int is_under(pid_t pid)
{
	while (pid > 1 && pid != supervisor)
		pid = parent_of(pid);
	return pid == supervisor;
}

/* Of all its threads. */
static long wakes_of(pid_t pid)
{
	char path[64];
	long n = 0;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && (e = readdir(d)) != NULL)
		if (isdigit((unsigned char)e->d_name[0]))
			n += field((pid_t)atoi(e->d_name), "status", "voluntary_ctxt_switches:");
	if (d)
		closedir(d);
	return n;
}

static struct sum look(void)
{
	struct sum s = { 0 };
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		pid_t pid = (pid_t)atoi(e->d_name);

		if (!isdigit((unsigned char)e->d_name[0]) || is_service(pid) || !is_under(pid))
			continue;
		s.processes++;
		s.pss_kib += field(pid, "smaps_rollup", "Pss:");
		s.wakes += wakes_of(pid);
	}
	if (d)
		closedir(d);
	return s;
}

/* ---- the rest ---- */

static double status_ms(void)
{
	double took[5];

	for (int i = 0; i < 5; i++) {
		int64_t begin = clock_mono();

		if (system(status_command) < 0)
			fail(status_command);
		took[i] = (double)(clock_mono() - begin) / CLOCK_MS;
	}
	qsort(took, 5, sizeof *took, by_value);
	return took[2];
}

static void restart(double *p50, double *p99, double *max)
{
	double *took = calloc((size_t)kills, sizeof *took);

	if (!took)
		fail("memory");
	for (int i = 0; i < kills; i++) {
		int service = (int)((int64_t)i * services / kills);
		int64_t begin;
		struct sv_born b;

		nap(5 * CLOCK_MS);	/* one death at a time */
		begin = clock_mono();
		if (kill(pid_of[service], SIGKILL) < 0)
			fail("kill");
		b = born();
		if (b.service != service)
			fail("another service began");
		took[i] = (double)(b.at - begin) / CLOCK_MS;
	}
	qsort(took, (size_t)kills, sizeof *took, by_value);
	*p50 = took[kills / 2];
	*p99 = took[kills - 1 - kills / 100];
	*max = took[kills - 1];
	free(took);
}

int main(int argc, char **argv)
{
	double started, stopped, p50 = 0, p99 = 0, max = 0, status = 0;
	struct sum s = { 0 }, later = { 0 };
	int64_t up;
	int c;

	while ((c = getopt(argc, argv, "+n:k:i:s:g:")) != -1) {
		switch (c) {
		case 'n': services = atoi(optarg); break;
		case 'k': kills = atoi(optarg); break;
		case 'i': idle = atoi(optarg); break;
		case 's': status_command = optarg; break;
		case 'g': stop_signal = atoi(optarg); break;
		default: return 2;
		}
	}
	if (argc - optind < 2 || services < 1 || services > SERVICES_MAX || kills > services)
		return fprintf(stderr, "usage: sv_drive [-n SERVICES] [-k KILLS] [-i SECONDS] [-s COMMAND] [-g SIGNAL] FIFO SUPERVISOR ARG...\n"), 2;
	setenv("BENCH_FIFO", argv[optind], 1);
	unlink(argv[optind]);
	if (mkfifo(argv[optind], 0600) < 0 || (fifo = open(argv[optind], O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
		fail(argv[optind]);
	fcntl(fifo, F_SETPIPE_SZ, 1 << 20);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	started = start(argv + optind + 1);
	up = clock_mono();
	if (kills || idle || status_command)
		nap(YOUNG);
	s = look();
	if (idle) {
		nap(idle * CLOCK_S);
		later = look();
	}
	if (status_command)
		status = status_ms();
	if (kills) {
		nap(up + YOUNG - clock_mono() > 0 ? up + YOUNG - clock_mono() : 0);
		restart(&p50, &p99, &max);
	}
	stopped = stop();
	printf("%.1f %.1f %.3f %.3f %.3f %ld %ld %ld %.2f\n", started, stopped, p50, p99, max, s.pss_kib, s.processes,
		idle ? later.wakes - s.wakes : 0, status);
	return 0;
}
