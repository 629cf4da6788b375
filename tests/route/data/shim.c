/* shim: LD_PRELOAD for 41-disk.bats: fdatasync and ftruncate fail with EIO while the files fail-sync and fail-trunc are there; fdatasync waits while slow-sync is. */
#include <dlfcn.h>
#include <errno.h>
#include <time.h>
#include <unistd.h>

static int there(const char *path)
{
	return access(path, F_OK) == 0;
}

int fdatasync(int fd)
{
	static int (*real)(int);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	while (there("slow-sync"))
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	if (there("fail-sync")) {
		errno = EIO;
		return -1;
	}
	return real(fd);
}

int ftruncate(int fd, off_t n)
{
	static int (*real)(int, off_t);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "ftruncate");
	if (there("fail-trunc")) {
		errno = EIO;
		return -1;
	}
	return real(fd, n);
}
