#include "train/need.h"

#include "base/available.h"
#include "base/error.h"
#include "base/mem.h"
#include "train/optimizer.h"

#include <stdlib.h>

enum { LARGE = 10000000 }; /* parameters */

/* Bytes of one training. */
static double needed(const struct model *m, const struct training_data *d)
{
	int64_t batch = m->config.train.batch_size;
	struct pool *one = pool_new(1);
	struct forward *f = forward_new(m, one);
	size_t shards = forward_shards(f, (int)(batch < d->trains ? batch : d->trains));
	int slabs = 2 + optimizer_table[m->config.train.optimizer]->slots + (d->valids > 0);
	forward_free(f);
	pool_free(one);
	return ((double)m->params.count * slabs + (double)shards) * sizeof(real);
}

static int refuse_for_memory(
	const struct model *m, const struct training_data *d, int at_a_time, double bytes, struct available a)
{
	int K = m->layout.regions;
	struct text less = {0}, size = {0};
	text_addf(&size, "%zu parameters", m->params.count);
	if (K > 1) {
		text_addf(&size, " in %d regions", K);
		text_add(&less, "cut the windows in one region (moe-split --regions 1 --halo 0), ");
	}
	if (at_a_time > 1)
		text_add(&less, "use fewer --threads (a fold each), ");
	err_set(EX_OSERR,
		"the model has %s: training %s%s needs at least %.3g GB (parameters, gradients, optimizer "
		"moments%s), and %.3g GB are available (%s); %sor make it smaller (encoder.hidden_dim, "
		"encoder.ffn_dim, encoder.layers, moe.num_experts)",
		size.s, at_a_time > 1 ? "folds" : "it", at_a_time > 1 ? " at the same time" : "",
		1e-9 * bytes, d->valids ? ", best parameters so far" : "", 1e-9 * a.bytes, a.why,
		text_string(&less));
	text_free(&less);
	text_free(&size);
	return -1;
}

static void note_large(const struct model *m, double bytes, struct names *notes)
{
	int K = m->layout.regions, preset = m->config.preset;
	if (K < 2 || m->params.count < LARGE || !config_preset_of_one_region(preset))
		return;
	char *note = mem_format(
		"preset %s is meant for windows of one region: with %d regions it has %zu parameters, and "
		"training needs at least %.3g GB; moe-split --regions 1 --halo 0 cuts windows of one region",
		config_preset_name(preset), K, m->params.count, 1e-9 * bytes);
	names_add(notes, note);
	free(note);
}

int need_check(const struct configuration *c, const struct model *before, const struct training_data *d,
	int at_a_time, struct names *notes)
{
	struct model *m = fit_declare(c, before, d);
	if (!m)
		return -1;
	double bytes = at_a_time * needed(m, d);
	struct available a = available_memory();
	int r = bytes > a.bytes ? refuse_for_memory(m, d, at_a_time, bytes, a) : 0;
	if (!r)
		note_large(m, bytes, notes);
	mem_doing("training a model of %zu parameters in batches of %d windows", m->params.count,
		m->config.train.batch_size);
	model_free(m);
	return r;
}
