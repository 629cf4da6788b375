#include "supervise/status.h"

#include <stdio.h>

#define TAI_BASE ((UINT64_C(1) << 62) + 10)

static void put_be(unsigned char *p, uint64_t v, int bytes)
{
	while (bytes-- > 0) {
		p[bytes] = (unsigned char)v;
		v >>= 8;
	}
}

static uint64_t get_be(const unsigned char *p, int bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | *p++;
	return v;
}

static uint8_t runit_state(enum sv_at at)
{
	return at == SV_RUN ? 1 : at == SV_FINISH ? 2 : 0;
}

void status_of(struct status *out, const struct state *s, uint32_t pid)
{
	*out = (struct status){
		.since = s->since, .pid = pid, .paused = s->paused, .term_sent = s->term_sent,
		.want = state_want_byte(s), .at = runit_state(s->at),
	};
}

void status_pack(const struct status *s, unsigned char out[STATUS_BYTES])
{
	put_be(out, TAI_BASE + (uint64_t)(s->since / CLOCK_S), 8);
	put_be(out + 8, (uint64_t)(s->since % CLOCK_S), 4);
	for (int i = 0; i < 4; i++)
		out[12 + i] = (unsigned char)(s->pid >> 8 * i);
	out[16] = s->paused;
	out[17] = (unsigned char)s->want;
	out[18] = s->term_sent;
	out[19] = s->at;
}

int status_unpack(const unsigned char *p, size_t n, struct status *out)
{
	uint64_t sec, ns;

	if (n < STATUS_BYTES)
		return -1;
	sec = get_be(p, 8);
	ns = get_be(p + 8, 4);
	if (sec < TAI_BASE || sec - TAI_BASE > INT64_MAX / CLOCK_S - 1 || ns >= (uint64_t)CLOCK_S)
		return -1;
	if (p[16] > 1 || (p[17] != 'u' && p[17] != 'd') || p[18] > 1 || p[19] > 2)
		return -1;
	*out = (struct status){
		.since = (int64_t)(sec - TAI_BASE) * CLOCK_S + (int64_t)ns,
		.pid = (uint32_t)p[12] | (uint32_t)p[13] << 8 | (uint32_t)p[14] << 16 | (uint32_t)p[15] << 24,
		.paused = p[16], .want = (char)p[17], .term_sent = p[18], .at = p[19],
	};
	return 0;
}

size_t status_text(const struct state *s, char out[STATUS_TEXT_MAX])
{
	static const char *const word[] = { "down", "run", "finish" };
	uint8_t at = runit_state(s->at);
	const char *want = at == 0 || s->want == WANT_UP ? "" : s->want == WANT_EXIT ? ", want exit" : ", want down";

	return (size_t)snprintf(out, STATUS_TEXT_MAX, "%s%s%s%s\n", word[at],
		s->paused ? ", paused" : "", s->term_sent ? ", got TERM" : "", want);
}
