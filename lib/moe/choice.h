/* What a router chose, as plain numbers, and what is left of a choice when experts are taken away
 * (ablation).
 *
 * soft_moe chooses no expert: each token is given to all of them, by the sum of its combine weights
 * over the expert's slots.
 */
#ifndef MOE_CHOICE_H
#define MOE_CHOICE_H

#include "moe/router.h"

/* A choice by levels, from the leaves on, of which losses are taken: that of a single router is one
 * level. Returns how many. */
int choice_levels(const struct choice *, struct choice_level level[ROUTER_LEVELS]);
/* How many routers of a level a row reaches, and which is the i-th. */
int choice_reached(const struct choice_level *);
int choice_router(const struct choice_level *, size_t row, int i);

/* Experts a token has places for: the router's k, or E when it mixes. */
int choice_places(const struct choice *, int E);
/* Tokens it is about. */
int choice_rows(const struct choice *);
/* probability [rows][E], expert and weight [rows][places]; -1 and 0 where a place is empty. */
void choice_write(const struct choice *, int rows, int E, float *probability, int32_t *expert, float *weight);

/* Experts taken away at run time. */
struct ablation {
	const bool *off; /* [E] these are left out; NULL: none */
	int k;           /* of the others a token keeps so many, those of the largest weight; 0: all */
};

/* Evaluation only, before the experts work: empties the places of what is left out. Where a token's
 * weights were made to add up to 1, those that remain are scaled to the sum they had all together;
 * a token that has none left passes the layer by. Of soft_moe the slots of experts that are off are
 * left out, and k is 0. */
void choice_ablate(struct tape *, struct choice *, const struct ablation *, int rows, int E);

#endif
