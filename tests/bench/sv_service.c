/*
 * sv_service: ./run of the services that scripts/bench supervise measures. First of all it reads the monotonic clock, then it writes a
 * struct sv_born to the fifo $BENCH_FIFO, which it keeps open: end of file there says that every service is gone. With $BENCH_READY it says that
 * it is ready on descriptor 3. In a directory named log it is a logger that reads to the end and keeps nothing. Linked statically,
 * so that little but fork and exec is measured.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sv_born.h"

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(void)
{
	struct sv_born born = { .at = now(), .pid = getpid() };
	const char *fifo = getenv("BENCH_FIFO"), *name;
	char cwd[4096], bytes[4096];
	int fd;

	if (!fifo || !getcwd(cwd, sizeof cwd))
		return 1;
	name = strrchr(cwd, '/') + 1;
	if (strcmp(name, "log") == 0) {
		while (read(0, bytes, sizeof bytes) > 0)
			;
		return 0;
	}
	born.service = atoi(name);
	fd = open(fifo, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, &born, sizeof born) != sizeof born)
		return 1;
	if (getenv("BENCH_READY") && write(3, "\n", 1) == 1)
		close(3);
	for (;;)
		pause();
}
