#include "gatewayd/platform/platform.h"

#include <string.h>

extern const struct platform platform_irc;
extern const struct platform platform_discord;
extern const struct platform platform_twitch;
extern const struct platform platform_null;

const struct platform *const platforms[] = {
	&platform_irc,
	&platform_discord,
	&platform_twitch,
	&platform_null,
	NULL,
};

const char *const platform_words[] = {"platform", "enabled", "raw", "ca", NULL};

const char *const platform_others[] = {"webhook", NULL};

const struct platform *platform_find(const char *name)
{
	for (size_t i = 0; platforms[i]; i++)
		if (strcmp(platforms[i]->name, name) == 0)
			return platforms[i];
	return NULL;
}
