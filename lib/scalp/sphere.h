/* The sphere that fits points best.
 *
 *     minimises   sum over i of (|x_i - c| - r)^2
 *
 * from where the linear problem |x|^2 = 2 c.x + d has its solution, by Gauss-Newton steps (r is the
 * mean of |x_i - c|).
 */
#ifndef SCALP_SPHERE_H
#define SCALP_SPHERE_H

#include <stdbool.h>

struct sphere {
	double centre[3], radius;
	double error; /* root of the mean square distance of the points from it */
};

/* False when the points do not determine it: fewer than four, or all nearly in one plane. */
bool sphere_fit(struct sphere *, const double (*x)[3], int n);

#endif
