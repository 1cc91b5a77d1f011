/* What every part of a model contributes: the change of accuracy on labelled windows when one
 * expert of one MoE layer, or one region, is left out, with an interval by bootstrap over groups
 * (score/resample.h).
 */
#ifndef ANALYSIS_ABLATION_H
#define ANALYSIS_ABLATION_H

#include "dataset/dataset.h"
#include "score/resample.h"

struct left_out {
	int region, layer, expert; /* layer, expert -1: the region as a whole */
	double accuracy, change;   /* without it; that less the whole model's */
	struct interval interval;  /* 95 %, of the change; NAN with fewer than two groups, or no resamples */
};

struct ablation_table {
	int64_t windows; /* labelled with a class of the model */
	int groups;      /* of these windows */
	int resamples;
	uint64_t seed;
	double accuracy; /* of the whole model */
	int n;
	struct left_out
		*part; /* [n] by region: the region (where there are several), then its experts by layer */
};

/* Evaluates the model, whole and without each part, on the windows that have a label of it. -1 with
 * an error when there is none, or a window cannot be evaluated; the table is to be freed all the
 * same. */
int ablation_measure(const struct model *, struct forward *, const struct dataset *, int resamples,
	uint64_t seed, struct ablation_table *);
void ablation_table_free(struct ablation_table *);

void ablation_json(const struct ablation_table *, const struct model *, struct text *);
void ablation_rows(const struct ablation_table *, const struct model *, char separator, struct text *);
void ablation_words(const struct ablation_table *, const struct model *, struct text *);

#endif
