/* More of what routers are held to. Numbered cases are those of the conformance list that
 * tests/reference/README names. Runs in float and in double. */
#include "mixture_rig.h"

enum { H = 6 };

/* A slot's answer is that of its expert for this slot alone. */
static void case_27_slots_are_apart(void)
{
	enum { E = 3, SLOTS = 2, M = E * SLOTS, N = 7, B = 2 };
	struct rig g = {.router = "soft_moe",
		.route = {.H = H, .E = E, .k = 1, .N = N, .slots = SLOTS},
		.F = 8,
		.B = B};
	rig_begin(&g, 42);
	tape_begin(false);
	tape->keep_passing = true;
	struct node *y = rig_forward(tape, &g);
	struct node *slots = op_window_slots(tape, g.chosen.dispatch, &g.s.node[0], N);
	struct node *answers = op_constant(tape, slots->rows, H, 0);
	for (int r = 0; r < slots->rows; r++) {
		struct weight one[EXPERT_TENSORS];
		int e = r % M / SLOTS;
		for (int i = 0; i < 4; i++) {
			struct node *w = &g.s.node[g.s.n - 4 + i];
			one[i] = (struct weight){w->x + w->rows * w->cols / E * e, NULL};
		}
		struct node *x = op_input(tape, slots->x + r * H, 1, H);
		memcpy(answers->x + r * H, g.m.shared.type->forward(tape, x, one, &g.m.shape, NULL)->x,
			H * sizeof(real));
	}
	struct node *z = op_window_mix(tape, g.chosen.combine, answers, N);
	for (int i = 0; i < B * N * H; i++)
		CHECK_NEAR(y->x[i], z->x[i], 10 * close_to);
	tape_end();
	rig_end(&g);
}

/* The score is softmax(z + n): what lies between its logarithm and the clean one, less that of
 * expert 0, is the difference of two draws. Twice the deviation is twice of it; over many tokens it
 * is sqrt 2 of the deviation asked for. */
static void noise_of_fixed_scale(void)
{
	enum { N = 3000, E = 3 };
	struct rig g = {.router = "noisy_topk",
		.route = {.H = H,
			.E = E,
			.k = 2,
			.N = N,
			.temperature = 1,
			.key = 3,
			.training = true,
			.fixed_noise = true},
		.F = 2,
		.B = 1};
	double square = 0, *once = NEW_ARRAY(double, N *E);
	rig_begin(&g, 41);
	CHECK(g.s.n == 6); /* tokens, the map, four of the experts: no map of the noise */
	tape_begin(false);
	for (int twice = 0; twice < 2; twice++) {
		g.m.route.noise_std = twice ? 0.02 : 0.01;
		rig_forward(tape, &g);
		for (int i = 0; i < N * E; i++) {
			const real *s = g.chosen.score->x, *p = g.chosen.probability->x;
			int first = i / E * E;
			double d =
				log((double)s[i] / (double)p[i]) - log((double)s[first] / (double)p[first]);
			if (twice)
				CHECK_NEAR(d, 2 * once[i], 1e-5);
			once[i] = d;
			square += twice || i % E == 0 ? 0 : d * d;
		}
	}
	CHECK_NEAR(sqrt(square / (2 * N)), 0.01 * sqrt(2), 0.0005);
	free(once);
	tape_end();
	rig_end(&g);
}

int main(void)
{
	CASE(case_27_slots_are_apart);
	CASE(noise_of_fixed_scale);
	return check_done();
}
