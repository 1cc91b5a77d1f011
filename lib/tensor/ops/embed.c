#include "base/profile.h"
#include "tensor/ops.h"

#include <string.h>

struct saved {
	struct weight token, position;
	int B, G;
};

static void backward(struct tape *t, struct node *y)
{
	PROFILE_OPERATION("embedding backward");
	const struct saved *s = y->saved;
	struct node *x = y->in[0];
	int H = y->cols, N = y->rows / s->B, n = N - s->G;
	(void)t;
	for (int b = 0; b < s->B; b++)
		for (int i = 0; i < N; i++) {
			const real *g = y->g + ((size_t)b * (size_t)N + (size_t)i) * (size_t)H;
			real *to = i < s->G ? s->token.g + (size_t)i * (size_t)H
					    : x->g + ((size_t)b * (size_t)n + (size_t)(i - s->G)) * (size_t)H;
			for (int h = 0; h < H; h++)
				to[h] += g[h];
			if (s->position.g)
				for (int h = 0; h < H; h++)
					s->position.g[(size_t)i * (size_t)H + (size_t)h] += g[h];
		}
}

struct node *op_embed(
	struct tape *t, struct node *x, struct weight token, struct weight position, int B, int G)
{
	PROFILE_OPERATION("embedding");
	int H = x->cols, n = x->rows / B, N = G + n;
	struct node *y = tape_node(t, B * N, H, 1, &x, backward);
	for (int b = 0; b < B; b++)
		for (int i = 0; i < N; i++) {
			real *to = y->x + ((size_t)b * (size_t)N + (size_t)i) * (size_t)H;
			const real *from =
				i < G ? token.x + (size_t)i * (size_t)H
				      : x->x + ((size_t)b * (size_t)n + (size_t)(i - G)) * (size_t)H;
			const real *at = position.x ? position.x + (size_t)i * (size_t)H : NULL;
			for (int h = 0; h < H; h++)
				to[h] = at ? from[h] + at[h] : from[h];
		}
	if (t->gradients) {
		struct saved *s = y->saved = tape_take(t, sizeof *s);
		*s = (struct saved){token, position, B, G};
	}
	return y;
}
