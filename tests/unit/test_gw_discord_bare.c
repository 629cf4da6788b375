/* Discord in a gatewayd that was built where libzstd was not: this file takes the place of discord_zstd.c. */
#include "check.h"
#include "platform_probe.h"

#include "base/log.h"
#include "gatewayd/platform/discord_inflate.h"
#include "gatewayd/platform/discord_stream.h"

const struct stream_kind stream_zstd = {.open = NULL};

static bool reads(const char *conf)
{
	struct out *o = probe_new(platform_find("discord"));
	bool good;

	probe_file(o, "bot.token", "secret");
	good = probe_account(o, conf) == 0;
	probe_free(o);
	return good;
}

int main(void)
{
	log_set(LOG_TEXT, LOG_ERROR);
	CHECK(inflate_has(INFLATE_NONE) && inflate_has(INFLATE_ZLIB) && !inflate_has(INFLATE_ZSTD), "what was built in");
	CHECK(reads("platform = discord\ntoken-file = bot.token\ncompress = zlib\n"), "zlib is always there");
	CHECK(!reads("platform = discord\ntoken-file = bot.token\ncompress = zstd\n"), "an account that asks for zstd is refused");
	return check_done();
}
