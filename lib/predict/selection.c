#include "predict/selection.h"

#include "base/error.h"
#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

void selection_free(struct selection *s)
{
	if (!s)
		return;
	free(s->moe_layer);
	free(s->ablation);
	free(s->off);
	free(s);
}

/* Sets on[i] for every number of the list; what names the option, n what there are. */
static int read_numbers(const char *list, const char *option, const char *what, int n, bool *on)
{
	struct names words = {0};
	int bad = 0;
	names_split(&words, list, ',');
	if (!words.n)
		bad = err_set(EX_USAGE, "%s: the list is empty; give numbers separated by commas", option);
	for (int i = 0; i < words.n && !bad; i++) {
		long long x;
		if (!text_to_long(words.s[i], &x))
			bad = err_set(EX_USAGE, "%s: %s is not a number", option, words.s[i]);
		else if (x < 0 || x >= n)
			bad = err_set(EX_USAGE, "%s: the model has no %s %lld; there are 0 to %d", option,
				what, x, n - 1);
		else
			on[x] = true;
	}
	names_free(&words);
	return bad;
}

static bool *all_on(int n)
{
	bool *on = NEW_ARRAY(bool, n);
	memset(on, 1, (size_t)n * sizeof *on);
	return on;
}

/* on [n] is made: what the list names, or everything without one. */
static int read_or_all(const char *list, const char *option, const char *what, int n, bool **on)
{
	*on = list ? NEW_ARRAY(bool, n) : all_on(n);
	return list ? read_numbers(list, option, what, n, *on) : 0;
}

static int check_listed_layers(const struct model *m, const bool *layer, bool listed)
{
	for (int l = 0; listed && l < m->config.encoder.layers; l++)
		if (layer[l] && !config_moe_layer(&m->config, l))
			return err_set(EX_USAGE,
				"--layer: layer %d of the model is not a mixture-of-experts layer", l);
	return 0;
}

static int choose_layers(struct selection *s, const struct model *m, const struct selection_words *w)
{
	int K = m->layout.regions, L = m->config.encoder.layers;
	bool *layer = NULL, *region = NULL;
	int bad = read_or_all(w->layers, "--layer", "layer", L, &layer) ||
		  read_or_all(w->regions, "--region", "region", K, &region) ||
		  check_listed_layers(m, layer, w->layers != NULL);
	s->moe_layer = NEW_ARRAY(bool, K *L);
	for (int i = 0; i < K * L && !bad; i++)
		s->moe_layer[i] = region[i / L] && layer[i % L] && config_moe_layer(&m->config, i % L);
	free(layer);
	free(region);
	return bad;
}

int selection_places(const struct model *m, int layer)
{
	return m->router->sends ? config_chosen(&m->config) : config_experts(&m->config, layer);
}

static int check_force_k(const struct model *m, long long k)
{
	if (k && m->router->pools)
		return err_set(EX_USAGE,
			"--force-k has no effect with the router %s, where tokens do not choose their "
			"experts",
			m->router->name);
	int most = INT_MAX;
	for (int l = 0; l < m->config.encoder.layers; l++)
		if (config_moe_layer(&m->config, l) && selection_places(m, l) < most)
			most = selection_places(m, l);
	return k <= most ? 0
			 : err_set(EX_USAGE,
				   "--force-k %lld: a token of this model goes to %d expert%s only; give a "
				   "smaller number",
				   k, most, most == 1 ? "" : "s");
}

static int choose_experts(struct selection *s, const struct model *m, const struct selection_words *w)
{
	int K = m->layout.regions, L = m->config.encoder.layers, E = 0, least = INT_MAX, left = 0;
	for (int l = 0; l < L; l++)
		if (config_moe_layer(&m->config, l)) {
			int n = config_experts(&m->config, l);
			E = n > E ? n : E;
			least = n < least ? n : least;
		}
	s->off = NEW_ARRAY(bool, E);
	if (check_force_k(m, w->force_k) ||
		(w->only && read_numbers(w->only, "--only", "expert", E, s->off)) ||
		(w->omit && read_numbers(w->omit, "--omit", "expert", E, s->off)))
		return -1;
	for (int e = 0; e < E; e++) {
		s->off[e] ^= w->only != NULL;
		left += e < least && !s->off[e];
	}
	if (!left)
		return err_set(EX_USAGE, "%s leaves a layer without experts; leave out fewer",
			w->only ? "--only" : "--omit");
	s->one = (struct ablation){s->off, (int)w->force_k};
	s->ablation = NEW_ARRAY(const struct ablation *, K *L);
	for (int i = 0; i < K * L; i++)
		s->ablation[i] = s->moe_layer[i] ? &s->one : NULL;
	return 0;
}

struct selection *selection_new(const struct model *m, const struct selection_words *w)
{
	struct selection *s = NEW(struct selection);
	bool taken = w->only || w->omit || w->force_k;
	int bad = 0;
	if (w->only && w->omit)
		bad = err_set(EX_USAGE, "--only and --omit exclude each other");
	else if (!m->moe_layers && (taken || w->layers || w->regions))
		bad = err_set(EX_USAGE,
			"%s has no effect: the model has no mixture-of-experts layers (moe.layers is none)",
			w->only      ? "--only"
			: w->omit    ? "--omit"
			: w->force_k ? "--force-k"
			: w->layers  ? "--layer"
				     : "--region");
	if (bad || choose_layers(s, m, w) || (taken && choose_experts(s, m, w))) {
		selection_free(s);
		return NULL;
	}
	return s;
}
