#include "base/sum.h"

#include <stdlib.h>
#include <string.h>

enum { ROUND = 64 }; /* blocks of a round, each a task */

struct summing {
	sum_add *add;
	void *context;
	int64_t from, n; /* items of the round */
	size_t width;
	struct arena **scratch; /* [threads] */
	double *sum;            /* [ROUND][width] */
};

static void add_block(void *context, int block, int worker)
{
	const struct summing *s = context;
	double *sum = s->sum + (size_t)block * s->width;
	memset(sum, 0, s->width * sizeof *sum);
	for (int64_t i = (int64_t)block * SUM_BLOCK; i < s->n && i < ((int64_t)block + 1) * SUM_BLOCK; i++) {
		arena_reset(s->scratch[worker]);
		s->add(s->context, s->from + i, s->scratch[worker], sum);
	}
}

void sum_items(struct pool *pool, int64_t n, sum_add *add, void *context, int width, double *total)
{
	int threads = pool_threads(pool);
	struct summing s = {.add = add, .context = context, .width = (size_t)width};
	s.scratch = NEW_ARRAY(struct arena *, threads);
	s.sum = NEW_ARRAY(double, ROUND *s.width);
	for (int i = 0; i < threads; i++)
		s.scratch[i] = arena_new();
	for (; s.from < n; s.from += SUM_BLOCK * ROUND) {
		s.n = n - s.from < SUM_BLOCK * ROUND ? n - s.from : SUM_BLOCK * ROUND;
		int blocks = (int)((s.n + SUM_BLOCK - 1) / SUM_BLOCK);
		pool_run(pool, blocks, add_block, &s);
		for (size_t b = 0; b < (size_t)blocks; b++)
			for (size_t j = 0; j < s.width; j++)
				total[j] += s.sum[b * s.width + j];
	}
	for (int i = 0; i < threads; i++)
		arena_free(s.scratch[i]);
	free(s.scratch);
	free(s.sum);
}
