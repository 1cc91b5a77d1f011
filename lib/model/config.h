/* The configuration: one table of keys (config.c) from which come parsing, checks, defaults of the
 * presets, the JSON kept in a model, and the list in moe-formats(5).
 *
 * A value comes from the preset, then a model that is continued, then a file, then --set; each key
 * remembers which. A key given by the user that has no effect in the configuration at hand is an
 * error.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include "base/json.h"
#include "base/text.h"
#include "model/augmentation.h"
#include "moe/expert.h"
#include "moe/router.h"

enum { CONFIG_BANDS = 32, CONFIG_LISTED = 64, CONFIG_OWN = 32, CONFIG_VIEWS = 16 };

enum { NORM_POST, NORM_PRE };
enum { POSITION_LEARNED, POSITION_SINUSOIDAL, POSITION_NONE };
enum { POOL_MEAN, POOL_ATTENTION, POOL_POSITION };
enum { EVIDENCE_NONE, EVIDENCE_RIDGE };
enum { SYNC_NONE, SYNC_END, SYNC_LAYER };
enum { GATE_MLP, GATE_LINEAR };
enum { COMBINE_FEATURES, COMBINE_ANSWERS };
enum { NOISE_LEARNED, NOISE_FIXED };
enum { CONDITION_RECORDING, CONDITION_GROUP, CONDITION_CONDITION };
enum { CAPACITY_FIXED, CAPACITY_DYNAMIC };
enum { SCHEDULE_CONSTANT, SCHEDULE_COSINE, SCHEDULE_ONECYCLE, SCHEDULE_STEP };
enum { CLASS_WEIGHT_NONE, CLASS_WEIGHT_BALANCED };
enum { SCALE_ZSCORE, SCALE_NONE, SCALE_GROUP, SCALE_WINDOW, SCALE_EMS };
enum { CALIBRATE_NONE, CALIBRATE_TEMPERATURE };
enum { DECAY_MATRICES, DECAY_ALL };
enum { PRESET_DEFAULT, PRESET_SEED };
enum { EXPERT_ACTIVATION_ENCODER, EXPERT_ACTIVATION_RELU, EXPERT_ACTIVATION_GELU };
enum { UNIT_TOKEN, UNIT_PATCH, UNIT_WINDOW };
enum { SCOPE_WINDOW, SCOPE_BATCH };
enum { BALANCE_SCOPE_BATCH, BALANCE_SCOPE_WINDOW, BALANCE_SCOPE_GROUP, BALANCE_SCOPE_RUNNING };
enum { RECOMPUTE_NONE, RECOMPUTE_LAYER };
enum { LAYERS_NONE, LAYERS_ALL, LAYERS_LISTED, LAYERS_EVERY };

enum { VIEW_REGIONS, VIEW_HEAD, VIEW_PLACES };
struct view {
	int tokens, place; /* index into the table of tokenisers; enum above */
};

struct config {
	int preset;
	double own
		[CONFIG_OWN]; /* keys that routers, expert types and tokenisers have of their own (config_setting) */
	struct {
		int hidden_dim, layers, heads, ffn_dim;
		double dropout;
		int activation, norm, positional, pool; /* enums above; activation: enum activation */
		int tokens;                             /* index into the table of tokenisers */
		struct {
			int n; /* 0: encoder.tokens at the regions */
			struct view list[CONFIG_VIEWS];
		} views;
		int patch; /* samples per token */
		struct bands {
			int n;
			double edge[CONFIG_BANDS][2]; /* Hz: lower, upper */
		} bands;
		double window, hop; /* seconds; window 0 = all of it */
		int filters;
		double kernel;            /* seconds */
		int tapers, linear_prior; /* enum above */
		double floor, input_dropout;
		int max_seq_length; /* tokens; 0 = no limit */
	} encoder;
	struct {
		int tokens, sync, sync_every;
	} bridge;
	struct {
		int type, combine, top_k;
		double noise_std, temperature, load_balance_weight;
	} gate;
	struct {
		int type; /* 0: as gate.combine says; else 1 + index into the table of heads */
	} head;
	struct {
		struct layer_set {
			int kind, n, list[CONFIG_LISTED]; /* every: list[0] */
		} layers;
		struct count_list {
			int n, list[CONFIG_LISTED]; /* one for all MoE layers, or one for each */
		} num_experts, levels; /* levels: alternatives of a router, from the root of the tree on */
		struct expert_types {
			int n, type[EXPERT_KINDS],
				count[EXPERT_KINDS]; /* index into the table; 0 = all there are */
		} expert_types;                      /* n = 0: all of type ffn */
		int top_k, route_unit, residual_expert, kernel;
		int router, renormalise; /* index into the table of routers; enum renormalise */
		int use_gating_network, score, specialisation; /* score: enum score */
		int balance;                                   /* enum balance_kind */
		double balance_rate;
		double jitter, top_p, expert_dropout;
		int groups, top_k_groups;
		int slots, router_dim, bias, noise; /* noise: enum above */
		int condition;                      /* enum above */
		double condition_unknown;
		double temperature, noise_std;
		double capacity_factor, capacity_factor_eval;
		int capacity; /* enum above */
		double capacity_ema;
		int capacity_min, capacity_max;
		int drop_policy, drop_residual, drop_renormalise; /* enum drop_policy */
		double load_balance_weight, z_loss_weight;
		int load_balance_form; /* enum balance_form */
		int scope, balance_scope;
		double balance_ema;
		int shared_experts;
		int ffn, ffn_dim,
			activation; /* enum ffn_form; 0 = as encoder.ffn_dim; EXPERT_ACTIVATION_.. */
		int inner_norm, output_norm;
	} moe;
	struct {
		int optimizer;
		double lr, weight_decay, beta1, beta2, eps;
		double router_lr, expert_lr; /* times lr */
		int epochs, batch_size, schedule, warmup_steps;
		double clip_norm;
		int patience, class_weight;
		double label_smoothing, expert_loss_weight, ridge;
		int scale, decay, shuffle, recompute, calibrate;
		double ems_factor, ems_eps;
		int ems_init;                  /* samples */
		double augment[AUGMENTATIONS]; /* amounts, 0 = not done */
	} train;
};

enum config_from { FROM_PRESET, FROM_MODEL, FROM_FILE, FROM_SET };

struct configuration {
	struct config value;
	unsigned char *from; /* [number of keys] enum config_from */
};

void config_begin(struct configuration *, int preset); /* every key at the preset's value */
void config_end(struct configuration *);
int config_preset(const char *name, int *preset); /* -1 with an error listing the names */
const char *config_preset_name(int preset);
bool config_preset_of_one_region(
	int preset); /* one that a document describes for input that is not divided */

/* Reads nested JSON. From a model, keys without effect are accepted. `what` names the place for
 * messages. */
int config_json(struct configuration *, const char *text, size_t n, enum config_from, const char *what);
/* The same from a file, as FROM_FILE. */
int config_file(struct configuration *, const char *path);
/* One KEY=VALUE of the command line. */
int config_set(struct configuration *, const char *assignment);
/* What the command line says of a configuration. */
struct config_words {
	const char *preset, *file; /* a preset's name; a file or NULL */
	struct names set;          /* KEY=VALUE */
	bool preset_given;
	bool resumed; /* what is continued is a training (a state): preset and file may be given, as they were at its start */
};
/* From preset, model that is continued (NULL: none), file and assignments, in this order, to a
 * checked configuration. To be ended whatever comes back. */
int config_compose(struct configuration *, const struct config_words *, const struct config *before);
/* A copy with KEY=VALUE assignments: what a configuration is compared with. All that the user gave
 * counts as given by a model, so that a key without effect beside the new values is no error. To be
 * ended whatever comes back. */
int config_variant(struct configuration *, const struct configuration *of, const struct names *set);
/* What the values have to do with each other, and that no key given by the user is without
 * effect. */
int config_check(const struct configuration *);
/* Likewise, where it takes the windows to know. */
struct config_extent {
	int regions;  /* K; of the region that has most: */
	int tokens;   /* n of a window */
	int segments; /* of a window: its tokens of one kind */
	int units;    /* what is routed of a window, global tokens too */
};
int config_check_effect(const struct configuration *, const struct config_extent *);
/* The keys given by the user that a model which is continued fixes: an error names the first that
 * differs from it. resumed: it is a state. */
int config_fixed_by_model(const struct configuration *, const struct config *model, bool resumed);
/* Whether the user gave this key. */
bool config_given(const struct configuration *, const char *key);
/* Whether somebody decided on the value: the user, the preset, or who trained the model that is
 * continued; it is not just the default. */
bool config_decided(const struct configuration *, const char *key);
/* Steps over which the learning rate rises in a run of so many: train.warmup_steps; but a number
 * from a preset's document, whose runs were long, is a tenth of the run at most. steps < 0: not
 * known, it is what it is. */
int config_warmup(const struct configuration *, long steps);

/* The router in use: without a gating network that which needs none. */
const struct router_type *config_router(const struct config *);
/* The value of a key that a router, expert type or tokeniser has of its own. */
double config_own(const struct config *, const struct setting *);
/* The output head (model/head.h). */
const struct head_type *config_head(const struct config *);
/* Whether regions whose features are standardised get a linear prior; whether the tokeniser of
 * encoder.tokens is such. */
bool config_ridge(const struct config *);
/* The i-th of the tokenisers in use, by views or by encoder.tokens; NULL when there are no more. */
const struct tokeniser *config_tokeniser(const struct config *, int i);
bool config_linear_prior(const struct config *);
bool config_conditioned(const struct config *); /* whether it reads a window's condition */
/* What keeps the experts of this router even (enum balance_kind): a loss, unless the router can do
 * without. */
int config_balance(const struct config *);
/* Weight of the balance loss, 0 when there is none. */
double config_balance_weight(const struct config *);
/* Whether layer l's feed-forward is an MoE layer. */
bool config_moe_layer(const struct config *, int l);
bool config_moe_layers(const struct config *); /* whether any is */
/* Routed experts of layer l, which is an MoE layer; how many of them a token is given to, where the
 * router has such a number. */
int config_experts(const struct config *, int l);
int config_chosen(const struct config *);

void config_write_json(const struct config *, struct text *); /* nested, every key */
bool config_warmup_scales(const struct configuration *);      /* whether it is such a number */
/* key, value, where from: tab-separated lines; steps: of the run, < 0 when not known */
void config_print(const struct configuration *, long steps, struct text *);
void config_print_mdoc(struct text *); /* the list for moe-formats(5) */

#endif
