/* Output heads: what a model makes of its regions in the end. A head declares its tensors, records
 * its operations on the tape behind the gate, says what its loss is, and turns the numbers of a
 * window into a prediction and that into JSON. One file each in head/, entered by one line of the
 * table in head.c; the key head.type chooses one (config_head).
 *
 * The linear prior (encoder.evidence) belongs to no head: where the outputs are logits of
 * classes it is added to them after the head (joint.c).
 */
#ifndef MODEL_HEAD_H
#define MODEL_HEAD_H

#include "base/text.h"
#include "model/encoder.h"

/* What a head reads of B windows. */
struct head_input {
	int B;
	struct node *const *summary; /* [K] of [B][H] */
	struct node *gate;           /* [B][K] weights of the regions */
	/* The encoders' final local tokens, window after window: those of window b and region k are
	 * rows first[k][b] .. first[k][b+1]-1 of token[k], fewer than the region's n in a partial
	 * window. Gradients added to them flow back through the encoders. NULL unless the head says
	 * `tokens`. */
	struct node *const *token; /* [K] of [first[k][B]][H] */
	int *const *first;         /* [K] of [B+1] */
};

struct head_output {
	struct node *out;  /* [B][outputs] */
	struct node **own; /* [K] of [B][outputs]: what each region says by itself; NULL: nothing */
};

/* What the outputs of windows are held against. */
struct head_targets {
	struct targets class;     /* of heads with classes */
	const real *class_weight; /* [classes] or NULL */
	real smoothing;
	const real *value; /* [B][targets] of a head with targets of its own, else NULL */
};

/* Losses [1][1], each the sum over the windows at hand divided by the total of the whole batch. */
struct head_loss {
	struct node *task;
	struct node **own; /* [K] of the regions' own answers (train.expert_loss_weight); NULL: none */
};

/* A window's, or a recording's, outputs decoded. */
struct head_prediction {
	const struct model *model; /* borrowed */
	int n;                     /* outputs */
	int samples;               /* of the window that are there (model_tokens); 0 of a recording */
	const char *class;         /* of heads with classes; NULL: there is no prediction */
	const double *p;           /* [n] what decode returned; NULL likewise */
	const real *out;           /* [n] what it was decoded from; NULL likewise, and of a recording */
	bool recording;
};

struct head_type {
	const char *name; /* in head.type */
	const char *help; /* what comes of it: a clause for the page of the keys */
	bool tokens;      /* reads the final tokens, which are kept for it */
	bool classes;     /* puts out logits of the model's classes and is trained to labels */
	bool own;         /* regions answer by themselves (head_output.own) */
	/* Of heads without classes: how many numbers it puts out for a window, and how many a
	 * window's target has (window_source.target). Of a window that ends early outputs without a
	 * token are 0. */
	int (*outputs)(const struct model *);
	int (*targets)(const struct model *);
	/* Adds its tensors to the model's by head_tensor. */
	void (*declare)(struct model *);
	/* The tensors are at(view, m->head_tensor[i]), in the order of declare. */
	struct head_output (*forward)(
		const struct model *, struct tape *, const struct head_input *, const struct gradient_view *);
	/* What the losses of a batch of B windows are divided by. */
	double (*total)(const struct model *, const struct head_targets *, int B);
	struct head_loss (*loss)(const struct model *, struct tape *, const struct head_input *,
		const struct head_output *, const struct head_targets *, double total);
	/* Of heads without classes: the loss of one window in evaluation (validation, smaller is
	 * better); samples: of the window that are there. With classes it is the log loss of the
	 * labels. */
	double (*score)(const struct model *, const real *out, const real *value, int samples);
	/* out [outputs] to p [outputs]: probabilities, or values. */
	void (*decode)(const struct model *, const real *out, double *p);
	/* Adds the keys of a prediction's line, each with a comma in front:
	 * ,"class":"rest","p":[...] */
	void (*write)(const struct head_prediction *, struct text *);
};

struct joint {
	struct head_output head; /* with the linear prior added to what it puts out */
	struct node *gate;       /* [B][K] */
	struct node *balance;    /* [1][1] loss of these windows; NULL unless trained with one */
};

/* Gate and head of the windows of `in`, whose gate is set here. token[k] [B][H]: the means of the
 * regions' global tokens; linear_prior[k] [B][classes], or NULL without; noise [B][K] is added to
 * the gate's logits, NULL for none. */
struct joint joint_forward(const struct model *, struct tape *, struct head_input *in,
	struct node *const *token, struct node *const *linear_prior, const struct gradient_view *,
	const real *noise);

extern const struct head_type *const head_table[]; /* ends with NULL */
extern const struct head_type head_classifier, head_answers;

int head_outputs(const struct model *); /* numbers a window's outputs have: classes, as a rule */
int head_targets(const struct model *); /* those of a target of its own; 0: it is labels */

/* Declares the next tensor of the head; 0 columns: a vector. */
void head_tensor(struct model *, const char *name, int rows, int cols, enum init, double scale);
/* Declares "PREFIX.weight" [rows][cols] and "PREFIX.bias" [rows] of a linear map to logits of
 * classes. */
void head_linear(struct model *, const char *prefix, int rows, int cols);

/* For heads with classes (head/classes.c): cross-entropy, softmax at the model's temperature, the
 * keys class, p and logits. */
double head_classes_total(const struct model *, const struct head_targets *, int B);
struct head_loss head_classes_loss(const struct model *, struct tape *, const struct head_input *,
	const struct head_output *, const struct head_targets *, double total);
void head_classes_decode(const struct model *, const real *out, double *p);
void head_classes_write(const struct head_prediction *, struct text *);
/* ,"KEY":"word" and ,"KEY":[...], or null without word or x */
void head_write_word(struct text *, const char *key, const char *word);
void head_write_list(struct text *, const char *key, const double *x, int n);

#endif
