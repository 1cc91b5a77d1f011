/* The score of predictions: metrics over all windows, by group and by run, what guessing would
 * reach, and how far the result might change with other subjects.
 *
 * With several runs (seeds, permutations) every metric is the mean over them, and windows are
 * counted once; the confusion matrix adds up.
 */
#ifndef SCORE_SCORE_H
#define SCORE_SCORE_H

#include "score/resample.h"
#include "score/metric.h"

struct chance {
	double level;      /* the fraction that guessing gets right on average */
	double at95, at99; /* chance_limit */
};

/* An accuracy of each kind with its interval over resampled groups. */
struct accuracies {
	double accuracy, balanced;
	struct interval accuracy_interval, balanced_interval;
};

struct group_score {
	int64_t windows;
	double value[METRICS];
	struct chance chance; /* of one in as many as there are classes */
};

struct score {
	const struct predictions *predictions; /* settled; borrowed */
	bool per_recording;
	int resamples;
	uint64_t seed;
	double value[METRICS];
	int64_t *confusion;                 /* [classes label][classes predicted] */
	struct interval accuracy, balanced; /* of the two metrics */
	struct accuracies over_groups;      /* means over the groups */
	struct chance even, frequent; /* one in as many as there are classes; always the most frequent one */
	int most_frequent;            /* its index */
	struct group_score *group;    /* [groups] */
	double (*by_run)[METRICS];    /* [runs] */
	/* where some windows are rejected: the fraction that is not, and the score of these */
	double coverage;
	struct accuracies answered;
	struct names notes; /* sentences for the user: what was left out, what is not defined */
};

/* resamples of the groups for the intervals; 0: none. */
void score_predictions(
	struct score *, const struct predictions *, bool per_recording, int resamples, uint64_t seed);
void score_free(struct score *);

void score_json(const struct score *, struct text *); /* one object, without its closing brace */
void score_rows(const struct score *, char separator, struct text *);
void score_words(const struct score *, struct text *);

#endif
