/* The model: one transformer encoder per region, joined by global tokens and a gate.
 *
 *     x_k [B][T][W_k] -> features [B][n][D_k] -> projection [B][n][H] -> [tokens; .] + position -> L layers
 *         -> s_k [B][H] mean of the local tokens,  g_k [B][H] mean of the global tokens
 *     bridge: g = mean_k g_k      gate: w = softmax(fc2 relu(fc1 g)) [B][K]
 *     head (model/head.h): logits = classifier(sum_k w_k s_k), or log sum_k w_k softmax(head_k(s_k)), or
 *                          whatever else it makes of w, s and the encoders' final tokens
 *     with a linear prior logits += bias + K sum_k w_k e_k,  e_k = E_k (mean over segments of the standardised features)
 *
 * The structure is a function of the configuration, the layout (regions, length, rate, conditions)
 * and the classes alone.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/text.h"
#include "io/history.h"
#include "format/layout.h"
#include "model/config.h"
#include "model/params.h"
#include "model/tokeniser.h"
#include "moe/layer.h"

/* Indices into params.list. */
struct layer_params {
	int in_weight, in_bias, out_weight, out_bias;
	int parts; /* types of experts: one of a dense layer */
	struct layer_part {
		const struct expert_type *type;
		int first, count; /* experts; a dense layer has one, not stacked */
		int tensors, tensor[EXPERT_TENSORS];
	} part[EXPERT_KINDS];
	int region, index;                  /* index: of the layer in its region */
	bool moe_layer;                     /* has a router */
	int router[ROUTER_TENSORS];         /* of an MoE layer */
	struct layer_part shared, residual; /* likewise; count 0 = none */
	int coefficient;                    /* of the residual expert */
	int capacity; /* buffer of an MoE layer whose capacity follows the load, or -1 */
	int balance;  /* buffer of an MoE layer that is balanced without a loss (moe/rebalance.h), or -1 */
	int running;  /* buffer of running shares, when the balance loss goes by them, or -1 */
	int norm1_weight, norm1_bias, norm2_weight, norm2_bias;
};

struct region_params {
	int length;  /* T: samples of a window */
	double rate; /* Hz */
	const struct tokeniser *tokeniser;
	void *prepared; /* its tables, which regions may share */
	int n;          /* local tokens of a window */
	int N;          /* with the global tokens */
	int kinds; /* of local tokens, each with a projection of its own; token i is of kind i mod kinds */
	int units; /* of a window: what is routed together */
	int *unit; /* [N] the unit of each token; NULL: each is one by itself */
	int D;     /* features of a token */
	/* buffers of a tokeniser whose features are standardised, [kinds][D], and of one that needs
	 * mean powers, [kinds]; or -1 */
	int token_mean, token_std, token_scale;
	int tensors, tensor[TOKEN_TENSORS]; /* of a tokeniser that is learned */
	int linear_prior;                   /* buffer [classes][kinds][D], or -1 */
	int projection_weight, projection_bias;
	int position;                /* -1 = none or fixed */
	struct layer_params *layer;  /* [layers] */
	int pool_query, pool_weight; /* of attention, of position; -1 and -1 = the mean */
	size_t from, count;          /* the region's part of the slab, up to here */
};

struct model {
	struct config config;
	struct layout layout; /* regions, channels, classes, length, rate ... */
	struct params params;
	int most_tokens; /* N of the region that has most */
	const struct expert_type *feedforward;
	const struct router_type *router;   /* of the MoE layers */
	int conditions, unknown;            /* its embeddings; that for unknown ones, or -1 */
	int moe_layers;                     /* layers of a region that are MoE layers */
	real *sinusoid;                     /* [most_tokens][H] fixed positions, or NULL */
	int token;                          /* global_token, or -1 */
	struct region_params *region;       /* [K] */
	int gate_fc1_weight, gate_fc1_bias; /* -1 without gate */
	int gate_fc2_weight, gate_fc2_bias; /* -1 also when the gate is linear */
	const struct head_type *head;       /* model/head.h */
	int head_tensors, *head_tensor;     /* the head's, in the order it declared them */
	bool prior;                         /* regions whose features are standardised have a linear prior */
	int prior_bias;                     /* its buffer [classes], or -1 */
	float *scale_mean, *scale_std;      /* [C], or NULL: samples enter as (x - mean) / std */
	float temperature; /* p = softmax(logits / temperature); 1 unless the model was calibrated */
	struct names train_groups;
	char *views;   /* JSON: what each view counts in the linear prior; NULL: there is one view */
	char *history; /* JSON, or NULL */
};

/* A model with its structure and zero parameters; config and layout are copied. with_gate: -1 = as
 * the configuration has it (more than one region, or preset seed), 0 or 1 = told by a file. NULL
 * and an error when they do not fit each other. */
struct model *model_new(const struct config *, const struct layout *, int with_gate);
/* In two steps: the table of tensors alone, so that a file can be held against it before memory is
 * taken; then the rest. */
struct model *model_declare(const struct config *, const struct layout *, int with_gate);
void model_allocate(struct model *);
void model_free(struct model *);

/* Local tokens of region k of a window of which the first `samples` (of layout.length) are there, n
 * for a whole one; 0: not one token. */
int model_tokens(const struct model *, int k, int samples);
/* What the tokeniser of region k gets as scale [kinds], or NULL. */
const real *model_token_scale(const struct model *, int k);
/* Features x [n][D] of region k by mean and deviation of their kind, where the tokeniser is such;
 * subject_mean [kinds][D] is subtracted first; NULL: nothing. */
void model_standardise(const struct model *, int k, int n, const real *subject_mean, real *x);
/* What the configuration says of experts and routers. */
struct expert_shape model_dense_shape(const struct model *);
struct expert_shape model_expert_shape(const struct model *); /* of an MoE layer's experts */
struct router_shape model_router_shape(const struct model *, int k, int layer);
struct capacity model_capacity(const struct model *, bool training);
struct config_extent model_extent(const struct model *);
/* Bounds of a capacity that follows the load: 4 and 256 where none is given. */
void model_capacity_bounds(const struct model *, int *min, int *max);

/* Numbers in all, and active ones: all but those of the routed experts a token does not pass
 * through: of E experts of an MoE layer the share experts_per_token / E counts (moe/router.h). */
struct model_size {
	size_t total, active;
};
struct model_size model_size(const struct model *);
/* Routed experts that a token passes through in an MoE layer of region k; for routers where it
 * differs from token to token the mean. */
double model_experts_per_token(const struct model *, int k, int layer);
/* Adds two lines, "parameters", number, "in all" or "active", of the model model_new would make; -1
 * when there is none. */
int model_size_print(const struct config *, const struct layout *, int with_gate, struct text *);

/* Reads a model written by moe-train, or by anybody with the same tensors and metadata. */
struct model *model_load(const char *path);
struct model *model_of(const struct st_file *); /* the parts are copied; the file stays the caller's */
/* Adds tensors and metadata (format "model/1"); the slab is borrowed until st_write. values: the
 * slab to write. */
int model_put(const struct model *, const real *values, struct st_writer *, const char *format,
	const char *history);
int model_save(const struct model *, const char *path, const struct history *);

/* Reads tensors "PREFIX<name>" into slab [count]; every one must be there with its shape. */
int model_read_slab(const struct model *, const struct st_file *, const char *prefix, real *slab);
/* Adds every tensor of a slab as "PREFIX<name>". In double builds values are stored as float. */
void model_put_slab(const struct model *, struct st_writer *, const char *prefix, const real *slab);

#endif
