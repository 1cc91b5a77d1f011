/* Exponential moving standardisation against tests/reference/ems.py, window by window. */
#include "check.h"
#include "made.h"

#include "base/error.h"
#include "model/model.h"
#include "dataset/dataset.h"

enum { N = 30, STRIDE = 5, ROWS = (N - 1) * STRIDE + T, RECORDINGS = 2, SETTINGS = 4 };

static const struct config settings[SETTINGS] = {
	{.train = {.scale = SCALE_EMS, .ems_factor = 0.02, .ems_init = 20, .ems_eps = 1e-4}},
	{.train = {.scale = SCALE_EMS, .ems_factor = 0.02, .ems_init = 0, .ems_eps = 1e-4}},
	{.train = {.scale = SCALE_EMS, .ems_factor = 0.02, .ems_init = 1000, .ems_eps = 1e-4}},
	{.train = {.scale = SCALE_EMS, .ems_factor = 0.3, .ems_init = 0, .ems_eps = 15}},
};

static const struct {
	int recording, t, c;
	double y[SETTINGS];
} expected[] = {
	{0, 0, 0, {-1.94780181, 0, -0.155611361, 0}},
	{0, 0, 1, {-1.27590854, 0, -0.115809168, 0}},
	{0, 0, 2, {-1.18044199, 0, -0.417315689, 0}},
	{0, 1, 0, {-1.05108868, 1.40712473, 0.102819915, 0.222362324}},
	{0, 1, 1, {-0.580306355, 1.40712473, 0.0889597433, 0.183581625}},
	{0, 1, 2, {-0.880475944, 1.40712473, -0.333029409, 0.0815755208}},
	{0, 7, 0, {1.3988575, 0.98270522, 0.808890453, 0.218926906}},
	{0, 7, 1, {-0.259570315, -0.233575906, 0.183376885, -0.134220545}},
	{0, 7, 2, {-0.96024607, -0.711975619, -0.355443703, -0.0448915067}},
	{0, 19, 0, {0.805762907, 0.911577551, 0.637961549, 0.529249048}},
	{0, 19, 1, {2.49225601, 2.41187517, 0.993449791, 0.719453191}},
	{0, 19, 2, {0.929257239, 0.842708191, 0.175480398, -0.138871026}},
	{0, 20, 0, {1.59961337, 1.59961337, 0.865214669, 0.70271662}},
	{0, 20, 1, {2.2415069, 2.2415069, 1.0910689, 0.652242487}},
	{0, 20, 2, {0.153479021, 0.153479021, -0.012474993, -0.40636021}},
	{0, 21, 0, {2.0684533, 2.0684533, 1.09483784, 0.827640254}},
	{0, 21, 1, {2.01621645, 2.01621645, 1.13122613, 0.517686662}},
	{0, 21, 2, {-0.723303825, -0.723303825, -0.254899535, -0.683204943}},
	{0, 60, 0, {-1.26562982, -1.26562982, -0.133108692, 0.113023776}},
	{0, 60, 1, {0.554165032, 0.554165032, -0.188277512, 1.21566148}},
	{0, 60, 2, {1.13420349, 1.13420349, 0.77328319, -0.142697539}},
	{0, 152, 0, {1.07536049, 1.07536049, 1.08208128, -0.424614282}},
	{0, 152, 1, {0.0612231125, 0.0612231125, 0.381422869, -1.09426996}},
	{0, 152, 2, {-0.931951002, -0.931951002, -0.546195985, -0.783999247}},
	{1, 0, 0, {-0.332622558, 0, 0.79171564, 0}},
	{1, 0, 1, {1.05246127, 0, 0.944215211, 0}},
	{1, 0, 2, {1.80361016, 0, 0.610923004, 0}},
	{1, 1, 0, {0.186326615, 1.40712473, 1.00709466, 0.195979878}},
	{1, 1, 1, {1.33412204, 1.40712473, 1.08654075, 0.128573115}},
	{1, 1, 2, {1.79459017, -1.40712473, 0.606497914, -0.00423099293}},
	{1, 7, 0, {1.2582435, 0.691606557, 1.45197137, 0.0578756101}},
	{1, 7, 1, {0.451719267, -2.17857861, 0.640655246, -0.528855636}},
	{1, 7, 2, {0.00815366484, -1.80587865, -0.269904594, -0.701983837}},
	{1, 19, 0, {-0.635235968, -0.574701831, 0.666122265, 0.245312434}},
	{1, 19, 1, {-0.493826646, -0.424056854, 0.162862982, 0.233628706}},
	{1, 19, 2, {-1.13905439, -1.1294895, -0.832709942, -0.294266528}},
	{1, 20, 0, {-0.172174648, -0.172174648, 0.823430577, 0.414956594}},
	{1, 20, 1, {-0.363590489, -0.363590489, 0.185444026, 0.198171116}},
	{1, 20, 2, {-1.33347037, -1.33347037, -0.976821491, -0.440124854}},
	{1, 21, 0, {0.234746324, 0.234746324, 0.982775736, 0.536867669}},
	{1, 21, 1, {-0.404729952, -0.404729952, 0.160327683, 0.100130949}},
	{1, 21, 2, {-1.55168794, -1.55168794, -1.15291078, -0.594209189}},
	{1, 60, 0, {-1.36234701, -1.36234701, -1.28598256, 0.176814771}},
	{1, 60, 1, {1.81283571, 1.81283571, 0.987683392, 1.14790551}},
	{1, 60, 2, {0.0179731712, 0.0179731712, -0.248304191, -0.407924792}},
	{1, 152, 0, {0.433215592, 0.433215592, 0.664853594, -0.71839955}},
	{1, 152, 1, {-1.08607719, -1.08607719, -0.750551213, -1.10172981}},
	{1, 152, 2, {-1.10799241, -1.10799241, -0.771044322, -0.293351868}},
};

static float value(int recording, int t, int c)
{
	return (float)(40 * sin(0.05 * t * (c + 1) + recording) + 20 * sin(0.31 * t + c) + 0.2 * t * c +
		       100 * (c - 1));
}

/* Windows of 8 samples, 5 apart, over all rows. */
static struct windows *waves(void)
{
	struct windows *w = make("a,b,c", RECORDINGS, N, STRIDE, 1);
	float *x = (float *)(uintptr_t)w->signal;
	for (int r = 0; r < RECORDINGS; r++)
		for (int t = 0; t < ROWS; t++)
			for (int c = 0; c < C; c++)
				x[(r * ROWS + t) * C + c] = value(r, t, c);
	return w;
}

static struct dataset *scaled(const struct layout *l, struct windows *w, const struct config *c)
{
	struct dataset *d = dataset_new(l, MISSING_ERROR);
	struct model m = {.config = *c};
	CHECK(!dataset_scale(d, &m));
	CHECK(!dataset_add(d, w));
	return d;
}

/* Sample t of a recording's channel, by window `which` of those that hold it. */
static double sample(const struct dataset *d, int recording, int t, int c, int which)
{
	real left[T * 3], right[T * 2];
	int i = t / STRIDE < N ? t / STRIDE : N - 1;
	i = which && i && t - (i - 1) * STRIDE < T ? i - 1 : i;
	dataset_fill(d, recording * N + i, 0, left);
	dataset_fill(d, recording * N + i, 1, right);
	t -= i * STRIDE;
	CHECK_NEAR(left[t * 3 + 2], right[t * 2], 0); /* b is in both */
	return (double)(c ? right[t * 2 + c - 1] : left[t * 3 + 1]);
}

static void as_the_reference_has_it(void)
{
	struct layout l = target();
	for (int s = 0; s < SETTINGS; s++) {
		struct dataset *d = scaled(&l, waves(), &settings[s]);
		for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
			for (int which = 0; which < 2; which++)
				CHECK_NEAR(
					sample(d, expected[i].recording, expected[i].t, expected[i].c, which),
					expected[i].y[s], 2e-6 * (1 + fabs(expected[i].y[s])));
		dataset_free(d);
	}
	target_done(&l);
}

/* The order of windows, several files, a second look at the same ones, a view: all the same
 * numbers. */
static void however_the_windows_come(void)
{
	struct layout l = target();
	struct dataset *d = scaled(&l, waves(), &settings[0]), *e;
	struct windows *w = waves();
	int64_t *start = (int64_t *)(uintptr_t)w->start, *at = (int64_t *)(uintptr_t)w->sample;
	int32_t *recording = (int32_t *)(uintptr_t)w->recording;
	for (int i = 0; i < RECORDINGS * N / 2; i++) { /* backwards */
		int j = RECORDINGS * N - 1 - i;
		int64_t s = start[i], a = at[i];
		int32_t r = recording[i];
		start[i] = start[j], at[i] = at[j], recording[i] = recording[j];
		start[j] = s, at[j] = a, recording[j] = r;
	}
	e = scaled(&l, waves(), &settings[1]);
	CHECK(!dataset_add(e, w));
	struct model m = {.config = settings[0]};
	CHECK(!dataset_scale(e, &m)); /* anew, with what is there */
	struct dataset *v = dataset_view(e);
	CHECK(!dataset_scale(v, &m));
	for (int i = 0; i < RECORDINGS * N; i++) {
		real a[T * 2], b[T * 2];
		dataset_fill(d, i, 1, a);
		dataset_fill(e, i, 1, b);
		CHECK(!memcmp(a, b, sizeof a));
		dataset_fill(e, 2 * RECORDINGS * N - 1 - i, 1, b);
		CHECK(!memcmp(a, b, sizeof a));
		dataset_fill(v, i, 1, b);
		CHECK(!memcmp(a, b, sizeof a));
	}
	dataset_free(v);
	dataset_clear(e);
	CHECK(!dataset_add(e, waves()));
	CHECK_NEAR(sample(e, 1, 60, 2, 0), sample(d, 1, 60, 2, 0), 0);
	dataset_free(e);
	dataset_free(d);
	target_done(&l);
}

/* Without a first block a sample is never touched by what comes after it; with one it is. */
static void causal_does_not_look_ahead(void)
{
	struct layout l = target();
	for (int s = 0; s < 2; s++) {
		struct windows *w = waves();
		float *x = (float *)(uintptr_t)w->signal;
		for (int t = 15; t < ROWS; t++)
			x[t * C] = 1e4F;
		struct dataset *d = scaled(&l, waves(), &settings[s]), *e = scaled(&l, w, &settings[s]);
		int same = 0;
		for (int t = 0; t < 15; t++)
			same += fabs(sample(d, 0, t, 0, 0) - sample(e, 0, t, 0, 0)) < 1e-12;
		CHECK(same == (s ? 15 : 0));
		CHECK_NEAR(sample(d, 1, 3, 0, 0), sample(e, 1, 3, 0, 0), 0); /* nor by another recording */
		dataset_free(d);
		dataset_free(e);
	}
	target_done(&l);
}

/* A hole between windows: its place in time counts, as if the sample were of weight 0. */
static void holes_count_for_nothing(void)
{
	struct layout l = target();
	struct windows *w = waves();
	float *x = (float *)(uintptr_t)w->signal;
	x[3 * C] = NAN;
	struct dataset *d = scaled(&l, w, &settings[1]);
	double sum[3] = {0}, mean[12], square = 0, y = sample(d, 0, 11, 0, 0);
	for (int t = 0; t < 12; t++) {
		double there = t != 3, v = (double)value(0, t, 0);
		sum[0] = sum[0] * 0.98 + there;
		sum[1] = sum[1] * 0.98 + there * v;
		mean[t] = sum[1] / sum[0];
		square = square * 0.98 + there * (v - mean[t]) * (v - mean[t]);
	}
	CHECK_NEAR(y, ((double)value(0, 11, 0) - mean[11]) / sqrt(square / sum[0]), 1e-5);
	dataset_free(d);
	target_done(&l);
}

static void recordings_must_begin(void)
{
	struct layout l = target();
	struct model m = {.config = settings[0]};
	for (int way = 0; way < 4; way++) {
		struct dataset *d = dataset_new(&l, MISSING_ERROR);
		struct windows *w = waves();
		int64_t *at = (int64_t *)(uintptr_t)w->sample;
		if (way == 0) /* what a live stream holds: rows of windows alone */
			for (int i = 0; i < N; i++)
				at[i] += 100;
		if (way == 1)
			at[N + 3] -= 1;
		if (way == 2) {
			free(at);
			w->sample = w->start; /* not told */
			w->release = NULL;
		}
		CHECK(!dataset_scale(d, &m));
		if (way == 3) {
			CHECK(!dataset_add(d, w));
		} else {
			struct windows copy = *w;
			CHECK(dataset_add(d, w) &&
				strstr(err_text(),
					"does not begin at its first sample, as train.scale=ems needs"));
			if (way == 2) {
				copy.sample = NULL;
				release(&copy);
			}
		}
		dataset_free(d);
	}
	target_done(&l);
}

int main(void)
{
	CASE(as_the_reference_has_it);
	CASE(however_the_windows_come);
	CASE(causal_does_not_look_ahead);
	CASE(holes_count_for_nothing);
	CASE(recordings_must_begin);
	return check_done();
}
