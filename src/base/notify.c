#include "base/notify.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

int notify_fd = -1;
static bool stopping;
static char *kept;

/* sd_notify(3): a datagram to $NOTIFY_SOCKET, a path or, with '@' first, a name in the abstract space. */
static void tell_systemd(const char *what)
{
	const char *path = kept ? kept : getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n;
	int fd;

	if (!path || !*path)
		return;
	n = strlen(path);
	if ((*path != '/' && *path != '@') || n >= sizeof(a.sun_path)) {
		log_warn("NOTIFY_SOCKET is neither a path nor an abstract name of less than %zu bytes: %s",
			sizeof(a.sun_path), path);
		return;
	}
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&a,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		log_warn("cannot tell %s on NOTIFY_SOCKET %s: %m", what, path);
	if (fd >= 0)
		close(fd);
}

void notify_keep(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || (kept = strdup(path)) != NULL)
		unsetenv("NOTIFY_SOCKET");
}

void notify_ready(void)
{
	static int told;
	ssize_t n;

	if (told++)
		return;
	if (notify_fd >= 0) {
		do
			n = write(notify_fd, "\n", 1);
		while (n < 0 && errno == EINTR);
		if (n != 1)
			log_warn("cannot say ready on descriptor %d: %m", notify_fd);
		close(notify_fd);
		notify_fd = -1;
	}
	tell_systemd("READY=1");
}

void notify_stopping(void)
{
	stopping = true;
	tell_systemd("STOPPING=1");
}

bool notify_stops(void)
{
	sigset_t waiting;

	return stopping || (sigpending(&waiting) == 0 && (sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1));
}
