/* The two halves of a model on a tape: the regions' encoders (encoder.c), and what joins them
 * (joint.c, whose function is in model/head.h). Used by forward.c. */
#ifndef MODEL_ENCODER_H
#define MODEL_ENCODER_H

#include "model/model.h"
#include "tensor/ops.h"

/* Where a tensor's gradient goes: those of a part's regions lie in a buffer at their `place`, the
 * global token's apart; or in a slab, where chunks add to them in order (place IN_ORDER). Without
 * places the buffer is a slab. {.params = ...} alone = no gradients. */
#define IN_ORDER SIZE_MAX
struct gradient_view {
	const struct params *params;
	real *gradient;
	const size_t *place; /* [params.n] */
	real *slab;
	real *token;
	/* of the MoE layers, [regions][layers]; NULL where not wanted */
	/* of those whose experts' gradients lie in the slab */
	struct ordered_sum *ordered_sum;
	bool announces;                         /* see moe/ordered_sum.h */
	struct balance *balance;                /* counts what the routers choose */
	const struct balance_slope *slope;      /* of the balance losses, read in backward */
	const int *scope;                       /* [windows] of the balance losses, or NULL */
	struct choice *chosen;                  /* what was chosen */
	const int *condition;                   /* [windows] (moe/router.h) */
	uint64_t key;                           /* of the routers' random draws */
	uint64_t batch_key;                     /* of those that are one for the whole batch */
	const struct ablation *const *ablation; /* experts left out in evaluation */
	const bool *without;                    /* [K] regions left out in evaluation, or NULL */
};

static inline struct weight at(const struct gradient_view *v, int index)
{
	const struct param *p = &v->params->list[index];
	struct weight w = {v->params->x + p->offset, NULL};
	if (v->gradient && v->place)
		w.g = v->place[index] == IN_ORDER ? v->slab + p->offset : v->gradient + v->place[index];
	else if (v->gradient)
		w.g = v->gradient + p->offset;
	return w;
}

/* Whether the regions exchange their global tokens between layers, so that one cannot be encoded
 * without the others. */
bool encoder_couples(const struct model *);

/* Regions k .. k+regions-1 (all of them where they are coupled) for B windows:
 * features[] [B*n][D] -> summary[] [B][H], token[] [B][H] (NULL without global tokens), and, unless
 * local is NULL, local[] [B*n][H], the local tokens behind the last layer. */
void encoder_forward(const struct model *, int k, int regions, struct tape *, struct node *const *features,
	int B, const struct gradient_view *, struct node **summary, struct node **token, struct node **local);

/* noise [B][K] of windows first .. first+B-1 of a step's batch */
void gate_noise(const struct model *, uint64_t seed, uint64_t step, int first, int B, real *noise);

#endif
