#include "supervise/state.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>

char state_want_byte(const struct state *s)
{
	return s->want == WANT_UP && !s->loop ? 'u' : 'd';
}

const char *state_word(enum sv_at at)
{
	static const char *const word[SV_STATES] = {
		[SV_DOWN] = "down", [SV_WAIT] = "wait", [SV_PREP] = "starting", [SV_RUN] = "run", [SV_FINISH] = "finish", [SV_GONE] = "exited",
	};

	return (unsigned)at < SV_STATES ? word[at] : "?";
}

const char *state_want_word(enum sv_want want)
{
	static const char *const word[] = { [WANT_UP] = "up", [WANT_DOWN] = "down", [WANT_EXIT] = "exit" };

	return (unsigned)want < sizeof word / sizeof *word ? word[want] : "?";
}

const char *state_how(int status, char out[STATE_HOW_MAX])
{
	if (status == STATE_UNKNOWN)
		snprintf(out, STATE_HOW_MAX, "ended; nobody told how");
	else if (WIFSIGNALED(status))
		snprintf(out, STATE_HOW_MAX, "was killed by signal %d", WTERMSIG(status));
	else
		snprintf(out, STATE_HOW_MAX, "exited with code %d", WEXITSTATUS(status));
	return out;
}

void state_finish_args(int status, int *code, int *sig)
{
	bool told = status != STATE_UNKNOWN;

	*code = told && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	*sig = !told || WIFEXITED(status) ? 0 : status & 0xff;
}

void state_finish_args_s6(int status, int *code, int *sig)
{
	state_finish_args(status, code, sig);
	if (*code < 0)
		*code = 256;
	*sig &= 0x7f;
}
