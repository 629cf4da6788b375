/* The failed runs of a swapped stage, in service/SERVICE/deaths: one time (seconds) a line, newest first. */
#include "penstock/swap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

unsigned swap_deaths(const struct tree *t, const char *service)
{
	char *path = text_of("%s/service/%s/deaths", t->dir, service), *p, *end;
	int64_t now = clock_wall() / CLOCK_S;
	unsigned n = 1;
	struct buf old, new;

	buf_init(&old, 4096);
	buf_init(&new, 4096);
	buf_printf(&new, "%" PRId64 "\n", now);
	if (fd_read_file(path, &old) == 0 && buf_cstr(&old))
		for (p = old.p; n < SWAP_DEATHS; p = end, n++) {
			long long at = strtoll(p, &end, 10);

			if (end == p || at < now - SWAP_DEATHS_TIME || at > now)
				break;
			buf_printf(&new, "%lld\n", at);
		}
	if (fd_replace(path, new.p, new.len, 0644) < 0)
		log_error("%s: %s", path, strerror(errno));
	buf_release(&old);
	buf_release(&new);
	return n;
}
