#include "supervise/svdir.h"

#include "base/log.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int svdir_parse_notify(const char *p, size_t n, const char **why)
{
	char text[SVDIR_FILE_MAX + 1];
	uint64_t v;

	while (n > 0 && blank(p[n - 1]))
		n--;
	while (n > 0 && blank(*p)) {
		p++;
		n--;
	}
	if (n > SVDIR_FILE_MAX || memchr(p, 0, n)) {
		*why = "not a number";
		return -1;
	}
	memcpy(text, p, n);
	text[n] = 0;
	if (num_u64(text, SVDIR_FD_MIN, SVDIR_FD_MAX, &v, why) < 0)
		return -1;
	return (int)v;
}

int svdir_notify(int dirfd, const char *name)
{
	char text[SVDIR_FILE_MAX + 1];
	const char *why = "too long";
	ssize_t n;
	int fd, v = -1;

	fd = openat(dirfd, "notification-fd", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		if (errno != ENOENT)
			log_warn("%s/notification-fd: %s: readiness is not waited for", name, strerror(errno));
		return -1;
	}
	n = read(fd, text, sizeof text);
	if (n < 0)
		why = strerror(errno);
	else if ((size_t)n < sizeof text)
		v = svdir_parse_notify(text, (size_t)n, &why);
	if (v < 0)
		log_warn("%s/notification-fd: %s: write one number from %d to %d; readiness is not waited for",
			name, why, SVDIR_FD_MIN, SVDIR_FD_MAX);
	close(fd);
	return v;
}

void svdir_read(int dirfd, const char *name, struct svdir *out)
{
	struct stat st;

	out->down = fstatat(dirfd, "down", &st, 0) == 0;
	out->log = fstatat(dirfd, "log", &st, 0) == 0 && S_ISDIR(st.st_mode);
	out->notify = svdir_notify(dirfd, name);
}
