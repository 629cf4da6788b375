/* What is kept of all connections of an account, for its platform to look at. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "gatewayd/upstream/impl.h"

/* One that cannot be read was one, too: nothing is known of it but its time. */
static void look(const char *path, unsigned n, out_saved_fn *fn, void *arg)
{
	struct stat st;
	struct buf b;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return;
	buf_init(&b, SAVE_MAX + 1);
	if (fd_read_file(path, &b)) {
		log_error("%s: %m; what it says is not known", path);
		buf_clear(&b);
	}
	fn(arg, n, buf_cstr(&b) ? b.p : "", b.len, (int64_t)st.st_mtim.tv_sec * CLOCK_S + st.st_mtim.tv_nsec);
	buf_release(&b);
}

void out_saved_all(struct out *o, out_saved_fn *fn, void *arg)
{
	DIR *d = opendir(o->dir);
	char path[PATH_MAX];
	struct dirent *e;
	unsigned n;
	int end;

	if (!d) {
		log_error("%s: %m", o->dir);
		return;
	}
	while ((e = readdir(d))) {
		end = 0;
		if (sscanf(e->d_name, "conn-%5u.state%n", &n, &end) != 1 || !end || e->d_name[end])
			continue;
		snprintf(path, sizeof(path), "%s/%s", o->dir, e->d_name);
		look(path, n, fn, arg);
	}
	closedir(d);
}
