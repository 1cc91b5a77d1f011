/* A configuration for tests: a preset and KEY=VALUE assignments, ended by NULL; to be given to
 * config_end. */
#ifndef TESTS_CONFIGURED_H
#define TESTS_CONFIGURED_H

#include "check.h"
#include "base/error.h"
#include "model/config.h"

static inline struct configuration configured(int preset, const char *const *set)
{
	struct configuration c;
	config_begin(&c, preset);
	for (; *set; set++)
		CHECK(!config_set(&c, *set));
	if (config_check(&c))
		fprintf(stderr, "%s\n", err_text());
	CHECK(!config_check(&c));
	return c;
}

#endif
