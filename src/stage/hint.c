#include "stage/hint.h"

#include <string.h>

static const struct { const char *name, *hint; } known[] = {
	{ "jq", "give jq the option --unbuffered" },
	{ "grep", "give grep the option --line-buffered" },
	{ "egrep", "give egrep the option --line-buffered" },
	{ "fgrep", "give fgrep the option --line-buffered" },
	{ "rg", "give rg the option --line-buffered" },
	{ "sed", "give sed the option -u" },
	{ "awk", "call fflush() after each print; mawk wants -W interactive, too" },
	{ "mawk", "give mawk the option -W interactive" },
	{ "gawk", "call fflush() after each print, or run it with stdbuf -oL" },
	{ "perl", "set $| = 1" },
	{ "ruby", "set $stdout.sync = true" },
	{ "python", "run python with -u, or print(..., flush=True)" },
	{ "python3", "run python3 with -u, or print(..., flush=True)" },
	{ "tr", "run tr with stdbuf -oL" },
	{ "cut", "run cut with stdbuf -oL" },
	{ "mlr", "give mlr the option --records-per-batch 1" },
};

const char *hint_flush(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash ? slash + 1 : program;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].name, name) == 0)
			return known[i].hint;
	return "let it flush its output after each line, or try stdbuf -oL";
}
