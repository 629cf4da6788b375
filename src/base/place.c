#include "base/place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

const char *place_folder(void)
{
	static char path[PATH_MAX];
	ssize_t n;

	if (*path)
		return path;
	n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n <= 0)
		die(1, "/proc/self/exe: %s", n < 0 ? strerror(errno) : "empty");
	path[n] = 0;
	*strrchr(path, '/') = 0;
	return path;
}

/* base/between/rel if it can be read, else NULL. */
static char *readable(const char *base, const char *between, const char *rel)
{
	char *path;

	if (asprintf(&path, "%s%s/%s", base, between, rel) < 0)
		die(1, "no memory");
	if (access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

char *place_share(const char *rel)
{
	static const char *const from_here[] = {
		"/../share/penstock",		/* bin/, installed */
		"/../../share/penstock",	/* libexec/penstock/, installed */
		"/../share",			/* bin/ of a build tree */
		"/../../share",			/* build-asan/bin/ */
	};
	const char *set = getenv("PENSTOCK_SHARE");
	char *found;

	if (set && *set)
		return readable(set, "", rel);
	for (size_t i = 0; i < sizeof from_here / sizeof *from_here; i++) {
		found = readable(place_folder(), from_here[i], rel);
		if (found)
			return found;
	}
	return readable(SHARE, "", rel);
}
