/*
 * check: what a unit check needs. CHECK(condition, format, ...) prints a TAP line when it holds and ends the program with
 * the place and the message when it does not; call check_done() last.
 */
#ifndef UNIT_CHECK_H
#define UNIT_CHECK_H

#include <stdio.h>
#include <stdlib.h>

static int check_count;

#define CHECK(condition, ...) do { \
		check_count++; \
		int holds_ = !!(condition); \
		printf("%s %d - ", holds_ ? "ok" : "not ok", check_count); \
		printf(__VA_ARGS__); \
		putchar('\n'); \
		if (!holds_) { \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
			fflush(stdout); \
			exit(1); \
		} \
	} while (0)

static inline int check_done(void)
{
	printf("1..%d\n", check_count);
	return check_count == 0;
}

#endif
