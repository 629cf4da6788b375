/*
 * probe_platform PLATFORM ACCOUNT-FILE [NAME=TEXT ...] < SCRIPT: plays a script to a platform of gatewayd and prints what it asked for
 * (platform_probe.h has both languages). NAME=TEXT are files beside the account's (its secrets). 1 when the account is refused.
 */
#include "platform_probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "gatewayd/platform/platform.h"

static void all_of(FILE *f, struct buf *b)
{
	char part[4096];
	size_t n;

	while ((n = fread(part, 1, sizeof(part), f)))
		if (buf_add(b, part, n))
			exit(2);
}

int main(int argc, char **argv)
{
	struct buf conf, script;
	struct out *o;
	FILE *f;

	log_init("probe_platform");
	if (argc < 3 || !platform_find(argv[1]) || !(f = fopen(argv[2], "r"))) {
		fprintf(stderr, "usage: probe_platform PLATFORM ACCOUNT-FILE [NAME=TEXT ...] < SCRIPT\n");
		return 2;
	}
	buf_init(&conf, 1 << 16);
	buf_init(&script, 1 << 28);
	all_of(f, &conf);
	fclose(f);
	o = probe_new(platform_find(argv[1]));
	for (int i = 3; i < argc; i++) {
		char *text = strchr(argv[i], '=');

		if (!text)
			return 2;
		*text = '\0';
		probe_file(o, argv[i], text + 1);
	}
	if (!buf_cstr(&conf) || probe_account(o, conf.p)) {
		probe_free(o);
		buf_release(&conf);
		return 1;
	}
	all_of(stdin, &script);
	if (buf_cstr(&script))
		probe_run(o, script.p);
	fputs(probe_take(o), stdout);
	probe_free(o);
	buf_release(&conf);
	buf_release(&script);
	return 0;
}
