/* Predictions of windows whose class is known, as moe-predict and moe-cv print them.
 *
 *     {"recording","group","start","label","class","p":[...]} --predictions_read--> rows --predictions_settle--> sorted, checked
 *
 * Lines do not carry the order of p. It is that of the key "classes" or of a list that is given;
 * else it comes from the lines themselves: the largest p belongs to the name under
 * "class". Lines may come in any order.
 */
#ifndef SCORE_PREDICTIONS_H
#define SCORE_PREDICTIONS_H

#include "base/text.h"
#include "io/input.h"

#include <stdbool.h>
#include <stdint.h>

struct prediction_row {
	int recording, group; /* indices */
	int64_t start;        /* sample; -1: the line is of a whole recording */
	int run;              /* index into runs, 0 when the lines have none */
	int label;            /* index into classes (until settled: into words); -1 = unlabelled */
	int named;            /* the word under "class" and then its class; -1: rejected */
	int best;             /* the class with the largest p */
	int file;             /* its place in the input, */
	int64_t line;         /* for messages */
};

struct predictions {
	struct names recordings, groups; /* sorted once settled; only groups of labelled windows are left */
	struct names runs,
		run_keys; /* "seed 1, permutation 3" and the same as keys of JSON; empty when the lines have none */
	struct names classes, files;
	struct names words; /* labels and classes met while reading */
	bool adapted;       /* unlabelled data of the predicted subjects was used */
	char *adapted_by;   /* what the lines say of it ("group"), or NULL */
	bool listed;        /* classes were given, or stood in the lines */
	int64_t n, room, p_room;
	struct prediction_row *row; /* [n] */
	int width;                  /* numbers in p */
	double *p;                  /* [n][width] */
	/* once settled: row r * windows + i is window i of run r */
	int64_t windows;
	int64_t *
		group_from; /* [groups + 1] the windows of group g are group_from[g] .. group_from[g+1] - 1 */
	/* left out of each run: without label; recordings of several labels */
	int64_t unlabelled, mixed;
	int64_t rejected; /* rows without a class */
};

/* Appends the lines of an input. -1 with an error naming file and line when one is damaged, or does
 * not go with those before it: another number of classes, adapted beside not adapted, with and
 * without a seed or permutation. */
int predictions_read(struct predictions *, struct input *);

/* The order of p, when the lines do not have it. Before settling. */
void predictions_set_classes(struct predictions *, const struct names *classes);
/* The same from a list separated by commas (--classes). -1 with an error when the lines have
 * classes of their own and these differ. */
int predictions_choose_classes(struct predictions *, const char *list);

/* Finds the classes, sorts by run, group, recording and start, refuses a window that occurs twice
 * in one run and runs of different windows; per_recording: makes one row of each recording,
 * of the mean p, unlabelled when its windows have several labels, rejected when all its windows
 * are; then leaves out what is unlabelled. */
int predictions_settle(struct predictions *, bool per_recording);

int predictions_runs(const struct predictions *);                    /* how many, at least 1 */
void predictions_adapted(const struct predictions *, struct text *); /* as JSON: by what, true or false */
void predictions_free(struct predictions *);

/* The parts of settling, for it alone. */
int predictions_find_classes(struct predictions *);

#endif
