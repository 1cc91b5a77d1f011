/* Keys of the configuration that a router or an expert type has of its own: numbers, declared in
 * its file. The configuration keeps their values (config.own) and hands them on in the shapes.
 *
 *     static const struct setting mine[] = {{"moe.tilt", "0.5", 0, 1, false, "what it does"}, {0}};
 *     ... .settings = mine ...
 *     double tilt = setting_value(shape->own, &mine[0]);
 */
#ifndef MOE_SETTING_H
#define MOE_SETTING_H

#include <stdbool.h>

struct setting {
	const char *name;  /* "moe.tilt"; NULL behind the last */
	const char *value; /* the default */
	double min, max;
	bool whole; /* numbers only */
	const char *help;
};

/* All there are, those of the routers before those of the expert types, in the order of their
 * tables; NULL behind the last. */
const struct setting *setting_at(int i);
/* The value of one of them: own [settings] is in that order. */
double setting_value(const double *own, const struct setting *);

#endif
