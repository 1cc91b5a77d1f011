/* Changes of training windows: each has the property its name says, and nothing that is no signal
 * is touched. */
#include "check.h"
#include "configured.h"
#include "made.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/pool.h"
#include "train/augment.h"
#include "train/trainer.h"

#include <stdbool.h>
#include <stdlib.h>

/* 100 samples at 50 Hz of three channels; the second is in both regions, the first column of the
 * first is padding. */
enum { LENGTH = 100, STEPS = 400 };

static int32_t left[] = {-1, 0, 1}, right[] = {1, 2};
static unsigned char left_core[] = {0, 1, 1}, right_core[] = {0, 1};
static struct region region[] = {{.name = "left", .width = 3, .channel = left, .core = left_core},
	{.name = "right", .width = 2, .channel = right, .core = right_core}};
static const struct layout layout = {.length = LENGTH,
	.stride = LENGTH,
	.halo = 1,
	.rate = 50,
	.unit = "uV",
	.regions = 2,
	.region = region};

/* Channel c at sample t: a wave, then 0 from sample `there` on, as padding is. */
static real wave(int c, int t)
{
	return (real)((c + 1) * 10 * sin(0.3 * t + c) + 7);
}

static void fill(int k, int there, real *x)
{
	int W = region[k].width;
	for (int t = 0; t < LENGTH; t++)
		for (int j = 0; j < W; j++)
			x[t * W + j] =
				region[k].channel[j] < 0 || t >= there ? 0 : wave(region[k].channel[j], t);
}

/* Both regions of window b in a step, changed in one way; y[k][t * W + j]. */
struct changed {
	real y[2][LENGTH * 3];
};

static struct changed change(const char *which, double amount, uint64_t step, int b, int there)
{
	double amounts[AUGMENTATIONS] = {0};
	struct augment a = {amounts, &layout, 11, step};
	struct changed c;
	amounts[augmentation_find(which)] = amount;
	for (int k = 0; k < 2; k++) {
		fill(k, there, c.y[k]);
		augment_window(&a, b, k, there, c.y[k]);
	}
	return c;
}

static bool is(real a, double b)
{
	return fabs((double)a - b) < 1e-9;
}

/* Padding and what lies after the end are 0, and the shared channel is the same in both regions. */
static bool sound(const struct changed *c, int there)
{
	bool good = true;
	for (int t = 0; t < LENGTH; t++) {
		good &= is(c->y[0][t * 3], 0) && is(c->y[0][t * 3 + 2], (double)c->y[1][t * 2]);
		for (int j = 1; t >= there && j < 3; j++)
			good &= is(c->y[0][t * 3 + j], 0) && is(c->y[1][t * 2 + j - 1], 0);
	}
	return good;
}

static void all_are_sound(void)
{
	static const struct {
		const char *name;
		double amount;
	} each[] = {{"shift", 0.3}, {"flip", 0.5}, {"noise", 0.5}, {"mask", 0.4}, {"channels", 0.5}};
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		int other_step = 0, other_window = 0;
		for (uint64_t step = 0; step < 40; step++) {
			struct changed c = change(each[i].name, each[i].amount, step, 3, LENGTH),
				       again = change(each[i].name, each[i].amount, step, 3, LENGTH),
				       early = change(each[i].name, each[i].amount, step, 3, 13),
				       next = change(each[i].name, each[i].amount, step + 1, 3, LENGTH),
				       beside = change(each[i].name, each[i].amount, step, 4, LENGTH);
			CHECK(sound(&c, LENGTH) && sound(&early, 13));
			CHECK(!memcmp(&c, &again, sizeof(real) * LENGTH * 3));
			other_step += memcmp(c.y[1], next.y[1], sizeof(real) * LENGTH * 2) != 0;
			other_window += memcmp(c.y[1], beside.y[1], sizeof(real) * LENGTH * 2) != 0;
		}
		CHECK(other_step > 10 && other_window > 10);
	}
}

static void noise_has_its_deviation(void)
{
	for (int c = 0; c < 3; c++) {
		double mean = 0, square = 0, own = 0, sum = 0, n = STEPS * LENGTH, lag = 0, before = 0;
		for (int t = 0; t < LENGTH; t++)
			sum += (double)wave(c, t) / LENGTH;
		for (int t = 0; t < LENGTH; t++)
			own += ((double)wave(c, t) - sum) * ((double)wave(c, t) - sum) / LENGTH;
		for (uint64_t step = 0; step < STEPS; step++) {
			struct changed x = change("noise", 0.2, step, 0, LENGTH);
			for (int t = 0; t < LENGTH; t++) {
				double d = (double)(c ? x.y[1][t * 2 + c - 1] : x.y[0][t * 3 + 1]) -
					   (double)wave(c, t);
				mean += d / n;
				square += d * d / n;
				lag += d * before / n;
				before = d;
			}
		}
		CHECK_NEAR(sqrt(square / own), 0.2, 0.003);
		CHECK_NEAR(mean / sqrt(own), 0, 0.004);
		CHECK_NEAR(lag / own, 0, 0.001);
	}
}

static void mask_is_one_segment(void)
{
	int first = 0, last = 0;
	for (uint64_t step = 0; step < STEPS; step++) {
		struct changed x = change("mask", 0.4, step, 0, LENGTH); /* 20 samples */
		int zeros = 0, from = -1;
		for (int t = 0; t < LENGTH; t++) {
			bool gone = is(x.y[0][t * 3 + 1], 0) && is(x.y[0][t * 3 + 2], 0) &&
				    is(x.y[1][t * 2 + 1], 0);
			zeros += gone;
			from = gone && from < 0 ? t : from;
			CHECK(gone ? t < from + 20 : is(x.y[1][t * 2 + 1], (double)wave(2, t)));
		}
		CHECK(zeros == 20);
		first += from == 0;
		last += from == LENGTH - 20;
	}
	CHECK(first > 0 && last > 0);
	struct changed all = change("mask", 0.4, 0, 0, 13); /* ends before the segment would */
	for (int t = 0; t < LENGTH; t++)
		CHECK(is(all.y[1][t * 2], 0));
}

static void channels_go_one_by_one(void)
{
	int gone[3] = {0}, both = 0;
	for (uint64_t step = 0; step < STEPS; step++) {
		struct changed x = change("channels", 0.3, step, 0, LENGTH);
		bool out[3];
		for (int c = 0; c < 3; c++) {
			int zeros = 0, same = 0;
			for (int t = 0; t < LENGTH; t++) {
				real v = c ? x.y[1][t * 2 + c - 1] : x.y[0][t * 3 + 1];
				zeros += is(v, 0);
				same += is(v, (double)wave(c, t));
			}
			CHECK(zeros == LENGTH || same == LENGTH);
			gone[c] += out[c] = zeros == LENGTH;
		}
		both += out[0] && out[1];
	}
	for (int c = 0; c < 3; c++)
		CHECK_NEAR(gone[c], 0.3 * STEPS, 4 * sqrt(0.3 * 0.7 * STEPS));
	CHECK_NEAR(both, 0.09 * STEPS, 4 * sqrt(0.09 * 0.91 * STEPS)); /* not together */
}

static void shift_goes_round(void)
{
	int seen[2 * 15 + 1] = {0}, all = 0;
	for (uint64_t step = 0; step < STEPS; step++) {
		struct changed x = change("shift", 0.3, step, 0, LENGTH); /* 15 samples either way */
		int by = -15;
		for (; by <= 15; by++) {
			int same = 0;
			for (int t = 0; t < LENGTH; t++)
				same += is(x.y[1][t * 2 + 1], (double)wave(2, (t + by + LENGTH) % LENGTH)) &&
					is(x.y[0][t * 3 + 1], (double)wave(0, (t + by + LENGTH) % LENGTH));
			if (same == LENGTH)
				break;
		}
		CHECK(by <= 15);
		seen[by <= 15 ? by + 15 : 0]++;
	}
	for (int i = 0; i < 31; i++)
		all += seen[i] > 0;
	CHECK(all == 31);
	struct changed early = change("shift", 0.3, 5, 0, 4); /* round and round */
	double sum = 0, want = 0;
	for (int t = 0; t < 4; t++) {
		sum += (double)early.y[1][t * 2];
		want += (double)wave(1, t);
	}
	CHECK_NEAR(sum, want, 1e-4);
}

static void flip_turns_a_share(void)
{
	int turned = 0;
	for (uint64_t step = 0; step < STEPS; step++) {
		struct changed x = change("flip", 0.25, step, 0, LENGTH);
		int minus = 0, same = 0;
		for (int t = 0; t < LENGTH; t++) {
			minus += is(x.y[1][t * 2], -(double)wave(1, t)) &&
				 is(x.y[0][t * 3 + 1], -(double)wave(0, t));
			same += is(x.y[1][t * 2], (double)wave(1, t)) &&
				is(x.y[0][t * 3 + 1], (double)wave(0, t));
		}
		CHECK(minus == LENGTH || same == LENGTH);
		turned += minus == LENGTH;
	}
	CHECK_NEAR(turned, 0.25 * STEPS, 4 * sqrt(0.25 * 0.75 * STEPS));
}

static void mixup_pairs_a_batch(void)
{
	enum { B = 7 };
	double amounts[AUGMENTATIONS] = {0}, mean = 0;
	int n = 0;
	amounts[augmentation_find("mixup")] = 1;
	for (uint64_t step = 0; step < STEPS; step++) {
		struct augment a = {amounts, &layout, 11, step};
		int partner[B], taken[B] = {0};
		real share[B];
		augment_pairs(&a, B, partner, share);
		for (int b = 0; b < B; b++) {
			taken[partner[b]]++;
			CHECK(share[b] >= REAL(0.5) && share[b] <= 1);
			CHECK(partner[b] != b || share[b] >= 1);
			if (partner[b] != b) {
				mean += (double)share[b];
				n++;
			}
		}
		for (int b = 0; b < B; b++)
			CHECK(taken[b] == 1);
	}
	CHECK_NEAR(mean / n, 0.75, 0.01); /* of the larger part of a uniform share */
	CHECK(n > STEPS * (B - 1) * 9 / 10 && n < STEPS * (B - 1) * 11 / 10);
}

static void beta_by_its_moments(void)
{
	static const double pair[][2] = {{0.2, 0.2}, {1, 1}, {0.05, 0.05}, {5, 2}, {0.5, 3}};
	for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
		enum { N = 40000 };
		double a = pair[i][0], b = pair[i][1], mean = 0, square = 0, want = a / (a + b),
		       variance = a * b / ((a + b) * (a + b) * (a + b + 1));
		struct rng r = rng_stream(3, "beta", i, 0);
		for (int j = 0; j < N; j++) {
			double x = rng_beta(&r, a, b);
			CHECK(x >= 0 && x <= 1);
			mean += x / N;
			square += (x - want) * (x - want) / N;
		}
		CHECK_NEAR(mean, want, 5 * sqrt(variance / N));
		CHECK_NEAR(square, variance, 0.03 * variance);
	}
}

static void times_without_effect_are_refused(void)
{
	struct config c = {0};
	c.train.augment[augmentation_find("noise")] = 0.1;
	CHECK(!augment_check(&c, &layout));
	c.train.augment[augmentation_find("mask")] = 0.005; /* a quarter of a sample */
	CHECK(augment_check(&c, &layout) && strstr(err_text(), "mask:0.005s has no effect: at 50 Hz"));
	c.train.augment[augmentation_find("mask")] = 0.01;
	CHECK(!augment_check(&c, &layout));
	c.train.augment[augmentation_find("shift")] = 2;
	CHECK(augment_check(&c, &layout) &&
		strstr(err_text(), "shift:2s is not shorter than a window (2 s)"));
	CHECK(err_status() == EX_CONFIG);
}

static void note_loss(void *context, const struct step_report *r)
{
	*(double *)context = r->loss;
}

/* One step of a classifier that answers (ln 9, 0) to whatever it is shown: a label costs ln 10/9 or
 * ln 10. */
static void a_mixed_window_has_both_labels(void)
{
	enum { N = 40, SEED = 3 };
	static const char *const mixed[] = {"train.augment=mixup:1", "train.batch_size=40",
		"train.shuffle=false", "train.epochs=1", "train.class_weight=balanced", NULL};
	struct layout l = target();
	struct dataset *d = dataset_new(&l, MISSING_ERROR);
	CHECK(!dataset_add(d, make("a,b,c", 2, 20, 4, 1)));
	for (int i = 0; i < N; i++) /* three of four rest */
		d->item[i].label = i % 4 == 3;
	struct holdout_split s;
	CHECK(!holdout_cut(d, &(struct holdout){0}, &s) && s.trains == N);
	struct configuration c = configured(PRESET_SEED, mixed);
	struct model *m = model_new(&c.value, &l, -1);
	m->params.x[m->params.list[m->head_tensor[1]].offset] = (real)log(9.0); /* all others are 0 */
	struct training_data data = {d, d, s.train, s.valid, s.trains, 0, NULL};
	struct pool *pool = pool_new(1);
	struct trainer *t = trainer_new(m, &data, pool, SEED);
	double loss = 0, want = 0, total = 0;
	CHECK(!trainer_run(t, &(struct watch){.context = &loss, .step = note_loss}));
	struct augment a = {c.value.train.augment, &l, SEED, 0};
	int partner[N];
	real share[N];
	augment_pairs(&a, N, partner, share);
	for (int i = 0; i < N; i++)
		for (int of = 0; of < 2; of++) {
			int label = (of ? partner[i] : i) % 4 == 3;
			double part = (of ? 1 - (double)share[i] : (double)share[i]) * (label ? 2 : 2.0 / 3);
			want += part * (label ? log(10) : log(10.0 / 9));
			total += part;
		}
	CHECK_NEAR(loss, want / total, 1e-5);
	trainer_free(t);
	pool_free(pool);
	model_free(m);
	config_end(&c);
	holdout_split_free(&s);
	dataset_free(d);
	target_done(&l);
}

int main(void)
{
	CASE(all_are_sound);
	CASE(noise_has_its_deviation);
	CASE(mask_is_one_segment);
	CASE(channels_go_one_by_one);
	CASE(shift_goes_round);
	CASE(flip_turns_a_share);
	CASE(mixup_pairs_a_batch);
	CASE(beta_by_its_moments);
	CASE(times_without_effect_are_refused);
	CASE(a_mixed_window_has_both_labels);
	return check_done();
}
