/* random: k different experts a token, drawn evenly, each counting 1/k: what a learned router has
 * to beat. The draw is a function of the key and the token's place in its window. */
#include "base/rng.h"
#include "moe/router.h"

extern const struct router_type router_random;

/* k of 0 .. E-1, in the order drawn: the first places of a shuffle */
static void draw(struct rng *r, int *expert, int k, int E, int *deck)
{
	for (int e = 0; e < E; e++)
		deck[e] = e;
	for (int j = 0; j < k; j++) {
		int at = j + (int)rng_below(r, (uint64_t)(E - j)), e = deck[at];
		deck[at] = deck[j];
		deck[j] = expert[j] = e;
	}
}

static void choose(struct tape *t, struct node *x, const struct weight w[ROUTER_TENSORS],
	const struct router_shape *s, struct choice *c)
{
	int *expert = tape_take(t, (size_t)x->rows * (size_t)s->k * sizeof *expert);
	int *deck = tape_take(t, (size_t)s->E * sizeof *deck);
	(void)w;
	for (int i = 0; i < x->rows; i++) {
		struct rng r = rng_stream(s->key, "experts", (uint64_t)(i / s->N), (uint64_t)(i % s->N));
		draw(&r, expert + i * s->k, s->k, s->E, deck);
	}
	router_even(t, x->rows, expert, s, c);
}

const struct router_type router_random = {.name = "random",
	.help = "Each token goes to k different experts, drawn evenly, each of which counts "
		"1/k. Nothing is learned: this is what a learned router has to beat. The same "
		"seed draws the same experts.",
	.sends = true,
	.unlearned = true,
	.declare = router_no_tensors,
	.choose = choose};
