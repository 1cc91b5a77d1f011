/* What a model starts from: its values, fixed positions, and tokens of band powers. */
#include "check.h"
#include "configured.h"

#include "base/mem.h"
#include "model/encoder.h"

#include <stdlib.h>

static void start_values_have_their_distributions(void)
{
	static const struct {
		const char *name;
		int64_t shape[2];
		enum init init;
		double scale, bound, deviation;
	} kind[] = {
		{"fan", {100, 50}, INIT_FAN_IN, 50, 0.1414213562, 0.1414213562 / 1.7320508},
		{"bias", {100, 50}, INIT_FAN_IN, 4, 0.5, 0.5 / 1.7320508},
		{"xavier", {150, 50}, INIT_XAVIER, 0, 0.1732050808, 0.1},
		{"normal", {100, 50}, INIT_NORMAL, 0.02, 0.12, 0.02},
		{"one", {100, 50}, INIT_ONE, 0, 1, 0},
		{"zero", {100, 50}, INIT_ZERO, 0, 0, 0},
	};
	enum { KINDS = sizeof kind / sizeof *kind };
	struct params p = {0}, turned = {0};
	for (int i = 0; i < KINDS; i++) {
		params_add(&p, kind[i].name, 2, kind[i].shape, kind[i].init, kind[i].scale, true);
		int j = KINDS - 1 - i;
		params_add(&turned, kind[j].name, 2, kind[j].shape, kind[j].init, kind[j].scale, true);
	}
	params_allocate(&p);
	params_allocate(&turned);
	params_init(&p, 7);
	params_init(&turned, 7);
	for (int i = 0; i < KINDS; i++) {
		const struct param *one = &p.list[i], *same = &turned.list[KINDS - 1 - i];
		const real *x = p.x + one->offset;
		double n = (double)one->count, mean = 0, square = 0, most = 0;
		for (size_t j = 0; j < one->count; j++) {
			mean += (double)x[j] / n;
			square += (double)x[j] * (double)x[j] / n;
			most = fmax(most, fabs((double)x[j]));
		}
		double wanted = kind[i].init == INIT_ONE ? 1 : 0;
		CHECK_NEAR(mean, wanted, 4 * kind[i].deviation / sqrt(n) + 1e-12);
		CHECK_NEAR(sqrt(fmax(0, square - mean * mean)), kind[i].deviation,
			0.04 * kind[i].deviation + 1e-6);
		CHECK(most <= kind[i].bound + 1e-7 && most >= 0.6 * kind[i].bound);
		CHECK(!memcmp(
			x, turned.x + same->offset, one->count * sizeof(real))); /* whatever the order */
	}
	params_init(&turned, 8);
	CHECK(memcmp(p.x + p.list[0].offset, turned.x + turned.list[KINDS - 1].offset,
		p.list[0].count * sizeof(real)));
	params_free(&p);
	params_free(&turned);
}

static void positions_are_sines_and_cosines(void)
{
	static const char *const set[] = {
		"encoder.hidden_dim=8", "encoder.heads=2", "encoder.positional=sinusoidal", NULL};
	enum { T = 8 };
	static int32_t channel[] = {0, 1};
	static unsigned char core[] = {1, 1};
	static struct region region[] = {{.name = "all", .width = 2, .channel = channel, .core = core}};
	struct layout l = {
		.length = T, .stride = T, .rate = 64, .unit = "uV", .regions = 1, .region = region};
	names_split(&l.channels, "a,b", ',');
	names_split(&l.classes, "rest,task", ',');
	struct configuration c = configured(PRESET_SEED, set);
	struct model *m = model_new(&c.value, &l, -1);
	CHECK(m->region[0].N == T + 1 && m->region[0].position < 0 && m->sinusoid);
	for (int p = 0; p < m->region[0].N; p++)
		for (int i = 0; i < 8; i++) {
			double angle = p * pow(10000, -(double)(i - i % 2) / 8);
			CHECK_NEAR(m->sinusoid[p * 8 + i], i % 2 ? cos(angle) : sin(angle), 1e-6);
		}
	model_free(m);
	config_end(&c);
	names_free(&l.channels);
	names_free(&l.classes);
}

/* Two seconds of two columns at 64 Hz: a sine of 10 Hz on an offset, and nothing. Bands 4-8, 8-12,
 * 12-20. */
static void band_powers_are_those_of_the_transform(void)
{
	enum { N = 128, RATE = 64, L = 64, HOP = 32 };
	static const char *const set[] = {"encoder.tokens=spectral", "encoder.bands=[4,8,12,20]",
		"encoder.window=1", "encoder.hop=0.5", NULL};
	static int32_t channel[] = {0, 1};
	static unsigned char core[] = {1, 1};
	struct region region = {.name = "all", .width = 2, .channel = channel, .core = core};
	const double pi = 3.14159265358979323846;
	struct configuration c = configured(PRESET_DEFAULT, set);
	const struct tokeniser *k = tokeniser_table[c.value.encoder.tokens];
	CHECK_TEXT(k->name, "spectral");
	int n, D;
	CHECK(!k->size(&c.value, N, RATE, &region, &n, &D) && n == 3 && D == 6);
	real x[N * 2] = {0}, out[3 * 6];
	for (int t = 0; t < N; t++)
		x[2 * t] = (real)(3 * sin(2 * pi * 10 * t / RATE + 0.4) + 50), x[2 * t + 1] = REAL(0.3);
	struct arena *a = arena_new();
	void *prepared = k->prepare(&c.value, N, RATE);
	tokeniser_features(k, &c.value, prepared, NULL, x, N, RATE, &region, out, a);
	for (int i = 0; i < 3; i++) {
		double taper[L], energy = 0, mean = 0;
		for (int t = 0; t < L; t++) {
			taper[t] = pow(sin(pi * (t + 0.5) / L), 2);
			energy += taper[t] * taper[t];
			mean += (double)x[2 * (i * HOP + t)] / L;
		}
		static const int edge[] = {4, 8, 12, 20};
		for (int b = 0; b < 3; b++) {
			double power = 0;
			for (int f = edge[b] + 1; f <= edge[b + 1];
				f++) { /* a line each Hz, above the lower edge */
				double re = 0, im = 0;
				for (int t = 0; t < L; t++) {
					double v = ((double)x[2 * (i * HOP + t)] - mean) * taper[t] /
						   sqrt(energy);
					re += v * cos(2 * pi * f * t / L);
					im += v * sin(2 * pi * f * t / L);
				}
				power += (re * re + im * im) / (edge[b + 1] - edge[b]);
			}
			if (power > 1e-3) /* below, it is the rounding of the offset */
				CHECK_NEAR(out[i * 6 + b * 2], 0.5 * log(power + 1e-6), 1e-4);
			CHECK(out[i * 6 + b * 2 + 1] == 0); /* a constant says nothing */
		}
		CHECK(out[i * 6 + 2] > out[i * 6] + 3 && out[i * 6 + 2] > out[i * 6 + 4] + 3);
	}
	free(prepared);
	arena_free(a);
	config_end(&c);
}

/* Mean 0, the deviation asked for, and a window's noise is its own however a batch is cut. */
static void gate_noise_is_fair_and_each_windows_own(void)
{
	enum { B = 5000, K = 4, FROM = 1234 };
	static real a[B * K], b[B * K];
	struct model m = {.layout.regions = K, .config.gate.noise_std = 0.3};
	double mean = 0, square = 0, both = 0;
	gate_noise(&m, 5, 7, 0, B, a);
	gate_noise(&m, 5, 7, FROM, 100, b);
	CHECK(!memcmp(a + (size_t)FROM * K, b, 100 * K * sizeof(real)));
	gate_noise(&m, 5, 8, 0, B, b); /* the next step's is another */
	for (int i = 0; i < B * K; i++) {
		mean += (double)a[i] / (B * K);
		square += (double)a[i] * (double)a[i] / (B * K);
		both += (double)a[i] * (double)b[i] / (B * K);
	}
	CHECK_NEAR(mean, 0, 0.01);
	CHECK_NEAR(sqrt(square), 0.3, 0.01);
	CHECK_NEAR(both, 0, 0.005);
}

int main(void)
{
	CASE(start_values_have_their_distributions);
	CASE(positions_are_sines_and_cosines);
	CASE(band_powers_are_those_of_the_transform);
	CASE(gate_noise_is_fair_and_each_windows_own);
	return check_done();
}
