#include "supervise/extra.h"

#include "supervise/slot.h"

void extra_look(void)
{
}

void extra_forgotten(const char *name)
{
	(void)name;
}

bool extra_entry(const char *name)
{
	(void)name;
	return true;
}

int extra_open(struct slot *s, char why[FILES_WHY_MAX])
{
	(void)s;
	(void)why;
	return 0;
}

void extra_close(struct slot *s)
{
	(void)s;
}

bool extra_may_start(const struct slot *s)
{
	(void)s;
	return true;
}

int extra_child(struct slot *s, enum extra_child what, struct spawn *sp)
{
	(void)s;
	(void)what;
	(void)sp;
	return 0;
}

void extra_died(struct slot *s, int status)
{
	(void)s;
	(void)status;
}

void extra_shown(struct slot *s)
{
	(void)s;
}

bool extra_may_stop(const struct service *sv)
{
	(void)sv;
	return true;
}

void extra_round(struct host *h)
{
	(void)h;
}
