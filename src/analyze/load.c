#include "analyze/load.h"

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
