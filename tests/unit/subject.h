/* An operation against central finite differences: in float with a wide tolerance, in double to
 * 1e-7. */
#ifndef TESTS_SUBJECT_H
#define TESTS_SUBJECT_H

#include "check.h"

#include "base/rng.h"
#include "tensor/ops.h"

#include <stdlib.h>

#ifdef REAL_DOUBLE
static const double step = 1e-5, tolerance = 1e-7;
#else
static const double step = 2e-2, tolerance = 2e-2;
#endif

enum { INPUTS = 16 };

/* What is differentiated: matrices given to the operation as nodes or weights. */
struct subject {
	int n;
	int rows[INPUTS], cols[INPUTS];
	struct node node[INPUTS];
	struct weight weight[INPUTS];
	double further; /* what the loss has besides, set by the build; its backward is on the tape */
};

typedef struct node *(*build)(struct tape *, struct subject *);

static inline void add(struct subject *s, struct rng *r, int rows, int cols)
{
	size_t n = (size_t)rows * (size_t)cols;
	real *x = NEW_ARRAY(real, n), *g = NEW_ARRAY(real, n);
	for (size_t i = 0; i < n; i++)
		x[i] = (real)(0.7 * rng_normal(r));
	s->rows[s->n] = rows;
	s->cols[s->n] = cols;
	s->node[s->n] = (struct node){.x = x, .g = g, .rows = rows, .cols = cols};
	s->weight[s->n++] = (struct weight){x, g};
}

static inline void clear(struct subject *s)
{
	for (int i = 0; i < s->n; i++) {
		free(s->node[i].x);
		free(s->node[i].g);
	}
	*s = (struct subject){0};
}

/* loss = sum of c_i y_i with fixed random c, and what the build adds; backward when asked. */
static inline double loss(struct tape *t, struct subject *s, build f, bool backward)
{
	struct rng r = rng_stream(9, "loss", 0, 0);
	tape_reset(t);
	s->further = 0;
	struct node *y = f(t, s);
	tape_gradients(t, t->arena);
	double sum = s->further;
	for (int i = 0; i < y->rows * y->cols; i++) {
		double c = y->rows * y->cols == 1 ? 1 : rng_normal(&r);
		sum += c * (double)y->x[i];
		y->g[i] = (real)c;
	}
	if (backward)
		tape_backward(t);
	return sum;
}

static inline void differences(struct subject *s, build f, double dropout)
{
	struct workspace w = workspace_new();
	struct tape *t = tape_new(true);
	tape_lend(t, &w);
	t->dropout.p = (real)dropout;
	t->dropout.key = 77;
	loss(t, s, f, true);
	double worst = 0;
	for (int i = 0; i < s->n; i++) {
		real *x = s->node[i].x, *g = s->node[i].g;
		int n = s->rows[i] * s->cols[i];
		double scale = 1;
		for (int j = 0; j < n; j++)
			scale = fmax(scale, fabs((double)g[j]));
		for (int j = 0; j < n; j++) {
			real keep = x[j];
			double found = (double)g[j];
			x[j] = (real)((double)keep + step);
			double up = loss(t, s, f, false), h = (double)x[j];
			x[j] = (real)((double)keep - step);
			double down = loss(t, s, f, false);
			h -= (double)x[j];
			x[j] = keep;
			double e = fabs((up - down) / h - found) / scale;
			worst = fmax(worst, e);
			if (e > tolerance)
				fprintf(stderr, "input %d element %d: %g by differences, %g by backward\n", i,
					j, (up - down) / h, found);
		}
	}
	CHECK(worst <= tolerance);
	tape_free(t);
	workspace_free(&w);
}

#endif
