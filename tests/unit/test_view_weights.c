/* Views: the regions a model gets from them, and how much each counts in the linear prior. */
#include "check.h"
#include "configured.h"
#include "made.h"

#include "model/views.h"
#include "train/view_weights.h"

#include <math.h>
#include <string.h>

static struct layout applied(const char *views)
{
	struct layout l, from = target();
	struct configuration c = configured(PRESET_DEFAULT, (const char *const[]){views, NULL});
	layout_copy(&l, &from);
	views_apply(&c.value, &l);
	views_apply(&c.value, &l); /* once is enough */
	target_done(&from);
	config_end(&c);
	return l;
}

static void regions_are_those_of_the_views(void)
{
	struct layout l = applied("encoder.views=covariance@regions,spectral@head");
	int view[3];
	CHECK(l.regions == 3 && layout_has_views(&l) && layout_views(&l, view) == 2);
	CHECK(view[0] == 0 && view[1] == 0 && view[2] == 1);
	CHECK_TEXT(l.region[0].name, "covariance@left");
	CHECK_TEXT(l.region[1].name, "covariance@right");
	CHECK_TEXT(l.region[2].name, "spectral@head");
	CHECK_TEXT(l.region[1].tokens, "covariance");
	CHECK(l.region[1].width == 2 && l.region[1].channel[0] == 1 && !l.region[1].core[0]);
	CHECK(l.region[2].width == C);
	for (int c = 0; c < C; c++)
		CHECK(l.region[2].channel[c] == c && l.region[2].core[c]);
	layout_undo_views(&l);
	CHECK(l.regions == 2 && !layout_has_views(&l));
	CHECK_TEXT(l.region[0].name, "left");
	CHECK_TEXT(l.region[1].name, "right");
	layout_free(&l);

	l = applied("encoder.views=spectral@head,covariance@head");
	layout_undo_views(&l);
	CHECK(l.regions == 1 && l.region[0].width == C);
	CHECK_TEXT(l.region[0].name, "head");
	layout_free(&l);

	l = applied("encoder.views=[]");
	CHECK(l.regions == 2 && !layout_has_views(&l) && layout_views(&l, view) == 1);
	layout_free(&l);
}

static void other_words_are_refused(void)
{
	static const char *const bad[] = {"encoder.views=covariance", "encoder.views=covariance@lobe",
		"encoder.views=none@head", "encoder.views=sample@head,sample@head", "encoder.views=3",
		"encoder.views=[1]"};
	struct configuration c;
	config_begin(&c, PRESET_DEFAULT);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(config_set(&c, bad[i]) && strstr(err_text(), "TOKENISER@PLACE"));
	CHECK(!config_set(&c, "encoder.views=spectral@head") && !config_set(&c, "encoder.tokens=patch"));
	CHECK(config_check(&c) && strstr(err_text(), "encoder.tokens has no effect: encoder.views"));
	config_end(&c);
}

/* --- weights */

enum { N = 600, V = 3, CLASSES = 2 };

static const double targets[] = {0.99, 0.01, 0.01, 0.99}, prior[] = {-0.6931, -0.6931},
		    even_weight[] = {1, 1};

/* A view of strength s says s for the true class and noise of deviation 1, `scale` times as large. */
static void speak(double *score, int *label, const double *strength, const double *scale)
{
	struct rng r = rng_stream(7, "views", 0, 0);
	for (int i = 0; i < N; i++) {
		label[i] = i % CLASSES;
		for (int v = 0; v < V; v++) {
			double z = scale[v] * (strength[v] * (label[i] ? 1 : -1) + rng_normal(&r));
			score[(i * V + v) * CLASSES] = -z;
			score[(i * V + v) * CLASSES + 1] = z;
		}
	}
}

static struct view_scores scores(const double *score, const int *label, double subjects)
{
	return (struct view_scores){N, V, CLASSES, score, targets, prior, label, even_weight, subjects};
}

static double deviation(const double *score, int v)
{
	double sum = 0;
	for (int i = 0; i < N; i++)
		sum += score[(i * V + v) * CLASSES] * score[(i * V + v) * CLASSES];
	return sqrt(sum / N);
}

/* The factor that calibrates a view alone, by trying. */
static double calibrated(const struct view_scores *s, int v)
{
	double best = 0, least = INFINITY;
	for (double t = -4; t < 4; t += 0.002) {
		double f = exp(t) / deviation(s->score, v), loss = 0;
		for (int i = 0; i < N; i++) {
			double z = f * s->score[(i * V + v) * CLASSES + s->label[i]];
			loss += 0.99 * log1p(exp(-2 * z)) + 0.01 * log1p(exp(2 * z));
		}
		if (loss < least) {
			least = loss;
			best = f;
		}
	}
	return best;
}

static void few_subjects_leave_views_as_they_are_calibrated(void)
{
	static const double strength[] = {0.5, 0.4, 0.3}, scale[] = {1, 10, 0.1};
	static double score[N * V * CLASSES], weight[V];
	static int label[N];
	speak(score, label, strength, scale);
	struct view_scores s = scores(score, label, 0.01);
	view_weights(&s, weight);
	double first = weight[0] / calibrated(&s, 0);
	CHECK(first > 0);
	for (int v = 1; v < V; v++) /* whatever the scale of a view */
		CHECK_NEAR(weight[v] / calibrated(&s, v) / first, 1, 0.03);
}

static void many_subjects_speak_for_what_helps(void)
{
	static const double strength[] = {1, 0.3, 0}, scale[] = {1, 1, 1};
	static double score[N * V * CLASSES], weight[V], few[V];
	static int label[N];
	speak(score, label, strength, scale);
	struct view_scores s = scores(score, label, 200);
	view_weights(&s, weight);
	CHECK(weight[0] > 1.5 * weight[1] && weight[1] > 0);
	CHECK(weight[2] < 0.05 * weight[0]); /* it knows nothing, and is next to silent */
	s.subjects = 10;
	view_weights(&s, few);
	CHECK(few[0] / few[1] < weight[0] / weight[1]);
}

/* A noisy copy of another view is worth something by itself, and nothing beside it. */
static void a_view_that_only_repeats_another_is_left_out(void)
{
	static const double strength[] = {0.8, 0.5, 0}, scale[] = {1, 1, 1};
	static double score[N * V * CLASSES], weight[V];
	static int label[N];
	speak(score, label, strength, scale);
	for (int i = 0; i < N; i++)
		for (int c = 0; c < CLASSES; c++) /* the third: the first, with noise of its own */
			score[(i * V + 2) * CLASSES + c] =
				0.7 * score[(i * V + 2) * CLASSES + c] + score[i * V * CLASSES + c];
	struct view_scores s = scores(score, label, 300);
	view_weights(&s, weight);
	CHECK(weight[0] > 0 && weight[1] > 0 && weight[2] == 0);
	s.subjects = 5; /* too few to say so */
	view_weights(&s, weight);
	CHECK(weight[2] > 0);
}

/* Objective of three weights, computed plainly. */
static double plain(const struct view_scores *s, const double *factor, const double *t)
{
	double loss = 0, mean = (t[0] + t[1] + t[2]) / 3, sum = 0;
	for (int i = 0; i < N; i++) {
		double x[CLASSES], top = 0;
		for (int c = 0; c < CLASSES; c++) {
			x[c] = s->prior[c];
			for (int v = 0; v < V; v++)
				x[c] += exp(t[v]) * s->score[(i * V + v) * CLASSES + c] * factor[v];
			top = fmax(top, x[c]);
		}
		double all = log(exp(x[0] - top) + exp(x[1] - top)) + top;
		for (int c = 0; c < CLASSES; c++)
			loss += s->target[s->label[i] * CLASSES + c] * (all - x[c]) / N;
	}
	for (int v = 0; v < V; v++)
		sum += (t[v] - mean) * (t[v] - mean);
	return s->subjects * loss + 1.5 * sum;
}

static void the_weights_are_where_the_objective_is_least(void)
{
	static const double strength[] = {0.8, 0.5, 0.4}, scale[] = {1, 3, 0.2};
	static double score[N * V * CLASSES], weight[V];
	static int label[N];
	speak(score, label, strength, scale);
	struct view_scores s = scores(score, label, 30);
	view_weights(&s, weight);
	double t[V], factor[V], at, step[] = {0.01, -0.01};
	for (int v = 0; v < V; v++) {
		CHECK(weight[v] > 0);
		factor[v] = calibrated(&s, v);
		t[v] = log(weight[v] / factor[v]);
	}
	at = plain(&s, factor, t);
	for (int v = 0; v < V; v++)
		for (int i = 0; i < 2; i++) {
			double before = t[v];
			t[v] += step[i];
			CHECK(plain(&s, factor, t) > at);
			t[v] = before;
		}
}

static void a_view_alone_and_views_that_are_silent(void)
{
	static double score[N * V * CLASSES], weight[V];
	static int label[N];
	struct view_scores s = scores(score, label, 10);
	view_weights(&s, weight);
	CHECK(weight[0] == 1 && weight[1] == 1 && weight[2] == 1);
	s.views = 1;
	view_weights(&s, weight);
	CHECK(weight[0] == 1);
}

int main(void)
{
	CASE(regions_are_those_of_the_views);
	CASE(other_words_are_refused);
	CASE(few_subjects_leave_views_as_they_are_calibrated);
	CASE(many_subjects_speak_for_what_helps);
	CASE(a_view_that_only_repeats_another_is_left_out);
	CASE(the_weights_are_where_the_objective_is_least);
	CASE(a_view_alone_and_views_that_are_silent);
	return check_done();
}
