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

/* The value of a file with one word; `none` when it is not there, or, with a warning that ends in `so`, when it is bad. */
static int value_of(int dirfd, const char *name, const char *file, int (*parse)(const char *p, size_t n, const char **why), int none,
	const char *so)
{
	char text[SVDIR_FILE_MAX];
	ssize_t n = read_small(dirfd, file, text);
	const char *why;
	int v = -1;

	if (n < 0 && errno == ENOENT)
		return none;
	if (n < 0)
		why = strerror(errno);
	else
		v = parse(text, (size_t)n, &why);
	if (v >= 0)
		return v;
	log_warn("%s/%s: %s: %s", name, file, why, so);
	return none;
}

void svdir_set_down(int dirfd, const char *name, bool down)
{
	int fd = down ? openat(dirfd, "down", O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666) : unlinkat(dirfd, "down", 0);

	if (fd < 0 && (down || errno != ENOENT))
		log_warn("%s/down: %s: it is as it was", name, strerror(errno));
	if (down && fd >= 0)
		close(fd);
}

bool svdir_is_s6(int dirfd)
{
	static const char *const file[] = { "timeout-kill", "timeout-finish", "down-signal", "max-death-tally" };

	for (size_t i = 0; i < sizeof file / sizeof *file; i++)
		if (faccessat(dirfd, file[i], F_OK, 0) == 0)
			return true;
	return false;
}

int svdir_down_signal(int dirfd, const char *name)
{
	return value_of(dirfd, name, "down-signal", svdir_parse_signal, SIGTERM, "TERM is sent");
}

#define TEXT(n) #n
#define NUMBER(n) TEXT(n)

int svdir_notify(int dirfd, const char *name)
{
	return value_of(dirfd, name, "notification-fd", svdir_parse_notify, -1, "write one number from " NUMBER(SVDIR_FD_MIN) " to "
		NUMBER(SVDIR_FD_MAX) "; readiness is not waited for");
}

void svdir_read(int dirfd, const char *name, struct svdir *out)
{
	struct stat st;

	out->down = fstatat(dirfd, "down", &st, 0) == 0;
	out->log = fstatat(dirfd, "log", &st, 0) == 0 && S_ISDIR(st.st_mode);
	out->notify = svdir_notify(dirfd, name);
}
