/* Tokenisers that each see something else of a window: what is locked to its start, powers, and
 * relative covariances against their formulas written out here in double, and what must hold of all
 * of them whatever the formula. Those of given frequencies are in test_lights.c. */
#include "check.h"
#include "token_rig.h"
#include "view_rig.h"

#include "base/error.h"
#include "dataset/adapt.h"
#include "dataset/tokens.h"
#include "train/linear_prior.h"

static const char *const all_views[][4] = {{"encoder.tokens=evoked", NULL},
	{"encoder.tokens=power", "encoder.bands=[4,12,30]", NULL},
	{"encoder.tokens=relative", "encoder.bands=[4,12,30]", NULL},
	{"encoder.tokens=cca", "encoder.bands=[9,11,15]", NULL},
	{"encoder.tokens=harmonic", "encoder.bands=[9,11,15]", NULL}};
enum { VIEWS = sizeof all_views / sizeof *all_views };

/* What the tokeniser says of the mean powers of x */
static void powers(struct looker *v, const real *x, real *power)
{
	arena_reset(v->scratch);
	v->of->raw(&v->c.value, v->prepared, x, LONG, RATE, v->region, v->out, v->scratch);
	v->of->power(&v->c.value, v->out, v->n, v->region, power);
}

/* C of lines in (low, high] of samples [at, at + L), averaged over sine tapers; no taper: 0 */
static void covariance_of(int at, int L, double low, double high, int tapers, double cov[3])
{
	int sums = 0;
	cov[0] = cov[1] = cov[2] = 0;
	for (int i = 1; 2 * i < L; i++)
		for (int j = 0; j < (tapers ? tapers : 1); j++) {
			double re[2], im[2], energy = 0;
			if (!(i * RATE / L > low && i * RATE / L <= high))
				continue;
			for (int v = 0; v < 2; v++) {
				double mean = 0;
				re[v] = im[v] = energy = 0;
				for (int t = 0; t < L; t++)
					mean += signal[v][at + t] / L;
				for (int t = 0; t < L; t++) {
					double w = tapers ? sin(PI * (j + 1) * (t + 1) / (L + 1)) : 1;
					re[v] += w * (signal[v][at + t] - mean) * cos(2 * PI * i * t / L);
					im[v] += w * (signal[v][at + t] - mean) * sin(2 * PI * i * t / L);
					energy += w * w;
				}
			}
			cov[0] += (re[0] * re[0] + im[0] * im[0]) / energy;
			cov[1] += (re[0] * re[1] + im[0] * im[1]) / energy;
			cov[2] += (re[1] * re[1] + im[1] * im[1]) / energy;
			sums++;
		}
	for (int i = 0; i < 3; i++)
		cov[i] /= sums;
}

/* --- each against its formula */

static void evoked_is_the_mean_of_blocks(void)
{
	static const struct {
		const char *block;
		int P;
	} how[] = {{"encoder.block=0.15", 15}, {"encoder.block=0.2", 20}, {"encoder.block=0.001", 1}};
	for (int i = 0; i < 3; i++) {
		struct looker v;
		begin(&v, &padded, (const char *const[]){"encoder.tokens=evoked", how[i].block, NULL});
		CHECK(v.n == 1 && v.D == LONG / how[i].P * 2);
		look(&v, 1, NULL);
		for (int b = 0; b < LONG / how[i].P; b++)
			for (int c = 0; c < 2; c++) {
				double mean = 0, block = 0;
				for (int t = 0; t < LONG; t++)
					mean += signal[c][t] / LONG;
				for (int t = b * how[i].P; t < (b + 1) * how[i].P; t++)
					block += signal[c][t] / how[i].P;
				CHECK_NEAR(v.out[2 * b + c], block - mean, 1e-5);
			}
		real was = v.out[3];
		look(&v, -1, NULL); /* turned over it is another */
		CHECK(was != 0 && v.out[3] == -was && !v.of->unsigned_features);
		end(&v);
	}
}

static void power_is_the_logarithm_of_each_channels(void)
{
	static const real scale[] = {2, 0.5F};
	struct looker v;
	begin(&v, &padded,
		(const char *const[]){"encoder.tokens=power", "encoder.bands=[4,12,30]", "encoder.window=0.6",
			"encoder.hop=0.3", "encoder.tapers=3", NULL});
	CHECK(v.n == 8 && v.D == 2 && v.of->kinds(&v.c.value) == 2);
	look(&v, 1, scale);
	real mean[2], x[LONG * WIDTH];
	double sum[2] = {0};
	for (int s = 0; s < 4; s++)
		for (int b = 0; b < 2; b++) {
			double cov[3];
			covariance_of(s * 30, 60, b ? 12 : 4, b ? 30 : 12, 3, cov);
			sum[b] += (cov[0] + cov[2]) / 8;
			for (int c = 0; c < 2; c++)
				CHECK_NEAR(v.out[(s * 2 + b) * 2 + c],
					log(cov[2 * c] / (double)scale[b] + 1e-4), 1e-4);
		}
	lay_out(v.region, 1, x);
	powers(&v, x, mean);
	for (int b = 0; b < 2; b++)
		CHECK_NEAR(mean[b], sum[b], 1e-4 * sum[b]);
	end(&v);
}

/* S of all bands together, or of other frequencies */
static void relative_is_what_the_whole_does_not_say(void)
{
	static const real scale[] = {1.5F, 0.25F};
	for (int other = 0; other < 2; other++) {
		struct looker v;
		real power[2], x[LONG * WIDTH];
		double sum[2] = {0};
		begin(&v, &padded,
			(const char *const[]){"encoder.tokens=relative", "encoder.bands=[4,12,30]",
				"encoder.window=1", "encoder.hop=0.5", "encoder.relative_floor=0.2",
				other ? "encoder.whole_low=2" : NULL, "encoder.whole_high=45", NULL});
		CHECK(v.n == 4 && v.D == 3);
		look(&v, 1, scale);
		for (int s = 0; s < 2; s++)
			for (int b = 0; b < 2; b++) {
				double S[3], cov[3], R[3], M[3], token[3];
				covariance_of(s * 50, 100, other ? 2 : 4, other ? 45 : 30, 5, S);
				covariance_of(s * 50, 100, b ? 12 : 4, b ? 30 : 12, 5, cov);
				whitener(S, R);
				seen_through(R, cov, M);
				sum[b] += (M[0] + M[2]) / 4;
				for (int i = 0; i < 3; i++)
					M[i] /= (double)scale[b];
				logarithm(M, 0.2, token);
				for (int i = 0; i < 3; i++)
					CHECK_NEAR(v.out[(s * 2 + b) * 3 + i], token[i], 1e-4);
			}
		lay_out(v.region, 1, x);
		powers(&v, x, power);
		for (int b = 0; b < 2; b++)
			CHECK_NEAR(power[b], sum[b], 1e-4 * sum[b]);
		end(&v);
	}
}

/* --- whatever the formula */

static void loudness_is_nothing_to_what_is_relative(void)
{
	static const double factor[] = {1, 1e-4, 1e4};
	for (int i = 2; i < VIEWS; i++) {
		struct looker v;
		real was[FEATURES];
		begin(&v, &bare, all_views[i]);
		for (int f = 0; f < 3; f++) {
			look(&v, factor[f], NULL);
			for (int j = 0; f && j < v.n * v.D; j++)
				CHECK_NEAR(v.out[j], was[j], 2e-4);
			memcpy(was, v.out, sizeof was);
		}
		end(&v);
	}
}

static void padding_never_counts(void)
{
	static int32_t no_channel[] = {-1, -1};
	const struct region nobody = {.name = "nobody", .width = 2, .channel = no_channel, .core = core};
	for (int i = 0; i < VIEWS; i++) {
		struct looker a, b, none;
		begin(&a, &bare, all_views[i]);
		begin(&b, &padded, all_views[i]);
		CHECK(a.n == b.n && a.D == b.D);
		look(&a, 1, NULL);
		look(&b, 1, NULL);
		CHECK(!memcmp(a.out, b.out, (size_t)(a.n * a.D) * sizeof *a.out));
		CHECK(b.of->size(&b.c.value, LONG, RATE, &nobody, &none.n, &none.D));
		CHECK(strstr(err_text(), "region nobody: has padding and no channel"));
		end(&a);
		end(&b);
	}
}

/* A window without any change is nothing, whatever it lasts at. */
static void flat_windows_have_values_of_their_own(void)
{
	static const double diagonal[VIEWS] = {0, -9.210340371976182, -2.995732273553991, 0,
		-2.302585092994046}; /* ln 1e-4, ln .05, ln .1 */
	for (int i = 0; i < VIEWS; i++) {
		struct looker v;
		real x[LONG * WIDTH];
		begin(&v, &padded, all_views[i]);
		for (int t = 0; t < LONG * WIDTH; t++)
			x[t] = t % WIDTH % 2 ? 1234.567F : 0;
		look_at(&v, x, NULL);
		bool triangle = i == 2 || i == 4;
		for (int j = 0; j < v.n * v.D; j++)
			CHECK_NEAR(v.out[j], triangle && j % 3 == 1 ? 0 : diagonal[i], 1e-6);
		end(&v);
	}
}

/* One channel flat, or with more than any amplifier gives. */
static void all_numbers_are_finite(void)
{
	for (int i = 0; i < VIEWS; i++)
		for (int how = 0; how < 4; how++) {
			struct looker v;
			real x[LONG * WIDTH], power[2];
			begin(&v, &padded, all_views[i]);
			lay_out(&padded, 1, x);
			for (int t = 0; t < LONG; t++) {
				real *a = &x[t * WIDTH + 1], *b = &x[t * WIDTH + 3];
				if (how == 0)
					*a = 0.1F;
				if (how == 1)
					*b = t % 3 ? 3e38F : -3e38F;
				if (how == 2)
					*a = *b = t % 7 ? 3e38F : -3e38F;
				if (how == 3)
					*a *= 1e-30F, *b *= 1e-30F;
			}
			look_at(&v, x, NULL);
			for (int j = 0; j < v.n * v.D; j++)
				CHECK(isfinite((double)v.out[j]));
			if (v.of->power) {
				powers(&v, x, power);
				CHECK(isfinite((double)power[0]) && isfinite((double)power[1]));
			}
			end(&v);
		}
}

/* Of a window that ends early evoked knows no mean; the others have the segments that are whole. */
static void windows_may_end_early(void)
{
	for (int i = 0; i < VIEWS; i++) {
		struct looker v;
		begin(&v, &bare, all_views[i]);
		CHECK(v.of->count(&v.c.value, LONG, RATE, LONG - 1) == 0);
		v.c.value.encoder.window = 0.5;
		v.c.value.encoder.hop = 0.25;
		int kinds = tokeniser_kinds(v.of, &v.c.value);
		CHECK(v.of->count(&v.c.value, LONG, RATE, LONG) == (i ? 5 * kinds : 1));
		CHECK(v.of->count(&v.c.value, LONG, RATE, 100) == (i ? 3 * kinds : 0));
		end(&v);
	}
}

static void refused(double rate, const char *why, const char *const *set)
{
	struct configuration c = configured(PRESET_DEFAULT, set);
	int n, D;
	CHECK(tokeniser_table[c.value.encoder.tokens]->size(&c.value, LONG, rate, &bare, &n, &D));
	CHECK(err_status() == EX_CONFIG);
	if (!strstr(err_text(), why))
		CHECK_TEXT(err_text(), why);
	config_end(&c);
}
#define REFUSED(RATE_, WHY, ...) refused(RATE_, WHY, (const char *const[]){__VA_ARGS__, NULL})

static void what_does_not_fit_is_refused(void)
{
	struct text bands = {0};
	text_add(&bands, "encoder.bands=[1");
	for (int i = 2; i <= CONFIG_BANDS + 1; i++)
		text_addf(&bands, ",%d", i);
	text_add(&bands, "]");
	REFUSED(100, "encoder.block: blocks of 0.8 seconds leave one", "encoder.tokens=evoked",
		"encoder.block=0.8");
	REFUSED(100, "32 bands, 31 at most", "encoder.tokens=relative", bands.s);
	REFUSED(100, "encoder.whole_low: 30 Hz is not below encoder.whole_high, 20 Hz",
		"encoder.tokens=relative", "encoder.whole_low=30", "encoder.whole_high=20");
	REFUSED(100, "encoder.bands: 55 Hz, the middle of a band", "encoder.tokens=cca",
		"encoder.bands=[50,60]");
	REFUSED(8, "encoder.tokens=harmonic: needs more than 8 samples a second", "encoder.tokens=harmonic",
		"encoder.bands=[1,2]");
	text_free(&bands);
}

/* A key of a tokeniser's own is kept where it is in use, and nowhere else. */
static void own_keys_are_shown_where_they_are_used(void)
{
	for (int i = 0; i < VIEWS; i++) {
		struct configuration c = configured(PRESET_DEFAULT, all_views[i]), again;
		struct text json = {0}, second = {0};
		config_write_json(&c.value, &json);
		CHECK(!strstr(json.s, "\"block\"") == (i != 0));
		CHECK(!strstr(json.s, "\"whole_low\"") == (i != 2));
		CHECK(!strstr(json.s, "\"harmonic_floor\"") == (i != 4));
		config_begin(&again, PRESET_DEFAULT);
		CHECK(!config_json(&again, json.s, json.n, FROM_MODEL, "json"));
		config_write_json(&again.value, &second);
		CHECK_TEXT(second.s, json.s);
		text_free(&json);
		text_free(&second);
		config_end(&again);
		config_end(&c);
	}
}

/* --- with the linear prior */

/* Channel b has 8 Hz in class 0 and 16 Hz in class 1, locked to the start of a window. What windows
 * are told comes from maps that were solved without their group. */
static void each_carries_a_linear_prior(void)
{
	static const char *const tokens[] = {"encoder.tokens=evoked", "encoder.tokens=power",
		"encoder.tokens=relative", "encoder.tokens=cca", "encoder.tokens=harmonic"};
	for (int i = 0; i < VIEWS; i++) {
		struct rig r = {.l = target(), .pool = pool_new(2)};
		struct windows *w = make("a,b,c", 4, 12, T, 1);
		for (int64_t j = 0; j < w->n; j++)
			for (int t = 0; t < T; t++)
				((float *)(uintptr_t)w->signal)[(w->start[j] + t) * C + 1] +=
					(float)(40 * sin(2 * PI * (w->label[j] ? 16 : 8) * t / 64));
		r.c = configured(PRESET_DEFAULT,
			(const char *const[]){tokens[i], i ? "encoder.bands=[4,12,20]" : "encoder.block=0.02",
				i == 1 || i == 2 ? "encoder.tapers=0" : NULL, NULL});
		r.m = model_new(&r.c.value, &r.l, -1);
		CHECK(r.m);
		params_init(&r.m->params, 1);
		r.d = dataset_new(&r.l, MISSING_ERROR);
		CHECK(!dataset_add(r.d, w) && !dataset_scale(r.d, r.m));
		for (int64_t j = 0; j < r.d->n; j++)
			r.item[j] = j;
		dataset_keep(r.d, r.m, r.item, r.d->n, r.pool);
		tokens_level(r.d->tokens, r.item, r.d->n, r.pool, r.m);
		dataset_adapt(r.d, r.m, r.item, r.d->n, ADAPT_WHOLE, r.pool);
		tokens_fit(r.d->tokens, r.item, r.d->n, r.pool, r.m);
		dataset_standardise(r.d, r.item, r.d->n);
		CHECK(!linear_prior_fit(r.d, r.m, r.item, r.d->n, 1000, true));
		int right = 0;
		for (int64_t j = 0; j < r.d->n; j++) {
			const real *left = tokens_prior(r.d->tokens, j, 0),
				   *other = tokens_prior(r.d->tokens, j, 1);
			right += (left[1] + other[1] > left[0] + other[0]) == (r.d->item[j].label == 1);
		}
		CHECK(right >= 44); /* of 48 */
		rig_end(&r);
	}
}

int main(void)
{
	make_signals();
	CASE(evoked_is_the_mean_of_blocks);
	CASE(power_is_the_logarithm_of_each_channels);
	CASE(relative_is_what_the_whole_does_not_say);
	CASE(loudness_is_nothing_to_what_is_relative);
	CASE(padding_never_counts);
	CASE(flat_windows_have_values_of_their_own);
	CASE(all_numbers_are_finite);
	CASE(windows_may_end_early);
	CASE(what_does_not_fit_is_refused);
	CASE(own_keys_are_shown_where_they_are_used);
	CASE(each_carries_a_linear_prior);
	return check_done();
}
