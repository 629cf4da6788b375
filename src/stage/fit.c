/* Is the program one for its mode? And what is said of one that ends again and again. */
#include "base/log.h"
#include "stage/stage.h"

#define MISFITS BROKEN_AFTER	/* so many lines it tripped over ... */
#define PER_MISFIT 16u		/* ... and fewer than so many done for each: it is not the lines */
#define TELL_BURST 4		/* messages at once, and then one in */
#define TELL_EVERY (10 * CLOCK_S)

static void condemn(struct run *r)
{
	if (r->misused)
		return;
	r->misused = true;
	log_error("%s is no program for -a %s, which wants: %s. A filter that drops, adds or sorts lines wants -a eof; %sstage --check -- %s says what fits",
		r->set->program, r->set->mode->name, r->set->mode->about, r->in_stream ? "" : "until then its lines are refused, with retry; ",
		r->set->program);
	if (r->in_stream)
		run_fail(r);
}

void fit_broken(struct load *l, const char *why)
{
	struct run *r = l->run;

	if (!r->told_misfit)
		log_warn("%s", why);
	r->told_misfit = true;
	if (l->blamed == l->halve.from + 1)
		return;
	l->blamed = l->halve.from + 1;
	if (r->answered >= MISFITS * PER_MISFIT || !r->misfits)
		r->misfits = 0, r->answered = 0;
	if (++r->misfits >= MISFITS)
		condemn(r);
}

void fit_done(struct load *l, uint32_t n)
{
	l->run->answered += n;
	/* Together with others it trips over the line three times, and alone it does not. */
	if (l->suspect && l->suspect == l->halve.from + 1)
		condemn(l->run);
	l->suspect = 0;
}

bool fit_tell(struct run *r)
{
	int64_t now = loop_now(r->loop);

	r->credit = r->credit_at ? r->credit + (double)(now - r->credit_at) / (double)TELL_EVERY : TELL_BURST;
	if (r->credit > TELL_BURST)
		r->credit = TELL_BURST;
	r->credit_at = now;
	if (r->credit < 1) {
		r->unsaid++;
		return false;
	}
	r->credit -= 1;
	if (r->unsaid)
		log_warn("%s: %llu more ends like these are not shown", r->set->program, (unsigned long long)r->unsaid);
	r->unsaid = 0;
	return true;
}
