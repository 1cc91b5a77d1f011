#include "train/expert_load.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "moe/rebalance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 3, WARNED = -1 };

/* One MoE layer in the epoch at hand. */
struct counted {
	int at; /* in forward's [K][layers] */
	int64_t *count, dropped;
	int *starved;  /* [E] epochs in a row, or WARNED */
	double aux, z; /* sums over windows */
};

struct moe_layers {
	const struct model *m;
	int n;
	int64_t windows;
	struct counted *counted;
	struct moe_layer_report *report;
};

struct moe_layers *expert_load_new(const struct model *m)
{
	if (!m->moe_layers)
		return NULL;
	struct moe_layers *x = NEW(struct moe_layers);
	int L = m->config.encoder.layers, K = m->layout.regions;
	*x = (struct moe_layers){.m = m};
	x->counted = NEW_ARRAY(struct counted, K * L);
	x->report = NEW_ARRAY(struct moe_layer_report, K * L);
	for (int i = 0; i < K * L; i++) {
		if (!config_moe_layer(&m->config, i % L))
			continue;
		int E = config_experts(&m->config, i % L);
		x->counted[x->n] = (struct counted){
			.at = i, .count = NEW_ARRAY(int64_t, E), .starved = NEW_ARRAY(int, E)};
		x->report[x->n++] = (struct moe_layer_report){
			.region = i / L, .layer = i % L, .experts = E, .share = NEW_ARRAY(double, E)};
	}
	return x;
}

void expert_load_free(struct moe_layers *x)
{
	for (int i = 0; x && i < x->n; i++) {
		free(x->counted[i].count);
		free(x->counted[i].starved);
		free(x->report[i].share);
	}
	if (x) {
		free(x->counted);
		free(x->report);
	}
	free(x);
}

void expert_load_add(struct moe_layers *x, const struct forward *f, int windows)
{
	const struct balance *of = forward_balance(f);
	if (!x)
		return;
	x->windows += windows;
	for (int i = 0; i < x->n; i++) {
		struct counted *c = &x->counted[i];
		const struct balance *b = &of[c->at];
		for (int e = 0; e < x->report[i].experts; e++)
			c->count[e] += balance_sent(b, e);
		c->dropped += b->dropped;
		c->aux += windows * balance_loss(b, (enum balance_form)x->m->config.moe.load_balance_form);
		c->z += windows * balance_z(b);
	}
}

/* What would send an expert more tokens. */
static char *advice(const struct config *c)
{
	if (c->moe.balance == BALANCE_BY_BIAS)
		return mem_format(
			"a larger moe.balance_rate (it is %g), or fewer experts", c->moe.balance_rate);
	if (c->moe.balance == BALANCE_BY_QUANTILE)
		return mem_text("fewer experts");
	const char *evener = config_router(c)->evener;
	return mem_format("a larger moe.load_balance_weight (it is %g),%s%s%s or fewer experts",
		c->moe.load_balance_weight, evener ? " moe.router=" : "", evener ? evener : "",
		evener ? "," : "");
}

static void warn(const struct moe_layers *x, const struct moe_layer_report *r, int e, struct names *warnings)
{
	char *what = advice(&x->m->config);
	char *s = mem_format("region %d, layer %d: expert %d got %.2g %% of the tokens; for %d epochs it had "
			     "less than a tenth of an even share (%.3g %%); try %s",
		r->region, r->layer, e, 100 * r->share[e], PATIENCE, 100. / r->experts, what);
	names_add(warnings, s);
	free(s);
	free(what);
}

static void end_one(
	const struct moe_layers *x, struct counted *c, struct moe_layer_report *r, struct names *warnings)
{
	int64_t all = 0;
	for (int e = 0; e < r->experts; e++)
		all += c->count[e];
	r->assigns = all > 0;
	r->overflow = all ? (double)c->dropped / (double)all : 0;
	r->aux = c->aux / (double)x->windows;
	r->z = c->z / (double)x->windows;
	for (int e = 0; e < r->experts && all; e++) {
		r->share[e] = (double)c->count[e] / (double)all;
		if (c->starved[e] == WARNED)
			continue;
		c->starved[e] = r->share[e] < 0.1 / r->experts ? c->starved[e] + 1 : 0;
		if (c->starved[e] == PATIENCE) {
			c->starved[e] = WARNED;
			warn(x, r, e, warnings);
		}
	}
	memset(c->count, 0, (size_t)r->experts * sizeof *c->count);
	c->aux = c->z = 0;
	c->dropped = 0;
}

const struct moe_layer_report *expert_load_end_epoch(struct moe_layers *x, int *n, struct names *warnings)
{
	*n = 0;
	if (!x)
		return NULL;
	for (int i = 0; i < x->n; i++)
		end_one(x, &x->counted[i], &x->report[i], warnings);
	x->windows = 0;
	*n = x->n;
	return x->report;
}

/* --- the state file: [{"count":[E],"dropped":n,"starved":[E],"aux":sum,"z":sum},...] */

void expert_load_write(const struct moe_layers *x, struct text *t)
{
	text_add(t, "[");
	for (int i = 0; x && i < x->n; i++) {
		const struct counted *c = &x->counted[i];
		int E = x->report[i].experts;
		text_addf(t, "%s{\"count\":[", i ? "," : "");
		for (int e = 0; e < E; e++)
			text_addf(t, "%s%lld", e ? "," : "", (long long)c->count[e]);
		text_addf(t, "],\"dropped\":%lld,\"starved\":[", (long long)c->dropped);
		for (int e = 0; e < E; e++)
			text_addf(t, "%s%d", e ? "," : "", c->starved[e]);
		text_add(t, "],\"aux\":");
		json_double(t, c->aux);
		text_add(t, ",\"z\":");
		json_double(t, c->z);
		text_add(t, "}");
	}
	text_add(t, "]");
}

/* A list of E whole numbers from least to most. */
static bool read_whole(const cJSON *list, int E, double least, double most, double *out)
{
	const cJSON *item;
	int i = 0;
	if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != E)
		return false;
	cJSON_ArrayForEach(item, list)
	{
		double v = cJSON_IsNumber(item) ? item->valuedouble : NAN;
		if (!(v >= least && v <= most) || v != floor(v))
			return false;
		out[i++] = v;
	}
	return true;
}

static bool read_one(const cJSON *from, struct counted *c, int E)
{
	const cJSON *aux = json_get(from, "aux"), *z = json_get(from, "z"),
		    *dropped = json_get(from, "dropped");
	double *v = NEW_ARRAY(double, E);
	bool fine = cJSON_IsNumber(aux) && cJSON_IsNumber(z) && cJSON_IsNumber(dropped) &&
		    dropped->valuedouble >= 0 && dropped->valuedouble <= 0x1p53;
	if (fine) {
		c->dropped = (int64_t)dropped->valuedouble;
		c->aux = aux->valuedouble;
		c->z = z->valuedouble;
	}
	fine = fine && read_whole(json_get(from, "count"), E, 0, 0x1p53, v);
	for (int e = 0; e < E && fine; e++)
		c->count[e] = (int64_t)v[e];
	fine = fine && read_whole(json_get(from, "starved"), E, WARNED, PATIENCE - 1, v);
	for (int e = 0; e < E && fine; e++)
		c->starved[e] = (int)v[e];
	free(v);
	return fine;
}

int expert_load_read(struct moe_layers *x, const cJSON *list, int64_t windows, const char *what)
{
	const cJSON *item;
	int i = 0;
	if (!x)
		return 0;
	bool fine = cJSON_IsArray(list) && cJSON_GetArraySize(list) == x->n;
	if (fine)
		cJSON_ArrayForEach(item, list)
		{
			fine = fine && read_one(item, &x->counted[i], x->report[i].experts);
			i++;
		}
	x->windows = windows;
	return fine ? 0
		    : err_set(EX_DATAERR,
			      "%s: \"mixtures\" does not hold the counts of the model's MoE layers", what);
}
