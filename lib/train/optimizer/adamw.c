/* adamw: Adam (Kingma, Ba 2015) with decoupled weight decay (Loshchilov, Hutter 2019):
 *   p -= lr decay p;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *   p -= lr / (1-b1^t) * m / (sqrt(v / (1-b2^t)) + eps)
 * Under train.decay=matrices only the weights of linear maps decay; biases, norms, positions and the global token do not. */
#include "train/optimizer.h"

#include "tensor/vector.h"

#include <string.h>

extern const struct optimizer optimizer_adamw;

struct rates {
	real keep; /* 1 - lr decay */
	real b1, b2;
	real new1, new2; /* 1 - b1, 1 - b2, worked out in double: 1 - 0.999 in float would be off by 1e-5 */
	real step, root; /* lr / (1-b1^t), 1 / sqrt(1-b2^t) */
	real eps;
};

VECTOR_CLONES
static void update(real *restrict p, real *restrict g, real *restrict m, real *restrict v, size_t n,
	const struct rates *r)
{
	for (size_t i = 0; i < n; i++) {
		m[i] = r->b1 * m[i] + r->new1 * g[i];
		v[i] = r->b2 * v[i] + r->new2 * g[i] * g[i];
#ifdef REAL_DOUBLE
		real root = sqrt(v[i]);
#else
		real root = sqrtf(v[i]);
#endif
		g[i] = p[i];
		p[i] = p[i] * r->keep - r->step * m[i] / (root * r->root + r->eps);
	}
}

static void step(
	struct params *p, real *gradient, real *const *state, const struct config *c, double lr, long number)
{
	double t = (double)number;
	struct rates r = {.b1 = (real)c->train.beta1,
		.new1 = (real)(1 - c->train.beta1),
		.b2 = (real)c->train.beta2,
		.new2 = (real)(1 - c->train.beta2),
		.root = (real)(1 / sqrt(1 - pow(c->train.beta2, t))),
		.eps = (real)c->train.eps};
	for (int i = 0; i < p->n; i++) {
		const struct param *one = &p->list[i];
		if (one->buffer) { /* the gradient takes what stood there before the step, as for the others */
			memcpy(gradient + one->offset, p->x + one->offset, one->count * sizeof(real));
			continue;
		}
		double rate = optimizer_rate(c, one, lr);
		bool decays = one->matrix || c->train.decay == DECAY_ALL;
		r.keep = decays ? (real)(1 - rate * c->train.weight_decay) : 1;
		r.step = (real)(rate / (1 - pow(c->train.beta1, t)));
		update(p->x + one->offset, gradient + one->offset, state[0] + one->offset,
			state[1] + one->offset, one->count, &r);
	}
}

const struct optimizer optimizer_adamw = {"adamw", 2, {"adam.m.", "adam.v."}, step};
