/* host: what all slots have in common: the board, the record, the files that are to be written. */
#include "supervise/ghost.h"
#include "supervise/slot.h"

void host_init(struct host *h, struct loop *l)
{
	h->loop = l;
	writer_init(&h->writer);
}

void host_release(struct host *h, bool done)
{
	writer_release(&h->writer);
	ghost_release(h);
	board_close(&h->board);
	keep_close(&h->keep, done);
}

void host_flush(struct host *h)
{
	if (!h->dirty)
		return;
	while (h->dirty) {
		struct slot *s = h->dirty;
		struct shown shown;

		h->dirty = s->next_dirty;
		s->dirty = false;
		shown_of(&shown, &s->st, (uint32_t)s->pid);
		writer_show(&h->writer, s->files, &shown, s->asked);
		s->asked = false;
	}
	writer_go(&h->writer);
}
