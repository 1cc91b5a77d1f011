/* Unit tests: each program prints a line "ok NAME" or "not ok NAME" per case, and details on
 * standard error.
 *
 *     int main(void) { CASE(pool_runs_every_task); ... return check_done(); }
 *     static void pool_runs_every_task(void) { CHECK(sum == 10); CHECK_NEAR(a, b, 1e-6); }
 */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <math.h>
#include <stdio.h>
#include <string.h>

static int check_failed_here, check_failed;

#define CHECK(condition)                           \
	((condition) ? (void)0                     \
		     : (void)(check_failed_here++, \
			       fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition)))
#define CHECK_NEAR(a, b, tolerance)                                                                        \
	do {                                                                                               \
		double check_a = (double)(a), check_b = (double)(b);                                       \
		if (!(fabs(check_a - check_b) <= (tolerance))) {                                           \
			check_failed_here++;                                                               \
			fprintf(stderr, "%s:%d: %s = %.17g, not %.17g\n", __FILE__, __LINE__, #a, check_a, \
				check_b);                                                                  \
		}                                                                                          \
	} while (0)
#define CHECK_TEXT(a, b)                                                                            \
	do {                                                                                        \
		const char *check_s = (a), *check_t = (b);                                          \
		if (!check_s || strcmp(check_s, check_t)) {                                         \
			check_failed_here++;                                                        \
			fprintf(stderr, "%s:%d: %s = \"%s\", not \"%s\"\n", __FILE__, __LINE__, #a, \
				check_s ? check_s : "(null)", check_t);                             \
		}                                                                                   \
	} while (0)
#define CASE(name) check_case(#name, name)

static inline void check_case(const char *name, void (*test)(void))
{
	check_failed_here = 0;
	test();
	printf("%s %s\n", check_failed_here ? "not ok" : "ok", name);
	fflush(stdout);
	check_failed += check_failed_here > 0;
}

static inline int check_done(void)
{
	return check_failed > 0;
}

#endif
