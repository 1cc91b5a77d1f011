/* The gradient of a whole model against central differences, one tensor at a time along a random
 * direction (double builds). */
#ifndef TESTS_DIFFERENCES_H
#define TESTS_DIFFERENCES_H

#include "check.h"

#include "base/rng.h"
#include "model/forward.h"

#include <stdlib.h>

#ifdef REAL_DOUBLE
static inline void against_differences(struct model *m, struct forward *f, int B,
	const struct window_source *source, const struct train_step *step, const real *gradient)
{
	const double h = 1e-6;
	real *scratch = NEW_ARRAY(real, m->params.count), *keep = NEW_ARRAY(real, m->params.count);
	memcpy(keep, m->params.x, m->params.count * sizeof(real));
	for (int i = 0; i < m->params.n; i++) {
		const struct param *p = &m->params.list[i];
		if (p->buffer) /* not trained */
			continue;
		struct rng r = rng_stream(3, p->name, 0, 0);
		double found = 0, norm = 0, loss[2];
		real *direction = NEW_ARRAY(real, p->count);
		for (size_t j = 0; j < p->count; j++) {
			direction[j] = rng_normal(&r);
			norm += direction[j] * direction[j];
		}
		for (size_t j = 0; j < p->count; j++) {
			direction[j] /= sqrt(norm);
			found += direction[j] * gradient[p->offset + j];
		}
		for (int sign = 0; sign < 2; sign++) {
			for (size_t j = 0; j < p->count; j++)
				m->params.x[p->offset + j] =
					keep[p->offset + j] + (sign ? -h : h) * direction[j];
			loss[sign] = forward_train(f, B, source, step, scratch);
		}
		memcpy(m->params.x + p->offset, keep + p->offset, p->count * sizeof(real));
		double e = fabs((loss[0] - loss[1]) / (2 * h) - found);
		if (!(e <= 1e-7 * fmax(1, fabs(found))))
			fprintf(stderr, "%s: off by %g of %g\n", p->name, e, found);
		CHECK(e <= 1e-7 * fmax(1, fabs(found)));
		free(direction);
	}
	free(scratch);
	free(keep);
}
#endif

#endif
