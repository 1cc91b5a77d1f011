#include "check.h"
#include "configured.h"
#include "made.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/softmax.h"
#include "train/calibrate.h"
#include "train/schedule.h"
#include "train/survey.h"
#include "train/trainer_state.h"

#include <stdlib.h>

static void schedules_by_hand(void)
{
	struct config c = {0};
	c.train.lr = 2;
	c.train.warmup_steps = 4;
	c.train.schedule = SCHEDULE_CONSTANT;
	CHECK_NEAR(schedule_rate(&c, 0, 12), 2 * 0.2, 1e-15);
	CHECK_NEAR(schedule_rate(&c, 3, 12), 2 * 0.8, 1e-15);
	CHECK_NEAR(schedule_rate(&c, 4, 12), 2, 0);
	CHECK_NEAR(schedule_rate(&c, 11, 12), 2, 0);
	CHECK_NEAR(schedule_rate(&c, 1, 2), 2 * 0.4, 1e-15); /* the warm-up does not know the end */
	c.train.schedule = SCHEDULE_COSINE;
	CHECK_NEAR(schedule_rate(&c, 4, 12), 2, 1e-15);
	CHECK_NEAR(schedule_rate(&c, 8, 12), 1, 1e-15);
	CHECK_NEAR(schedule_rate(&c, 6, 12), 1 + sqrt(0.5), 1e-15);
	c.train.warmup_steps = 0;
	c.train.schedule = SCHEDULE_STEP;
	for (long i = 0; i < 8; i++)
		CHECK_NEAR(schedule_rate(&c, i, 8), i < 4 ? 2 : i < 6 ? 0.2 : 0.02, 1e-15);
	c.train.schedule = SCHEDULE_ONECYCLE;
	CHECK_NEAR(schedule_rate(&c, 0, 100), 2.0 / 25, 1e-15);
	CHECK_NEAR(schedule_rate(&c, 15, 100), (2.0 / 25 + 2) / 2, 1e-12);
	CHECK_NEAR(schedule_rate(&c, 30, 100), 2, 1e-12);
	CHECK_NEAR(schedule_rate(&c, 65, 100), (2 + 2e-4) / 2, 1e-12);
	CHECK(schedule_rate(&c, 99, 100) < 0.01);
}

static void adamw_by_hand(void)
{
	const double b1 = 0.8, b2 = 0.9, eps = 0.01, lr = 0.1, decay = 0.5;
	const double g[3][3] = {{1, -2, 0.5}, {0.25, 3, 0}, {-1, 0.125, 4}};
	struct config c = {0};
	c.train.beta1 = b1;
	c.train.beta2 = b2;
	c.train.eps = eps;
	c.train.weight_decay = decay;
	for (int all = 0; all < 2; all++) {
		struct params p = {0};
		params_add(&p, "w", 2, (int64_t[]){1, 2}, INIT_ZERO, 0, true);
		params_add(&p, "b", 1, (int64_t[]){1}, INIT_ZERO, 0, false);
		params_allocate(&p);
		double x[3] = {1, -2, 3}, m[3] = {0}, v[3] = {0};
		real ms[3] = {0}, vs[3] = {0};
		for (int i = 0; i < 3; i++)
			p.x[i] = (real)x[i];
		c.train.decay = all ? DECAY_ALL : DECAY_MATRICES;
		for (int t = 1; t <= 3; t++) {
			real gradient[3], before[3];
			double rate = lr / t; /* the schedule's business, any rate will do */
			for (int i = 0; i < 3; i++) {
				gradient[i] = (real)g[t - 1][i];
				before[i] = p.x[i];
				if (i < 2 || all)
					x[i] -= rate * decay * x[i];
				m[i] = b1 * m[i] + (1 - b1) * g[t - 1][i];
				v[i] = b2 * v[i] + (1 - b2) * g[t - 1][i] * g[t - 1][i];
				x[i] -= rate * (m[i] / (1 - pow(b1, t))) /
					(sqrt(v[i] / (1 - pow(b2, t))) + eps);
			}
			for (int i = 0; i < p.n; i++) {
				size_t at = p.list[i].offset;
				real *state[] = {ms + at, vs + at};
				optimizer_table[0]->step(&p.list[i], p.x + at, gradient + at, state,
					p.list[i].count, &c, rate, t);
			}
			for (int i = 0; i < 3; i++) {
				CHECK_NEAR(p.x[i], x[i], 1e-6);
				CHECK(gradient[i] == before[i]); /* so that the step can be taken back */
			}
		}
		params_free(&p);
	}
}

/* A tensor of a router, or of an expert, moves and decays as with a learning rate that is so many
 * times as large. */
static void rates_of_their_own(void)
{
	static const enum param_role role[] = {PARAM_ROUTER, PARAM_EXPERT, PARAM_OTHER};
	struct config c = {.train = {.beta1 = 0.8, .beta2 = 0.9, .eps = 0.01, .weight_decay = 0.5}};
	for (int i = 0; i < 3; i++) {
		real x[2][2];
		for (int way = 0; way < 2; way++) { /* a factor of the role's, or on the rate of all */
			struct params p = {0};
			params_add(&p, "w", 2, (int64_t[]){1, 2}, INIT_ZERO, 0, true);
			params_allocate(&p);
			p.list[0].role = way ? PARAM_OTHER : role[i];
			p.x[0] = 1;
			p.x[1] = -2;
			real gradient[] = {1, REAL(-0.25)}, ms[2] = {0}, vs[2] = {0}, *slot[] = {ms, vs};
			c.train.router_lr = 0.5;
			c.train.expert_lr = 4;
			double factor = i == 0 ? 0.5 : i == 1 ? 4 : 1;
			optimizer_table[0]->step(
				&p.list[0], p.x, gradient, slot, 2, &c, way ? 0.125 * factor : 0.125, 1);
			memcpy(x[way], p.x, sizeof *x);
			params_free(&p);
		}
		CHECK(!memcmp(x[0], x[1], sizeof *x));
	}
}

/* A tensor without a gradient, as an expert has that is not chosen: its first moment fades to 0,
 * not to where numbers are slow. */
static void adamw_fades(void)
{
	struct configuration c;
	struct params p = {0};
	config_begin(&c, PRESET_SEED);
	params_add(&p, "b", 1, (int64_t[]){1}, INIT_ZERO, 0, false);
	params_allocate(&p);
	real m = 0, v = 0, *state[] = {&m, &v}, gradient = REAL(0.001);
	for (int t = 1; t <= 2000; t++) {
		optimizer_table[0]->step(&p.list[0], p.x, &gradient, state, 1, &c.value, 0.001, t);
		CHECK(t > 1 || m > 0);
		gradient = 0;
	}
	CHECK(m == 0 && v > 0);
	params_free(&p);
	config_end(&c);
}

static void metrics_by_hand(void)
{
	struct metrics m;
	metrics_begin(&m, 3);
	CHECK(metrics_loss(&m) == 0 && metrics_accuracy(&m) == 0 && metrics_balanced_accuracy(&m) == 0);
	metrics_add(&m, (real[]){0, 0, 0}, 0);        /* a tie goes to the lower class: right; -ln 1/3 */
	metrics_add(&m, (real[]){1, 0, -1}, 0);       /* right */
	metrics_add(&m, (real[]){2, 1, 0}, 0);        /* right, the same logits shifted: the same loss */
	metrics_add(&m, (real[]){1000, 0, -1000}, 1); /* wrong by far, and no overflow: 1000 */
	double one = log(exp(1) + 1 + exp(-1)) - 1;
	CHECK_NEAR(metrics_loss(&m), (log(3) + 2 * one + 1000) / 4, 1e-9);
	CHECK_NEAR(metrics_accuracy(&m), 0.75, 0);
	CHECK_NEAR(metrics_balanced_accuracy(&m), 0.5, 0); /* class 2 does not occur: (1 + 0) / 2 */
	CHECK(m.confusion[0] == 3 && m.confusion[3] == 1 && m.confusion[4] == 0);
	metrics_end(&m);
	double p[3];
	CHECK(softmax_of((real[]){-1, 90, 90}, 3, 1, p) == 1);
	CHECK_NEAR(p[0], 0, 1e-30);
	CHECK_NEAR(p[1], 0.5, 1e-12);
}

/* Windows of two classes at the same distance from each other, three of four told right: e^(d/T) =
 * 3 at the best T. */
static void temperature_of_least_loss(void)
{
	const real far[] = {4, 0, 0, 4, 9, 5, -2, -6}, same[] = {1, 1, -3, -3}, sure[] = {1, 0, 0, 1},
		   noise[] = {1, 0, 1, 0};
	const int label[] = {0, 1, 0, 1}, both[] = {0, 1};
	CHECK_NEAR(calibrate_temperature(far, label, 4, 2), 4 / log(3), 1e-6);
	CHECK_NEAR(calibrate_temperature(same, both, 2, 2), 1, 0); /* nothing to choose by */
	CHECK_NEAR(calibrate_temperature(sure, both, 2, 2), CALIBRATE_MIN, 1e-6);
	CHECK_NEAR(calibrate_temperature(noise, both, 2, 2), CALIBRATE_MAX, 1e-5);
	const real three[] = {
		8, 0, 0, 0, 8, 0, 8, 0, 0}; /* one of three wrong: p = 2/3 = 1 / (1 + 2 e^(-8/T)) */
	CHECK_NEAR(calibrate_temperature(three, (int[]){0, 1, 2}, 3, 3), 8 / log(4), 1e-6);
}

static void groups_stay_whole(void)
{
	struct layout l = target();
	struct dataset *d = dataset_new(&l, MISSING_ERROR);
	CHECK(!dataset_add(d, make("a,b,c", 10, 6, T, 2))); /* ten recordings of five groups */
	struct names two = {0};
	names_split(&two, "g1,g3", ',');
	struct holdout_split s;
	struct holdout named = {.groups = &two};
	CHECK(!holdout_cut(d, &named, &s) && s.trains == 36 && s.valids == 24 && !s.unlabelled &&
		!s.crossing);
	for (int64_t i = 0; i < s.valids; i++) {
		const char *g = d->groups.s[d->item[s.valid[i]].group];
		CHECK(!strcmp(g, "g1") || !strcmp(g, "g3"));
	}
	holdout_split_free(&s);
	int drawn[5] = {0};
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct holdout part = {.fraction = 0.4, .seed = seed};
		int subset[5] = {0}; /* 1 trains, 2 validates: never 3 */
		CHECK(!holdout_cut(d, &part, &s) && s.trains == 36 && s.valids == 24);
		for (int64_t i = 0; i < s.trains; i++)
			subset[d->item[s.train[i]].group] |= 1;
		for (int64_t i = 0; i < s.valids; i++)
			subset[d->item[s.valid[i]].group] |= 2;
		for (int g = 0; g < 5; g++) {
			CHECK(subset[g] == 1 || subset[g] == 2);
			drawn[g] += subset[g] == 2;
		}
		holdout_split_free(&s);
	}
	for (int g = 0; g < 5; g++) /* 24 expected each, deviation 3.8 */
		CHECK(drawn[g] > 8 && drawn[g] < 40);
	for (int64_t i = 0; i < d->n; i++) /* groups without a label are not drawn */
		d->item[i].label = d->item[i].group < 2 ? d->item[i].label : -1;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct holdout part = {.fraction = 0.5, .seed = seed};
		CHECK(!holdout_cut(d, &part, &s) && s.trains == 12 && s.valids == 12 && s.unlabelled == 36);
		holdout_split_free(&s);
	}
	names_free(&two);
	dataset_free(d);
	target_done(&l);
}

static void the_tail_is_cut_by_time(void)
{
	struct layout l = target();
	struct dataset *d = dataset_new(&l, MISSING_ERROR);
	CHECK(!dataset_add(d, make("a,b,c", 2, 24, 4, 1))); /* two of 100 samples, a window each 4 */
	for (int tail = 10; tail < 100; tail += 10) {
		struct holdout h = {.tail = tail / 100.0};
		struct holdout_split s;
		int cut = 100 - tail, trains = 0, valids = 0, crossing = 0;
		for (int at = 0; at + T <= 100; at += 4) {
			trains += at + T <= cut;
			valids += at >= cut;
			crossing += at < cut && at + T > cut;
		}
		if (!trains || !valids)
			continue;
		CHECK(!holdout_cut(d, &h, &s));
		CHECK(s.trains == 2 * trains && s.valids == 2 * valids && s.crossing == 2 * crossing);
		holdout_split_free(&s);
	}
	dataset_free(d);
	target_done(&l);
}

static void channels_are_bound_by_name(void)
{
	struct layout l = target();
	struct windows *w = make("c,x,a,b", 1, 2, T, 1);
	struct dataset *d = dataset_new(&l, MISSING_ERROR);
	const float mean[C] = {1, 2, 3}, std[C] = {2, 4, 8};
	CHECK(!dataset_add(d, w));
	d->mean = mean;
	d->std = std;
	real left[T * 3], right[T * 2];
	dataset_fill(d, 1, 0, left);
	dataset_fill(d, 1, 1, right);
	for (int t = 0; t < T; t++) {
		const float *row = w->signal + (size_t)(T + t) * 4;
		CHECK(left[3 * t] == 0); /* padding */
		CHECK_NEAR(left[3 * t + 1], (row[2] - 1) / 2, 1e-4);
		CHECK_NEAR(left[3 * t + 2], (row[3] - 2) / 4, 1e-4);
		CHECK_NEAR(right[2 * t], (row[3] - 2) / 4, 1e-4);
		CHECK_NEAR(right[2 * t + 1], (row[0] - 3) / 8, 1e-4);
	}
	CHECK(dataset_sample(d, 1, 2, 0) == w->signal[(size_t)T * 4]);
	dataset_free(d);
	d = dataset_new(&l, MISSING_ERROR);
	CHECK(dataset_add(d, make("a,b", 1, 1, T, 1)) && err_status() == EX_DATAERR);
	CHECK(strstr(err_text(), "missing channel c; the file has a, b") != NULL);
	dataset_free(d);
	for (int way = MISSING_INTERP; way <= MISSING_ZERO; way++) {
		w = make("a,c", 1, 1, T, 1);
		d = dataset_new(&l, (enum missing_channel)way);
		CHECK(!dataset_add(d, w));
		dataset_fill(d, 0, 0, left);
		dataset_fill(d, 0, 1, right);
		for (int t = 0; t < T; t++) { /* b: in the left region a stands in, in the right one c */
			CHECK(left[3 * t + 2] == (way == MISSING_ZERO ? 0 : w->signal[2 * t]));
			CHECK(right[2 * t] == (way == MISSING_ZERO ? 0 : w->signal[2 * t + 1]));
		}
		dataset_free(d);
	}
	target_done(&l);
}

static void the_scaler_is_mean_and_deviation(void)
{
	struct layout l = target();
	struct windows *w = make("a,b,c", 3, 70, 3, 1); /* more than one block of sums, overlapping windows */
	struct dataset *d = dataset_new(&l, MISSING_ERROR);
	float *x = (float *)(uintptr_t)w->signal;
	for (int64_t i = 0; i < w->samples; i++) {
		x[3 * i] += 1e5F; /* an offset far above the spread */
		x[3 * i + 2] = -4;
	}
	CHECK(!dataset_add(d, w));
	struct pool *pool = pool_new(2);
	int64_t item[150];
	for (int i = 0; i < 150; i++)
		item[i] = i + 40;
	float mean[C], std[C];
	CHECK(!survey_windows(d, item, 150, pool, &(struct survey){.mean = mean, .std = std}));
	for (int c = 0; c < C; c++) {
		double m = 0, square = 0;
		for (int i = 0; i < 150; i++)
			for (int t = 0; t < T; t++)
				m += (double)x[(w->start[item[i]] + t) * C + c] / (150 * T);
		for (int i = 0; i < 150; i++)
			for (int t = 0; t < T; t++) {
				double e = (double)x[(w->start[item[i]] + t) * C + c] - m;
				square += e * e / (150 * T);
			}
		CHECK_NEAR(mean[c], m, 1e-7 * fabs(m) + 1e-6);
		CHECK_NEAR(std[c], c == 2 ? 1 : sqrt(square), 1e-5 * sqrt(square));
	}
	x[C * w->start[item[149]] + C * (T - 1) + 1] = NAN;
	CHECK(dataset_check(d, NULL, item, 150) &&
		strstr(err_text(), "recording r2: channel b, sample 154 ") != NULL);
	CHECK(!dataset_check(d, NULL, item, 140));
	pool_free(pool);
	dataset_free(d);
	target_done(&l);
}

static void windows_scaled_by_themselves(void)
{
	struct layout l = target();
	struct windows *w = make("c,b,a", 2, 5, 3, 1);
	struct dataset *d = dataset_new(&l, MISSING_ERROR);
	float *x = (float *)(uintptr_t)w->signal;
	for (int64_t i = 0; i < w->samples; i++)
		x[3 * i] = -4; /* c does not vary */
	CHECK(!dataset_add(d, w));
	struct model m = {.config.train.scale = SCALE_WINDOW};
	dataset_scale(d, &m);
	for (int i = 0; i < 10; i++) {
		real left[T * 3], right[T * 2];
		dataset_fill(d, i, 0, left);
		dataset_fill(d, i, 1, right);
		for (int c = 0; c < 2; c++) { /* a and b, columns 2 and 1 of the file */
			double mean = 0, square = 0;
			for (int t = 0; t < T; t++)
				mean += (double)x[(w->start[i] + t) * C + 2 - c] / T;
			for (int t = 0; t < T; t++) {
				double e = (double)x[(w->start[i] + t) * C + 2 - c] - mean;
				square += e * e / T;
			}
			for (int t = 0; t < T; t++)
				CHECK_NEAR(left[t * 3 + 1 + c],
					((double)x[(w->start[i] + t) * C + 2 - c] - mean) / sqrt(square),
					1e-4);
		}
		for (int t = 0; t < T; t++) { /* padding, the channel both have, the flat one */
			CHECK_NEAR(left[t * 3], 0, 0);
			CHECK_NEAR(right[t * 2], left[t * 3 + 2], 0);
			CHECK_NEAR(right[t * 2 + 1], 0, 0);
		}
	}
	dataset_free(d);
	target_done(&l);
}

static const char *const tiny[] = {"encoder.hidden_dim=8", "encoder.heads=2", "encoder.layers=1",
	"encoder.ffn_dim=8", "train.epochs=4", "train.batch_size=7", NULL};

struct seen {
	struct trainer *t;
	int epochs, steps;
	int64_t order[8][100];
};

static void note_epoch(void *context, const struct epoch_report *r)
{
	struct seen *s = context;
	(void)r;
	memcpy(s->order[s->epochs++], s->t->order, (size_t)s->t->data.trains * sizeof(int64_t));
}

static void note_step(void *context, const struct step_report *r)
{
	((struct seen *)context)->steps++;
	CHECK(isfinite(r->loss));
}

static void every_window_is_trained_on_once_an_epoch(void)
{
	struct layout l = target();
	struct dataset *d = dataset_new(&l, MISSING_ERROR);
	CHECK(!dataset_add(d, make("a,b,c", 2, 20, 4, 1)));
	struct holdout_split s;
	CHECK(!holdout_cut(d, &(struct holdout){0}, &s) && s.trains == 40);
	struct pool *pool = pool_new(1);
	for (int shuffle = 0; shuffle < 2; shuffle++) {
		struct configuration c = configured(PRESET_SEED, tiny);
		c.value.train.shuffle = shuffle;
		struct model *m = model_new(&c.value, &l, -1);
		params_init(&m->params, 1);
		struct training_data data = {d, d, s.train, s.valid, s.trains, 0, NULL};
		struct trainer *t = trainer_new(m, &data, pool, 3);
		struct seen seen = {.t = t};
		struct watch w = {&seen, note_epoch, note_step, NULL};
		CHECK(!trainer_run(t, &w));
		CHECK(seen.epochs == 4 && seen.steps == 4 * 6); /* five batches of 7 and one of 5 */
		for (int e = 0; e < 4; e++) {
			char met[40] = {0};
			int moved = 0, again = 0;
			for (int i = 0; i < 40; i++) {
				met[seen.order[e][i]]++;
				moved += seen.order[e][i] != i;
				again += e && seen.order[e][i] == seen.order[e - 1][i];
			}
			for (int i = 0; i < 40; i++)
				CHECK(met[i] == 1);
			CHECK(shuffle ? moved > 20 && again < 20 : moved == 0);
		}
		trainer_free(t);
		model_free(m);
		config_end(&c);
	}
	holdout_split_free(&s);
	pool_free(pool);
	dataset_free(d);
	target_done(&l);
}

int main(void)
{
	CASE(schedules_by_hand);
	CASE(adamw_by_hand);
	CASE(rates_of_their_own);
	CASE(adamw_fades);
	CASE(metrics_by_hand);
	CASE(temperature_of_least_loss);
	CASE(groups_stay_whole);
	CASE(the_tail_is_cut_by_time);
	CASE(channels_are_bound_by_name);
	CASE(the_scaler_is_mean_and_deviation);
	CASE(windows_scaled_by_themselves);
	CASE(every_window_is_trained_on_once_an_epoch);
	return check_done();
}
