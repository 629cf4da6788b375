/* What penstock swap does, from one phase of the record to the next: swap.h. */
#include "penstock/swap.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "link/ack.h"

struct swap_asked swap_asked;

/* ---- what was begun ---- */

static int settle_one(void *arg, const struct tree *t, struct swap *s)
{
	(void)arg;
	if (s->phase == SWAP_REST)
		return 0;
	log_warn("%s: a swap was killed on its way (%s): %s", s->name, swap_phase_word(s->phase),
		s->phase == SWAP_TURN || s->phase == SWAP_BACK ? "completed" : "taken back");
	return swap_settle(t, s);
}

int swapped_settle(const struct tree *t)
{
	if (access(tree_path(t, "service/.swap"), F_OK) < 0)
		return 0;
	return swap_lock(t, false) < 0 || swap_each(t, settle_one, NULL) < 0 ? -1 : 0;
}

/* ---- signals ---- */

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

bool swap_interrupted(void)
{
	return interrupted != 0;
}

static void hear_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

void swap_begin(const struct tree *t, const char *name, struct swap *s)
{
	hear_signals();
	if (swap_lock(t, false) < 0 || swap_load(t, name, s) < 0 || settle_one(NULL, t, s) < 0)
		exit(1);
}

/* From here on it is completed, now or by the next swap: signals are not heard. */
static int decide(const struct tree *t, struct swap *s, enum swap_phase phase)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	interrupted = 0;
	return swap_step(t, s, phase) < 0 || swap_settle(t, s) < 0 ? 1 : swap_show(t, s->name, swap_asked.json);
}

static int unchanged(const struct swap *s)
{
	log_error("%s: nothing has changed", s->name);
	return 1;
}

static int undo(const struct tree *t, struct swap *s)
{
	interrupted = 0;
	return swap_settle(t, s) < 0 ? 1 : unchanged(s);
}

/* ---- forward ---- */

/* The trial is made and ready, and gets its lines. */
static int bring_up(const struct tree *t, struct swap *s)
{
	int held;

	if (s->how == SWAP_SHADOW && (swap_shadow_clear(t, s->name) < 0 || swap_hub_end(t, &s->from) < 0 || swap_save(t, s) < 0))
		return -1;
	/* There is one split: with another set in it the shadow's workers would be like all others. */
	if (s->aside && swap_down(t, s->aside) < 0)
		return -1;
	/* It gets nothing before it is ready: what a shadow says to a line that is no copy goes nowhere. */
	held = swap_split_hold(t, s, s->trial);
	if (held == -1 || (held < 0 && s->how == SWAP_SHADOW) || swap_make(t, s) < 0 || swap_wait_ready(t, s->trial) < 0)
		return -1;
	if (s->how == SWAP_WHOLE)
		return swap_pour(t, s);
	held = s->how == SWAP_SHADOW ? swap_split_copy(t, s, s->trial) : swap_split_share(t, s, s->trial, s->percent);
	return held < 0 ? -1 : swap_watch(t, s);
}

static char *about_of(const struct swap_program *p)
{
	char *text = text_of("%s", p->mode ? p->mode : "native");

	for (size_t i = 0; p->words[i] && strlen(text) < 160; i++)
		text = text_of("%s%s%s", text, i ? " " : ": ", p->words[i]);
	return text;
}

static void choose_trial(const struct tree *t, struct swap *s)
{
	do
		s->trial = text_of("%s.%" PRIu64, s->name, s->next++);
	while (access(text_of("%s/service/%s", t->dir, s->trial), F_OK) == 0);
	if (strlen(s->trial) > ACK_NAME_MAX)
		die(1, "%s: its name is too long for a worker set", s->trial);
	s->trial_about = about_of(&s->program);
}

int swap_try(const struct tree *t, struct swap *s)
{
	struct swap_split split;

	if (s->n == SWAP_CHAIN_MAX)
		die(1, "%s: swapped %d times: --back first", s->name, SWAP_CHAIN_MAX);
	if (swap_split_ask(t, s, &split) == -1)
		die(1, "%s: route must be up, and %s one of its destinations", s->name, s->dest);
	if (s->program.mode && swap_check(t, &s->program, swap_times.wait) < 0)
		return unchanged(s);
	choose_trial(t, s);
	if (swap_probe(t, s, swap_asked.probe, swap_times.wait) < 0)
		return unchanged(s);
	s->because = NULL;
	if (swap_step(t, s, SWAP_TRY) < 0 || bring_up(t, s) < 0)
		return undo(t, s);
	if (s->how == SWAP_WHOLE)
		return decide(t, s, SWAP_TURN);
	return swap_step(t, s, SWAP_REST) < 0 ? 1 : swap_show(t, s->name, swap_asked.json);
}

static int promote_canary(const struct tree *t, struct swap *s)
{
	struct swap_split split;

	if (swap_split_ask(t, s, &split) < 0)
		die(1, "%s: route must be up", s->name);
	if (!split.on)
		die(1, "%s: route took the canary's lines back: %s; --back removes it", s->name, split.because);
	if (swap_split_share(t, s, s->trial, 100) < 0)
		return 1;
	if (swap_watch(t, s) < 0) {
		interrupted = 0;
		if (swap_split_share(t, s, s->trial, s->percent) == 0)
			log_error("%s: is a canary as before", s->name);
		return 1;
	}
	return decide(t, s, SWAP_TURN);
}

int swap_promote(const struct tree *t, struct swap *s)
{
	if (!s->trial)
		die(1, "%s: no canary or shadow is at work", s->name);
	if (s->how == SWAP_CANARY)
		return promote_canary(t, s);
	/* One that sends has another command line than one that is only listened to: a second one, made while the first stands aside. */
	s->aside = s->trial;
	s->aside_about = s->trial_about;
	s->how = SWAP_WHOLE;
	return swap_try(t, s);
}

/* ---- back ---- */

static void say_leftover(void *arg, const char *name, int64_t pid, int pidfd)
{
	(void)arg;
	(void)pidfd;
	log_error("%s: process %lld still runs, although its supervise was killed", name, (long long)pid);
}

/* The one before is ready, and gets its lines. */
static int bring_back(const struct tree *t, struct swap *s)
{
	struct service_seen top;
	bool steps = false;

	if (tree_supervise(t) > 0) {
		if (service_see(t, swap_top(s), &top) < 0)
			return -1;
		steps = top.found && top.ready;		/* one that does not work has nothing to hand over */
	}
	if (steps && swap_split_share(t, s, swap_top(s), 100) < 0)
		return -1;
	if (swap_up(t, s->service[s->n - 2]) < 0)
		return -1;
	return steps ? swap_pour_back(t, s) : 0;
}

int swap_back(const struct tree *t, struct swap *s, bool at_once)
{
	if (tree_supervise(t) <= 0 && leftover_each(t, say_leftover, NULL) != 0)
		die(1, "%s: penstock down ends what still runs", s->name);
	if (s->trial)
		return decide(t, s, SWAP_TRY);
	if (s->n < 2)
		die(1, "%s: is not swapped: there is nothing to take back", s->name);
	if (!at_once && tree_supervise(t) > 0 && swap_probe_service(t, s, s->service[s->n - 2], swap_asked.probe, swap_times.wait) < 0)
		return unchanged(s);
	if (swap_step(t, s, SWAP_REACH) < 0)
		return 1;
	if (bring_back(t, s) < 0)
		return undo(t, s);
	return decide(t, s, SWAP_BACK);
}

/* Its service is not over before finish ends, so the way back is another process'. */
int swap_died(const struct tree *t, const char *name, const char *service)
{
	static struct swap s;
	int rc;

	if (strchr(service, '/') || service[0] == '.' || swap_deaths(t, service) < SWAP_DEATHS)
		return 0;
	if (fork() != 0)
		return 0;
	setsid();
	dup2(2, 1);	/* a shadow's logger ends when nobody holds the pipe to it */
	rc = swap_lock(t, true);
	if (rc < 0 || swap_load(t, name, &s) < 0)
		_exit(rc == -2 ? 0 : 1);	/* a swap is at work, and sees it itself */
	/* Another one was killed on its way, or failed: nobody else ends it. */
	if (s.phase != SWAP_REST)
		_exit(settle_one(NULL, t, &s) < 0);
	if (!(s.trial ? strcmp(s.trial, service) == 0 : s.n > 1 && strcmp(swap_top(&s), service) == 0))
		_exit(0);
	log_error("%s: %s failed %d times in %d s: it is taken back", name, service, SWAP_DEATHS, SWAP_DEATHS_TIME);
	s.because = text_of("%s failed %d times in %d s", service, SWAP_DEATHS, SWAP_DEATHS_TIME);
	_exit(swap_back(t, &s, true));
}
