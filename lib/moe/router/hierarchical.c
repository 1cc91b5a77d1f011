/* hierarchical: a tree of routers, of moe.levels alternatives from the root on. Each is topk over
 * its own: softmax(x W^T / temperature), the top_k_groups most probable of every level but the
 * last, the top_k most probable experts below each of the last routers reached; a level's weights
 * are divided by their sum when there are several (renormalise auto), with one the raw probability,
 * so that every level learns; an expert counts by the product of the weights on its way (Shazeer et
 * al. 2017, appendix B, equation 12). */
#include "moe/router.h"

#include <stdio.h>

extern const struct router_type router_hierarchical;

static int declare(const struct router_shape *s, struct tensor_plan plan[ROUTER_TENSORS])
{
	static const char *const name[ROUTER_LEVELS][2] = {{"levels.0.weight", "levels.0.bias"},
		{"levels.1.weight", "levels.1.bias"}, {"levels.2.weight", "levels.2.bias"},
		{"levels.3.weight", "levels.3.bias"}};
	int n = 0, entries = 1;
	for (int l = 0; l < s->levels; l++) {
		entries *= s->level[l];
		plan[n++] = (struct tensor_plan){name[l][0], 2, entries, s->H, START_FAN_IN, s->H};
		if (s->bias)
			plan[n++] = (struct tensor_plan){name[l][1], 1, entries, 0, START_CONSTANT, 0};
	}
	return n;
}

/* Which routers of a level each row reaches, [rows][reached], and the k alternatives each chooses,
 * [rows][reached k]: as entries of the level, and within their router. */
struct chosen {
	int reached;
	int *router, *entry, *within;
};

/* From the routers reached, parent's entries, and the probabilities p [rows][routers n]. */
static struct chosen choose_level(
	struct tape *t, const struct node *p, int reached, int *router, int n, int k)
{
	size_t places = (size_t)p->rows * (size_t)reached * (size_t)k;
	struct chosen c = {
		reached, router, tape_take(t, places * sizeof(int)), tape_take(t, places * sizeof(int))};
	for (int i = 0; i < p->rows * reached; i++) {
		const real *x = p->x + (size_t)(i / reached) * (size_t)p->cols + (size_t)(router[i] * n);
		router_largest(x, n, k, c.within + i * k);
		for (int j = 0; j < k; j++)
			c.entry[i * k + j] = router[i] * n + c.within[i * k + j];
	}
	return c;
}

/* The weights within the routers that were reached: [rows reached][k] */
static struct node *weigh(struct tape *t, struct node *p, const struct chosen *c, int n, int k, bool share)
{
	int routers = p->cols / n, *row = tape_take(t, (size_t)p->rows * (size_t)c->reached * sizeof *row);
	for (int i = 0; i < p->rows * c->reached; i++)
		row[i] = i / c->reached * routers + c->router[i];
	struct node *mine = op_gather(t, op_reshape(t, p, n), row, p->rows * c->reached);
	return op_pick(t, mine, c->within, k, share);
}

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	struct choice_level *level = tape_take(t, (size_t)s->levels * sizeof *level);
	struct node *mass = NULL,
		    *weight = NULL; /* products from the root down: [rows][entries], [rows][places] */
	int reached = 1, entries = 1, *router = tape_take(t, (size_t)x->rows * sizeof *router);
	for (int i = 0; i < x->rows; i++)
		router[i] = 0;
	c->share = true;
	for (int l = 0, tensor = 0; l < s->levels; l++, tensor += 1 + s->bias) {
		int n = s->level[l], k = l + 1 < s->levels ? s->top_groups : s->leaf_k;
		bool share = router_shares(s, k);
		entries *= n;
		struct node *z = router_map(t, x, w + tensor, entries, s);
		struct node *p = op_reshape(t, op_softmax(t, op_reshape(t, z, n), 1), entries);
		struct chosen here = choose_level(t, p, reached, router, n, k);
		struct node *g = weigh(t, p, &here, n, k, share);
		level[s->levels - 1 - l] = (struct choice_level){.routers = entries / n,
			.n = n,
			.k = k,
			.places = reached * k,
			.chosen = here.entry,
			.weight = op_reshape(t, g, reached * k),
			.probability = p,
			.logits = z};
		if (mass) {
			p = op_times_rows(t, op_reshape(t, p, n), op_reshape(t, mass, 1));
			g = op_times_rows(t, g, op_reshape(t, weight, 1));
		}
		reached *= k;
		mass = op_reshape(t, p, entries);
		weight = op_reshape(t, g, reached);
		router = here.entry;
		c->share &= share;
	}
	c->k = reached;
	c->expert = router;
	c->weight = weight;
	c->probability = mass;
	c->balanced = true;
	c->levels = s->levels;
	c->level = level;
}

const struct router_type router_hierarchical = {.name = "hierarchical",
	.help = "A tree of routers, with the numbers of alternatives that moe.levels gives from"
		" the root on; its leaves are the experts (Shazeer et al. 2017, appendix B, "
		"equation 12). Each router works as topk over its own alternatives: softmax(W x"
		" / temperature). On every level but the last the moe.top_k_groups most "
		"probable branches are followed, and below each of the last routers reached the"
		" moe.top_k most probable experts are chosen. Where a router chooses several, "
		"their weights are divided by their sum (moe.renormalise); where it chooses "
		"one, its weight is its probability, so that every level learns. An expert "
		"counts by the product of the weights on the way to it.",
	.keys = "moe.levels",
	.sends = true,
	.tree = true,
	.logits = true,
	.learns = true,
	.declare = declare,
	.choose = choose};
