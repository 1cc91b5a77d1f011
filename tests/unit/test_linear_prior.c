/* Linear prior against normal equations that are solved by elimination here, one set for each part that
 * is left out. */
#include "check.h"
#include "token_rig.h"

#include "dataset/adapt.h"
#include "train/linear_prior.h"
#include "dataset/tokens.h"

enum { D = 12, CLASSES = 2, K = 2, EACH = 3 }; /* features: K * KINDS * EACH */

struct scene {
	int recordings, windows, per_group; /* windows of a recording */
	int third;                          /* a third of the windows are of class 1, not half of them */
	const char *set;                    /* besides, or NULL */
	int64_t most;
	int folds; /* window i is in that of its unit, unit * folds / units; units: groups, recordings, or i */
	int units, of_unit; /* windows of a unit */
};

static double feature[ROOM][D]; /* of the rig's items */

/* Class 1 is louder in channel b, which both regions see, and by chance some. */
static void speak(struct windows *w, bool third)
{
	float *x = (float *)(uintptr_t)w->signal;
	int32_t *label = (int32_t *)(uintptr_t)w->label;
	for (int64_t i = 0; i < w->n; i++) {
		label[i] = third ? i % 3 == 1 : i % 2 == 1;
		for (int t = 0; t < T; t++) {
			float *b = &x[(w->start[i] + t) * C + 1];
			*b = 1000 + (*b - 1000) * (label[i] ? 1.7F : 1) * (i % 5 == 2 ? 1.4F : 1);
		}
	}
}

static void read_features(struct rig *r)
{
	for (int64_t i = 0; i < r->n; i++) {
		int segments[KINDS] = {0};
		memset(feature[i], 0, sizeof feature[i]);
		for (int k = 0; k < K; k++) {
			int n;
			const real *row = tokens_standardised(r->d->tokens, r->item[i], k, &n);
			for (int kind = 0; kind < KINDS; kind++)
				segments[kind] = n / KINDS;
			for (int j = 0; j < n; j++)
				for (int f = 0; f < EACH; f++)
					feature[i][(k * KINDS + j % KINDS) * EACH + f] +=
						(double)row[j * EACH + f] / segments[j % KINDS];
		}
	}
}

static void begin(struct rig *r, const struct scene *s, const int32_t *valid)
{
	struct windows *w = make("a,b,c", s->recordings, s->windows, T, s->per_group);
	speak(w, s->third);
	w->valid = valid;
	rig_begin(r, w, (const char *const[]){"encoder.tapers=0", "train.ridge=0.05", s->set, NULL});
	CHECK(r->m->region[0].kinds == KINDS && r->m->region[0].D == EACH && r->m->region[0].n == 3 * KINDS);
	dataset_keep(r->d, r->m, r->item, r->n, r->pool);
	tokens_level(r->d->tokens, r->item, r->n, r->pool, r->m);
	dataset_adapt(r->d, r->m, r->item, r->n, ADAPT_WHOLE, r->pool);
	tokens_fit(r->d->tokens, r->item, r->n, r->pool, r->m);
	dataset_standardise(r->d, r->item, r->n);
	read_features(r);
}

/* Gauss, with the largest pivot of the column: A [D][D] w = b, in place. */
static void eliminate(double A[D][D], double b[D])
{
	for (int p = 0; p < D; p++) {
		int best = p;
		for (int i = p + 1; i < D; i++)
			if (fabs(A[i][p]) > fabs(A[best][p]))
				best = i;
		for (int j = 0; j < D; j++) {
			double keep = A[p][j];
			A[p][j] = A[best][j];
			A[best][j] = keep;
		}
		double keep = b[p];
		b[p] = b[best];
		b[best] = keep;
		for (int i = p + 1; i < D; i++) {
			double f = A[i][p] / A[p][p];
			for (int j = p; j < D; j++)
				A[i][j] -= f * A[p][j];
			b[i] -= f * b[p];
		}
	}
	for (int p = D - 1; p >= 0; p--) {
		for (int j = p + 1; j < D; j++)
			b[p] -= A[p][j] * b[j];
		b[p] /= A[p][p];
	}
}

static int unit_of(const struct scene *s, int64_t i)
{
	return (int)(i / s->of_unit * s->folds / s->units);
}

/* W [CLASSES][D] of all windows that are solved with but those of a part (-1: of all). */
static void solve(const struct rig *r, const struct scene *s, const double *weight, const double *share,
	int without, double W[CLASSES][D])
{
	int64_t rows = s->most < r->n && D > s->most ? s->most : r->n, some = 0;
	for (int c = 0; c < CLASSES; c++) {
		double A[D][D] = {{0}}, b[D] = {0};
		some = 0;
		for (int64_t row = 0; row < rows; row++) {
			int64_t i = row * r->n / rows;
			int label = r->d->item[i].label;
			if (unit_of(s, i) == without)
				continue;
			some++;
			for (int p = 0; p < D; p++) {
				for (int q = 0; q < D; q++)
					A[p][q] += weight[label] * feature[i][p] * feature[i][q];
				b[p] += weight[label] * feature[i][p] * ((label == c) - share[c]);
			}
		}
		for (int p = 0; p < D; p++)
			A[p][p] += some ? r->c.value.train.ridge * (double)some : 1;
		eliminate(A, b);
		memcpy(W[c], b, sizeof b);
	}
}

/* Of targets 1 - 1/(n+2), n windows of the class, the rest being the other classes'. */
static double log_loss(const struct rig *r, double out_of_fold[ROOM][K][CLASSES], const double *weight,
	const double *share, double factor)
{
	double loss = 0, all = 0, count[CLASSES] = {0};
	for (int64_t i = 0; i < r->n; i++)
		count[r->d->item[i].label]++;
	for (int64_t i = 0; i < r->n; i++) {
		double z[CLASSES], sum = 0;
		int label = r->d->item[i].label;
		for (int c = 0; c < CLASSES; c++) {
			z[c] = log(fmax(share[c], 1e-9)) +
			       factor * (out_of_fold[i][0][c] + out_of_fold[i][1][c]);
			sum += exp(z[c]);
		}
		for (int c = 0; c < CLASSES; c++) {
			double out = 1 / (count[label] + 2);
			double target = c == label ? 1 - out : out / (CLASSES - 1);
			loss -= weight[label] * target * (z[c] - log(sum));
		}
		all += weight[label];
	}
	return loss / all;
}

/* What the gate begins with for region k. */
static double weight_of(const struct model *m, int k)
{
	int i = m->gate_fc2_bias >= 0 ? m->gate_fc2_bias : m->gate_fc1_bias;
	return exp((double)m->params.x[m->params.list[i].offset + (size_t)k]);
}

/* As it comes to the sum over regions: times the gate's weight and K. */
static double entry(const struct model *m, int k, int c, int j)
{
	size_t at = m->params.list[m->region[k].linear_prior].offset + (size_t)(c * KINDS * EACH + j);
	return K * weight_of(m, k) * (double)m->params.x[at];
}

/* The gate's first weights: what each region says for the true class against the mean of all, a
 * fiftieth being the same for all. */
static void check_gate(const struct rig *r, double out_of_fold[ROOM][K][CLASSES], const double *weight)
{
	double said[K] = {0}, sum = 0;
	for (int k = 0; k < K; k++) {
		for (int64_t i = 0; i < r->n; i++) {
			double mean = 0;
			for (int c = 0; c < CLASSES; c++)
				mean += out_of_fold[i][k][c] / CLASSES;
			said[k] +=
				weight[r->d->item[i].label] * (out_of_fold[i][k][r->d->item[i].label] - mean);
		}
		sum += fmax(said[k], 0);
	}
	for (int k = 0; k < K; k++)
		CHECK_NEAR(weight_of(r->m, k), 0.02 / K + 0.98 * (sum > 0 ? fmax(said[k], 0) / sum : 1.0 / K),
			1e-4);
}

/* As the header says. Returns the factor. */
static double check(const struct scene *s)
{
	struct rig r;
	double weight[CLASSES], share[CLASSES], count[CLASSES] = {0}, W[CLASSES][D],
						out_of_fold[ROOM][K][CLASSES];
	begin(&r, s, NULL);
	for (int64_t i = 0; i < r.n; i++)
		count[r.d->item[i].label]++;
	for (int c = 0; c < CLASSES; c++) {
		bool balanced = r.c.value.train.class_weight == CLASS_WEIGHT_BALANCED;
		weight[c] = balanced ? (double)r.n / (CLASSES * count[c]) : 1;
		share[c] = weight[c] * count[c] / (double)r.n;
	}
	CHECK(!linear_prior_fit(r.d, r.m, r.item, r.n, s->most, true));
	for (int fold = 0; fold < s->folds; fold++) {
		solve(&r, s, weight, share, fold, W);
		for (int64_t i = 0; i < r.n; i++)
			for (int k = 0; k < K && unit_of(s, i) == fold; k++)
				for (int c = 0; c < CLASSES; c++) {
					out_of_fold[i][k][c] = 0;
					for (int j = 0; j < KINDS * EACH; j++)
						out_of_fold[i][k][c] += W[c][k * KINDS * EACH + j] *
									feature[i][k * KINDS * EACH + j];
				}
	}
	solve(&r, s, weight, share, -1, W);
	double above = 0, below = 0;
	for (int c = 0; c < CLASSES; c++)
		for (int j = 0; j < D; j++) {
			above += entry(r.m, j / (KINDS * EACH), c, j % (KINDS * EACH)) * W[c][j];
			below += W[c][j] * W[c][j];
		}
	double factor = below > 0 ? above / below : 0;
	for (int c = 0; c < CLASSES; c++) {
		CHECK_NEAR(r.m->params.x[r.m->params.list[r.m->prior_bias].offset + (size_t)c],
			log(fmax(share[c], 1e-9)), 1e-5);
		for (int j = 0; j < D; j++)
			CHECK_NEAR(entry(r.m, j / (KINDS * EACH), c, j % (KINDS * EACH)), factor * W[c][j],
				1e-4 * fmax(1, factor));
	}
	double worth = 0; /* of what windows are told, that it is no 0 */
	for (int64_t i = 0; i < r.n; i++)
		for (int k = 0; k < K; k++) {
			const real *said = tokens_prior(r.d->tokens, i, k);
			for (int c = 0; c < CLASSES && said; c++) {
				CHECK_NEAR(K * weight_of(r.m, k) * (double)said[c],
					factor * out_of_fold[i][k][c], 1e-4 * fmax(1, factor));
				worth = fmax(worth, fabs(out_of_fold[i][k][c]));
			}
			CHECK(said);
		}
	check_gate(&r, out_of_fold, weight);
	double least = log_loss(&r, out_of_fold, weight, share, factor);
	for (double f = 0.01; f < 1000 && worth > 0; f *= 1.01)
		CHECK(least <= log_loss(&r, out_of_fold, weight, share, f) + 1e-9);
	rig_end(&r);
	return factor;
}

static void it_is_ridge_regression(void)
{
	static const struct scene scene[] = {
		{4, 10, 1, 0, NULL, 6000, 4, 4, 10}, /* fewer features */
		{4, 10, 1, 1, NULL, 6000, 4, 4, 10}, /* unequal classes */
		{4, 10, 1, 1, "train.class_weight=balanced", 6000, 4, 4, 10},
		{4, 10, 1, 0, "train.ridge=30", 6000, 4, 4, 10},
		{3, 3, 1, 0, NULL, 6000, 3, 3, 3}, /* fewer windows */
		{3, 3, 1, 1, "train.class_weight=balanced", 6000, 3, 3, 3},
		{9, 5, 1, 0, NULL, 6000, 8, 9, 5},   /* more groups than parts */
		{4, 8, 4, 0, NULL, 6000, 4, 4, 8},   /* one person: recordings */
		{1, 23, 1, 0, NULL, 6000, 5, 23, 1}, /* one recording: segments */
		{4, 10, 1, 0, NULL, 11, 4, 4, 10},   /* more of both than fit */
		{2, 1, 1, 0, NULL, 6000, 2, 2, 1}, {1, 2, 1, 0, NULL, 6000, 5, 2, 1}, /* two windows */
	};
	for (size_t i = 0; i < sizeof scene / sizeof *scene; i++) {
		double factor = check(&scene[i]);
		CHECK(scene[i].recordings * scene[i].windows < 20 || (factor > 0.1 && factor < 100));
	}
}

/* Of one window, and of windows of one class, nothing can be learnt, and nothing breaks. */
static void there_may_be_nothing_to_learn(void)
{
	struct scene one = {1, 1, 1, 0, NULL, 6000, 5, 1, 1};
	struct rig r;
	begin(&r, &one, NULL);
	CHECK(!linear_prior_fit(r.d, r.m, r.item, r.n, 6000, true));
	for (size_t i = 0; i < r.m->params.count; i++)
		CHECK(isfinite((double)r.m->params.x[i]));
	CHECK(tokens_prior(r.d->tokens, 0, 0) && tokens_prior(r.d->tokens, 0, 0)[0] == 0);
	rig_end(&r);
	struct scene four = {4, 10, 1, 0, NULL, 6000, 4, 4, 10};
	begin(&r, &four, NULL);
	int64_t odd[20];
	for (int i = 0; i < 20; i++)
		odd[i] = 2 * i + 1;
	CHECK(!linear_prior_fit(r.d, r.m, odd, 20, 6000, true));
	for (int k = 0; k < K; k++)
		for (int j = 0; j < CLASSES * KINDS * EACH; j++)
			CHECK_NEAR(entry(r.m, k, 0, j), 0, 1e-9);
	CHECK(!tokens_prior(r.d->tokens, 0, 0) && tokens_prior(r.d->tokens, 1, 0)); /* the others have none */
	rig_end(&r);
}

/* What else a new model says is small; here it is nothing. */
static void silence(struct model *m, int tensor)
{
	const struct param *p = &m->params.list[tensor];
	for (size_t j = 0; j < p->count; j++) {
		CHECK(fabs((double)m->params.x[p->offset + j]) < 0.06);
		m->params.x[p->offset + j] = 0;
	}
}

/* A new model says bias + the sum over regions of what their features say; windows that end early,
 * too. */
static void it_is_all_a_new_model_says(void)
{
	static const int32_t valid[40] = {[0] = 8,
		6,
		4,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		5,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		8,
		7};
	static const char *const answer[] = {"gate.combine=features", "gate.type=linear"};
	for (int way = 0; way < 4; way++) {
		struct scene s = {4, 10, 1, 0, answer[way / 2], 6000, 4, 4, 10};
		struct rig r;
		begin(&r, &s, way % 2 ? valid : NULL);
		CHECK(!linear_prior_fit(r.d, r.m, r.item, r.n, 6000, true));
		silence(r.m, r.m->head_tensor[0]);
		silence(r.m, r.m->gate_fc2_weight >= 0 ? r.m->gate_fc2_weight : r.m->gate_fc1_weight);
		struct forward *f = forward_new(r.m, r.pool);
		real logits[ROOM * CLASSES], gate[ROOM * K];
		dataset_evaluate(r.d, f, r.item, r.n, 7, CLASSES, K, logits, gate, NULL);
		for (int64_t i = 0; i < r.n; i++) {
			CHECK_NEAR(gate[i * K], weight_of(r.m, 0), 1e-6);
			for (int c = 0; c < CLASSES; c++) {
				double z = (double)r.m->params
						   .x[r.m->params.list[r.m->prior_bias].offset + (size_t)c];
				for (int j = 0; j < D; j++)
					z += entry(r.m, j / (KINDS * EACH), c, j % (KINDS * EACH)) *
					     feature[i][j];
				CHECK_NEAR(logits[i * CLASSES + c], z, 1e-4 * fmax(1, fabs(z)));
			}
		}
		forward_free(f);
		rig_end(&r);
	}
}

int main(void)
{
	CASE(it_is_ridge_regression);
	CASE(there_may_be_nothing_to_learn);
	CASE(it_is_all_a_new_model_says);
	return check_done();
}
