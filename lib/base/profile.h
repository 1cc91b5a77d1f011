/* Where the time goes: built in by -DPROFILE (`make bench PROFILE=1`), nothing otherwise.
 *
 *     PROFILE_OPERATION("attention");      from here to the end of the block counts for this operation
 *     { PROFILE_PART("exp"); ... }         a part of whatever operation is running
 *
 * Time inside an inner mark does not count for the outer one. profile_report writes a table:
 * operations down, parts across, seconds over all threads. What runs outside any mark is not
 * counted; the marks themselves take some time, a few percent.
 */
#ifndef BASE_PROFILE_H
#define BASE_PROFILE_H

#ifdef PROFILE

#include <stdint.h>
#include <stdio.h>

struct profile_mark {
	const char *operation, *part;
	uint64_t start, inside; /* ticks; of marks within */
	struct profile_mark *outer;
};

void profile_enter(struct profile_mark *, const char *operation, const char *part);
void profile_leave(struct profile_mark *);
void profile_report(FILE *);

#define PROFILE_OPERATION(name)                                                        \
	struct profile_mark profile_operation __attribute__((cleanup(profile_leave))); \
	profile_enter(&profile_operation, name, "rest")
#define PROFILE_PART(name)                                                        \
	struct profile_mark profile_part __attribute__((cleanup(profile_leave))); \
	profile_enter(&profile_part, NULL, name)

#else

#define PROFILE_OPERATION(name) ((void)0)
#define PROFILE_PART(name)      ((void)0)

#endif
#endif
