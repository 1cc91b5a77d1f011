/* A configuration for tests: a preset and KEY=VALUE assignments, ended by NULL; to be given to
 * config_end. */
#ifndef TESTS_CONFIGURED_H
#define TESTS_CONFIGURED_H

#include "check.h"
#include "model/config.h"

static inline struct configuration configured(int preset, const char *const *set)
{
	struct configuration c;
	config_begin(&c, preset);
	for (; *set; set++)
		CHECK(!config_set(&c, *set));
	CHECK(!config_check(&c));
	return c;
}

#endif
