/* Sockets by path and by abstract name. */
#include "link/transport/addr_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

/* The socket address of a path. A path that is too long goes through the descriptor of its folder, which the caller closes
 * after use (-1: none was needed). -1 with errno. */
static int unix_address(const struct addr *a, struct sockaddr_un *sa, socklen_t *len, int *folder)
{
	size_t n = strlen(a->path);

	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*folder = -1;
	*len = sizeof *sa;
	if (a->abstract) {
		memcpy(sa->sun_path + 1, a->path, n);
		*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
		return 0;
	}
	if (n < sizeof sa->sun_path) {
		memcpy(sa->sun_path, a->path, n + 1);
		return 0;
	}
	const char *name = strrchr(a->path, '/');
	if (!name || strlen(name) > 80) {	/* leaves room for /proc/self/fd/N */
		errno = ENAMETOOLONG;
		return -1;
	}
	char *dir = strndup(a->path, (size_t)(name - a->path));
	if (!dir)
		return -1;
	*folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (*folder < 0)
		return -1;
	snprintf(sa->sun_path, sizeof sa->sun_path, "/proc/self/fd/%d%.81s", *folder, name);
	return 0;
}

int unix_connect(const struct addr *a, bool *connecting)
{
	struct sockaddr_un sa;
	socklen_t len;
	int folder, fd;

	*connecting = false;
	if (unix_address(a, &sa, &len, &folder))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, len)) {
		addr_close_keep(fd);
		fd = -1;
	}
	if (folder >= 0)
		addr_close_keep(folder);
	return fd;
}

/* Locks PATH.lock. Whoever removes that file holds its lock, so a lock counts only if the name still leads to it. */
static int lock_path(const struct addr *a)
{
	char *name;
	struct stat held, named;
	int fd;

	if (asprintf(&name, "%s.lock", a->path) < 0) {
		log_error("%s: %s", a->url, strerror(ENOMEM));
		return -1;
	}
	for (;;) {
		fd = fd_lock(name);
		if (fd < 0)
			break;
		if (fstat(fd, &held) == 0 && stat(name, &named) == 0 && held.st_ino == named.st_ino &&
		    held.st_dev == named.st_dev)
			break;
		close(fd);
	}
	if (fd < 0 && errno == EWOULDBLOCK) {
		pid_t owner = fd_lock_owner(name);
		if (owner > 0)
			log_error("%s: address in use: process %d listens there", a->url, (int)owner);
		else
			log_error("%s: address in use", a->url);
	} else if (fd < 0) {
		log_error("%s: %s: %s", a->url, name, strerror(errno));
	}
	free(name);
	return fd;
}

/* Makes way for bind: a socket that nobody listens on goes, anything else stays. */
static int remove_stale(const struct addr *a)
{
	struct stat st;
	bool connecting;
	int fd;

	if (lstat(a->path, &st))
		return 0;	/* bind says what is wrong with the path, if anything is */
	if (!S_ISSOCK(st.st_mode)) {
		log_error("%s: there is a file of that name, and it is no socket", a->url);
		return -1;
	}
	fd = unix_connect(a, &connecting);
	if (fd >= 0 || errno == EAGAIN) {
		if (fd >= 0)
			close(fd);
		log_error("%s: address in use: another program listens there", a->url);
		return -1;
	}
	if (unlink(a->path) && errno != ENOENT) {
		log_error("%s: stale socket: %s", a->url, strerror(errno));
		return -1;
	}
	return 0;
}

int unix_listen(const struct addr *a, int *lock)
{
	struct sockaddr_un sa;
	socklen_t len;
	int folder = -1, fd = -1;

	if (!a->abstract) {
		*lock = lock_path(a);
		if (*lock < 0)
			return -1;
		if (remove_stale(a))
			goto fail;
	}
	if (unix_address(a, &sa, &len, &folder) == 0)
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* The mode of the file is taken from the socket, less the umask. */
	if (fd < 0 || fchmod(fd, 0660) || bind(fd, (struct sockaddr *)&sa, len) || listen(fd, ADDR_BACKLOG)) {
		log_error("%s: %s", a->url, errno == EADDRINUSE ? "address in use" : strerror(errno));
		goto fail;
	}
	if (folder >= 0)
		close(folder);
	return fd;
fail:
	if (folder >= 0)
		close(folder);
	if (fd >= 0)
		close(fd);
	if (*lock >= 0)
		close(*lock);
	*lock = -1;
	return -1;
}
