/* What of an MoE layer's time is not its experts': routing, dispatch and combine, their backward
 * passes and the counting for the balance loss. Printed as a line of JSON.
 *
 *     mixture EXPERTS [RUNS]      top-2, hidden 64, feed-forward 256 each, 8 windows of 100 tokens, one thread
 *
 * In turn: the layer forward and backward as a training step has it, and its experts alone, each
 * with as many rows in one piece as the router gave it. Seconds are medians, of the processor's
 * time.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "moe/layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { H = 64, F = 256, K = 2, B = 8, N = 100, ROWS = B * N, RUNS = 100 };

struct bench {
	int E;
	struct moe_layer m;
	struct weight router[ROUTER_TENSORS], expert[EXPERT_TENSORS];
	struct balance balance;
	struct balance_slope slope;
	real *x, *dx; /* [ROWS * K][H] */
	struct tape *tape;
	struct arena *gradients;
	struct rng rng;
};

static void tensors(struct bench *b, const struct tensor_plan *plan, int n, int copies, struct weight *w)
{
	for (int i = 0; i < n; i++) {
		size_t count =
			(size_t)copies * (size_t)plan[i].rows * (size_t)(plan[i].cols ? plan[i].cols : 1);
		real *x = NEW_ARRAY(real, count);
		for (size_t j = 0; j < count; j++)
			x[j] = (real)(rng_normal(&b->rng) * 0.1);
		w[i] = (struct weight){x, NEW_ARRAY(real, count)};
	}
}

static void begin(struct bench *b, int E)
{
	struct tensor_plan plan[ROUTER_TENSORS + EXPERT_TENSORS];
	b->E = E;
	b->rng = rng_stream(3, "mixture", 0, 0);
	b->m = (struct moe_layer){.router = router_find("topk"),
		.route = {.H = H, .E = E, .k = K, .N = N, .temperature = 1, .training = true},
		.shape = {.H = H, .F = F},
		.parts = 1,
		.part = {{expert_find("ffn"), 0, E, b->expert}},
		.N = N,
		.router_weight = b->router};
	tensors(b, plan, b->m.router->declare(&b->m.route, plan), 1, b->router);
	tensors(b, plan, b->m.part[0].type->declare(&b->m.shape, plan), E, b->expert);
	b->m.route.pool = N;
	b->balance = balance_new(&b->m.route);
	b->x = NEW_ARRAY(real, ROWS * K * H);
	b->dx = NEW_ARRAY(real, ROWS * K * H);
	for (int i = 0; i < ROWS * K * H; i++)
		b->x[i] = (real)rng_normal(&b->rng);
	b->tape = tape_new(true);
	b->tape->dropout.p = REAL(0.1);
	b->gradients = arena_new();
}

/* Rows from .. from + n - 1 of x, with their gradients. */
static struct node *rows(struct bench *b, int from, int n)
{
	struct node *x = op_input(b->tape, b->x + (size_t)from * H, n, H);
	x->g = b->dx + (size_t)from * H;
	return x;
}

static void backward(struct bench *b, struct node *const *y, int n)
{
	tape_gradients(b->tape, b->gradients);
	for (int e = 0; e < n; e++)
		for (int i = 0; i < y[e]->rows * H; i++)
			y[e]->g[i] = 1;
	tape_backward(b->tape);
	arena_reset(b->gradients);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double layer(struct bench *b)
{
	double start = seconds();
	tape_reset(b->tape);
	balance_clear(&b->balance, 1);
	struct node *y = moe_layer_forward(b->tape, rows(b, 0, ROWS), &b->m, &b->balance, &b->slope, NULL);
	balance_slopes(&b->balance, BALANCE_SWITCH, 0.01, 0, &b->slope);
	backward(b, &y, 1);
	return seconds() - start;
}

static double experts(struct bench *b)
{
	double start = seconds();
	int from = 0, used = 0;
	tape_reset(b->tape);
	b->tape->keep_passing = true;
	struct node **y = tape_take(b->tape, (size_t)b->E * sizeof *y);
	for (int e = 0; e < b->E; e++) {
		struct weight w[EXPERT_TENSORS];
		struct tensor_plan plan[EXPERT_TENSORS];
		int n = b->m.part[0].type->declare(&b->m.shape, plan),
		    given = (int)balance_sent(&b->balance, e);
		for (int i = 0; i < n; i++) {
			size_t at =
				(size_t)plan[i].rows * (size_t)(plan[i].cols ? plan[i].cols : 1) * (size_t)e;
			w[i] = (struct weight){b->expert[i].x + at, b->expert[i].g + at};
		}
		if (given)
			y[used++] = b->m.part[0].type->forward(
				b->tape, rows(b, from, given), w, &b->m.shape, NULL);
		from += given;
	}
	b->tape->keep_passing = false;
	backward(b, y, used);
	return seconds() - start;
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

static double median(double *x, int n)
{
	qsort(x, (size_t)n, sizeof *x, by_value);
	return (x[n / 2] + x[(n - 1) / 2]) / 2;
}

int main(int argc, char **argv)
{
	static struct bench b;
	int E = argc > 1 ? atoi(argv[1]) : 0, runs = argc > 2 ? atoi(argv[2]) : RUNS;
	if (argc > 3 || E < K || runs < 1) {
		fprintf(stderr, "usage: mixture EXPERTS [RUNS]\n");
		return EX_USAGE;
	}
	struct workspace w = workspace_new();
	double *all = NEW_ARRAY(double, runs), *alone = NEW_ARRAY(double, runs);
	begin(&b, E);
	tape_lend(b.tape, &w);
	layer(&b);
	experts(&b);
	for (int i = 0; i < runs; i++) {
		all[i] = layer(&b);
		alone[i] = experts(&b);
	}
	double of_layer = median(all, runs), of_experts = median(alone, runs);
	printf("{\"what\":\"mixture layer\",\"experts\":%d,\"seconds\":%.6g,\"of_experts\":%.6g}\n", E,
		of_layer, of_experts);
	tape_free(b.tape);
	workspace_free(&w);
	return 0;
}
