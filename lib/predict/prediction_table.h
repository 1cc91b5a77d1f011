/* Predictions as rows of a table, for --csv and --tsv: recording, group, start and time (or, of a
 * recording, windows), label, class, p_CLASS and logit_CLASS of each class (value_0 ... of a head
 * without classes), gate_REGION of each region, and adapted where groups are adapted to. */
#ifndef PREDICT_PREDICTION_TABLE_H
#define PREDICT_PREDICTION_TABLE_H

#include "predict/prediction.h"

struct prediction_table {
	const struct model *model; /* borrowed */
	char separator;            /* a comma or a tab */
	int regions;               /* 0 without a gate */
	bool recordings;           /* a row is a recording, not a window */
	bool adapts;
};

void prediction_table_header(const struct prediction_table *, struct text *);
void prediction_table_row(const struct prediction_table *, const struct prediction *, struct text *);

#endif
