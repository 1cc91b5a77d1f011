/* One model, or an ensemble of several that predict together: the mean of their probabilities.
 *
 *     struct ensemble *e = ensemble_load(&paths, &words, missing, pool);
 *     ensemble_add(e, windows);                         each model finds channels, regions and conditions by name
 *     ensemble_adapt(e, from, n, ADAPT_WHOLE);          when one of them normalises by subject
 *     ensemble_predict(e, from, n, batch, p, logits, gate, nonfinite);
 *     ensemble_clear(e);
 *
 * Classes and regions count as in the first model. Of one model p = softmax(logits / its
 * temperature); of several logits = ln p. Of models whose head has no classes p is the mean of what
 * it decodes to, and logits, of several, is p.
 */
#ifndef PREDICT_ENSEMBLE_H
#define PREDICT_ENSEMBLE_H

#include "predict/selection.h"
#include "dataset/adapt.h"
#include "dataset/dataset.h"

struct ensemble_member {
	const char *path; /* borrowed */
	struct model *m;
	struct selection *select;
	struct forward *forward;
	struct dataset *data;
	int *class;  /* [outputs] its index of each class, or other output, of the first model */
	int *region; /* [K] its index of each region of the first model; NULL when it has others */
};

struct ensemble {
	int n;
	struct ensemble_member *member; /* [n] */
	struct layout like; /* what recordings are cut into: of the first model, with the channels of all */
	const char
		*strides; /* path of a model that cuts recordings at another stride than the first, or NULL */
	bool whole; /* one needs the samples before a window: recordings are predicted when they have ended */
	bool adapts;       /* one normalises by subject: ensemble_adapt comes before ensemble_predict */
	bool gates;        /* all have the same regions by name: there is a gate */
	int64_t windows;   /* gathered */
	struct pool *pool; /* borrowed */
};

/* paths is borrowed. NULL and an error when a model cannot be read, has other classes or wants
 * other windows than the first, or has not what the words select. */
struct ensemble *ensemble_load(
	const struct names *paths, const struct selection_words *, enum missing_channel, struct pool *);
void ensemble_free(struct ensemble *);

/* Takes the windows over (also on error, when what was gathered before stays). */
int ensemble_add(struct ensemble *, struct windows *);
void ensemble_clear(struct ensemble *);
/* Models that normalise by subject (dataset/adapt.h) learn from windows from .. from + n - 1 of
 * those gathered, in addition to those of before. -1 with an error when one cannot be predicted. */
int ensemble_adapt(struct ensemble *, int64_t from, int64_t n, enum adapt);

/* Predicts windows from .. from + n - 1 of those gathered, `batch` at a time: p [n][outputs],
 * logits [n][outputs], and gate [n][K] if there is one, are filled. -1 with an error when a window
 * cannot be predicted (a sample that is not a number, an unknown condition). Windows whose
 * prediction is not finite are marked in nonfinite [n]. */
int ensemble_predict(struct ensemble *, int64_t from, int64_t n, int batch, double *p, real *logits,
	double *gate, bool *nonfinite);

#endif
