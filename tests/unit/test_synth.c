/* Synthetic EEG: the properties it promises. */
#include "check.h"

#include "base/error.h"
#include "base/mem.h"
#include "synth/synth.h"

#include <stdlib.h>

static const double pi = 3.14159265358979323846;

/* Power of x [n] between two frequencies: Hann window, one sum per bin. */
static double band(const float *x, int64_t n, double rate, double low, double high)
{
	double power = 0;
	for (int64_t k = (int64_t)ceil(low * (double)n / rate); (double)k <= high * (double)n / rate; k++) {
		double re = 0, im = 0;
		for (int64_t t = 0; t < n; t++) {
			double v = (double)x[t] * (0.5 - 0.5 * cos(2 * pi * (double)t / (double)n));
			re += v * cos(2 * pi * (double)(k * t % n) / (double)n);
			im += v * sin(2 * pi * (double)(k * t % n) / (double)n);
		}
		power += re * re + im * im;
	}
	return power;
}

static struct synth settings(const char *channels, const char *effect)
{
	struct synth s = {.seed = 3, .rate = 128, .seconds = 40, .snr = 1, .regions = 4};
	CHECK(!synth_channels(&s, channels));
	CHECK(!synth_classes(&s, "2"));
	CHECK(!(effect ? synth_effect(&s, effect) : synth_effects_at(&s, NULL)));
	return s;
}

/* Mean log ratio of the band's power in `task` over `rest`, over the windows of one second of a
 * recording. */
static double contrast(const struct synth *s, const struct synth_recording *r, int c, double hz)
{
	double sum[2] = {0}, count[2] = {0};
	for (int64_t t = 0; t + 128 <= r->n; t += 128)
		if (r->label[t] == r->label[t + 127]) {
			sum[r->label[t]] += log(band(r->signal + c * r->n + t, 128, s->rate, hz - 2, hz + 2));
			count[r->label[t]]++;
		}
	return sum[1] / count[1] - sum[0] / count[0];
}

static void a_class_shows_at_its_place_and_not_far_away(void)
{
	struct synth s = settings("Fp1,Fp2,Fz,Cz,Pz,O1,Oz,O2", "task:20@O1+Oz+O2");
	for (int subject = 0; subject < 3; subject++) {
		struct synth_recording *r = synth_record(&s, subject, 1);
		for (int c = 5; c < 8; c++)
			CHECK(contrast(&s, r, c, 20) > 2);
		for (int c = 0; c < 4; c++)
			CHECK(fabs(contrast(&s, r, c, 20)) < 0.5);
		CHECK(fabs(contrast(&s, r, 6, 40)) < 0.5); /* another band */
		synth_recording_free(r);
	}
	synth_free(&s);
}

/* Power added by the effect over the power without it, from two recordings that differ in nothing
 * else. */
static void snr_is_what_it_says(void)
{
	struct synth with = settings("16", "task:10@2"), without = settings("16", "task:10@2");
	with.snr = 0.5;
	without.snr = 0;
	struct synth_recording *a = synth_record(&with, 0, 1), *b = synth_record(&without, 0, 1);
	double added = 0, base = 0, elsewhere = 0;
	int64_t n = 0;
	for (int j = 0; j < with.effect[0].place.n; j++) {
		const float *x = a->signal + with.effect[0].place.channel[j] * a->n,
			    *y = b->signal + with.effect[0].place.channel[j] * b->n;
		double mean = 0, square = 0;
		for (int64_t t = 0; t < a->n; t++) {
			double d = (double)x[t] - (double)y[t];
			(a->label[t] == 1 ? &added : &elsewhere)[0] += d * d;
			n += a->label[t] == 1;
			mean += (double)y[t];
			square += (double)y[t] * (double)y[t];
		}
		base += square / (double)a->n - mean / (double)a->n * (mean / (double)a->n);
	}
	CHECK(elsewhere == 0);
	CHECK_NEAR(added / (double)n * with.effect[0].place.n / base, 0.5,
		0.06); /* the rhythm waxes and wanes */
	synth_recording_free(a);
	synth_recording_free(b);
	synth_free(&with);
	synth_free(&without);
}

/* Recordings of the same seed with a relation between the first and the last two channels, and
 * without. */
static struct synth related(const char *classes, double seconds, bool with)
{
	struct synth s = {.seed = 5, .rate = 64, .seconds = seconds, .snr = 0.5, .regions = 3};
	CHECK(!synth_channels(&s, "F3,F4,C3,C4,O1,O2"));
	CHECK(!synth_classes(&s, classes));
	CHECK(!with || !synth_relation(&s, "0,O1+O2"));
	return s;
}

/* Root of the mean square of what the relation added to channel c in the second that begins at
 * t. */
static double loudness(
	const struct synth_recording *with, const struct synth_recording *without, int c, int64_t t)
{
	double sum = 0;
	for (int64_t i = c * with->n + t; i < c * with->n + t + 64; i++)
		sum += pow((double)with->signal[i] - (double)without->signal[i], 2);
	return sqrt(sum / 64);
}

/* The second of a cycle of `parts` seconds, beginning at t, in which channel c has its burst; -1 if
 * it has not just one. */
static int second_of_burst(const struct synth_recording *with, const struct synth_recording *without, int c,
	int64_t t, int parts)
{
	int found = -1, bursts = 0;
	for (int i = 0; i < parts; i++)
		if (loudness(with, without, c, t + i * 64) > 1e-3) {
			found = i;
			bursts++;
		}
	return bursts == 1 ? found : -1;
}

static void a_class_says_how_long_one_place_lags(void)
{
	static const char *const classes[] = {"2", "a,b,c"};
	for (int parts = 2; parts <= 3; parts++) {
		struct synth s = related(classes[parts - 2], 1800, true),
			     none = related(classes[parts - 2], 1800, false);
		struct synth_recording *r = synth_record(&s, 0, 1), *q = synth_record(&none, 0, 1);
		double burst[3][2][3] = {{{0}}}, cycles[3] = {0}, power[3][2] = {{0}};
		for (int b = 0; b < r->blocks; b++) {
			int class = r->block[b].class;
			int64_t end = b + 1 < r->blocks ? r->block[b + 1].start : r->n, t = r->block[b].start;
			for (; t + parts * 64 <= end; t += parts * 64) {
				int first = second_of_burst(r, q, 0, t, parts),
				    second = second_of_burst(r, q, 5, t, parts);
				CHECK(first >= 0 && second == (first + class) % parts);
				CHECK(first == second_of_burst(r, q, 1, t, parts));
				if (first < 0 || second < 0)
					continue;
				cycles[class]++;
				burst[class][0][first]++;
				burst[class][1][second]++;
				power[class][0] += pow(loudness(r, q, 0, t + first * 64), 2);
				power[class][1] += pow(loudness(r, q, 5, t + second * 64), 2);
			}
		}
		/* each place for itself is the same in all classes: bursts anywhere alike, of one
		 * power */
		for (int c = 0; c < parts; c++)
			for (int i = 0; i < 2; i++) {
				double even = 1.0 / parts, deviation = sqrt(even * (1 - even) / cycles[c]);
				for (int j = 0; j < parts; j++)
					CHECK_NEAR(burst[c][i][j] / cycles[c], even, 3.3 * deviation);
				CHECK_NEAR(power[c][i] / cycles[c] / (power[0][i] / cycles[0]), 1, 0.1);
			}
		synth_recording_free(r);
		synth_recording_free(q);
		synth_free(&s);
		synth_free(&none);
	}
}

static void a_relation_stays_at_its_places_and_is_as_strong_as_it_says(void)
{
	struct synth s = related("2", 120, true), none = related("2", 120, false);
	struct synth_recording *r = synth_record(&s, 1, 1), *q = synth_record(&none, 1, 1);
	CHECK(!memcmp(r->signal + 2 * r->n, q->signal + 2 * q->n, (size_t)(2 * r->n) * sizeof *r->signal));
	for (int c = 0; c < 6; c += 4) { /* the snr of a place is that of its channels together */
		double power = 0, base = 0;
		for (int d = c; d < c + 2; d++) {
			double mean = 0, square = 0;
			for (int64_t t = d * r->n; t < (d + 1) * r->n; t++) {
				power += pow((double)r->signal[t] - (double)q->signal[t], 2);
				mean += (double)q->signal[t] / (double)r->n;
				square += (double)q->signal[t] * (double)q->signal[t];
			}
			base += square - (double)r->n * mean * mean;
		}
		CHECK_NEAR(power / base, 0.5, 1e-3);
	}
	synth_recording_free(r);
	synth_recording_free(q);
	synth_free(&s);
	synth_free(&none);
}

/* Slope of log power over log frequency, between the bands where rhythms are. */
static void the_background_falls_like_one_over_f(void)
{
	static const double edge[] = {1, 2, 2, 4, 14, 18, 23, 30, 30, 40};
	struct synth s = settings("Fpz,Oz", "task:50@Oz");
	s.snr = 0;
	s.seconds = 60;
	double sx = 0, sy = 0, sxx = 0, sxy = 0;
	int n = 0;
	for (int subject = 0; subject < 4; subject++) {
		struct synth_recording *r = synth_record(&s, subject, 1);
		for (int i = 0; i < 10; i += 2, n++) {
			double x = log(sqrt(edge[i] * edge[i + 1])), y = 0;
			for (int64_t t = 0; t + 512 <= r->n; t += 512)
				y += band(r->signal + t, 512, s.rate, edge[i], edge[i + 1] - 0.1);
			y = log(y / (edge[i + 1] - edge[i]));
			sx += x, sy += y, sxx += x * x, sxy += x * y;
		}
		synth_recording_free(r);
	}
	CHECK_NEAR((sxy - sx * sy / n) / (sxx - sx * sx / n), -1, 0.25);
	synth_free(&s);
}

static double correlation(const struct synth_recording *r, int a, int b)
{
	const float *x = r->signal + a * r->n, *y = r->signal + b * r->n;
	double n = (double)r->n, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
	for (int64_t t = 0; t < r->n; t++) {
		sx += (double)x[t], sy += (double)y[t];
		sxx += (double)x[t] * (double)x[t], syy += (double)y[t] * (double)y[t],
			sxy += (double)x[t] * (double)y[t];
	}
	return (sxy - sx * sy / n) / sqrt((sxx - sx * sx / n) * (syy - sy * sy / n));
}

static void neighbours_agree_and_less_so_with_distance(void)
{
	struct synth s = settings("Fpz,AFz,Fz,Cz,Oz", "task:20@Cz");
	s.snr = 0;
	double near = 0, middle = 0, far = 0, end = 0;
	for (int subject = 0; subject < 6; subject++) {
		struct synth_recording *r = synth_record(&s, subject, 1);
		near += correlation(r, 0, 1) / 6;
		middle += correlation(r, 0, 2) / 6;
		far += correlation(r, 0, 3) / 6;
		end += correlation(r, 0, 4) / 6;
		synth_recording_free(r);
	}
	CHECK(near > 0.8 && near > middle + 0.1 && middle > far + 0.1);
	CHECK(far < 0.5 && fabs(end) < 0.2);
	synth_free(&s);
}

static void a_subject_is_the_same_in_any_company_and_differs_from_others(void)
{
	struct synth s = settings("8", NULL);
	struct synth_recording *a = synth_record(&s, 1, 1), *b = synth_record(&s, 1, 1),
			       *c = synth_record(&s, 1, 2), *d = synth_record(&s, 2, 1);
	size_t bytes = (size_t)(8 * a->n) * sizeof *a->signal;
	CHECK(!memcmp(a->signal, b->signal, bytes));
	CHECK(memcmp(a->signal, c->signal, bytes));
	CHECK(memcmp(a->signal, d->signal, bytes));
	CHECK(fabs(correlation(a, 0, 0) - 1) < 1e-9);
	double rest = 0;
	for (int64_t t = 0; t < a->n; t++)
		rest += a->label[t] == 0;
	CHECK_NEAR(rest / (double)a->n, 0.5, 1e-9); /* classes in equal parts */
	synth_recording_free(a);
	synth_recording_free(b);
	synth_recording_free(c);
	synth_recording_free(d);
	synth_free(&s);
}

static void segments_are_where_the_truth_says(void)
{
	struct synth s = settings("Fp1,Fp2,T7,Cz,T8,O1", "task:20@O1");
	CHECK(!synth_artefacts(&s, "flat,gap,pause"));
	struct synth_recording *r = synth_record(&s, 0, 1);
	int seen[SYNTH_ARTEFACTS] = {0}, missing = 0, told = 0;
	for (int64_t i = 0; i < 6 * r->n; i++)
		missing += isnan(r->signal[i]);
	for (int i = 0; i < r->events; i++) {
		const struct synth_event *e = &r->event[i];
		const float *x = r->signal + (e->channel < 0 ? 0 : e->channel) * r->n;
		seen[e->kind]++;
		CHECK(e->start >= 0 && e->length > 0 && e->start + e->length <= r->n);
		for (int64_t t = e->start; t < e->start + e->length; t++) {
			CHECK(e->kind != SYNTH_GAP || isnan(x[t]));
			CHECK(e->kind != SYNTH_FLAT || isnan(x[t]) || x[t] == x[e->start]);
			CHECK(e->kind != SYNTH_PAUSE || r->pause[t]);
		}
		told += e->kind == SYNTH_GAP ? (int)e->length : 0;
	}
	CHECK(seen[SYNTH_FLAT] == 1 && seen[SYNTH_GAP] == 1 && seen[SYNTH_PAUSE] == 1);
	CHECK(missing == told && missing > 0);
	synth_recording_free(r);
	synth_free(&s);
}

/* Mean square of what an artefact added to channel c, over its events or elsewhere. */
static double added(
	const struct synth_recording *with, const struct synth_recording *without, int c, bool inside)
{
	double sum = 0, n = 0;
	for (int64_t t = 0; t < with->n; t++) {
		bool in = false;
		for (int i = 0; i < with->events; i++)
			in |= t >= with->event[i].start && t < with->event[i].start + with->event[i].length;
		double d = (double)with->signal[c * with->n + t] - (double)without->signal[c * with->n + t];
		if (in == inside)
			sum += d * d, n++;
	}
	return sum / n;
}

static void blinks_are_at_the_front_and_muscles_at_the_sides(void)
{
	struct synth clean = settings("Fp1,Fp2,T7,Cz,T8,O1", "task:20@O1");
	struct synth_recording *q = synth_record(&clean, 0, 1);
	for (int kind = SYNTH_BLINK; kind <= SYNTH_MUSCLE; kind++) {
		struct synth s = settings("Fp1,Fp2,T7,Cz,T8,O1", "task:20@O1");
		CHECK(!synth_artefacts(&s, synth_artefact_name[kind]));
		struct synth_recording *r = synth_record(&s, 0, 1);
		CHECK(r->events == (kind == SYNTH_BLINK ? 8 : 2)); /* 40 seconds */
		double front = added(r, q, 0, true) + added(r, q, 1, true),
		       sides = added(r, q, 2, true) + added(r, q, 4, true), back = added(r, q, 5, true);
		for (int c = 0; c < 6; c++)
			CHECK(added(r, q, c, false) == 0);
		if (kind == SYNTH_BLINK)
			CHECK(front > 2 * 50 * 50 && sides < front / 50 && back < 1);
		else
			CHECK(sides > 5 * 5 && front < sides / 5 && back < sides / 5);
		synth_recording_free(r);
		synth_free(&s);
	}
	synth_recording_free(q);
	synth_free(&clean);
}

int main(void)
{
	CASE(a_class_shows_at_its_place_and_not_far_away);
	CASE(snr_is_what_it_says);
	CASE(a_class_says_how_long_one_place_lags);
	CASE(a_relation_stays_at_its_places_and_is_as_strong_as_it_says);
	CASE(the_background_falls_like_one_over_f);
	CASE(neighbours_agree_and_less_so_with_distance);
	CASE(a_subject_is_the_same_in_any_company_and_differs_from_others);
	CASE(segments_are_where_the_truth_says);
	CASE(blinks_are_at_the_front_and_muscles_at_the_sides);
	return check_done();
}
