/* A model of covariance tokens of two kinds, not fitted, and a dataset of windows made by hand. */
#ifndef TESTS_TOKEN_RIG_H
#define TESTS_TOKEN_RIG_H

#include "configured.h"
#include "made.h"

#include "base/pool.h"
#include "model/model.h"
#include "dataset/dataset.h"
#include "dataset/tokens.h"

enum { KINDS = 2, ROOM = 64 };

struct rig {
	struct layout l;
	struct configuration c;
	struct model *m;
	struct dataset *d;
	struct pool *pool;
	int64_t n, item[ROOM]; /* of the dataset; 0, 1, 2, ... */
};

/* further: KEY=VALUE, ended by NULL. The dataset takes the windows. */
static inline void rig_begin(struct rig *r, struct windows *w, const char *const *further)
{
	const char *keys[16] = {"encoder.hidden_dim=8", "encoder.heads=2", "encoder.layers=1",
		"encoder.ffn_dim=8", "encoder.bands=[4,16,31]", "encoder.window=0.0625",
		"encoder.hop=0.03125"};
	for (int i = 7; *further; i++, further++)
		keys[i] = *further;
	*r = (struct rig){.l = target(), .c = configured(PRESET_DEFAULT, keys), .pool = pool_new(2)};
	r->m = model_new(&r->c.value, &r->l, -1);
	CHECK(r->m);
	params_init(&r->m->params, 1);
	r->d = dataset_new(&r->l, MISSING_ERROR);
	for (int64_t i = 0; i < ROOM; i++)
		r->item[i] = i;
	CHECK(!dataset_add(r->d, w) && !dataset_scale(r->d, r->m));
	r->n = r->d->n;
}

/* Gives the model the mean power of these items. */
static inline void rig_level(struct rig *r, const int64_t *items, int64_t n)
{
	struct tokens *t = tokens_new(r->d, r->m);
	tokens_keep(t, items, n, r->pool);
	tokens_level(t, items, n, r->pool, r->m);
	tokens_free(t);
}

static inline void rig_end(struct rig *r)
{
	dataset_free(r->d);
	model_free(r->m);
	config_end(&r->c);
	pool_free(r->pool);
	target_done(&r->l);
}

#endif
