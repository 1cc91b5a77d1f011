#include "dataset/dataset.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/sum.h"
#include "dataset/adapt.h"
#include "dataset/tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLAT 1e-12 /* the variance of what does not vary */

struct part {
	struct windows *w;
	struct channel_column *column; /* [C of target] */
};

struct dataset *dataset_new(const struct layout *target, enum missing_channel missing)
{
	struct dataset *d = NEW(struct dataset);
	d->target = target;
	d->missing = missing;
	names_copy(&d->classes, &target->classes);
	return d;
}

void dataset_clear(struct dataset *d)
{
	for (int i = 0; i < d->parts; i++) {
		if (!d->borrows)
			windows_free(d->part[i].w);
		free(d->part[i].column);
	}
	d->parts = 0;
	d->n = 0;
	if (d->tokens)
		tokens_forget(d->tokens);
	group_scaler_forget(d->scaler);
	if (d->ems)
		ems_clear(d->ems);
}

void dataset_free(struct dataset *d)
{
	if (!d)
		return;
	spill_free(&d->spill, d->item);
	tokens_free(d->tokens);
	group_scaler_free(d->scaler);
	ems_free(d->ems);
	d->ems = NULL;
	if (d->view) {
		free(d);
		return;
	}
	d->tokens = NULL;
	d->scaler = NULL;
	dataset_clear(d);
	free(d->part);
	names_free(&d->classes);
	names_free(&d->groups);
	names_free(&d->recordings);
	free(d);
}

struct dataset *dataset_view(const struct dataset *d)
{
	struct dataset *v = NEW(struct dataset);
	size_t bytes = (size_t)d->n * sizeof *d->item;
	*v = *d;
	v->view = true;
	v->ems = NULL;
	v->spill = (struct spill){0};
	v->tokens = NULL;
	v->scaler = NULL;
	v->item = spill_grow(&v->spill, NULL, bytes);
	memcpy(v->item, d->item, bytes);
	return v;
}

/* A part's samples go by what comes before them in its recordings. */
static int run_through(const struct dataset *d, const struct part *p)
{
	for (int c = 0; c < d->target->channels.n && d->missing == MISSING_INTERP; c++)
		if (!p->column[c].base)
			return err_set(EX_DATAERR,
				"%s: channel %s is missing, and train.scale=ems goes by recordings: give the "
				"recording "
				"as CSV, or --missing-channel zero",
				p->w->name, d->target->channels.s[c]);
	return ems_add(d->ems, p->w, p->column);
}

int dataset_scale(struct dataset *d, const struct model *m)
{
	const struct config *c = &m->config;
	int bad = 0;
	d->mean = m->scale_mean;
	d->std = m->scale_std;
	d->scaler_row = NULL;
	d->by_window = c->train.scale == SCALE_WINDOW;
	ems_free(d->ems);
	d->ems = NULL;
	if (c->train.scale == SCALE_EMS)
		d->ems =
			ems_new(&(struct ems_shape){c->train.ems_factor, c->train.ems_eps, c->train.ems_init},
				d->target->channels.n);
	for (int i = 0; i < d->parts && d->ems && !bad; i++)
		bad = run_through(d, &d->part[i]);
	return bad;
}

/* Channels that are padding everywhere are not looked for. */
static bool is_used(const struct layout *l, int channel)
{
	for (int k = 0; k < l->regions; k++)
		for (int j = 0; j < l->region[k].width; j++)
			if (l->region[k].channel[j] == channel)
				return true;
	return false;
}

static int bind(const struct dataset *d, struct part *p)
{
	const struct layout *t = d->target, *l = &p->w->layout;
	struct names missing = {0};
	p->column = NEW_ARRAY(struct channel_column, t->channels.n);
	for (int c = 0; c < t->channels.n; c++) {
		int at = names_find(&l->channels, t->channels.s[c]);
		bool there = at >= 0 && windows_column(p->w, at, &p->column[c]);
		if (!there && is_used(t, c))
			names_add(&missing, t->channels.s[c]);
	}
	int r = 0;
	if (missing.n && (d->missing == MISSING_ERROR || missing.n == t->channels.n)) {
		char *want = names_join(&missing, ", "), *have = names_join(&l->channels, ", ");
		r = err_set(EX_DATAERR, "%s: missing channel%s %s; there are %s%s", p->w->name,
			missing.n > 1 ? "s" : "", want, have,
			d->missing == MISSING_ERROR ? " (--missing-channel interp or zero goes on without)"
						    : "");
		free(want);
		free(have);
	}
	names_free(&missing);
	return r;
}

static int fits(const struct dataset *d, const struct windows *w)
{
	const struct layout *t = d->target, *l = &w->layout;
	if (l->length != t->length)
		return err_set(EX_DATAERR,
			"%s: windows of %d samples, %d were expected; cut them anew (moe-split --like MODEL)",
			w->name, l->length, t->length);
	if (fabs(l->rate - t->rate) > 1e-3 * t->rate)
		return err_set(EX_DATAERR,
			"%s: sampled at %g Hz, %g Hz were expected; resample the recording", w->name, l->rate,
			t->rate);
	if (strcmp(l->unit, t->unit))
		return err_set(EX_DATAERR, "%s: the unit is %s, %s was expected", w->name, l->unit, t->unit);
	if (!preprocessing_same(&l->preprocessing, &t->preprocessing)) {
		char *has = preprocessing_words(&l->preprocessing),
		     *want = preprocessing_words(&t->preprocessing);
		err_set(EX_DATAERR,
			"%s: its recordings were conditioned so: %s; expected was: %s; cut them anew "
			"(moe-split --like "
			"MODEL, or "
			"with equal options)",
			w->name, has, want);
		free(has);
		free(want);
		return -1;
	}
	return 0;
}

int dataset_add(struct dataset *d, struct windows *w)
{
	ROOM_FOR_ONE(d->part, d->parts, d->part_room);
	struct part *p = &d->part[d->parts];
	*p = (struct part){.w = w};
	if (fits(d, w) || bind(d, p) || (d->ems && run_through(d, p))) {
		if (!d->borrows)
			windows_free(w);
		free(p->column);
		return -1;
	}
	int *class = NEW_ARRAY(int, w->layout.classes.n), *group = NEW_ARRAY(int, w->groups.n),
	    *recording = NEW_ARRAY(int, w->recordings.n);
	for (int i = 0; i < w->layout.classes.n; i++)
		class[i] = names_intern(&d->classes, w->layout.classes.s[i]);
	for (int i = 0; i < w->groups.n; i++)
		group[i] = names_intern(&d->groups, w->groups.s[i]);
	for (int i = 0; i < w->recordings.n; i++)
		recording[i] = names_intern(&d->recordings, w->recordings.s[i]);
	if (d->n + w->n > d->room) {
		d->room = d->room > w->n ? 2 * d->room : d->n + w->n;
		d->item = spill_grow(&d->spill, d->item, (size_t)d->room * sizeof *d->item);
	}
	for (int64_t i = 0; i < w->n; i++)
		d->item[d->n++] = (struct item){d->parts, i, w->label[i] < 0 ? -1 : class[w->label[i]],
			group[w->group[i]], recording[w->recording[i]], -1};
	d->parts++;
	free(class);
	free(group);
	free(recording);
	return 0;
}

struct dataset *dataset_rebind(const struct dataset *d, const struct layout *target)
{
	struct dataset *to = dataset_new(target, d->missing);
	to->borrows = true;
	for (int i = 0; i < d->parts; i++)
		if (dataset_add(to, d->part[i].w)) {
			dataset_free(to);
			return NULL;
		}
	return to;
}

void dataset_renumber(struct dataset *d, const struct names *classes)
{
	for (int64_t i = 0; i < d->n; i++)
		if (d->item[i].label >= 0)
			d->item[i].label = names_find(classes, d->classes.s[d->item[i].label]);
}

const struct windows *dataset_windows(const struct dataset *d, int64_t item)
{
	return d->part[d->item[item].part].w;
}

int dataset_samples(const struct dataset *d, int64_t item)
{
	return windows_samples(dataset_windows(d, item), d->item[item].window);
}

const struct channel_column *dataset_columns(const struct dataset *d, int64_t item)
{
	return d->part[d->item[item].part].column;
}

float dataset_sample(const struct dataset *d, int64_t item, int channel, int t)
{
	const struct part *p = &d->part[d->item[item].part];
	const struct channel_column *c = &p->column[channel];
	return c->base ? c->base[(p->w->start[d->item[item].window] + t) * c->step] : 0;
}

/* The mean of the region's channels that are there, or 0. */
static real stand_in(const struct dataset *d, const struct part *p, const struct region *r, int64_t row)
{
	double sum = 0;
	int n = 0;
	for (int j = 0; d->missing == MISSING_INTERP && j < r->width; j++) {
		const struct channel_column *c = r->channel[j] < 0 ? NULL : &p->column[r->channel[j]];
		if (c && c->base) {
			sum += (double)c->base[row * c->step];
			n++;
		}
	}
	return n ? (real)(sum / n) : 0;
}

/* n samples x[0], x[step] ...: less their mean, by their deviation, or by 1 when they do not
 * vary. */
static void standardise(real *x, int n, int step)
{
	double mean = 0, square = 0;
	for (int t = 0; t < n; t++)
		mean += (double)x[(size_t)t * (size_t)step];
	mean /= n;
	for (int t = 0; t < n; t++) {
		double e = (double)x[(size_t)t * (size_t)step] - mean;
		square += e * e;
	}
	double factor = square > FLAT * n ? 1 / sqrt(square / n) : 1;
	for (int t = 0; t < n; t++) {
		real *v = &x[(size_t)t * (size_t)step];
		*v = (real)(((double)*v - mean) * factor);
	}
}

void dataset_fill(const struct dataset *d, int64_t item, int k, real *x)
{
	const struct part *p = &d->part[d->item[item].part];
	const struct region *r = &d->target->region[k];
	int64_t start = p->w->start[d->item[item].window];
	int T = d->target->length, W = r->width, there = dataset_samples(d, item);
	size_t scaler = d->scaler_row ? (size_t)d->scaler_row[item] * (size_t)d->target->channels.n : 0;
	if (there < T)
		memset(x + (size_t)there * (size_t)W, 0, (size_t)(T - there) * (size_t)W * sizeof *x);
	for (int j = 0; j < W; j++) {
		int c = r->channel[j];
		real mean = c >= 0 && d->mean ? (real)d->mean[scaler + (size_t)c] : 0,
		     factor = c >= 0 && d->std ? 1 / (real)d->std[scaler + (size_t)c] : 1;
		const struct channel_column *from = c < 0 ? NULL : &p->column[c];
		if (from && from->base && d->ems) {
			ems_fill(d->ems, item, c, from, start, there, x + j, W);
			continue;
		}
		for (int t = 0; t < there; t++) {
			real v = 0;
			if (from && from->base)
				v = ((real)from->base[(start + t) * from->step] - mean) * factor;
			else if (from)
				v = (stand_in(d, p, r, start + t) - mean) * factor;
			x[(size_t)t * (size_t)W + (size_t)j] = v;
		}
		if (from && d->by_window)
			standardise(x + j, there, W);
	}
}

int dataset_check(const struct dataset *d, const struct model *m, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const struct item *it = &d->item[items[i]];
		const struct part *p = &d->part[it->part];
		int64_t start = p->w->start[it->window];
		int there = dataset_samples(d, items[i]);
		if (m && m->tokeniser->count(&m->config, m->layout.length, m->layout.rate, there) < 1)
			return err_set(EX_DATAERR,
				"%s: recording %s: the window at sample %lld ends after %d samples, before "
				"the first "
				"token is whole (encoder.tokens); cut without --last keep",
				p->w->name, d->recordings.s[it->recording],
				(long long)p->w->sample[it->window], there);
		for (int c = 0; c < d->target->channels.n; c++)
			for (int t = 0; p->column[c].base && t < there; t++)
				if (!isfinite(p->column[c].base[(start + t) * p->column[c].step]))
					return err_set(EX_DATAERR,
						"%s: recording %s: channel %s, sample %lld is not a finite "
						"number; repair it, or cut around it (moe-split --missing "
						"drop-window)",
						p->w->name, d->recordings.s[it->recording],
						d->target->channels.s[c],
						(long long)(p->w->sample[it->window] + t));
	}
	return 0;
}

struct fit {
	const struct dataset *d;
	const int64_t *items;
	const float *shift; /* [C] */
};

/* sum [C][3]: count, sum, sum of squares of x - shift */
static void add_samples(void *context, int64_t i, struct arena *scratch, double *sum)
{
	const struct fit *f = context;
	const struct item *it = &f->d->item[f->items[i]];
	const struct part *p = &f->d->part[it->part];
	int64_t start = p->w->start[it->window];
	int there = dataset_samples(f->d, f->items[i]);
	(void)scratch;
	for (int c = 0; c < f->d->target->channels.n; c++) {
		const struct channel_column *x = &p->column[c];
		for (int t = 0; x->base && t < there; t++) {
			double v = (double)x->base[(start + t) * x->step] - (double)f->shift[c];
			sum[3 * c] += 1;
			sum[3 * c + 1] += v;
			sum[3 * c + 2] += v * v;
		}
	}
}

void dataset_fit_scaler(
	const struct dataset *d, const int64_t *items, int64_t n, struct pool *pool, float *mean, float *std)
{
	int C = d->target->channels.n;
	double *total = NEW_ARRAY(double, 3 * (size_t)C);
	for (int c = 0; c < C; c++) { /* sums around a sample of the channel: an offset costs no digits */
		const struct item *it = n ? &d->item[items[0]] : NULL;
		const struct channel_column *x = it ? &d->part[it->part].column[c] : NULL;
		mean[c] = x && x->base ? x->base[d->part[it->part].w->start[it->window] * x->step] : 0;
	}
	sum_items(pool, n, add_samples, &(struct fit){d, items, mean}, 3 * C, total);
	for (int c = 0; c < C; c++) {
		double count = total[3 * c], sum = total[3 * c + 1], square = total[3 * c + 2];
		double m = count > 0 ? sum / count : 0, var = count > 0 ? square / count - m * m : 0;
		std[c] = var > FLAT ? (float)sqrt(var) : 1;
		mean[c] = (float)(m + (double)mean[c]);
	}
	free(total);
}

struct filling {
	const struct dataset *d;
	const int64_t *items;
};

static void fill(void *context, int b, int k, real *x)
{
	const struct filling *f = context;
	dataset_fill(f->d, f->items[b], k, x);
}

static int samples(void *context, int b)
{
	const struct filling *f = context;
	return dataset_samples(f->d, f->items[b]);
}

static void kept(void *context, int b, int k, real *out)
{
	const struct filling *f = context;
	tokens_read(f->d->tokens, f->items[b], k, out);
}

static const real *centre(void *context, int b, int k)
{
	const struct filling *f = context;
	return tokens_centre_of(f->d->tokens, f->items[b], k);
}

int dataset_no_answer(const struct dataset *d, int64_t item)
{
	const struct item *it = &d->item[item];
	return err_set(EX_DATAERR,
		"%s: the answer to the window from sample %lld is not a finite number: its samples, or the "
		"model's parameters, are too large; correct the recording, or leave the window out",
		d->recordings.s[it->recording], (long long)dataset_windows(d, item)->sample[it->window]);
}

int dataset_evaluate(const struct dataset *d, struct forward *f, const int64_t *items, int64_t n, int batch,
	int outputs, int K, real *out, real *gate, bool *unanswered)
{
	int bad = 0;
	int *condition = NEW_ARRAY(int, n < batch ? n : batch);
	struct window_source source = {.fill = fill,
		.samples = samples,
		.tokens = d->tokens ? kept : NULL,
		.centre = d->tokens ? centre : NULL,
		.condition = condition};
	for (int64_t from = 0; from < n; from += batch) {
		int B = n - from < batch ? (int)(n - from) : batch;
		struct filling here = {d, items + from};
		source.context = &here;
		for (int b = 0; b < B; b++)
			condition[b] = d->item[items[from + b]].condition;
		forward_evaluate(f, B, &source, out + from * outputs, gate + from * K);
	}
	free(condition);
	for (int64_t i = 0; i < n && !bad; i++) {
		bool answered = reals_finite(out + i * outputs, (size_t)outputs) &&
				reals_finite(gate + i * K, (size_t)K);
		if (unanswered)
			unanswered[i] = !answered;
		else if (!answered)
			bad = dataset_no_answer(d, items[i]);
	}
	return bad;
}
