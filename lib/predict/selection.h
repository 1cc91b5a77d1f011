/* Which MoE layers and experts of a model are meant, from words on a command line: numbers from 0,
 * separated by commas.
 *
 *     struct selection *s = selection_new(model, &(struct selection_words){.layers = "1", .omit = "0,3"});
 *     s->moe_layer[k * layers + l]      region k's layer l is an MoE layer and was not left out by layers or regions
 *     s->ablation                     for struct besides (model/forward.h); NULL when no expert is taken away
 */
#ifndef PREDICT_SELECTION_H
#define PREDICT_SELECTION_H

#include "model/model.h"

/* NULL or 0: not given. */
struct selection_words {
	const char *layers, *regions; /* these alone, of all MoE layers */
	const char *only, *omit;      /* experts */
	long long force_k;            /* experts a token keeps */
};

struct selection {
	bool *moe_layer;                  /* [K][layers] */
	const struct ablation **ablation; /* [K][layers] */
	struct ablation one;
	bool *off; /* [E] */
};

/* Places a token has for experts: top_k, or all experts where the router mixes, or the experts
 * choose. */
int selection_places(const struct model *, int layer);

/* NULL and an error when the model has no such layer, region or expert, or its router cannot do
 * it. */
struct selection *selection_new(const struct model *, const struct selection_words *);
void selection_free(struct selection *);

#endif
