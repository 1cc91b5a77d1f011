#include "predict/predictor.h"

#include "base/error.h"
#include "base/mem.h"
#include "model/head.h"
#include "predict/prediction_table.h"
#include "predict/votes.h"
#include "score/metrics.h"

#include <stdlib.h>

struct predictor {
	struct ensemble *ensemble;
	const struct model *m; /* the first */
	struct output *out;
	struct predictor_options o;
	int outputs, K; /* of its head, classes as a rule; K = 0 without a gate */
	bool at_once;   /* all windows are gathered before the first prediction */
	struct prediction_table table;
	struct votes votes;
	long long windows, nonfinite;
};

int predictor_check(const struct predictor_options *o, const struct model *m)
{
	const struct names *classes = &m->layout.classes;
	if (!o->rejects)
		return 0;
	if (!m->head->classes)
		return err_set(EX_USAGE,
			"--reject has no effect: the output head of the model, %s, predicts no classes",
			m->head->name);
	if (o->reject <= 1.0 / classes->n)
		return err_set(EX_USAGE,
			"--reject %g has no effect: the largest of %d probabilities is never below 1/%d",
			o->reject, classes->n, classes->n);
	if (names_find(classes, PREDICTOR_UNSURE) >= 0)
		return err_set(EX_USAGE, "--reject: the model has a class named \"" PREDICTOR_UNSURE
					 "\", the same as that of rejected windows; leave --reject out");
	return 0;
}

struct predictor *predictor_new(
	struct ensemble *e, struct output *out, const struct predictor_options *options)
{
	struct predictor *p = NEW(struct predictor);
	const struct model *m = e->member[0].m;
	int K = e->gates ? m->layout.regions : 0;
	char separator = options->form == PREDICTOR_CSV ? ',' : '\t';
	*p = (struct predictor){.ensemble = e,
		.m = m,
		.out = out,
		.o = *options,
		.outputs = head_outputs(m),
		.K = K,
		.table = {m, separator, K, options->per_recording, e->adapts},
		.votes = {.model = m, .regions = K}};
	return p;
}

void predictor_free(struct predictor *p)
{
	if (!p)
		return;
	votes_free(&p->votes);
	free(p);
}

long long predictor_windows(const struct predictor *p)
{
	return p->windows;
}

long long predictor_nonfinite(const struct predictor *p)
{
	return p->nonfinite;
}

/* --- lines */

static int write_prediction(const struct predictor *p, const struct prediction *x)
{
	struct text t = {0};
	struct prediction shown = *x;
	if (p->o.rejects && x->p && x->p[metrics_likeliest(x->p, p->outputs)] < p->o.reject)
		shown.class = PREDICTOR_UNSURE;
	if (p->ensemble->adapts)
		shown.adapted = "group";
	if (p->o.form == PREDICTOR_JSON_LINES)
		prediction_json(&shown, "", &t);
	else
		prediction_table_row(&p->table, &shown, &t);
	int bad = output_write(p->out, t.s, t.n);
	text_free(&t);
	return bad;
}

static int write_recordings(struct predictor *p)
{
	int bad = 0;
	for (int i = 0; i < p->votes.recordings.n && !bad; i++) {
		struct prediction x = votes_prediction(&p->votes, i);
		bad = write_prediction(p, &x);
	}
	return bad;
}

/* Windows from .. from + n - 1 of those gathered; the arrays are those of ensemble_predict. */
static int write_batch(struct predictor *r, int64_t from, int64_t n, const double *p, const real *logits,
	const double *gate, const bool *nonfinite)
{
	const struct dataset *d = r->ensemble->member[0].data;
	int bad = 0;
	for (int64_t b = 0; b < n && !bad; b++) {
		bool none = nonfinite[b];
		if (none && !r->o.allow_nonfinite)
			return dataset_no_answer(d, from + b);
		struct prediction x =
			prediction_of_item(d, from + b, r->m, r->K, none ? NULL : p + b * r->outputs,
				none ? NULL : logits + b * r->outputs, none ? NULL : gate + b * r->K);
		r->windows++;
		r->nonfinite += none;
		if (r->o.per_recording)
			votes_add(&r->votes, &x);
		else
			bad = write_prediction(r, &x);
	}
	return bad;
}

/* The windows gathered so far: each batch is written and flushed before the next is computed. */
static int predict_gathered(struct predictor *r)
{
	struct ensemble *e = r->ensemble;
	int bad = 0, batch = r->o.batch;
	size_t outputs = (size_t)batch * (size_t)r->outputs;
	double *p = NEW_ARRAY(double, outputs), *gate = NEW_ARRAY(double, (size_t)batch *(size_t)r->K);
	real *logits = NEW_ARRAY(real, outputs);
	bool *nonfinite = NEW_ARRAY(bool, batch);
	for (int64_t from = 0; from < e->windows && !bad; from += batch) {
		int64_t n = e->windows - from < batch ? e->windows - from : batch;
		bad = ensemble_predict(e, from, n, batch, p, logits, gate, nonfinite) ||
		      write_batch(r, from, n, p, logits, gate, nonfinite);
		bad = output_flush(r->out) || bad; /* windows before a failure have their lines */
	}
	free(nonfinite);
	free(p);
	free(logits);
	free(gate);
	ensemble_clear(e);
	return bad;
}

/* --- windows */

int predictor_begin(struct predictor *p, bool at_once)
{
	struct text t = {0};
	int bad = 0;
	p->at_once = p->ensemble->adapts && at_once;
	if (p->o.form != PREDICTOR_JSON_LINES) {
		prediction_table_header(&p->table, &t);
		bad = output_write(p->out, t.s, t.n);
	}
	text_free(&t);
	return bad;
}

/* Adds the windows. Models that normalise by subject learn from them at once: window by window from
 * a recording that arrives, from all together in a windows file. When every window is there from
 * the beginning, they learn at the end. */
static int gather(struct predictor *p, const struct source *s, struct windows *w)
{
	struct ensemble *e = p->ensemble;
	int64_t before = e->windows;
	if (ensemble_add(e, w))
		return -1;
	if (!e->adapts || p->at_once)
		return 0;
	int bad =
		ensemble_adapt(e, before, e->windows - before, source_live(s) ? ADAPT_RUNNING : ADAPT_WHOLE);
	if (bad)
		e->windows = before; /* what could not be normalised is not predicted */
	return bad;
}

/* Small windows files are gathered to a batch as long as the stream has more of them ready. */
int predictor_add(struct predictor *p, struct source *s, struct windows *w)
{
	if (gather(p, s, w))
		return -1;
	if (p->at_once || (p->ensemble->windows < p->o.batch && source_ready(s)))
		return 0;
	return predict_gathered(p);
}

/* After an error: windows that came before it are predicted; the error stays, unless predicting
 * them fails as well. */
static void predict_before_error(struct predictor *p)
{
	char *why = mem_text(err_text());
	int status = err_status();
	if (!predict_gathered(p))
		err_set(status, "%s", why);
	free(why);
}

int predictor_end(struct predictor *p, bool failed)
{
	struct ensemble *e = p->ensemble;
	if (failed) {
		if (e->windows && !p->at_once)
			predict_before_error(p);
		return -1;
	}
	int bad = p->at_once ? ensemble_adapt(e, 0, e->windows, ADAPT_WHOLE) : 0;
	bad = bad || (e->windows && predict_gathered(p));
	return bad || (p->o.per_recording && write_recordings(p)) ? -1 : 0;
}
