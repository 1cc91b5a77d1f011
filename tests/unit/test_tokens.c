/* Covariance tokens by what must hold of them whatever the numbers, and what is kept of groups
 * against sums made here. */
#include "check.h"
#include "token_rig.h"

#include "base/error.h"
#include "dataset/adapt.h"
#include "dataset/tokens.h"
#include "model/tokeniser/condensed.h"
#include "tensor/vector.h"

#include <math.h>

static void begin(struct rig *r, const char *set, struct windows *w)
{
	rig_begin(r, w, (const char *const[]){set, NULL});
}

static float *samples_of(const struct windows *w)
{
	return (float *)(uintptr_t)w->signal;
}

/* Tokens [segments * KINDS][3] of region k of an item, with the scale the model has now */
static int tokens_of(struct rig *r, int64_t item, int k, real *out)
{
	struct tokens *t = tokens_new(r->d, r->m);
	tokens_keep(t, &item, 1, r->pool);
	tokens_finish(t, r->pool);
	int n = model_tokens(r->m, k, dataset_samples(r->d, item));
	memcpy(out, tokens_row(t, item, k), (size_t)n * (size_t)r->m->region[k].D * sizeof *out);
	tokens_free(t);
	return n;
}

/* --- covariance tokens */

/* As loud again, or a thousandth as loud: the mean power takes it back. */
static void loudness_is_nothing(void)
{
	real was[ROOM], is[ROOM];
	static const float factor[] = {1, 2, 1e-3F, 1e4F};
	for (int i = 0; i < 4; i++) {
		struct rig r;
		struct windows *w = make("a,b,c", 2, 10, T, 1);
		for (int64_t j = 0; j < w->samples * C; j++)
			samples_of(w)[j] = factor[i] * (samples_of(w)[j] - 1000);
		begin(&r, "train.scale=none", w);
		rig_level(&r, r.item, r.d->n);
		int n = tokens_of(&r, 3, 0, i ? is : was);
		CHECK(n == 3 * KINDS);
		for (int j = 0; i && j < n * 3; j++)
			CHECK_NEAR(is[j], was[j], 2e-4);
		rig_end(&r);
	}
}

/* Of a region of one channel a token is ln(C / scale + floor): the mean of C / scale over windows,
 * their whole segments, is 1. */
static void scale_is_the_mean_power(void)
{
	static const int32_t early[] = {8, 6, 5, 4};
	static int32_t channel[] = {1};
	static unsigned char core[] = {1};
	struct region one = {.name = "one", .width = 1, .channel = channel, .core = core};
	for (int64_t last = 0; last < 4; last++) { /* windows last .. 3 */
		struct rig r;
		real x[ROOM];
		struct windows *w = make("a,b,c", 1, 4, T, 1);
		w->valid = early;
		begin(&r, "train.scale=none", w);
		model_free(r.m);
		struct region *region = r.l.region;
		r.l.region = &one;
		r.l.regions = 1;
		r.m = model_new(&r.c.value, &r.l, -1);
		params_init(&r.m->params, 1);
		rig_level(&r, r.item + last, 4 - last);
		for (int kind = 0; kind < KINDS; kind++) {
			double mean = 0;
			for (int64_t i = last; i < 4; i++) {
				int n = tokens_of(&r, i, 0, x);
				for (int j = kind; j < n; j += KINDS)
					mean += (exp((double)x[j]) - r.c.value.encoder.floor) * KINDS / n /
						(double)(4 - last);
			}
			CHECK_NEAR(mean, 1, 1e-5);
		}
		r.l.region = region;
		r.l.regions = 2;
		rig_end(&r);
	}
}

/* Two regions that see the same channels, one of them behind padding, have the same tokens. */
static void padding_never_counts(void)
{
	struct rig r;
	int32_t bare[] = {1, 2}, padded[] = {-1, 1, -1, 2, -1};
	unsigned char core[] = {1, 1, 1, 1, 1};
	struct region *region = NULL;
	real a[ROOM], b[ROOM];
	begin(&r, "train.scale=none", make("a,b,c", 2, 10, T, 1));
	model_free(r.m);
	region = r.l.region;
	struct region both[] = {{.name = "bare", .width = 2, .channel = bare, .core = core},
		{.name = "padded", .width = 5, .channel = padded, .core = core}};
	r.l.region = both;
	r.m = model_new(&r.c.value, &r.l, -1);
	params_init(&r.m->params, 1);
	CHECK(r.m->region[0].D == 3 && r.m->region[1].D == 3);
	rig_level(&r, r.item, r.d->n);
	for (int64_t i = 0; i < r.d->n; i++) {
		int n = tokens_of(&r, i, 0, a);
		CHECK(tokens_of(&r, i, 1, b) == n && !memcmp(a, b, (size_t)n * 3 * sizeof *a));
	}
	for (int i = 0; i < 2; i++)
		padded[2 * i + 1] = -1;
	CHECK(!model_new(&r.c.value, &r.l, -1)); /* nothing but padding */
	CHECK(strstr(err_text(), "region padded: has padding and no channel"));
	r.l.region = region;
	rig_end(&r);
}

/* Channels without signal, all of them, or with more than any amplifier gives. */
static void all_numbers_are_finite(void)
{
	struct rig r;
	real x[ROOM];
	struct windows *w = make("a,b,c", 1, 4, T, 1);
	for (int t = 0; t < T; t++) {
		for (int c = 0; c < C; c++)
			samples_of(w)[(T + t) * C + c] = 7; /* window 1: all flat */
		samples_of(w)[(2 * T + t) * C + 1] = 0;     /* window 2: channel b */
		samples_of(w)[(3 * T + t) * C] = t % 3 ? 3e38F : -3e38F;
		samples_of(w)[(3 * T + t) * C + 2] = 1e25F * (float)t;
	}
	begin(&r, "train.scale=none", w);
	int64_t plain = 0;
	rig_level(&r, &plain, 1);
	double least = log(r.c.value.encoder.floor);
	for (int64_t i = 0; i < 4; i++)
		for (int k = 0; k < 2; k++) {
			int n = tokens_of(&r, i, k, x);
			for (int j = 0; j < 3 * n; j++)
				CHECK(isfinite((double)x[j]));
			for (int j = 0; j < n && i == 1; j++) {
				CHECK_NEAR(x[3 * j], least, 1e-5);
				CHECK_NEAR(x[3 * j + 1], 0, 1e-6);
				CHECK_NEAR(x[3 * j + 2], least, 1e-5);
			}
			for (int j = 0; j < n && i == 2;
				j++) { /* b is behind a on the left, before c on the right */
				CHECK_NEAR(x[3 * j + (k ? 0 : 2)], least, 1e-5);
				CHECK_NEAR(x[3 * j + 1], 0, 1e-6);
				CHECK((double)x[3 * j + (k ? 2 : 0)] > least + 0.01);
			}
		}
	rig_level(&r, r.item, 4);
	for (int k = 0; k < 2; k++)
		for (int kind = 0; kind < KINDS; kind++)
			CHECK(isfinite((double)model_token_scale(r.m, k)[kind]));
	rig_end(&r);
}

/* A matrix without an answer makes a token of NaNs, and this logits of NaNs: never what looks like
 * an answer. */
static void what_has_no_logarithm_is_nan(void)
{
	struct rig r;
	real x[T * 2], out[ROOM];
	struct arena *a = arena_new();
	begin(&r, "train.scale=none", make("a,b,c", 1, 4, T, 1));
	r.m->config.encoder.floor = NAN;
	dataset_fill(r.d, 0, 1, x);
	tokeniser_features(r.m->region[1].tokeniser, &r.m->config, r.m->region[1].prepared, NULL, x, T,
		r.l.rate, &r.l.region[1], out, a);
	for (int i = 0; i < 3 * KINDS * 3; i++)
		CHECK(isnan((double)out[i]));
	struct forward *f = forward_new(r.m, r.pool);
	real logits[4 * 2], gate[4 * 2];
	bool lost[4];
	CHECK(!dataset_evaluate(r.d, f, r.item, 4, 4, 2, 2, logits, gate, lost));
	for (int i = 0; i < 4; i++)
		CHECK(lost[i]);
	for (int i = 0; i < 4 * 2; i++)
		CHECK(isnan((double)logits[i]));
	forward_free(f);
	arena_free(a);
	rig_end(&r);
}

/* Training has no use for tokens that are not finite: their window is named, whichever it is. */
static void windows_without_tokens_are_named(void)
{
	for (int bad = 0; bad < 20; bad += 7) {
		struct rig r;
		char where[64];
		struct windows *w = make("a,b,c", 4, 5, T, 2); /* g0: 0 .. 9, g1: 10 .. 19 */
		for (int t = 0; t < T; t++)
			samples_of(w)[(bad * T + t) * C + 2] = t % 3 ? 3e38F : -3e38F;
		rig_begin(&r, w, (const char *const[]){"encoder.tokens=spectral", "train.scale=none", NULL});
		snprintf(where, sizeof where, "%s: the prediction for the window at sample %lld is not",
			r.d->recordings.s[r.d->item[bad].recording],
			(long long)w->sample[r.d->item[bad].window]);
		dataset_adapt(r.d, r.m, r.item, 20, ADAPT_WHOLE, r.pool);
		CHECK(tokens_check(r.d->tokens, r.item, 20));
		CHECK(err_status() == EX_DATAERR && text_starts(err_text(), where));
		rig_end(&r);
	}
}

/* Condensed waves make of samples what the waves themselves make of them: sums over a band's lines,
 * of each two channels. */
static void condensed_waves_say_the_same(void)
{
	enum { V = 3, LONGEST = 203, PART = 1024 };
	static const struct {
		int L, tapers;
		const char *bands;
		double work;
	} how[] = {{128, 5, "encoder.bands=[4,8,10,13,20,30]", 1e9},
		{LONGEST, 5, "encoder.bands=[4,8,31]", 1e9}, {64, 0, "encoder.bands=[4,8,31]", 1e9},
		{33, 1, "encoder.bands=[1,31]", 1e9}, {33, 2, "encoder.bands=[1,31]", 0},
		{9, 16, "encoder.bands=[4,4.5,16,31]", 1e9}, {2, 2, "encoder.bands=[4,31]", 1e9}};
	struct rng r = rng_stream(1, "waves", 0, 0);
	for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
		struct configuration c =
			configured(PRESET_DEFAULT, (const char *const[]){how[i].bands, NULL});
		struct segments *s = bands_prepare(&c.value, how[i].L, 64, how[i].tapers);
		struct condensed *few = condense(s, how[i].work);
		real x[LONGEST * 4], parts[V * PART], room[V * LONGEST], folded[PARITIES * V * LONGEST],
			is[V * V];
		const int column[V] = {0, 1, 3}; /* 2 is nobody's */
		CHECK(s->width <= PART && few->most <= LONGEST);
		for (int t = 0; t < how[i].L * 4; t++)
			x[t] = (real)(rng_uniform(&r) * 40 +
				      (t % 4 == 3 ? 30 * t : 0)); /* the last one drifts */
		bands_transform(s, x, 4, column, V, parts, NULL, room);
		condensed_fold(few, x, 4, column, V, folded);
		for (int b = 0; b < s->bands; b++) {
			double was[V * V] = {0}, largest = 0;
			for (int j = 0; j < V * V; j++) {
				const real *p = parts + j / V * s->width + s->first[b],
					   *q = parts + j % V * s->width + s->first[b];
				for (int l = 0; l < s->size[b]; l++)
					was[j] += (double)p[l] * (double)q[l] / s->lines[b];
				largest = fmax(largest, fabs(was[j]));
			}
			condensed_products(few, b, folded, V, room, is);
			for (int j = 0; j < V * V; j++)
				CHECK_NEAR(is[j], was[j], 1e-5 * largest);
		}
		CHECK(how[i].L < 128 || how[i].tapers < 2 || 3 * few->most < 2 * s->width);
		free(s);
		free(few);
		config_end(&c);
	}
}

/* A window that ends early has the tokens of the segments that are whole. */
static void windows_may_end_early(void)
{
	static const int32_t whole[] = {8, 8, 8, 8}, early[] = {8, 6, 5, 4}, segments[] = {3, 2, 1, 1};
	real was[4][ROOM], is[ROOM];
	for (int pass = 0; pass < 2; pass++) {
		struct rig r;
		struct windows *w = make("a,b,c", 1, 4, T, 1);
		w->valid = pass ? early : whole;
		begin(&r, "train.scale=none", w);
		for (int64_t i = 0; i < 4; i++) {
			int n = tokens_of(&r, i, 0, pass ? is : was[i]);
			CHECK(n == KINDS * (pass ? segments[i] : 3));
			CHECK(!pass || !memcmp(is, was[i], (size_t)n * 3 * sizeof *is));
		}
		rig_end(&r);
	}
}

/* Of a segment of 4 samples there are 4 sine tapers: asking for more changes nothing. */
static void there_are_so_many_tapers(void)
{
	real four[ROOM], many[ROOM];
	for (int pass = 0; pass < 2; pass++) {
		struct rig r;
		begin(&r, pass ? "encoder.tapers=16" : "encoder.tapers=4", make("a,b,c", 1, 4, T, 1));
		int n = tokens_of(&r, 2, 0, pass ? many : four);
		CHECK(!pass || !memcmp(four, many, (size_t)n * 3 * sizeof *four));
		rig_end(&r);
	}
}

/* The table of waves has its bounds, before memory is taken for it. */
static void segments_are_not_endless(void)
{
	struct layout l = target();
	static const char *const whole[] = {"encoder.window=0", "encoder.tapers=5", NULL},
				 *const first[] = {"encoder.window=10000", "encoder.bands=[1,30]", NULL},
				 *const spectral[] = {
					 "encoder.tokens=spectral", "encoder.window=10000", NULL};
	const char *const *const all[] = {whole, first, spectral};
	for (int i = 0; i < 3; i++) {
		struct configuration c = configured(PRESET_DEFAULT, all[i]);
		l.length = 1 << 30;
		CHECK(!model_declare(&c.value, &l, -1));
		CHECK(strstr(err_text(), "encoder.window: a stretch of"));
		l.length = 640;
		l.rate = 1e6; /* seconds are more samples than there are */
		struct bands *b = &c.value.encoder.bands;
		for (int j = 0; j < b->n; j++)
			b->edge[j][0] *= 1e4, b->edge[j][1] *= 1e4;
		struct model *m = model_declare(&c.value, &l, -1);
		CHECK(m && m->region[0].n == m->region[0].kinds);
		model_free(m);
		l.rate = 64;
		config_end(&c);
	}
	target_done(&l);
}

/* --- what is kept of groups */

/* Mean [KINDS][3] of items' tokens of region k */
static void mean_of(struct rig *r, const int64_t *items, int n, int k, double *mean)
{
	int count[KINDS] = {0};
	real x[ROOM];
	memset(mean, 0, KINDS * 3 * sizeof *mean);
	for (int i = 0; i < n; i++)
		for (int j = tokens_of(r, items[i], k, x) - 1; j >= 0; j--) {
			count[j % KINDS] += 1;
			for (int f = 0; f < 3; f++)
				mean[j % KINDS * 3 + f] += (double)x[3 * j + f];
		}
	for (int j = 0; j < KINDS * 3; j++)
		mean[j] /= count[j / 3];
}

static void check_mean(struct rig *r, int64_t item, const int64_t *items, int n)
{
	for (int k = 0; k < 2; k++) {
		double mean[KINDS * 3];
		const real *c = tokens_subject_mean(r->d->tokens, item, k);
		mean_of(r, items, n, k, mean);
		CHECK(c);
		for (int j = 0; j < KINDS * 3 && c; j++)
			CHECK_NEAR(c[j], mean[j], 1e-5);
	}
}

static void subject_means_are_means_of_groups(void)
{
	static const int32_t valid[20] = {8, 8, 6, 8, 4, 8, 8, 8, 8, 8, 8, 8, 8, 8, 5, 8, 8, 8, 8, 8};
	struct rig r;
	struct windows *w = make("a,b,c", 4, 5, T, 2); /* g0: 0 .. 9, g1: 10 .. 19 */
	w->valid = valid;
	begin(&r, "train.scale=group", w);
	int64_t some[] = {17, 3, 0, 12, 4, 19}, first[] = {3, 0, 4}, second[] = {17, 12, 19};
	dataset_adapt(r.d, r.m, some, 6, ADAPT_WHOLE, r.pool);
	for (int i = 0; i < 3; i++) {
		check_mean(&r, first[i], first, 3);
		check_mean(&r, second[i], second, 3);
		CHECK(tokens_subject_mean(r.d->tokens, first[i], 0) ==
			tokens_subject_mean(r.d->tokens, first[0], 0));
	}
	CHECK(!tokens_kept(r.d->tokens, 1));
	real raw[ROOM];
	int n = tokens_of(&r, 3, 0, raw), there;
	dataset_standardise(r.d, some, 6); /* mean 0 and deviation 1 are not fitted yet */
	const real *standard = tokens_standardised(r.d->tokens, 3, 0, &there);
	CHECK(there == n);
	for (int j = 0; j < n * 3; j++)
		CHECK_NEAR(standard[j],
			raw[j] - tokens_subject_mean(r.d->tokens, 3, 0)[j / 3 % KINDS * 3 + j % 3], 1e-6);
	rig_end(&r);
}

/* Window by window each has the mean so far; the sums outlive the windows. */
static void running_means_know_what_came(void)
{
	struct rig r;
	begin(&r, "train.scale=group", make("a,b,c", 4, 5, T, 2));
	int64_t order[] = {0, 10, 1, 11, 2, 3, 12}, before[2][ROOM];
	int n[2] = {0};
	dataset_adapt(r.d, r.m, order, 3, ADAPT_RUNNING, r.pool);
	dataset_adapt(r.d, r.m, order + 3, 4, ADAPT_RUNNING, r.pool);
	for (int i = 0; i < 7; i++) {
		int g = order[i] >= 10;
		before[g][n[g]++] = order[i];
		check_mean(&r, order[i], before[g], n[g]);
	}
	double mean[KINDS * 3], again[KINDS * 3];
	int64_t twice[] = {0, 1, 2, 3, 0, 1};
	dataset_clear(r.d);
	CHECK(!dataset_add(r.d, make("a,b,c", 4, 5, T, 2)));
	dataset_adapt(r.d, r.m, (int64_t[]){0, 1}, 2, ADAPT_RUNNING, r.pool);
	mean_of(&r, twice, 6, 0, mean);
	mean_of(&r, twice, 5, 0, again);
	for (int j = 0; j < KINDS * 3; j++) {
		CHECK_NEAR(tokens_subject_mean(r.d->tokens, 1, 0)[j], mean[j], 1e-5);
		CHECK_NEAR(tokens_subject_mean(r.d->tokens, 0, 0)[j], again[j], 1e-5);
	}
	rig_end(&r);
}

/* Tokens of samples: each channel by mean and deviation of the group's samples, of all or of those
 * so far. */
static void groups_scale_their_samples(void)
{
	for (int how = 0; how < 2; how++) {
		struct rig r;
		struct windows *w = make("a,b,c", 4, 5, T, 2);
		for (int64_t i = 0; i < w->samples; i++)
			samples_of(w)[i * C + 2] = i < w->samples / 2 ? 5 : 6; /* c is flat in each group */
		begin(&r, "encoder.tokens=spectral", w);
		r.m->config.train.scale = SCALE_GROUP;
		for (int k = 0; k < r.m->layout.regions; k++)
			r.m->region[k].tokeniser =
				tokeniser_table[0]; /* a sample is a token; dataset_adapt asks no more */
		CHECK(!strcmp(r.m->region[0].tokeniser->name, "sample") && dataset_adapts(r.m));
		int64_t order[] = {0, 10, 1, 11, 2, 3, 12};
		dataset_adapt(r.d, r.m, order, 4, how ? ADAPT_RUNNING : ADAPT_WHOLE, r.pool);
		if (how)
			dataset_adapt(r.d, r.m, order + 4, 3, ADAPT_RUNNING, r.pool);
		for (int i = 0; i < (how ? 7 : 4); i++) {
			real x[T * 3];
			double mean = 0, square = 0, n = 0;
			for (int pass = 0; pass < 2; pass++)
				for (int j = 0; j < (how ? i + 1 : 4); j++)
					for (int t = 0; t < T && (order[j] >= 10) == (order[i] >= 10); t++) {
						double v = (double)dataset_sample(r.d, order[j], 1, t);
						if (pass)
							square += (v - mean / n) * (v - mean / n);
						else
							mean += v, n++;
					}
			dataset_fill(r.d, order[i], 0, x); /* padding, a, b */
			for (int t = 0; t < T; t++) {
				double v = (double)dataset_sample(r.d, order[i], 1, t);
				CHECK_NEAR(x[3 * t + 2], (v - mean / n) / sqrt(square / n), 1e-3);
				CHECK(x[3 * t] == 0);
			}
			dataset_fill(r.d, order[i], 1, x); /* b, c */
			for (int t = 0; t < T; t++)
				CHECK_NEAR(x[2 * t + 1], 0, 1e-6);
		}
		rig_end(&r);
	}
}

int main(void)
{
	CASE(loudness_is_nothing);
	CASE(scale_is_the_mean_power);
	CASE(padding_never_counts);
	CASE(all_numbers_are_finite);
	CASE(what_has_no_logarithm_is_nan);
	CASE(windows_without_tokens_are_named);
	CASE(condensed_waves_say_the_same);
	CASE(windows_may_end_early);
	CASE(there_are_so_many_tapers);
	CASE(segments_are_not_endless);
	CASE(subject_means_are_means_of_groups);
	CASE(running_means_know_what_came);
	CASE(groups_scale_their_samples);
	return check_done();
}
