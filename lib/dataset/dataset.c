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

/* Windows that were added together, as a rule those of one file. */
struct source {
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
	for (int i = 0; i < d->sources; i++) {
		if (!d->borrows)
			windows_free(d->source[i].w);
		free(d->source[i].column);
	}
	d->sources = 0;
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
	free(d->source);
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

/* Samples of a source are scaled by what comes before them in its recordings. */
static int start_running_means(const struct dataset *d, const struct source *p)
{
	if (p->w->own_start)
		return err_set(EX_CONFIG,
			"%s: train.scale=ems needs the same window length and sampling rate in all regions, "
			"and they differ; use another train.scale",
			p->w->name);
	for (int c = 0; c < d->target->channels.n && d->missing == MISSING_INTERP; c++)
		if (!p->column[c].base)
			return err_set(EX_DATAERR,
				"%s: channel %s is missing, and a model with train.scale=ems cannot "
				"interpolate it in windows; give the recording as CSV, or use "
				"--missing-channel zero",
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
	d->model = m;
	d->by_window = c->train.scale == SCALE_WINDOW;
	ems_free(d->ems);
	d->ems = NULL;
	if (c->train.scale == SCALE_EMS)
		d->ems =
			ems_new(&(struct ems_shape){c->train.ems_factor, c->train.ems_eps, c->train.ems_init},
				d->target->channels.n);
	for (int i = 0; i < d->sources && d->ems && !bad; i++)
		bad = start_running_means(d, &d->source[i]);
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

/* A channel of another length or rate than all others has that of the target. */
static int check_input(
	const struct layout *t, const struct windows *w, int channel, const struct channel_column *c)
{
	const struct layout *l = &w->layout;
	int k = layout_region_of(t, channel);
	bool own = c->start != w->start;
	int length = own ? layout_length(l, c->region) : l->length;
	double rate = own ? layout_rate(l, c->region) : l->rate;
	if (k < 0 ||
		(length == layout_length(t, k) && fabs(rate - layout_rate(t, k)) <= 1e-3 * layout_rate(t, k)))
		return 0;
	return err_set(EX_DATAERR, "%s: channel %s has windows of %d samples at %g Hz instead of %d at %g Hz",
		w->name, t->channels.s[channel], length, rate, layout_length(t, k), layout_rate(t, k));
}

static int bind_channels(const struct dataset *d, struct source *p)
{
	const struct layout *t = d->target, *l = &p->w->layout;
	struct names missing = {0};
	p->column = NEW_ARRAY(struct channel_column, t->channels.n);
	int r = 0;
	for (int c = 0; c < t->channels.n && !r; c++) {
		int at = names_find(&l->channels, t->channels.s[c]);
		bool there = at >= 0 && windows_column(p->w, at, &p->column[c]);
		if (!there && is_used(t, c))
			names_add(&missing, t->channels.s[c]);
		else if (there)
			r = check_input(t, p->w, c, &p->column[c]);
	}
	if (!r && missing.n && (d->missing == MISSING_ERROR || missing.n == t->channels.n)) {
		char *want = names_join(&missing, ", "), *have = names_join(&l->channels, ", ");
		r = err_set(EX_DATAERR, "%s: missing channel%s %s; the file has %s%s", p->w->name,
			missing.n > 1 ? "s" : "", want, have,
			d->missing == MISSING_ERROR ? " (--missing-channel interp or zero continues without)"
						    : "");
		free(want);
		free(have);
	}
	names_free(&missing);
	return r;
}

static int check_fit(const struct dataset *d, const struct windows *w)
{
	const struct layout *t = d->target, *l = &w->layout;
	if (l->length != t->length)
		return err_set(EX_DATAERR,
			"%s: windows of %d samples instead of %d; cut the recordings again (moe-split --like "
			"MODEL)",
			w->name, l->length, t->length);
	if (fabs(l->rate - t->rate) > 1e-3 * t->rate)
		return err_set(EX_DATAERR, "%s: sampled at %g Hz instead of %g Hz; resample the recording",
			w->name, l->rate, t->rate);
	if (strcmp(l->unit, t->unit))
		return err_set(EX_DATAERR, "%s: the unit is %s instead of %s", w->name, l->unit, t->unit);
	if (!preprocessing_same(&l->preprocessing, &t->preprocessing)) {
		char *has = preprocessing_words(&l->preprocessing),
		     *want = preprocessing_words(&t->preprocessing);
		err_set(EX_DATAERR,
			"%s: its recordings were preprocessed differently: %s; expected: %s; cut them again "
			"(moe-split --like MODEL, or with the same options)",
			w->name, has, want);
		free(has);
		free(want);
		return -1;
	}
	return 0;
}

int dataset_add(struct dataset *d, struct windows *w)
{
	ROOM_FOR_ONE(d->source, d->sources, d->source_room);
	struct source *p = &d->source[d->sources];
	*p = (struct source){.w = w};
	if (check_fit(d, w) || bind_channels(d, p) || (d->ems && start_running_means(d, p))) {
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
		d->item[d->n++] = (struct item){d->sources, i, w->label[i] < 0 ? -1 : class[w->label[i]],
			group[w->group[i]], recording[w->recording[i]], -1};
	d->sources++;
	free(class);
	free(group);
	free(recording);
	return 0;
}

struct dataset *dataset_rebind(const struct dataset *d, const struct layout *target)
{
	struct dataset *to = dataset_new(target, d->missing);
	to->borrows = true;
	for (int i = 0; i < d->sources; i++)
		if (dataset_add(to, d->source[i].w)) {
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
	return d->source[d->item[item].source].w;
}

int dataset_samples(const struct dataset *d, int64_t item)
{
	return windows_samples(dataset_windows(d, item), d->item[item].window);
}

int dataset_region_samples(const struct dataset *d, int64_t item, int k)
{
	return layout_samples(d->target, k, dataset_samples(d, item));
}

int dataset_channel_samples(const struct dataset *d, int64_t item, int channel)
{
	const struct source *p = &d->source[d->item[item].source];
	const struct channel_column *c = &p->column[channel];
	return c->base ? windows_column_samples(p->w, c, d->item[item].window) : 0;
}

const struct channel_column *dataset_columns(const struct dataset *d, int64_t item)
{
	return d->source[d->item[item].source].column;
}

float dataset_sample(const struct dataset *d, int64_t item, int channel, int t)
{
	const struct source *p = &d->source[d->item[item].source];
	const struct channel_column *c = &p->column[channel];
	return c->base ? c->base[(c->start[d->item[item].window] + t) * c->step] : 0;
}

/* The mean of the region's channels that are there, or 0. */
static real imputed_sample(const struct dataset *d, const struct channel_column *column,
	const struct region *r, int64_t window, int t)
{
	double sum = 0;
	int n = 0;
	for (int j = 0; d->missing == MISSING_INTERP && j < r->width; j++) {
		const struct channel_column *c = r->channel[j] < 0 ? NULL : &column[r->channel[j]];
		if (c && c->base) {
			sum += (double)c->base[(c->start[window] + t) * c->step];
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

/* Regions whose features are not kept, and so have no subject mean, have their samples scaled by
 * group. */
static bool by_group(const struct dataset *d, int k)
{
	return d->scaler_row && !(d->model && tokens_are_fixed(d->model, k));
}

void dataset_fill(const struct dataset *d, int64_t item, int k, real *x)
{
	struct raw_window w = dataset_raw(d, item);
	dataset_fill_from(d, &w, item, k, x);
}

void dataset_fill_from(const struct dataset *d, const struct raw_window *w, int64_t item, int k, real *x)
{
	const struct region *r = &d->target->region[k];
	int64_t window = w->window;
	int T = layout_length(d->target, k), W = r->width, there = dataset_region_samples(d, item, k);
	bool group = by_group(d, k);
	const float *means = group ? d->group_mean : d->mean, *stds = group ? d->group_std : d->std;
	size_t scaler = group ? (size_t)d->scaler_row[item] * (size_t)d->target->channels.n : 0;
	if (there < T)
		memset(x + (size_t)there * (size_t)W, 0, (size_t)(T - there) * (size_t)W * sizeof *x);
	for (int j = 0; j < W; j++) {
		int c = r->channel[j];
		real mean = c >= 0 && means ? (real)means[scaler + (size_t)c] : 0,
		     factor = c >= 0 && stds ? 1 / (real)stds[scaler + (size_t)c] : 1;
		const struct channel_column *from = c < 0 ? NULL : &w->column[c];
		if (from && from->base && d->ems) {
			ems_fill(d->ems, item, c, from, from->start[window], there, x + j, W);
			continue;
		}
		const float *base = from && from->base ? from->base + from->start[window] * from->step : NULL;
		for (int t = 0; t < there; t++) {
			real v = 0;
			if (base)
				v = ((real)base[(int64_t)t * from->step] - mean) * factor;
			else if (from)
				v = (imputed_sample(d, w->column, r, window, t) - mean) * factor;
			x[(size_t)t * (size_t)W + (size_t)j] = v;
		}
		if (from && d->by_window)
			standardise(x + j, there, W);
	}
}

bool dataset_has_tokens(const struct model *m, int there)
{
	for (int k = 0; k < m->layout.regions; k++)
		if (model_tokens(m, k, there) < 1)
			return false;
	return true;
}

int dataset_check(const struct dataset *d, const struct model *m, const int64_t *items, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const struct item *it = &d->item[items[i]];
		const struct source *p = &d->source[it->source];
		struct raw_window w = dataset_raw(d, items[i]);
		if (m && !dataset_has_tokens(m, w.n))
			return err_set(EX_DATAERR,
				"%s: recording %s: the window at sample %lld ends after %d samples, which is "
				"less than one token needs (encoder.tokens); cut without --last keep",
				p->w->name, d->recordings.s[it->recording],
				(long long)p->w->sample[it->window], w.n);
		for (int c = 0; c < d->target->channels.n; c++) {
			struct raw_channel x = raw_channel(&w, c);
			for (int t = 0; t < x.n; t++)
				if (!isfinite(x.first[t * x.step]))
					return err_set(EX_DATAERR,
						"%s: recording %s: channel %s, sample %lld is not a finite "
						"number; repair it, or cut around it (moe-split --missing "
						"drop-window)",
						p->w->name, d->recordings.s[it->recording],
						d->target->channels.s[c],
						(long long)(p->w->sample[it->window] + t));
		}
	}
	return 0;
}
