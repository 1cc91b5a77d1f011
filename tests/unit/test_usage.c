/* Usage statistics: the golden values of the tiny set (reference/routing.md section D), and exact
 * merging. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "moe/usage.h"

#include <stdlib.h>

static void softmax(const double *z, int n, float *p)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += exp(z[i]);
	for (int i = 0; i < n; i++)
		p[i] = (float)(exp(z[i]) / sum);
}

/* The k largest of p [E], ties to the lower index, and their weights made to add up to 1. */
static void top(const float *p, int E, int k, int32_t *expert, float *weight)
{
	float sum = 0;
	for (int j = 0; j < k; j++) {
		int best = -1;
		for (int i = 0; i < E; i++) {
			int taken = 0;
			for (int l = 0; l < j; l++)
				taken |= expert[l] == i;
			if (!taken && (best < 0 || p[i] > p[best]))
				best = i;
		}
		expert[j] = best;
		weight[j] = p[best];
		sum += p[best];
	}
	for (int j = 0; j < k; j++)
		weight[j] /= sum;
}

static void the_tiny_set_has_its_golden_values(void)
{
	static const double z[4][3] = {{2, 1, 0}, {1, 2, 0}, {3, 0, 1}, {.5, .4, .3}};
	static const double importance[3] = {.530232391, .321051122, .148716488}, share[3] = {.5, .375, .125};
	static const int64_t pair[9] = {0, 3, 1, 3, 0, 0, 1, 0, 0};
	struct usage u;
	usage_new(&u, 3, 2);
	double weight[3] = {0};
	for (int t = 0; t < 4; t++) {
		float p[3], w[2];
		int32_t e[2] = {0};
		softmax(z[t], 3, p);
		top(p, 3, 2, e, w);
		weight[e[0]] += (double)w[0];
		weight[e[1]] += (double)w[1];
		usage_add(&u, p, e, w);
	}
	struct usage_metrics f = usage_metrics(&u);
	for (int i = 0; i < 3; i++) {
		CHECK_NEAR(f.importance[i], importance[i], 3e-8); /* the probabilities are float */
		CHECK_NEAR(f.fraction[i], share[i], 1e-15);
		CHECK_NEAR(f.average_weight[i], weight[i] / (double)u.count[i], 1e-12);
	}
	for (int i = 0; i < 9; i++)
		CHECK(u.pair[i] == pair[i]);
	CHECK_NEAR(f.entropy, .821086262, 1e-7);
	CHECK_NEAR(f.entropy_normalised, .821086262 / 1.098612289, 1e-7);
	CHECK_NEAR(f.cv, sqrt((16 + 9 + 1) / 3. - 64 / 9.) / (8 / 3.), 1e-12); /* c = [4,3,1] */
	CHECK_NEAR(f.max_over_mean, 1.5, 1e-12);
	CHECK_NEAR(f.max_over_min, 5 / 2., 1e-12);
	CHECK_NEAR(f.max_probability, .635360512, 3e-8);
	CHECK_NEAR(f.min_probability, .130670205, 3e-8);
	CHECK(f.overflow == 0 && f.fewest == 2 && f.most == 2 && f.at_least[0] == 1 && f.at_least[1] == 1);
	usage_metrics_free(&f);
	usage_free(&u);
}

/* routing.md E 16b */
static void case_16b_margins(void)
{
	static const float a[2][3] = {{.6f, .3f, .1f}, {.4f, .4f, .2f}},
			   b[2][3] = {{.2f, .5f, .3f}, {.1f, .2f, .7f}};
	static const double expected[2] = {.25, .55714285};
	for (int set = 0; set < 2; set++) {
		struct usage u;
		usage_new(&u, 3, 1);
		for (int t = 0; t < 2; t++)
			usage_add_gate(&u, set ? b[t] : a[t]);
		struct usage_metrics f = usage_metrics(&u);
		CHECK_NEAR(f.margin, expected[set], 1e-7);
		usage_metrics_free(&f);
		usage_free(&u);
	}
	struct usage all;
	usage_new(&all, 3, 3);
	usage_add(&all, a[0], (int32_t[]){0, 1, 2}, a[0]);
	struct usage_metrics f = usage_metrics(&all);
	CHECK(f.margin == 0);
	usage_metrics_free(&f);
	usage_free(&all);
}

static void the_gate_counts_its_largest_weight_and_the_lower_index_wins(void)
{
	struct usage u;
	usage_new(&u, 3, 1);
	usage_add_gate(&u, (float[]){.4f, .4f, .2f});
	usage_add_gate(&u, (float[]){.2f, .4f, .4f});
	CHECK(u.count[0] == 1 && u.count[1] == 1 && u.count[2] == 0);
	struct usage_metrics f = usage_metrics(&u);
	CHECK(f.margin == 0);
	CHECK(isnan(f.average_weight[2]));
	usage_metrics_free(&f);
	usage_free(&u);
}

static void one_expert_and_dropped_tokens_are_no_trouble(void)
{
	struct usage u;
	usage_new(&u, 1, 1);
	usage_add(&u, (float[]){1}, (int32_t[]){-1}, (float[]){0});
	struct usage_metrics f = usage_metrics(&u);
	CHECK(f.overflow == 1 && f.cv == 0 && f.entropy_normalised == 0 && f.max_over_mean == 0 &&
		f.fraction[0] == 0);
	CHECK(f.fewest == 0 && f.most == 0 && f.at_least[0] == 0 && f.unrouted == 1);
	CHECK(isnan(f.weight_min) && isnan(f.weight_max));
	usage_metrics_free(&f);
	usage_free(&u);
	usage_new(&u, 4, 2);
	usage_add(&u, (float[]){.4f, .3f, .2f, .1f}, (int32_t[]){-1, 1}, (float[]){0, 1});
	f = usage_metrics(&u);
	CHECK_NEAR(f.overflow, .5, 1e-15);
	CHECK_NEAR(f.fraction[1], .5, 1e-15);
	CHECK(u.pair[1] == 0 && f.fewest == 1 && f.most == 1 && f.at_least[0] == 1 && f.at_least[1] == 0);
	usage_metrics_free(&f);
	usage_free(&u);
}

/* Parts in any order give the bits of the whole. */
static void merging_is_exact(void)
{
	struct usage whole, part[3];
	struct rng g = rng_stream(7, "usage", 0, 0);
	usage_new(&whole, 5, 2);
	for (int i = 0; i < 3; i++)
		usage_new(&part[i], 5, 2);
	for (int t = 0; t < 20000; t++) {
		double z[5];
		float p[5], w[2];
		int32_t e[2] = {0};
		for (int i = 0; i < 5; i++)
			z[i] = 2 * rng_normal(&g);
		softmax(z, 5, p);
		top(p, 5, 2, e, w);
		usage_add(&whole, p, e, w);
		usage_add(&part[rng_below(&g, 3)], p, e, w);
	}
	usage_merge(&part[2], &part[0]);
	usage_merge(&part[2], &part[1]);
	CHECK(part[2].tokens == 20000);
	CHECK(!memcmp(part[2].count, whole.count, 5 * sizeof *whole.count));
	CHECK(!memcmp(part[2].pair, whole.pair, 25 * sizeof *whole.pair));
	CHECK(!memcmp(part[2].importance, whole.importance, 5 * sizeof *whole.importance));
	CHECK(!memcmp(part[2].weight, whole.weight, 5 * sizeof *whole.weight));
	CHECK(!memcmp(&part[2].entropy, &whole.entropy, sizeof whole.entropy));
	CHECK(!memcmp(&part[2].margin, &whole.margin, sizeof whole.margin));
	CHECK(!memcmp(&part[2].largest, &whole.largest, sizeof whole.largest));
	CHECK(!memcmp(&part[2].smallest, &whole.smallest, sizeof whole.smallest));
	CHECK(!memcmp(part[2].square, whole.square, 5 * sizeof *whole.square));
	CHECK(!memcmp(part[2].served, whole.served, (size_t)(whole.k + 1) * sizeof *whole.served));
	CHECK(part[2].weight_min == whole.weight_min && part[2].weight_max == whole.weight_max);
	usage_free(&whole);
	for (int i = 0; i < 3; i++)
		usage_free(&part[i]);
}

static void exact_sums_are_exact(void)
{
	struct exact e = {0, 0};
	for (int i = 0; i < 10; i++)
		exact_add(&e, 0.1);
	CHECK_NEAR(exact_value(&e), 1, 1e-15);
	exact_add(&e, 0x1p40 + 0.5);
	CHECK_NEAR(exact_value(&e), 0x1p40 + 1.5, 1e-3);
	CHECK(e.part >= 0 && e.part < (int64_t)1 << 52);
}

int main(void)
{
	CASE(the_tiny_set_has_its_golden_values);
	CASE(case_16b_margins);
	CASE(the_gate_counts_its_largest_weight_and_the_lower_index_wins);
	CASE(one_expert_and_dropped_tokens_are_no_trouble);
	CASE(merging_is_exact);
	CASE(exact_sums_are_exact);
	return check_done();
}
