/* fuzz_supervise: what supervise reads from files that others may write: status, notification-fd, /proc/PID/stat, the board.
 * The first byte chooses the parser. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "supervise/board.h"
#include "supervise/children.h"
#include "supervise/status.h"
#include "supervise/svdir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void see(void *arg, const struct board_row *r, bool torn)
{
	size_t *sum = arg;

	if (!torn)
		*sum += strlen(r->name) + strlen(r->fault) + strlen(state_word(r->main.at)) + strlen(state_want_word(r->main.want));
}

static void status(const uint8_t *p, size_t n)
{
	unsigned char again[STATUS_BYTES];
	struct status s;

	if (status_unpack(p, n, &s) < 0)
		return;
	status_pack(&s, again);
	if (memcmp(again, p, sizeof again) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct board_head head;
	const char *why = NULL;
	size_t sum = 0;
	struct child_stat st;
	int v;

	if (size < 1)
		return 0;
	switch (data[0] % 4) {
	case 0:
		status(data + 1, size - 1);
		break;
	case 1:
		v = svdir_parse_notify((const char *)data + 1, size - 1, &why);
		if (v < 0 ? !why : v < SVDIR_FD_MIN || v > SVDIR_FD_MAX)
			abort();
		break;
	case 2:
		if (children_parse((const char *)data + 1, size - 1, &st) == 0 && (st.parent < 0 || st.session < 0 || st.birth < 0))
			abort();
		v = svdir_parse_signal((const char *)data + 1, size - 1, &why);
		if (v < -1 || v == 0 || v > 64)
			abort();
		break;
	default:
		board_each(data + 1, size - 1, &head, see, &sum, &why);
	}
	return 0;
}
