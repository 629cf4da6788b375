/* A program has ended: what that means for what was in it, and when it is started again. */
#include "stage/copy.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/metric.h"
#include "stage/hint.h"

#define PERMANENT 100
#define LATER 111
#define AT_ONCE (100 * CLOCK_MS)	/* whoever held back says it so soon after the end of its input */

enum verdict { V_OK, V_PERMANENT, V_LATER, V_FAILED };

static enum verdict judge(const struct copy *c, int status)
{
	if (c->killed[0] || !WIFEXITED(status))
		return V_FAILED;
	if (c->run->set->ok[WEXITSTATUS(status)])
		return V_OK;
	return WEXITSTATUS(status) == PERMANENT ? V_PERMANENT : WEXITSTATUS(status) == LATER ? V_LATER : V_FAILED;
}

/* What the limit of processor time has to do with the signal: one that ignores the first is killed by the second, as by anybody. */
static const char *of_limit(const struct copy *c, int sig)
{
	int64_t limit = c->run->set->spawn.cpu;

	if (limit && sig == SIGXCPU)
		return ", --cpu";
	return limit && sig == SIGKILL && child_cpu(c->child) > limit ? ": it used more processor time than --cpu allows" : "";
}

/* "it ended with code 5: jq: error: ..." */
static void describe(const struct copy *c, int status, char why[EVENT_WHY])
{
	char last[200];
	size_t n;

	if (c->killed[0])
		n = (size_t)snprintf(why, EVENT_WHY, "%s was killed: %s", c->run->set->program, c->killed);
	else if (WIFEXITED(status))
		n = (size_t)snprintf(why, EVENT_WHY, "%s ended with code %d", c->run->set->program, WEXITSTATUS(status));
	else
		n = (size_t)snprintf(why, EVENT_WHY, "%s died of signal %d (%s%s)", c->run->set->program, WTERMSIG(status),
			strsignal(WTERMSIG(status)), of_limit(c, WTERMSIG(status)));
	said_last(&c->said, last, sizeof last);
	if (*last && n < EVENT_WHY)
		snprintf(why + n, EVENT_WHY - n, ": %s", last);
}

/* Something more to say about an end that is a success for the program and none for its lines. */
static void add_advice(const struct copy *c, char why[EVENT_WHY])
{
	size_t n = strlen(why);
	const struct mode *m = c->run->set->mode;

	if (m == &mode_line)
		snprintf(why + n, EVENT_WHY - n, ", and had not answered the line: -a line wants a line for each, an empty one for nothing to say "
			"(a filter wants -a eof)");
	else if (m == &mode_sync)
		snprintf(why + n, EVENT_WHY - n, ", and the penstock.sync line behind the lines had not come back (else: -a eof)");
}

/* Its input was closed because it was silent; did that help, and what do we learn? */
static void learn(struct copy *c, enum verdict v)
{
	struct run *r = c->run;
	const char *program = r->set->program;
	/* Where it was seen to wait for more, all that it says then had been held back. */
	bool at_once = c->heard >= c->flushed && (c->sure || loop_now(r->loop) - c->flushed < AT_ONCE);

	if (v == V_OK && c->n && r->set->mode == &mode_sync && !r->swallows) {
		r->swallows = true;
		log_warn("%s does not pass on the lines of type penstock.sync, as it should everything that it does not know: its input is "
			"closed after each batch instead (-a eof does the same, sooner)", program);
		return;
	}
	if (!at_once) {
		c->slow++;
		return;
	}
	if (r->told_hint && (c->terminal || r->set->terminal != TERMINAL_AUTO || r->holds))
		return;
	if (c->terminal) {
		r->holds = true;
		r->terminal = false;
	} else if (r->set->terminal == TERMINAL_AUTO && !r->holds) {
		r->terminal = true;
	}
	log_warn("%s holds back its output: its input was closed so that it says it, and it is started anew%s. To spare that: %s", program,
		r->terminal && !c->terminal ? ", this time with a terminal as standard output" :
		c->terminal ? "; a terminal does not help, so this happens each time" : "", hint_flush(program));
	r->told_hint = true;
}

/* mode eof: the run was for one task. */
static void run_over(struct copy *c, enum verdict v, const char *why, const char *detail)
{
	struct load *l = c->q[0];

	copy_pop(c);
	if (v == V_OK) {
		c->moved = true;
		load_passed(l);
	} else if (v == V_LATER) {
		load_later(l, why, detail);
	} else {
		load_failed(l, v == V_PERMANENT, why, detail);
	}
}

/* It swallowed a line: its input was over, and it had read that. */
static bool unanswered(const struct copy *c, enum verdict v)
{
	return c->run->set->mode == &mode_line && c->flushing && (v == V_OK || (v == V_FAILED && !c->killed[0]));
}

/* Modes with a program that lives: the oldest load is to blame, if anyone. */
static void life_over(struct copy *c, enum verdict v, char *why, const char *detail)
{
	bool first = true;

	while (c->n) {
		struct load *l = c->q[0];
		bool all_fed = l->fed == load_bytes(l);
		copy_pop(c);
		if (v == V_OK && c->flushing && all_fed && c->run->set->mode == &mode_sync) {
			/* It read everything, and ended well at the end of its input: as in mode eof, that is the acknowledgement. */
			c->moved = true;
			load_passed(l);
			continue;
		}
		if (!first || (v == V_OK && c->moved) || l->fed == 0) {
			load_back(l);
		} else if (v == V_LATER) {
			load_later(l, why, detail);
		} else {
			if (!c->misfit && (v == V_OK || (v == V_FAILED && c->flushing)))
				add_advice(c, why);
			if (c->misfit || unanswered(c, v))
				load_misfit(l, why, detail);
			else
				load_failed(l, v == V_PERMANENT, why, detail);
		}
		first = false;
	}
}

static void tell(struct copy *c, enum verdict v, const char *why)
{
	struct run *r = c->run;
	bool lives = r->set->mode->lives;

	if (v == V_OK && (!lives || c->flushing || c->stopping || c->renew))
		return;
	metric_add(r->metric[M_FAILURES], 1);
	if (c->stopping && !c->n && !c->killed[0])
		log_info("%s (%s) at the end of its input", why, c->who);
	else if (c->n && (c->misfit || unanswered(c, v) || c->q[0]->halve.hunting || c->q[0]->halve.room || r->condemned || !fit_tell(r)))
		log_debug("%s, with %u %s in it", why, c->n, c->n == 1 ? "batch" : "batches");
	else if (c->n)
		log_warn("%s, with %u %s in it%s", why, c->n, c->n == 1 ? "batch" : "batches", v == V_OK ? ", and is started again: one that does not "
			"read all its input wants -a eof" : "");
	else if (fit_tell(r))
		log_warn("%s", why);
}

/* A bad line is looked for: that should not take longer than it must. */
static bool look_soon(const struct load *l, enum verdict v)
{
	return l && v != V_LATER && (load_wary(l) || l->run->condemned > 0) && l->run->condemned < BROKEN_AFTER;
}

void copy_ended(void *arg, int status)
{
	struct copy *c = arg;
	struct run *r = c->run;
	enum verdict v = judge(c, status);
	char why[EVENT_WHY], detail[SAID_TAIL + 1];
	const struct load *blamed = c->n ? c->q[0] : NULL;	/* lives until run goes on */
	bool soon;

	describe(c, status, why);
	said_tail(&c->said, detail);
	tell(c, v, why);
	if (c->flushing)
		learn(c, v);
	child_free(c->child);
	c->child = NULL;
	c->killed[0] = '\0';
	if (!r->set->mode->lives) {
		if (c->n)
			run_over(c, v, why, detail);
		soon = look_soon(blamed, v);
		/* "Never" is an answer as "done" is: it works. */
		if (v == V_OK || v == V_PERMANENT)
			backoff_reset(&c->wait);
		else
			copy_later(c, soon);
	} else {
		life_over(c, v, why, detail);
		soon = look_soon(blamed, v);
		c->moved |= blamed && v == V_PERMANENT;
		if (c->moved || c->renew)
			backoff_reset(&c->wait);
		if (c->stopping)
			;
		else if (c->moved || c->renew || (c->flushing && v == V_OK && blamed))
			copy_start(c);
		else
			copy_later(c, soon);
	}
	run_moved(r);
}
