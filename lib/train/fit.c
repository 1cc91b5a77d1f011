#include "train/fit.h"

#include "model/head.h"

#include "base/error.h"
#include "base/mem.h"
#include "tensor/gemm.h"
#include "dataset/adapt.h"
#include "train/augment.h"
#include "dataset/condition.h"
#include "train/linear_prior.h"
#include "dataset/tokens.h"
#include "train/schedule.h"
#include "train/survey.h"

#include <stdlib.h>
#include <string.h>

int fit_check_unvalidated(const struct configuration *c)
{
	if (c->value.train.patience && config_given(c, "train.patience"))
		return err_set(EX_CONFIG, "train.patience has no effect without validation windows "
					  "(--valid-groups, --valid-fraction, ...)");
	if (c->value.train.calibrate == CALIBRATE_TEMPERATURE && config_given(c, "train.calibrate"))
		return err_set(EX_CONFIG, "train.calibrate=temperature has no effect without validation "
					  "windows (--valid-groups, --valid-fraction, ...)");
	return 0;
}

struct model *fit_declare(
	const struct configuration *c, const struct model *before, const struct training_data *d)
{
	struct layout l;
	struct names conditions = {0};
	if (!before && conditions_collect(d->train, &c->value, d->train_item, d->trains, &conditions))
		return NULL;
	layout_copy(&l, d->train->target);
	must(!c->value.encoder.views.n || layout_has_views(&l));
	names_free(&l.classes);
	names_copy(&l.classes, &d->train->classes);
	if (!before)
		l.conditions = conditions;
	struct config value = c->value;
	value.train.warmup_steps = config_warmup(c, schedule_steps(&value, d->trains));
	struct model *m = model_declare(&value, &l, before ? before->gate_fc1_weight >= 0 : -1);
	struct config_extent extent = m ? model_extent(m) : (struct config_extent){0};
	if (m && config_check_effect(c, &extent)) {
		model_free(m);
		m = NULL;
	}
	if (m && m->head->targets && !d->target) {
		err_set(EX_CONFIG,
			"head.type=%s is trained on targets of its own, which windows files do not contain; "
			"use a head with classes",
			m->head->name);
		model_free(m);
		m = NULL;
	}
	layout_free(&l);
	return m;
}

static void start_values(struct model *m, struct model *before, const struct training_data *d, uint64_t seed)
{
	if (before) {
		m->temperature = m->config.train.calibrate ? before->temperature : 1;
		memcpy(m->params.x, before->params.x, m->params.count * sizeof(real));
		names_copy(&m->train_groups, &before->train_groups);
		m->scale_mean = before->scale_mean;
		m->scale_std = before->scale_std;
		before->scale_mean = before->scale_std = NULL;
	} else {
		params_init(&m->params, seed);
	}
	const char *history = before              ? before->history
			      : d->train->sources ? dataset_windows(d->train, 0)->history
						  : NULL;
	m->history = history ? mem_text(history) : NULL;
	for (int64_t i = 0; i < d->trains; i++)
		names_intern(&m->train_groups, d->train->groups.s[d->train->item[d->train_item[i]].group]);
}

static bool has_scaler(const struct model *m)
{
	int scale = m->config.train.scale;
	return scale == SCALE_ZSCORE || (scale == SCALE_GROUP && tokens_any_fixed(m));
}

/* The pass over all raw samples: refuses windows that cannot be trained on, and leaves the scaler,
 * where a model that is continued has not got it already. */
static int survey(struct model *m, const struct training_data *d, char **fingerprint, struct pool *pool)
{
	bool scales = has_scaler(m) && !m->scale_mean;
	if (scales) {
		m->scale_mean = NEW_ARRAY(float, m->layout.channels.n);
		m->scale_std = NEW_ARRAY(float, m->layout.channels.n);
	}
	return survey_training(d, m, scales ? m->scale_mean : NULL, scales ? m->scale_std : NULL,
		survey_rule(&m->config), fingerprint, pool);
}

static int check_lengths(const struct model *m, const struct training_data *d)
{
	for (int64_t i = 0; i < d->trains && m->moe_layers && m->config.moe.scope == SCOPE_BATCH; i++)
		if (dataset_samples(d->train, d->train_item[i]) < m->layout.length)
			return err_set(EX_CONFIG, "moe.scope=batch needs whole windows, and some are partial "
						  "(moe-split --last)");
	return 0;
}

/* What a model that is continued was trained behind stays. One whose samples came as they are may
 * get a scaler. */
static int check_scale(const struct model *m, const struct model *before)
{
	int scale = m->config.train.scale, was = before ? before->config.train.scale : scale;
	if (!has_scaler(m) && m->scale_mean)
		return err_set(EX_CONFIG, "train.scale: the model that is continued was trained on "
					  "standardised channels; set train.scale=zscore");
	static const char *const on[] = {[SCALE_WINDOW] = "windows standardised one by one",
		[SCALE_EMS] = "samples standardised by running means",
		[SCALE_GROUP] = "windows standardised group by group",
		[SCALE_ZSCORE] = "windows that were not standardised group by group"};
	static const char *const name[] = {[SCALE_WINDOW] = "window",
		[SCALE_EMS] = "ems",
		[SCALE_GROUP] = "group",
		[SCALE_ZSCORE] = "zscore"};
	bool other = was == SCALE_WINDOW || was == SCALE_EMS || was == SCALE_GROUP ||
		     (was == SCALE_ZSCORE && scale == SCALE_GROUP);
	if (scale != was && other)
		return err_set(EX_CONFIG,
			"train.scale: the model that is continued was trained on %s; set train.scale=%s",
			on[was], name[was]);
	return 0;
}

static int bind_conditions(const struct model *m, const struct training_data *d)
{
	if (conditions_bind(d->train, m, d->train_item, d->trains))
		return -1;
	return d->valids && conditions_bind(d->valid, m, d->valid_item, d->valids) ? err_at("validation") : 0;
}

/* The items of one dataset that train or validate. */
struct inputs {
	struct dataset *d;
	const int64_t *item;
	int64_t n;
};

/* One of each dataset; returns how many. *all is to be freed: where both are of one dataset their
 * items go together, as a subject may train and validate, where time divides them. */
static int find_inputs(const struct training_data *d, struct inputs inputs[2], int64_t **all)
{
	*all = NULL;
	inputs[0] = (struct inputs){d->train, d->train_item, d->trains};
	inputs[1] = (struct inputs){d->valid, d->valid_item, d->valids};
	if (!d->valids || d->valid != d->train)
		return d->valids ? 2 : 1;
	inputs[0].n = d->trains + d->valids;
	inputs[0].item = *all = NEW_ARRAY(int64_t, inputs[0].n);
	memcpy(*all, d->train_item, (size_t)d->trains * sizeof **all);
	memcpy(*all + d->trains, d->valid_item, (size_t)d->valids * sizeof **all);
	return 1;
}

/* Tokens that are the same every time are made once, from scaled samples, and standardised once, by
 * statistics of the training windows alone. Of a model that is continued (begins false) the
 * statistics stay. */
static int make_tokens(struct model *m, bool begins, const struct training_data *d, struct pool *pool)
{
	struct inputs inputs[2];
	int64_t *all;
	int sets = find_inputs(d, inputs, &all), bad;
	bool fits = begins && tokens_any_fixed(m) && m->config.train.scale != SCALE_NONE;
	for (int i = 0; i < sets; i++)
		dataset_keep(inputs[i].d, m, inputs[i].item, inputs[i].n, pool);
	if (fits)
		tokens_level(d->train->tokens, d->train_item, d->trains, pool, m);
	for (int i = 0; i < sets; i++)
		dataset_adapt(inputs[i].d, m, inputs[i].item, inputs[i].n, ADAPT_WHOLE, pool);
	bad = d->train->tokens && tokens_check(d->train->tokens, d->train_item, d->trains);
	if (fits && !bad)
		tokens_fit(d->train->tokens, d->train_item, d->trains, pool, m);
	for (int i = 0; i < sets && !bad; i++)
		dataset_standardise(inputs[i].d, inputs[i].item, inputs[i].n);
	free(all);
	return bad ? -1 : 0;
}

static int fit_inputs(
	struct model *m, bool begins, bool out_of_fold, const struct training_data *d, struct pool *pool)
{
	if (dataset_scale(d->train, m) || (d->valids && d->valid != d->train && dataset_scale(d->valid, m)) ||
		make_tokens(m, begins, d, pool))
		return -1;
	return (begins || out_of_fold) && m->prior
		       ? linear_prior_fit(d->train, m, d->train_item, d->trains, LINEAR_PRIOR_MOST, begins)
		       : 0;
}

struct model *fit_model(const struct configuration *c, struct model *before, bool out_of_fold,
	const struct training_data *d, struct pool *pool, uint64_t seed, char **fingerprint)
{
	struct model *m = fit_declare(c, before, d);
	if (fingerprint)
		*fingerprint = NULL;
	if (!m)
		return NULL;
	gemm_single_thread(pool_threads(pool));
	model_allocate(m);
	start_values(m, before, d, seed);
	if (d->valids && d->valid != d->train)
		dataset_renumber(d->valid, &m->layout.classes);
	if (check_scale(m, before) || augment_check(&m->config, &m->layout) ||
		survey(m, d, fingerprint, pool) || check_lengths(m, d) || bind_conditions(m, d) ||
		fit_inputs(m, !before, out_of_fold, d, pool)) {
		model_free(m);
		if (fingerprint) {
			free(*fingerprint);
			*fingerprint = NULL;
		}
		return NULL;
	}
	return m;
}
