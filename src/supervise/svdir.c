#include "supervise/svdir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void trim(const char **p, size_t *n)
{
	while (*n > 0 && blank((*p)[*n - 1]))
		--*n;
	while (*n > 0 && blank(**p)) {
		++*p;
		--*n;
	}
}

/* One word, ended by NUL. */
static int word_of(const char *p, size_t n, char word[SVDIR_FILE_MAX + 1])
{
	trim(&p, &n);
	if (n > SVDIR_FILE_MAX || memchr(p, 0, n))
		return -1;
	memcpy(word, p, n);
	word[n] = 0;
	return 0;
}

int svdir_parse_notify(const char *p, size_t n, const char **why)
{
	char word[SVDIR_FILE_MAX + 1];
	uint64_t v;

	*why = "not a number";
	if (word_of(p, n, word) < 0 || num_u64(word, SVDIR_FD_MIN, SVDIR_FD_MAX, &v, why) < 0)
		return -1;
	return (int)v;
}

int svdir_parse_signal(const char *p, size_t n, const char **why)
{
	char word[SVDIR_FILE_MAX + 1];
	const char *name = word;
	uint64_t v;

	*why = "not a signal";
	if (word_of(p, n, word) < 0)
		return -1;
	if (word[0] >= '0' && word[0] <= '9')
		return num_u64(word, 1, NSIG - 1, &v, why) < 0 ? -1 : (int)v;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int sig = 1; sig < NSIG; sig++)
		if (sigabbrev_np(sig) && strcasecmp(sigabbrev_np(sig), name) == 0)
			return sig;
	return -1;
}

/* The text of a small file: its length; -1 with errno, ENOENT: it is not there. */
static ssize_t read_small(int dirfd, const char *file, char text[SVDIR_FILE_MAX])
{
	char more[SVDIR_FILE_MAX + 1];
	int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;
	int e;

	if (fd < 0)
		return -1;
	n = read(fd, more, sizeof more);
	e = errno;
	close(fd);
	errno = n > SVDIR_FILE_MAX ? EFBIG : e;
	if (n < 0 || n > SVDIR_FILE_MAX)
		return -1;
	memcpy(text, more, (size_t)n);
	return n;
}

int svdir_number(int dirfd, const char *name, const char *file, uint64_t max, uint64_t *out)
{
	char text[SVDIR_FILE_MAX], word[SVDIR_FILE_MAX + 1];
	ssize_t n = read_small(dirfd, file, text);
	const char *why = "not a number";

	if (n < 0 && errno == ENOENT)
		return 1;
	if (n < 0)
		why = strerror(errno);
	else if (word_of(text, (size_t)n, word) == 0 && num_u64(word, 0, max, out, &why) == 0)
		return 0;
	log_warn("%s/%s: %s: it does not count", name, file, why);
	return -1;
}

int64_t svdir_time(int dirfd, const char *name, const char *file)
{
	uint64_t ms;

	return svdir_number(dirfd, name, file, INT32_MAX, &ms) == 0 ? (int64_t)ms * CLOCK_MS : 0;
}

int svdir_down_signal(int dirfd, const char *name)
{
	char text[SVDIR_FILE_MAX];
	ssize_t n = read_small(dirfd, "down-signal", text);
	const char *why;
	int sig;

	if (n < 0 && errno == ENOENT)
		return SIGTERM;
	if (n < 0)
		why = strerror(errno);
	else if ((sig = svdir_parse_signal(text, (size_t)n, &why)) > 0)
		return sig;
	log_warn("%s/down-signal: %s: TERM is sent", name, why);
	return SIGTERM;
}

int svdir_notify(int dirfd, const char *name)
{
	char text[SVDIR_FILE_MAX];
	ssize_t n = read_small(dirfd, "notification-fd", text);
	const char *why;
	int v;

	if (n < 0 && errno == ENOENT)
		return -1;
	if (n < 0) {
		log_warn("%s/notification-fd: %s: readiness is not waited for", name, strerror(errno));
		return -1;
	}
	v = svdir_parse_notify(text, (size_t)n, &why);
	if (v < 0)
		log_warn("%s/notification-fd: %s: write one number from %d to %d; readiness is not waited for",
			name, why, SVDIR_FD_MIN, SVDIR_FD_MAX);
	return v;
}

void svdir_read(int dirfd, const char *name, struct svdir *out)
{
	struct stat st;

	out->down = fstatat(dirfd, "down", &st, 0) == 0;
	out->log = fstatat(dirfd, "log", &st, 0) == 0 && S_ISDIR(st.st_mode);
	out->notify = svdir_notify(dirfd, name);
}
