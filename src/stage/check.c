#include "stage/check.h"

#include "base/log.h"
#include "stage/stage.h"

int check_program(const struct settings *set)
{
	(void)set;
	log_error("not built");
	return 1;
}
