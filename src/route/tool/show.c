#include "route/tool/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "line/scan.h"

#define ERROR_COLUMN 40

/* Text for a terminal: control characters, the C1 ones too, become blanks. At most `columns` characters; 0: all. */
static void put_text(const char *p, size_t n, size_t columns, bool keep_lines)
{
	size_t done = 0;

	for (size_t i = 0, c; i < n && (!columns || done < columns); i += c, done++) {
		c = utf8_len(p + i, p + n);
		bool control = c == 0 || (unsigned char)p[i] < 0x20 || p[i] == 0x7f ||
			(c == 2 && (unsigned char)p[i] == 0xc2 && (unsigned char)p[i + 1] < 0xa0);
		if (keep_lines && p[i] == '\n')
			fputs("\n  ", stdout);
		else if (control)
			putchar(' ');
		else
			fwrite(p + i, 1, c, stdout);
		c += c == 0;
	}
	for (; done < columns; done++)
		putchar(' ');
}

static void put_string(struct span raw, size_t columns, bool keep_lines)
{
	struct buf b;

	buf_init(&b, LETTER_MAX);
	if (raw.p && scan_string(raw, &b) == 0)
		put_text(b.p, b.len, columns, keep_lines);
	buf_release(&b);
}

static int64_t age(const struct letter *l)
{
	char at[64];
	int64_t then;
	int n = scan_cstr(l->at, at, sizeof(at));

	if (n <= 0 || clock_parse(at, (size_t)n, &then) < 0)
		return -1;
	return clock_wall() > then ? (clock_wall() - then) / CLOCK_S : 0;
}

static void age_text(char out[24], const struct letter *l)
{
	static const struct { int64_t unit; char letter; } row[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	int64_t s = age(l);
	size_t i = 0;

	while (row[i].unit > 1 && s < 2 * row[i].unit)
		i++;
	if (s < 0)
		strcpy(out, "?");
	else
		snprintf(out, 24, "%" PRId64 "%c", s / row[i].unit, row[i].letter);
}

void show_heading(void)
{
	printf("%-16s  %-12s %3s %5s  %-*s  %-20s  %s\n", "NUMBER", "DESTINATION", "TRY", "AGE", ERROR_COLUMN, "ERROR", "TYPE", "ID");
}

void show_row(const struct picked *l)
{
	struct envelope e;
	char since[24];

	age_text(since, l->letter);
	printf("%-16" PRIu64 "  %-12s %3" PRIu64 " %5s  ", l->ref.seq, l->dest, l->letter->attempts, since);
	put_string(l->letter->error, ERROR_COLUMN, false);
	if (scan_lazy(l->event, l->n - 1, &e) < 0) {
		puts("  (no event)");
		return;
	}
	fputs("  ", stdout);
	put_string(e.a[LA_TYPE], 20, false);
	fputs("  ", stdout);
	put_string(e.a[LA_ID], 0, false);
	putchar('\n');
}

static void raw(const char *name, struct span v)
{
	if (v.p)
		printf(",\"%s\":%.*s", name, (int)v.n, v.p);
}

void show_json(const struct picked *l)
{
	struct envelope e;

	printf("{\"seq\":%" PRIu64 ",\"dest\":\"%s\",\"attempts\":%" PRIu64, l->ref.seq, l->dest, l->letter->attempts);
	raw("at", l->letter->at);
	raw("error", l->letter->error);
	raw("stderr", l->letter->detail);
	if (l->letter->edited)
		fputs(",\"edited\":true", stdout);
	if (scan_lazy(l->event, l->n - 1, &e) == 0) {
		raw("type", e.a[LA_TYPE]);
		raw("id", e.a[LA_ID]);
		raw("source", e.a[LA_SOURCE]);
	}
	puts("}");
}

static void indent(unsigned depth)
{
	printf("\n%*s", (int)(2 * (depth < 40 ? depth : 40)), "");
}

/* JSON text, checked when it came, over several lines. */
static void put_json(const char *p, size_t n, unsigned depth)
{
	bool in_string = false;

	for (size_t i = 0; i < n; i++) {
		char c = p[i], next = i + 1 < n ? p[i + 1] : 0;
		if (in_string) {
			putchar(c);
			if (c == '\\' && next)
				putchar(p[++i]);
			else if (c == '"')
				in_string = false;
		} else if (c == '{' || c == '[') {
			putchar(c);
			if (next == '}' || next == ']')
				putchar(p[++i]);
			else
				indent(++depth);
		} else if (c == '}' || c == ']') {
			indent(depth ? --depth : 0);
			putchar(c);
		} else if (c == ',') {
			putchar(c);
			indent(depth);
		} else if (c == ':') {
			fputs(": ", stdout);
		} else if (c != ' ' && c != '\t' && c != '\r') {
			putchar(c);
			in_string = c == '"';
		}
	}
}

void show_event(const struct picked *l)
{
	fwrite(l->event, 1, l->n, stdout);
}

void show_indented(const struct picked *l)
{
	put_json(l->event, l->n - 1, 0);
	putchar('\n');
}

void show_whole(const struct picked *l)
{
	char since[24];

	age_text(since, l->letter);
	printf("number       %" PRIu64 "\ndestination  %s\nattempts     %" PRIu64 "\ndead since   ", l->ref.seq, l->dest, l->letter->attempts);
	put_string(l->letter->at, 0, false);
	printf(" (%s ago)\nerror        ", since);
	put_string(l->letter->error, 0, false);
	if (l->letter->detail.p) {
		fputs("\nstderr\n  ", stdout);
		put_string(l->letter->detail, 0, true);
	}
	printf("\nevent%s\n  ", l->letter->edited ? " (edited)" : "");
	put_json(l->event, l->n - 1, 1);
	putchar('\n');
}
