/* Routers: which experts a token is given to, and how much each counts. One file each in router/,
 * entered by one line of routers.h.
 *
 * Rows stack B windows of N tokens. A router reads the tokens x [rows][H] (as they enter the
 * layer's feed-forward), records its operations on the tape and fills a struct choice. Ties go to
 * the lower index. Sources stand in each file.
 */
#ifndef MOE_ROUTER_H
#define MOE_ROUTER_H

#include "moe/setting.h"
#include "moe/tensor_plan.h"
#include "tensor/ops.h"

enum { ROUTER_TENSORS = 16, ROUTER_LEVELS = 4 };
enum renormalise { RENORMALISE_AUTO, RENORMALISE_YES, RENORMALISE_NO }; /* auto: not for one expert a token */

enum score { SCORE_SOFTMAX, SCORE_SIGMOID };

struct router_shape {
	int H, E; /* width of a token; experts */
	int k;    /* experts a token is given to */
	int N;    /* tokens of a window */
	int pool; /* rows among which experts take tokens (expert_choice, soft_moe, capacity): N, or all of a batch */
	int slots;         /* of each expert (soft_moe) */
	int dim;           /* of the space of comparison (cosine) */
	const double *own; /* values of the routers' own keys: see moe/setting.h */
	bool bias;
	bool specialisation;    /* of the linear map: see router_linear */
	enum score score;       /* how logits become what the choice and the weights go by */
	double top_p;           /* no more experts than it takes to reach this probability; 0: k */
	int groups, top_groups; /* the choice is among the experts of the best groups; 0: among all */
	int levels,
		level[ROUTER_LEVELS]; /* hierarchical: alternatives of a router, from the root on; their product is E */
	int leaf_k; /* hierarchical: experts chosen below each last router; top_groups at every other; k: in all */
	const real *balance;  /* [E] added to the scores for the choice alone (moe/rebalance.h), or NULL */
	double jitter;        /* the router reads x U(1 - jitter, 1 + jitter) in training */
	double temperature;   /* divides the logits */
	int conditions;       /* embeddings (condition) */
	const int *condition; /* [windows] which of them is a window's */
	double noise_std;     /* factor on the learned scale of the noise (noisy_topk) */
	bool fixed_noise;     /* ... or the noise's deviation: there is no learned scale */
	bool load; /* noisy_topk: compute how probable each expert is, for the balance loss (choice.load) */
	double capacity_factor;         /* expert_choice: an expert takes capacity_factor pool / E tokens */
	int capacity_min, capacity_max; /* ... but at least, at most (0: no bound) */
	enum renormalise renormalise;
	bool training;
	uint64_t key; /* of random draws: (seed, step, layer, first window) in training */
};

/* What the routers of one level of a tree chose, side by side: alternative i of router q is entry q
 * n + i. */
struct choice_level {
	int routers, n; /* alternatives of each */
	int k, places; /* chosen by a router a token reaches; places of a row, k for each router it reaches */
	const int *chosen;        /* [rows][places] entries; -1 = none */
	struct node *weight;      /* [rows][places] within the router */
	struct node *probability; /* [rows][routers n] of the clean logits, within the router */
	struct node *logits;      /* likewise; NULL: no z-loss */
};

struct choice {
	int k;                    /* places of a row */
	int *expert;              /* [rows][k] -1 = none */
	struct node *score;       /* [rows][E] from which the weights of the chosen are picked */
	bool share;               /* ... and divided by their sum; weights sum to 1 */
	struct node *weight;      /* [rows][k]; NULL: to be picked from score */
	struct node *probability; /* [rows][E] softmax of the clean logits */
	struct node
		*logits; /* [rows][E] clean, after temperature, before noise; NULL = has none: no z-loss */
	bool balanced;   /* needs a balance loss */
	int levels;      /* of a tree, from the leaves on; 0: one router, whose choice stands above */
	const struct choice_level *level;
	struct node *load;   /* [rows][E] probability to be chosen when the noise is drawn again, or NULL */
	const real *balance; /* as in the shape */
	struct node *
		dispatch; /* soft_moe: [rows][E * slots] of tokens into slots; then only combine counts besides */
	struct node *combine; /* soft_moe: [rows][E * slots] */
};

/* A router: what it does, and traits by which everybody else knows what goes with it, so that
 * nobody asks for its name. */
struct router_type {
	const char *name;
	const char *
		help; /* for moe-layers(7): sentences; lines that begin with two spaces are shown as they are */
	const char *
		keys; /* configuration keys, "moe.slots|moe.x", that have an effect with it and with others only
			     where these list them, too; NULL: none */
	const struct setting *settings; /* keys of its own (moe/setting.h), or NULL */
	bool sends;                     /* each token to k experts (moe.top_k): those may have a capacity */
	bool ranks; /* the k are the best by learned scores (router_top): these may be of either kind, cut by
			 moe.top_p, within groups, and need balancing by a loss or without */
	bool tree; /* of moe.levels, whose product is the number of experts; each level chooses, and needs a balance loss */
	bool linear; /* the logits are router_linear's: they may have specialisation, a bias, a temperature */
	bool logits; /* it has logits of its own, one for an expert: there may be a z-loss */
	bool learns; /* it reads the tokens, with tensors that are trained */
	bool pools; /* it looks at several tokens before it chooses (moe.scope): no token chooses its experts */
	bool mixes; /* ... and gives experts means of tokens (choice.dispatch): none of them by itself */
	bool noisy; /* it can compute how probable a choice is when its noise is drawn again (choice.load) */
	bool conditions;    /* it needs the windows' conditions (shape.condition) */
	bool unlearned;     /* it stands in where no gating network is wanted (one of the table) */
	const char *evener; /* a router to advise when this one leaves experts idle, or NULL */
	/* Experts a token passes through, on average; NULL: shape.k. */
	double (*experts_per_token)(const struct router_shape *);
	/* Tokens of the pool that each expert takes, when that is fixed; NULL: as many as are sent
	 * to it. */
	int (*taken)(const struct router_shape *);
	/* Its tensors, below "moe.router."; returns how many. */
	int (*declare)(const struct router_shape *, struct tensor_plan plan[ROUTER_TENSORS]);
	void (*choose)(struct tape *, struct node *x, const struct weight w[ROUTER_TENSORS],
		const struct router_shape *, struct choice *);
};

extern const struct router_type *const router_table[];   /* ends with NULL */
const struct router_type *router_find(const char *name); /* NULL when there is none */
const struct router_type *router_unlearned(void);        /* that with this trait */

/* --- what several routers do */

/* "weight" [E][H] and, when asked for, "bias" [E], "specialisation.embedding" and ".weight" [E][H],
 * ".bias" [E] */
int router_linear_tensors(const struct router_shape *, struct tensor_plan plan[ROUTER_TENSORS]);
/* z = x W^T (+ b), divided by the temperature. With specialisation z_i gets, before, the i-th entry
 * of softmax_i(x . e_i / (|x| |e_i|) + (x V^T + c)_i): an embedding e_i and a map of its own for
 * each expert. */
struct node *router_linear(
	struct tape *, struct node *x, const struct weight w[ROUTER_TENSORS], const struct router_shape *);
/* The map and the temperature alone, for any number of logits; w: weight, and bias when there is
 * one. */
struct node *router_map(
	struct tape *, struct node *x, const struct weight *w, int logits, const struct router_shape *);
/* Probabilities of the logits, for the losses (c->probability), and the scores that go by them:
 * softmax, or the logistic function s, of which the probabilities then are s_i / sum of s. */
struct node *router_score(struct tape *, struct node *logits, const struct router_shape *, struct choice *);
/* What routers without weights have in common: no tensors; and every expert of a choice [rows][k]
 * counts 1/k. */
int router_no_tensors(const struct router_shape *, struct tensor_plan plan[ROUTER_TENSORS]);
void router_even(struct tape *, int rows, int *expert, const struct router_shape *, struct choice *);
/* Whether the weights of k chosen ones are divided by their sum. */
bool router_shares(const struct router_shape *, int k);
/* The k largest of x [n], largest first, of equals the first: best [k]. */
void router_largest(const real *x, int n, int k, int *best);
/* Chooses the k largest of score, which also give the weights. With groups of equal size (of
 * neighbours), only in the top_groups of them whose k / top_groups largest scores have the largest
 * sum; with top_p, places are left empty (-1) once those before them reach it. */
void router_top(struct tape *, struct node *score, const struct router_shape *, struct choice *);

#endif
