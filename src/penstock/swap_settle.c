/* What was begun, brought to its end: swap.h says which phase ends how. The tree may be down: then only files change. */
#include "penstock/swap.h"

#include <string.h>

#include "base/log.h"

static bool supervised(const struct tree *t)
{
	return tree_supervise(t) > 0;
}

static void no_trial(struct swap *s)
{
	s->trial = s->trial_about = NULL;
	s->how = SWAP_WHOLE;
	memset(&s->program, 0, sizeof s->program);
}

/* The shadow that stood aside is one again. First the split: without it what it says to a line would be lost. */
static int restore_shadow(const struct tree *t, struct swap *s)
{
	if (swap_split_copy(t, s, s->aside) < 0 || swap_up(t, s->aside) < 0)
		return -1;
	s->trial = s->aside;
	s->trial_about = s->aside_about;
	s->aside = s->aside_about = NULL;
	s->how = SWAP_SHADOW;
	log_error("%s: is a shadow as before", s->name);
	return swap_step(t, s, SWAP_REST);
}

/* The split outlives the stage: without one its workers would be like all others, and what a shadow says goes nowhere. */
static int forget_trial(const struct tree *t, struct swap *s)
{
	if (!s->trial)
		return swap_step(t, s, SWAP_REST);
	if (supervised(t) && swap_split_hold(t, s, s->trial) == -1)
		return -1;
	if (swap_remove(t, s->trial) < 0)
		return -1;
	if (s->aside)
		return restore_shadow(t, s);
	if (swap_split_off(t, s) < 0 || (s->how == SWAP_SHADOW && swap_shadow_clear(t, s->name) < 0))
		return -1;
	no_trial(s);
	return swap_step(t, s, SWAP_REST);
}

static int finish_turn(const struct tree *t, struct swap *s)
{
	if (swap_down(t, swap_top(s)) < 0 || swap_split_off(t, s) < 0)
		return -1;
	if (s->aside && (swap_remove(t, s->aside) < 0 || swap_shadow_clear(t, s->name) < 0))
		return -1;
	s->aside = s->aside_about = NULL;
	s->service[s->n] = s->trial;
	s->about[s->n++] = s->trial_about;
	no_trial(s);
	return swap_step(t, s, SWAP_REST);
}

/* The one that was to go has everything again, before the other one drains. */
static int undo_reach(const struct tree *t, struct swap *s)
{
	if (supervised(t) && swap_split_share(t, s, swap_top(s), 100) == -1)
		return -1;
	if (swap_down(t, s->service[s->n - 2]) < 0 || swap_split_off(t, s) < 0)
		return -1;
	return swap_step(t, s, SWAP_REST);
}

static int finish_back(const struct tree *t, struct swap *s)
{
	/* Its place was ready when this was decided; it may have been down since. */
	if (swap_up(t, s->service[s->n - 2]) < 0 || swap_remove(t, swap_top(s)) < 0 || swap_split_off(t, s) < 0)
		return -1;
	s->n--;
	return swap_step(t, s, SWAP_REST);
}

int swap_settle(const struct tree *t, struct swap *s)
{
	switch (s->phase) {
	case SWAP_REST:
		return 0;
	case SWAP_TRY:
		return forget_trial(t, s);
	case SWAP_TURN:
		return finish_turn(t, s);
	case SWAP_REACH:
		return undo_reach(t, s);
	case SWAP_BACK:
		return finish_back(t, s);
	}
	return -1;
}
