#include "analyze/load.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"

static int read_file(const char *path, size_t max, struct buf *b)
{
	buf_init(b, max);
	if (fd_read_file(path, b) == 0)
		return 0;
	log_error("%s: %m", path);
	buf_release(b);
	return -1;
}

int load_model(struct model *to, const char *path)
{
	struct buf b;
	const char *why;
	int bad;

	if (read_file(path, MODEL_FILE_MAX, &b))
		return -1;
	bad = model_init(to, b.p, b.len, &why);
	if (bad)
		log_error("%s: %s; scripts/train-emotion makes a model for this analyze", path, why);
	buf_release(&b);
	return bad;
}

int load_emotes(struct emotes *to, const char *path)
{
	struct emotes fresh;
	struct buf b;
	const char *why;
	size_t line;
	int bad;

	if (read_file(path, EMOTES_FILE_MAX, &b))
		return -1;
	bad = emotes_init(&fresh, b.p ? b.p : "", b.len, &line, &why);
	if (bad) {
		log_error("%s:%zu: %s", path, line, why);
	} else {
		emotes_release(to);
		*to = fresh;
	}
	buf_release(&b);
	return bad;
}

/*
 * The folder of this program's own file in out, without a slash at the end; "" if it cannot be
 * told.
 */
static void own_folder(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
	char *slash;

	out[n > 0 ? n : 0] = '\0';
	slash = strrchr(out, '/');
	if (slash)
		*slash = '\0';
}

const char *load_share(const char *name)
{
	const char *env = getenv("PENSTOCK_SHARE");
	char own[PATH_MAX], *path = NULL;

	own_folder(own);
	for (int place = env ? 0 : 1; place < 4; place++) {
		int n = place == 0 ? asprintf(&path, "%s/%s", env, name) :
			place == 1 ? asprintf(&path, "%s/../../share/penstock/%s", own, name) :	/* libexec/penstock/ */
			place == 2 ? asprintf(&path, "%s/../share/%s", own, name) :		/* bin/ of a build tree */
			asprintf(&path, "%s/%s", SHARE, name);

		if (n < 0)
			die(1, "no memory");
		if (place == 3 || access(path, R_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}
