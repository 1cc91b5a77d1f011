/* The model file: the tensors under their names, the layout and the configuration as metadata. */
#include "model/model.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Mean and deviation of tokens may be missing in a model of somebody else's: they stay at 0 and 1
 * then. */
static bool may_miss(const struct st_file *f, const char *name, const struct param *p)
{
	return p->buffer && (p->init == INIT_ZERO || p->init == INIT_ONE) && strstr(name, ".tokens.") &&
	       !st_find(f, name);
}

/* The tensor "PREFIX<name>", which must be there with its shape. */
static const float *need(const struct st_file *f, const char *name, const struct param *p)
{
	int64_t shape[PARAM_RANK];
	memcpy(shape, p->shape, sizeof shape);
	return st_need(f, name, ST_F32, p->rank, shape);
}

int model_read_slab(const struct model *m, const struct st_file *f, const char *prefix, real *slab)
{
	for (int i = 0; i < m->params.n; i++) {
		const struct param *p = &m->params.list[i];
		char *name = mem_format("%s%s", prefix, p->name);
		if (may_miss(f, name, p)) {
			for (size_t j = 0; j < p->count; j++)
				slab[p->offset + j] = p->init == INIT_ONE;
			free(name);
			continue;
		}
		const float *x = need(f, name, p);
		for (size_t j = 0; x && j < p->count; j++) {
			if (!isfinite(x[j])) {
				err_set(EX_DATAERR, "%s: tensor %s: element %zu is not a finite number",
					f->name, name, j);
				x = NULL;
				break;
			}
			slab[p->offset + j] = (real)x[j];
		}
		free(name);
		if (!x)
			return -1;
	}
	return 0;
}

#ifdef REAL_DOUBLE
struct narrowed {
	const real *x;
	size_t n;
	struct narrowed *next;
};

static int emit_float(void *context, struct output *o)
{
	const struct narrowed *w = context;
	for (size_t i = 0; i < w->n; i++) {
		float v = (float)w->x[i];
		if (output_write(o, &v, sizeof v))
			return -1;
	}
	return 0;
}
#endif

void model_put_slab(const struct model *m, struct st_writer *w, const char *prefix, const real *slab)
{
	for (int i = 0; i < m->params.n; i++) {
		const struct param *p = &m->params.list[i];
		char *name = mem_format("%s%s", prefix, p->name);
#ifdef REAL_DOUBLE
		static struct narrowed *all; /* as long as the process: this build only runs tests */
		struct narrowed *n = NEW(struct narrowed);
		*n = (struct narrowed){slab + p->offset, p->count, all};
		all = n;
		st_put_emitter(w, name, ST_F32, p->rank, p->shape, emit_float, n);
#else
		st_put(w, name, ST_F32, p->rank, p->shape, slab + p->offset);
#endif
		free(name);
	}
}

static int read_scale(struct model *m, const struct st_file *f)
{
	int64_t C = m->layout.channels.n;
	if (!st_find(f, "scale.mean") && !st_find(f, "scale.std"))
		return 0;
	if (m->config.train.scale == SCALE_WINDOW || m->config.train.scale == SCALE_EMS)
		return err_set(EX_DATAERR,
			"%s: tensor scale.mean: with train.scale=window or ems a model has no scaler",
			f->name);
	const float *mean = st_need(f, "scale.mean", ST_F32, 1, &C),
		    *std = mean ? st_need(f, "scale.std", ST_F32, 1, &C) : NULL;
	if (!std)
		return -1;
	for (int64_t i = 0; i < C; i++)
		if (!isfinite(mean[i]) || !isfinite(std[i]) || !(std[i] > 0))
			return err_set(EX_DATAERR, "%s: tensor scale.std: channel %s has deviation %g",
				f->name, m->layout.channels.s[i], (double)std[i]);
	m->scale_mean = NEW_ARRAY(float, C);
	m->scale_std = NEW_ARRAY(float, C);
	memcpy(m->scale_mean, mean, (size_t)C * sizeof *mean);
	memcpy(m->scale_std, std, (size_t)C * sizeof *std);
	return 0;
}

static int read_temperature(struct model *m, const struct st_file *f)
{
	static const char name[] = "calibration.temperature";
	int64_t one = 1;
	if (!st_find(f, name))
		return 0;
	const float *x = st_need(f, name, ST_F32, 1, &one);
	if (!x)
		return -1;
	if (!isfinite(*x) || !(*x > 0))
		return err_set(EX_DATAERR, "%s: tensor %s: %g is no temperature", f->name, name, (double)*x);
	m->temperature = *x;
	return 0;
}

/* Tensors in the file that the configuration does not account for: a model of another kind, not
 * this one. */
static int check_strangers(const struct model *m, const struct st_file *f)
{
	static const char *const aside[] = {"scale.", "calibration.", "adam.", "best.", "train."};
	for (int i = 0; i < f->n; i++) {
		const char *name = f->tensor[i].name;
		bool known = false;
		for (size_t j = 0; j < sizeof aside / sizeof *aside; j++)
			known |= text_starts(name, aside[j]);
		for (int j = 0; j < m->params.n && !known; j++)
			known = !strcmp(m->params.list[j].name, name);
		if (!known)
			return err_set(EX_DATAERR,
				"%s: tensor %s does not belong to the model its configuration (moe.config) "
				"describes",
				f->name, name);
	}
	return 0;
}

static int read_config(const struct st_file *f, struct configuration *c)
{
	const char *format = st_meta(f, "moe.format"), *config = st_meta(f, "moe.config");
	if (!format || (strcmp(format, "model/1") && strcmp(format, "state/1")))
		return err_set(EX_DATAERR,
			"%s: not a model (moe.format is %s, not model/1); moe-train makes them", f->name,
			format ? format : "missing");
	if (!config)
		return err_set(EX_DATAERR, "%s: metadata moe.config is missing", f->name);
	char *what = mem_format("%s: metadata moe.config", f->name);
	int r = config_json(c, config, strlen(config), FROM_MODEL, what);
	if (!r && config_check(c))
		r = err_at("%s", what);
	if (r) { /* whatever it is: the file's mistake, not the user's */
		char *why = mem_text(err_text());
		err_set(EX_DATAERR, "%s", why);
		free(why);
	}
	free(what);
	return r;
}

struct model *model_of(const struct st_file *f)
{
	struct configuration c;
	struct layout l;
	struct model *m = NULL;
	config_begin(&c, PRESET_SEED);
	if (!read_config(f, &c) && !layout_read(&l, f, LAYOUT_MODEL)) {
		m = model_declare(&c.value, &l, st_find(f, "gate.fc1.weight") != NULL);
		layout_free(&l);
		if (!m)
			err_at("%s", f->name);
	}
	config_end(&c);
	if (!m)
		return NULL;
	for (int i = 0; i < m->params.n; i++)
		if (!may_miss(f, m->params.list[i].name, &m->params.list[i]) &&
			!need(f, m->params.list[i].name, &m->params.list[i])) {
			model_free(m);
			return NULL;
		}
	model_allocate(m);
	const char *groups = st_meta(f, "moe.train_groups"), *history = st_meta(f, "moe.history");
	char *what = mem_format("%s: metadata moe.train_groups", f->name);
	int bad = (groups && json_names(groups, &m->train_groups, what)) || check_strangers(m, f) ||
		  read_scale(m, f) || read_temperature(m, f) || model_read_slab(m, f, "", m->params.x);
	free(what);
	m->history = history ? mem_text(history) : NULL;
	m->views = st_meta(f, "moe.views") ? mem_text(st_meta(f, "moe.views")) : NULL;
	if (!bad)
		return m;
	model_free(m);
	return NULL;
}

struct model *model_load(const char *path)
{
	struct st_file *f = st_read(path);
	struct model *m = f ? model_of(f) : NULL;
	st_free(f);
	return m;
}

int model_put(const struct model *m, const real *values, struct st_writer *w, const char *format,
	const char *history)
{
	struct text t = {0};
	int64_t C = m->layout.channels.n, one = 1;
	st_put_meta(w, "moe.format", format);
	config_write_json(&m->config, &t);
	st_put_meta(w, "moe.config", t.s);
	t.n = 0;
	json_list(&t, &m->train_groups);
	st_put_meta(w, "moe.train_groups", t.s);
	text_free(&t);
	layout_put(&m->layout, w, LAYOUT_MODEL);
	if (history)
		st_put_meta(w, "moe.history", history);
	if (m->views)
		st_put_meta(w, "moe.views", m->views);
	if (m->scale_mean) {
		st_put(w, "scale.mean", ST_F32, 1, &C, m->scale_mean);
		st_put(w, "scale.std", ST_F32, 1, &C, m->scale_std);
	}
	if (m->temperature < 1 || m->temperature > 1)
		st_put(w, "calibration.temperature", ST_F32, 1, &one, &m->temperature);
	model_put_slab(m, w, "", values);
	return 0;
}

int model_save(const struct model *m, const char *path, const struct history *h)
{
	struct output *o = output_open(path, OUTPUT_BINARY);
	if (!o)
		return -1;
	struct st_writer *w = st_writer_new();
	char *history = history_append(h, m->history);
	model_put(m, m->params.x, w, "model/1", history);
	int r = st_write(w, o);
	st_writer_free(w);
	free(history);
	return output_end(o, r);
}
