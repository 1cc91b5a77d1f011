#include "predict/ensemble.h"

#include "base/error.h"
#include "base/mem.h"
#include "dataset/condition.h"
#include "model/head.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int check_classes(const struct ensemble *e, struct ensemble_member *b)
{
	const struct names *mine = &b->m->layout.classes, *first = &e->member[0].m->layout.classes;
	b->class = NEW_ARRAY(int, first->n);
	bool same = mine->n == first->n;
	for (int i = 0; i < first->n; i++)
		same &= (b->class[i] = names_find(mine, first->s[i])) >= 0;
	if (same)
		return 0;
	char *have = names_join(mine, ", "), *want = names_join(first, ", ");
	err_set(EX_DATAERR,
		"%s: has the classes %s, but %s has %s; the models of an ensemble need the same classes",
		b->path, have, e->member[0].path, want);
	free(have);
	free(want);
	return -1;
}

/* Heads of one kind, and outputs that mean the same: classes are found by name. */
static int check_outputs(const struct ensemble *e, struct ensemble_member *b)
{
	const struct model *leads = e->member[0].m;
	int outputs = head_outputs(leads);
	if (b->m->head->classes != leads->head->classes ||
		(!leads->head->classes && (b->m->head != leads->head || head_outputs(b->m) != outputs)))
		return err_set(EX_DATAERR,
			"%s: its output head is %s, but that of %s is %s; the models of an ensemble need "
			"outputs with the same meaning",
			b->path, b->m->head->name, e->member[0].path, leads->head->name);
	if (leads->head->classes)
		return check_classes(e, b);
	b->class = NEW_ARRAY(int, outputs);
	for (int i = 0; i < outputs; i++)
		b->class[i] = i;
	return 0;
}

static int check_windows(struct ensemble *e, const struct ensemble_member *b)
{
	const struct layout *l = &b->m->layout, *first = &e->member[0].m->layout;
	if (l->length != first->length || fabs(l->rate - first->rate) > 1e-3 * first->rate ||
		strcmp(l->unit, first->unit) != 0)
		return err_set(EX_DATAERR,
			"%s: needs windows of %d samples at %g Hz in %s, but %s needs %d samples at %g Hz in "
			"%s; the models of an ensemble must take the same windows",
			b->path, l->length, l->rate, l->unit, e->member[0].path, first->length, first->rate,
			first->unit);
	if (l->stride != first->stride && !e->strides)
		e->strides = b->path;
	return 0;
}

/* Where the first model's regions are in b, if b has just these. */
static void match_regions(struct ensemble *e, struct ensemble_member *b)
{
	const struct layout *l = &b->m->layout, *first = &e->member[0].m->layout;
	b->region = NEW_ARRAY(int, first->regions);
	bool same = l->regions == first->regions;
	for (int k = 0; k < first->regions && same; k++) {
		int at = 0;
		while (at < l->regions && strcmp(l->region[at].name, first->region[k].name) != 0)
			at++;
		same = at < l->regions;
		b->region[k] = at;
	}
	e->gates &= same;
}

/* A recording is cut with the channels of all: those the first model does not have go behind its
 * own, with their regions, by which channels that are missing are made up. */
static void add_channels(struct layout *like, const struct layout *l)
{
	int before = like->channels.n, K = like->regions;
	for (int i = 0; i < l->channels.n; i++)
		names_intern(&like->channels, l->channels.s[i]);
	if (like->channels.n == before)
		return;
	struct layout copy;
	layout_copy(&copy, l);
	GROW(like->region, K + copy.regions);
	for (int k = 0; k < copy.regions; k++) {
		struct region *r = &like->region[K + k];
		*r = copy.region[k];
		for (int j = 0; j < r->width; j++)
			if (r->channel[j] >= 0)
				r->channel[j] = names_find(&like->channels, l->channels.s[r->channel[j]]);
	}
	like->regions += copy.regions;
	copy.regions = 0; /* theirs now */
	layout_free(&copy);
}

static int load_member(struct ensemble *e, struct ensemble_member *b, const struct selection_words *words,
	enum missing_channel missing, struct pool *pool)
{
	b->m = model_load(b->path);
	if (!b->m || check_outputs(e, b) || check_windows(e, b))
		return -1;
	match_regions(e, b);
	if (b == e->member)
		layout_copy(&e->like, &b->m->layout);
	else
		add_channels(&e->like, &b->m->layout);
	b->select = selection_new(b->m, words);
	if (!b->select)
		return e->n > 1 ? err_at("%s", b->path) : -1;
	b->forward = forward_new(b->m, pool);
	forward_besides(b->forward, &(struct besides){.ablation = b->select->ablation});
	b->data = dataset_new(&b->m->layout, missing);
	b->data->borrows = b != e->member;
	e->whole |= b->m->config.train.scale == SCALE_EMS;
	e->adapts |= dataset_adapts(b->m);
	return dataset_scale(b->data, b->m);
}

struct ensemble *ensemble_load(const struct names *paths, const struct selection_words *words,
	enum missing_channel missing, struct pool *pool)
{
	struct ensemble *e = NEW(struct ensemble);
	e->n = paths->n;
	e->member = NEW_ARRAY(struct ensemble_member, e->n);
	e->gates = true;
	e->pool = pool;
	for (int i = 0; i < e->n; i++) {
		e->member[i].path = paths->s[i];
		if (load_member(e, &e->member[i], words, missing, pool)) {
			ensemble_free(e);
			return NULL;
		}
	}
	return e;
}

void ensemble_free(struct ensemble *e)
{
	for (int i = e ? e->n - 1 : -1; i >= 0; i--) { /* the first owns the windows */
		struct ensemble_member *b = &e->member[i];
		dataset_free(b->data);
		forward_free(b->forward);
		selection_free(b->select);
		model_free(b->m);
		free(b->class);
		free(b->region);
	}
	if (!e)
		return;
	layout_free(&e->like);
	free(e->member);
	free(e);
}

int ensemble_add(struct ensemble *e, struct windows *w)
{
	int64_t n = w->n;
	for (int i = 0; i < e->n; i++)
		if (dataset_add(e->member[i].data, w))
			return e->n > 1 ? err_at("%s", e->member[i].path) : -1;
	e->windows += n;
	return 0;
}

void ensemble_clear(struct ensemble *e)
{
	for (int i = e->n - 1; i >= 0; i--)
		dataset_clear(e->member[i].data);
	e->windows = 0;
}

/* Adds the predictions of one model, in the order of the first; the logits of a single model are
 * its own. */
static void add_predictions(const struct ensemble *e, const struct ensemble_member *b, int64_t n,
	const real *z, const real *w, double *p, real *logits, double *gate)
{
	int outputs = head_outputs(b->m), K = e->member[0].m->layout.regions;
	double *q = NEW_ARRAY(double, outputs);
	for (int64_t i = 0; i < n; i++) {
		b->m->head->decode(b->m, z + i * outputs, q);
		for (int j = 0; j < outputs; j++) {
			p[i * outputs + j] += q[b->class[j]];
			logits[i * outputs + j] = z[i * outputs + b->class[j]];
		}
		for (int k = 0; k < K && e->gates; k++)
			gate[i * K + k] += (double)w[i * K + b->region[k]];
	}
	free(q);
}

/* Sums become means. */
static void take_means(const struct ensemble *e, int64_t n, double *p, real *logits, double *gate)
{
	const struct model *m = e->member[0].m;
	int outputs = head_outputs(m), K = m->layout.regions;
	for (int64_t i = 0; i < n * outputs; i++) {
		p[i] /= e->n;
		logits[i] = (real)(!m->head->classes ? p[i] : log(p[i] > DBL_MIN ? p[i] : DBL_MIN));
	}
	for (int64_t i = 0; i < n * K && e->gates; i++)
		gate[i] /= e->n;
}

int ensemble_adapt(struct ensemble *e, int64_t from, int64_t n, enum adapt how)
{
	for (int i = 0; i < e->n; i++) {
		struct ensemble_member *b = &e->member[i];
		if (dataset_update_statistics(b->data, b->m, from, n, how, e->pool))
			return e->n > 1 ? err_at("%s", b->path) : -1;
	}
	return 0;
}

int ensemble_predict(struct ensemble *e, int64_t from, int64_t n, int batch, double *p, real *logits,
	double *gate, bool *nonfinite)
{
	int outputs = head_outputs(e->member[0].m), K = e->member[0].m->layout.regions, bad = 0;
	int64_t *item = NEW_ARRAY(int64_t, n);
	real *z = NEW_ARRAY(real, n * outputs);
	bool *lost = NEW_ARRAY(bool, n);
	memset(nonfinite, 0, (size_t)n * sizeof *nonfinite);
	for (int64_t i = 0; i < n; i++)
		item[i] = from + i;
	memset(p, 0, (size_t)(n * outputs) * sizeof *p);
	if (e->gates)
		memset(gate, 0, (size_t)(n * K) * sizeof *gate);
	for (int i = 0; i < e->n && !bad; i++) {
		struct ensemble_member *b = &e->member[i];
		real *w = NEW_ARRAY(real, n * b->m->layout.regions);
		bad = dataset_check(b->data, b->m, item, n) || conditions_bind(b->data, b->m, item, n);
		bad = bad || dataset_evaluate(b->data, b->forward, item, n, batch, outputs,
				     b->m->layout.regions, z, w, lost);
		if (bad && e->n > 1)
			err_at("%s", b->path);
		for (int64_t j = 0; j < n; j++)
			nonfinite[j] |= lost[j];
		if (!bad)
			add_predictions(e, b, n, z, w, p, logits, gate);
		free(w);
	}
	if (!bad && e->n > 1)
		take_means(e, n, p, logits, gate);
	free(item);
	free(z);
	free(lost);
	return bad ? -1 : 0;
}
