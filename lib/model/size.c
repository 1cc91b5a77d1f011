/* How many numbers a model has, and how many of them one token meets. */
#include "model/model.h"

double model_experts_per_token(const struct model *m, int k, int layer)
{
	struct router_shape s = model_router_shape(m, k, layer);
	return m->router->experts_per_token ? m->router->experts_per_token(&s) : s.k;
}

struct model_size model_size(const struct model *m)
{
	struct model_size s = {m->params.count, 0};
	double idle = 0;
	for (int k = 0; k < m->layout.regions; k++)
		for (int l = 0; l < m->config.encoder.layers; l++) {
			const struct layer_params *layer = &m->region[k].layer[l];
			if (!layer->moe_layer)
				continue;
			double share = model_experts_per_token(m, k, l) / config_experts(&m->config, l);
			for (int p = 0; p < layer->parts; p++)
				for (int i = 0; i < layer->part[p].tensors; i++)
					idle += (1 - share) *
						(double)m->params.list[layer->part[p].tensor[i]].count;
		}
	s.active = s.total - (size_t)(idle + 0.5);
	return s;
}

int model_size_print(const struct config *c, const struct layout *l, int with_gate, struct text *t)
{
	struct model *m = model_declare(c, l, with_gate);
	if (!m)
		return -1;
	struct model_size n = model_size(m);
	text_addf(t, "parameters\t%zu\tin all\nparameters\t%zu\tactive\n", n.total, n.active);
	model_free(m);
	return 0;
}
