/* model, verdict, report: what is said of a message; and which files are no models. */
#include <math.h>
#include <string.h>

#include "../lib/emotion_model.h"
#include "analyze/calc.h"
#include "analyze/report.h"
#include "analyze/verdict.h"
#include "check.h"
#include "line/envelope.h"

static struct emotion_word words[] = {
	{ "joyful", 17 }, { "angry", 2 }, { "the", LABEL_NEUTRAL }, { "is", LABEL_NEUTRAL }, { ":)", 17 }, { "gross", 11 },
};
#define WORDS (sizeof words / sizeof words[0])

static struct analysis analysis;
static struct emotes emotes;
static struct buf file;

static const char *refused(const void *p, size_t n)
{
	struct model m;
	const char *why = NULL;

	if (model_init(&m, p, n, &why) == 0) {
		model_release(&m);
		return "";
	}
	return why ? why : "no reason";
}

static void set(size_t at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		file.p[at + (size_t)i] = (char)(v >> 8 * i);
}

/* The file with four bytes at `at` replaced, its checksum made good if seal. */
static const char *refused_with(size_t at, uint32_t v, int seal)
{
	char *before = malloc(file.len);
	const char *why;

	memcpy(before, file.p, file.len);
	set(at, v);
	if (seal)
		emotion_seal(file.p, file.len);
	why = refused(file.p, file.len);
	memcpy(file.p, before, file.len);
	free(before);
	return why;
}

static void check_file(void)
{
	const size_t bias = MODEL_HEADER, threshold = bias + 4 * OUTPUTS * (MODEL_STACK + 1), hash = threshold + 4 * OUTPUTS;
	unsigned whole = 0;

	CHECK(strcmp(refused(file.p, file.len), "") == 0, "the file is a model");
	for (size_t n = 0; n < file.len; n++)
		whole += strcmp(refused(file.p, n), "") == 0;
	CHECK(whole == 0, "no part of it is");
	CHECK(strcmp(refused("", 0), "not an emotion model") == 0, "an empty file is not");
	CHECK(strstr(refused_with(0, 0, 1), "not an emotion model"), "magic");
	CHECK(strstr(refused_with(8, 2, 1), "another format"), "format");
	CHECK(strstr(refused_with(12, FEATURE_VERSION + 1, 1), "another version of the features"), "version of the features");
	CHECK(strstr(refused_with(16, OUTPUTS - 1, 1), "another set of labels"), "outputs");
	CHECK(strstr(refused_with(20, MODEL_ROWS_MAX + 1, 1), "beyond the limits"), "rows");
	CHECK(strstr(refused_with(20, WORDS + 1, 1), "cut short or too long"), "one row more");
	CHECK(strstr(refused_with(24, 0xffffffff, 1), "beyond the limits"), "words");
	CHECK(strstr(refused_with(bias, 0, 0), "damaged"), "checksum");
	CHECK(strstr(refused_with(bias, 0x7fc00000, 1), "number"), "NaN");
	CHECK(strstr(refused_with(bias, 0xff800000, 1), "number"), "infinity");
	CHECK(strstr(refused_with(threshold, 0x3f800001, 1), "number"), "a threshold over 1");
	CHECK(strstr(refused_with(hash, 0xffffffff, 1), "out of order"), "hashes out of order");
	CHECK(strstr(refused_with(hash + 4 * WORDS, 0xffffffff, 1), "out of order"), "known words out of order");
}

static void check_calc(void)
{
	double worst = 0, worst_log = 0;

	for (float x = -80; x <= 80; x += 0.0371f) {
		double e = fabs((double)calc_expf(x) / exp((double)x) - 1);

		worst = e > worst ? e : worst;
	}
	CHECK(worst < 3e-7, "e^x is off by %g at most", worst);
	for (double x = 1e-9; x < 1e9; x *= 1.37) {
		double e = fabs(calc_log(x) - log(x)) / (1 + fabs(log(x)));

		worst_log = e > worst_log ? e : worst_log;
	}
	CHECK(worst_log < 1e-12, "ln x is off by %g at most", worst_log);
	CHECK(calc_expf(1000) == calc_expf(80) && calc_expf(-1000) > 0, "ends");
}

static const struct verdict *verdict(const char *text)
{
	struct cleaner how = { .emotes = &emotes };

	return verdict_of(&analysis, &how, text, strlen(text)) ? &analysis.verdict : NULL;
}

static const char *top(enum task t)
{
	return tasks[t].v[analysis.verdict.top[t]].name;
}

static void check_verdict(void)
{
	const struct verdict *v = verdict("the joyful");

	CHECK(v && v->known_language && v->known == 1.0f, "known words");
	CHECK(v->p[17] > 0.1f && v->p[17] < v->p[LABEL_NEUTRAL], "two words share the length of the vector: %.3f", (double)v->p[17]);
	v = verdict("gross");
	CHECK(fabsf(v->p[11] - 0.2689f) < 0.005f, "sigmoid(3 - 4): %.4f", (double)v->p[11]);
	v = verdict("qwe rty uio");
	CHECK(!v->known_language && v->known == 0 && v->confidence == 0 && strcmp(top(TASK_LABEL), "neutral") == 0 &&
		strcmp(top(TASK_GROUP), "neutral") == 0 && strcmp(top(TASK_EKMAN), "neutral") == 0, "no word known");
	v = verdict("qwe");
	CHECK(!v->known_language, "not even one");
	v = verdict("angry qwe");
	CHECK(v->known_language, "one of two");
	v = verdict("angry qwe rty");
	CHECK(!v->known_language && v->confidence <= 1.0f / 3 + 1e-6f && v->p[2] == 0, "one of three");
	v = verdict("angry is qwe");
	CHECK(v->known_language, "two of three");
	CHECK(verdict(":)")->known_language && !verdict(";;;")->known_language, "without words: a known smiley, an unknown mark");
	CHECK(!verdict("!help") && !verdict("!x y") && !verdict("") && !verdict("   ") && !verdict("http://x.y"), "nothing to judge");
	CHECK(verdict("!!!") && verdict("! the"), "exclamation is no command");
	CHECK(verdict("Kappa angry")->sarcasm && !verdict("angry")->sarcasm, "sarcasm");
}

static void check_report(void)
{
	static const char line[] = "{\"specversion\":\"1.0\",\"id\":\"m1\",\"source\":\"/t\",\"type\":\"chat.message\",\"tenant\":\"a\","
		"\"partitionkey\":\"k\",\"traceparent\":\"00-0123456789abcdef0123456789abcdef-00000000000000ab-01\",\"data\":{\"channel\":"
		"{\"id\":\"c\",\"name\":\"C\",\"x\":1},\"user\":{\"id\":\"u\",\"roles\":[]},\"text\":\"is gross\"}}";
	struct envelope e, made;
	struct line_err err;
	struct buf out;
	double p;

	buf_init(&out, 1 << 20);
	CHECK(envelope_check(line, sizeof line - 1, 1 << 20, &e, &err) == 0, "the message");
	verdict("is gross");
	CHECK(report_event(&analysis, &e, 1 << 20, &out, &err) == 0, "an event of it");
	CHECK(envelope_check(out.p, out.len - 1, 1 << 20, &made, &err) == 0, "which is a line");
	CHECK(scan_is(made.a[LA_ID], "m1.analyze") && scan_is(made.a[LA_TYPE], "analysis.emotion") && scan_is(made.a[LA_TENANT], "a") &&
		scan_is(made.a[LA_PARTITIONKEY], "k") && scan_is(made.a[LA_CAUSATIONID], "m1"), "its envelope");
	CHECK(made.a[LA_TRACEPARENT].n == 57 && memcmp(made.a[LA_TRACEPARENT].p, e.a[LA_TRACEPARENT].p, 36) == 0 &&
		memcmp(made.a[LA_TRACEPARENT].p + 37, e.a[LA_TRACEPARENT].p + 37, 16) != 0, "the same trace, another span");
	CHECK(scan_is(scan_path(made.a[LA_DATA], "message_id"), "m1") && scan_is(scan_path(made.a[LA_DATA], "channel.id"), "c") &&
		scan_is(scan_path(made.a[LA_DATA], "user.id"), "u") && !scan_path(made.a[LA_DATA], "channel.x").p, "whose it is");
	CHECK(scan_is(scan_path(made.a[LA_DATA], "top"), "neutral") && scan_is(scan_path(made.a[LA_DATA], "group"), "neutral") &&
		scan_number(scan_path(made.a[LA_DATA], "scores.neutral"), &p) && p > 0.5 && p < 1, "what it says");
	CHECK(scan_number(scan_path(made.a[LA_DATA], "groups.ambiguous"), &p) && scan_number(scan_path(made.a[LA_DATA], "ekman.disgust"), &p),
		"all groups and emotions");
	buf_clear(&out);
	CHECK(report_event(&analysis, &e, 300, &out, &err) < 0 && out.len == 0, "no event beyond the cap: %s", err.why);
	CHECK(report_json(&analysis, &out) == 0 && out.p[0] == '{' && memcmp(out.p + out.len - 2, "}\n", 2) == 0 &&
		memchr(out.p, '\n', out.len) == out.p + out.len - 1, "as JSON");
	CHECK(scan_value(out.p, out.len - 1, &err) == 0, "which is JSON");
	buf_clear(&out);
	CHECK(report_explain(&analysis, &out) == 0 && buf_cstr(&out) && strstr(out.p, "word gross") == NULL && strstr(out.p, "word is"), "explained");
	buf_release(&out);
}

int main(void)
{
	static const char table[] = "Kappa\t/s\n";
	struct model m;
	const char *why;
	size_t line;

	buf_init(&file, 1 << 20);
	emotion_model(&file, words, WORDS, "made for a check");
	check_calc();
	check_file();
	CHECK(model_init(&m, file.p, file.len, &why) == 0 && strcmp(m.text, "made for a check") == 0, "the model");
	CHECK(emotes_init(&emotes, table, sizeof table - 1, &line, &why) == 0, "the emotes");
	analysis_init(&analysis, &m);
	check_verdict();
	check_report();
	model_release(&m);
	emotes_release(&emotes);
	buf_release(&file);
	return check_done();
}
