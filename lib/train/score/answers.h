/* Answers: what a model said of windows whose class is known, as moe-predict and moe-cv print it.
 *
 *     {"recording","group","start","label","class","p":[...]} --answers_read--> rows --answers_settle--> sorted, checked
 *
 * Lines do not carry the order of p. It is that of the key "classes" or of a list that is given; else it comes from the
 * lines themselves: where the largest p stands, the name under "class" belongs. Lines may come in any order.
 */
#ifndef TRAIN_SCORE_ANSWERS_H
#define TRAIN_SCORE_ANSWERS_H

#include "base/text.h"
#include "io/input.h"

#include <stdbool.h>
#include <stdint.h>

struct answer {
	int recording, group; /* indices */
	int64_t start;        /* sample; -1: the line is of a whole recording */
	int seed;             /* index into seeds, 0 when the lines have none */
	int label;            /* index into classes (until settled: into words); -1 = unlabelled */
	int named;            /* the word under "class" and then its class; -1: not answered */
	int best;             /* the class with the largest p */
	int file;             /* where it stands, */
	int64_t line;         /* for messages */
};

struct answers {
	struct names recordings, groups; /* sorted once settled; only groups of labelled windows are left */
	struct names seeds;              /* as the lines have them; empty when they have none */
	struct names classes, files;
	struct names words; /* labels and classes met while reading */
	bool adapted;       /* predictions that used unlabelled data of the people they are for */
	char *adapted_by;   /* what the lines say of it ("group"), or NULL */
	bool listed;        /* classes were given, or stood in the lines */
	int64_t n, room, p_room;
	struct answer *row; /* [n] */
	int width;          /* numbers in p */
	double *p;          /* [n][width] */
	/* once settled: row s * windows + i is window i under seed s */
	int64_t windows;
	int64_t *
		group_from; /* [groups + 1] the windows of group g are group_from[g] .. group_from[g+1] - 1 */
	/* left out under each seed: without label; recordings of several labels */
	int64_t unlabelled, mixed;
	int64_t rejected; /* rows without an answer */
};

/* Appends the lines of an input. -1 with an error naming file and line when one is damaged, or does not go with those before
 * it: another number of classes, adapted beside not adapted, with and without a seed. */
int answers_read(struct answers *, struct input *);

/* The order of p, when the lines do not have it. Before settling. */
void answers_set_classes(struct answers *, const struct names *classes);

/* Finds the classes, sorts by seed, group, recording and start, refuses a window that stands there twice under one seed and
 * seeds of different windows; per_recording: makes one row of each recording, of the mean p, unlabelled when its windows have
 * several labels, not answered when no window of it was; then leaves out what is unlabelled. */
int answers_settle(struct answers *, bool per_recording);

int answers_seeds(const struct answers *);                   /* how many seeds, at least 1 */
void answers_adapted(const struct answers *, struct text *); /* as JSON: by what, true or false */
void answers_free(struct answers *);

/* The parts of settling, for it alone. */
int answers_find_classes(struct answers *);

#endif
