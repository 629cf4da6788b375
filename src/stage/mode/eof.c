/* eof: any filter. One run for each task; its end with a good exit code is the acknowledgement. The template of this room. */
#include "stage/mode/mode.h"

static enum mode_says line(const struct task *t, const char *p, size_t n)
{
	(void)t, (void)p;
	return n > 0 ? MODE_OUT : MODE_STRAY;
}

const struct mode mode_eof = {
	.name = "eof",
	.about = "one run of the program for each batch; exit code 0 acknowledges it",
	.lives = false,
	.tail = NULL,
	.line = line,
};
