#include "supervise/ask.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "supervise/process.h"

#define LETTERS 64

struct ask {
	struct slot *slot;
	pid_t pid;		/* of the script; 0: none runs */
	unsigned act;		/* what it is asked about: a bit of ACT_SIGNALS, or ACT_PREPARE */
	unsigned pending;	/* signals that follow */
	pid_t about;		/* the process they are meant for */
	bool go;		/* a start became due meanwhile */
	unsigned char letters[LETTERS];
	size_t n;
	struct ask *next;	/* of those that run */
};

static char letter_of(const struct slot *s, unsigned act)
{
	static const struct { unsigned act; char letter; } row[] = {
		{ ACT_TERM, 't' }, { ACT_STOP, 't' }, { ACT_AGAIN, 't' },
		{ ACT_KILL, 'k' }, { ACT_PAUSE, 'p' }, { ACT_CONT, 'c' }, { ACT_ALRM, 'a' },
		{ ACT_HUP, 'h' }, { ACT_INT, 'i' }, { ACT_QUIT, 'q' }, { ACT_USR1, '1' }, { ACT_USR2, '2' },
		{ ACT_ABRT, 'b' }, { ACT_WINCH, 'y' }, { ACT_PREPARE, 'u' },
	};

	if (act == ACT_AFTER)
		return s->st.want == WANT_EXIT ? 'x' : 'd';
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		if (row[i].act == act)
			return row[i].letter;
	return 0;
}

bool ask_busy(const struct slot *s)
{
	return s->ask && s->ask->pid > 0;
}

/* True: a script runs now. */
static bool begin(struct slot *s, unsigned act)
{
	char path[] = "control/?", letter = letter_of(s, act);
	struct ask *a = s->ask;
	pid_t pid;

	if (!letter || s->logger)
		return false;
	path[sizeof path - 2] = letter;
	pid = process_script(s, path);
	if (pid < 0)
		return false;
	if (!a) {
		a = s->ask = calloc(1, sizeof *a);
		if (!a) {
			log_error("%s/%s: no memory: its answer does not count", s->label, path);
			return false;
		}
		a->slot = s;
	}
	a->pid = pid;
	a->act = act;
	a->about = s->pid;
	a->next = s->host->asks;
	s->host->asks = a;
	loop_io_want(s->host->loop, &s->control, 0);
	return true;
}

void ask_signals(struct slot *s, unsigned act)
{
	if (ask_busy(s)) {
		s->ask->pending |= act;
		return;
	}
	for (unsigned bit = 1; act; bit <<= 1) {
		if (!(act & bit))
			continue;
		act &= ~bit;
		if (begin(s, bit)) {
			s->ask->pending = act;
			return;
		}
		slot_send(s, bit);
	}
}

bool ask_start(struct slot *s)
{
	if (!ask_busy(s))
		return begin(s, ACT_PREPARE);
	if (!process_has_script(s, "control/u"))
		return false;
	s->ask->go = true;
	return true;
}

void ask_letters(struct slot *s, const unsigned char *letters, size_t n)
{
	size_t i = 0;

	while (i < n && !ask_busy(s) && s->dirfd >= 0)
		slot_letter(s, letters[i++]);
	if (i == n || s->dirfd < 0)
		return;
	s->ask->n = n - i < LETTERS ? n - i : LETTERS;
	memmove(s->ask->letters, letters + i, s->ask->n);
}

static void unlink_ask(struct host *h, const struct ask *a)
{
	struct ask **at = &h->asks;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
}

static void answered(struct ask *a, bool taken_over)
{
	struct slot *s = a->slot;
	unsigned act = a->act, pending = a->pending;
	bool go = a->go;
	size_t n = a->n;
	unsigned char letters[LETTERS];

	a->pid = 0;
	a->go = false;
	a->pending = 0;
	a->n = 0;
	memcpy(letters, a->letters, n);
	if (act == ACT_PREPARE) {
		slot_event(s, SV_GO, 0);
	} else if (!taken_over && act != ACT_AFTER && s->pid == a->about) {
		slot_send(s, act);
		slot_show(s);
	}
	/* Those of a process that has ended meanwhile are of no use; control/d and x are run all the same. */
	ask_signals(s, s->pid == a->about ? pending : pending & ACT_AFTER);
	if (go)
		slot_go(s);
	ask_letters(s, letters, n);
	if (s->dirfd >= 0 && !ask_busy(s))
		loop_io_want(s->host->loop, &s->control, LOOP_IN);
}

bool ask_ended(struct host *h, pid_t pid, int status)
{
	for (struct ask *a = h->asks; a; a = a->next)
		if (a->pid == pid) {
			unlink_ask(h, a);
			answered(a, WIFEXITED(status) && WEXITSTATUS(status) == 0);
			return true;
		}
	return false;
}

void ask_free(struct slot *s)
{
	if (ask_busy(s))
		unlink_ask(s->host, s->ask);
	free(s->ask);
	s->ask = NULL;
}
