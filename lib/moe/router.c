#include "moe/router.h"

#include <stddef.h>
#include <string.h>

extern const struct router_type router_topk, router_noisy_topk, router_soft, router_soft_moe,
	router_expert_choice, router_cosine, router_random, router_uniform;

const struct router_type *const router_table[] = {&router_topk, &router_noisy_topk, &router_soft,
	&router_soft_moe, &router_expert_choice, &router_cosine, &router_random, &router_uniform, NULL};

const struct router_type *router_find(const char *name)
{
	for (int i = 0; router_table[i]; i++)
		if (!strcmp(router_table[i]->name, name))
			return router_table[i];
	return NULL;
}

int router_linear_tensors(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	plan[0] = (struct tensor_plan){"weight", 2, s->E, s->H, START_FAN_IN, s->H};
	plan[1] = (struct tensor_plan){"bias", 1, s->E, 0, START_CONSTANT, 0};
	return s->bias ? 2 : 1;
}

struct node *router_linear(
	struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS], const struct router_shape *s)
{
	struct node *z = op_linear(t, x, w[0], s->bias ? w[1] : (struct weight){0}, s->E);
	return s->temperature == 1 ? z : op_scale(t, z, (real)(1 / s->temperature)); /* NOLINT: exactly 1 */
}

/* The k largest of each row, largest first: [rows][k] on the tape. */
static int *largest(struct tape *t, const struct node *score, int k)
{
	int *index = tape_take(t, (size_t)score->rows * (size_t)k * sizeof *index);
	for (size_t r = 0; r < (size_t)score->rows; r++) {
		const real *x = score->x + r * (size_t)score->cols;
		int *best = index + r * (size_t)k, n = 0;
		for (int e = 0; e < score->cols;
			e++) { /* insertion from the right: of equals the first stays ahead */
			if (n == k && !(x[e] > x[best[k - 1]]))
				continue;
			int at = n < k ? n++ : k - 1;
			for (; at > 0 && x[e] > x[best[at - 1]]; at--)
				best[at] = best[at - 1];
			best[at] = e;
		}
	}
	return index;
}

void router_top(struct tape *t, struct node *score, const struct router_shape *s, struct choice *c)
{
	c->k = s->k;
	c->expert = largest(t, score, s->k);
	c->score = score;
	c->share = s->renormalise == RENORMALISE_YES || (s->renormalise == RENORMALISE_AUTO && s->k > 1);
	c->balanced = true;
}
