/* adamw: Adam (Kingma, Ba 2015) with decoupled weight decay (Loshchilov, Hutter 2019):
 *   p -= lr decay p;  m = b1 m + (1-b1) g;  v = b2 v + (1-b2) g^2
 *   p -= lr / (1-b1^t) * m / (sqrt(v / (1-b2^t)) + eps)
 * Under train.decay=matrices only the weights of linear maps decay; biases, norms, positions and
 * the global token do not. */
#include "train/optimizer.h"

#include "tensor/vector.h"

extern const struct optimizer optimizer_adamw;

struct rates {
	real keep; /* 1 - lr decay */
	real b1, b2;
	real new1, new2; /* 1 - b1, 1 - b2, worked out in double: 1 - 0.999 in float would be off by 1e-5 */
	real step, root; /* lr / (1-b1^t), 1 / sqrt(1-b2^t) */
	real eps;
};

/* A mean that fades, of an expert that is not chosen, ends here: below the smallest normal numbers
 * processors are ten times slower, and it would stay there. */
#define NOTHING REAL(1e-30)

VECTOR_CLONES
static void update(real *restrict p, real *restrict g, real *restrict m, real *restrict v, size_t n,
	const struct rates *from)
{
	const struct rates rates = *from, *r = &rates; /* which nothing that is written can be */
	for (size_t i = 0; i < n; i++) {
		real mean = r->b1 * m[i] + r->new1 * g[i];
		m[i] = mean < NOTHING && mean > -NOTHING ? 0 : mean;
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

static void step(const struct param *p, real *x, real *gradient, real *const *state, size_t n,
	const struct config *c, double lr, long number)
{
	double t = (double)number, rate = optimizer_rate(c, p, lr);
	bool decays = p->matrix || c->train.decay == DECAY_ALL;
	struct rates r = {.keep = decays ? (real)(1 - rate * c->train.weight_decay) : 1,
		.b1 = (real)c->train.beta1,
		.new1 = (real)(1 - c->train.beta1),
		.b2 = (real)c->train.beta2,
		.new2 = (real)(1 - c->train.beta2),
		.step = (real)(rate / (1 - pow(c->train.beta1, t))),
		.root = (real)(1 / sqrt(1 - pow(c->train.beta2, t))),
		.eps = (real)c->train.eps};
	update(x, gradient, state[0], state[1], n, &r);
}

const struct optimizer optimizer_adamw = {"adamw", 2, {"adam.m.", "adam.v."}, step};
