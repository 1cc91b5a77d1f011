#include "model/config_keys.h"

#include "model/tokeniser.h"

#include <string.h>

static bool with_patch(const struct config *c)
{
	return !strcmp(tokeniser_table[c->encoder.tokens]->name, "patch");
}

static bool with_spectral(const struct config *c)
{
	return !strcmp(tokeniser_table[c->encoder.tokens]->name, "spectral");
}

static bool with_bridge(const struct config *c)
{
	return c->bridge.tokens > 0;
}

static bool with_decay(const struct config *c)
{
	return c->train.weight_decay > 0;
}

#define AT(field)    offsetof(struct config, field)
#define NOT_SPECTRAL "encoder.tokens is not spectral"

const struct key config_keys[] = {
	{"preset", CHOICE, AT(preset), {"default", "seed"}, 0, 0, "default|seed",
		"transformer|transformer-moe|multimind|large|attention|vision|switch|hierarchical|deepseek",
		NULL, NULL,
		"where every other value starts; seed is the region model with post-norm ReLU layers on raw "
		"samples"},
	{"encoder.hidden_dim", INT, AT(encoder.hidden_dim), {"16", "64"}, 1, 65536, NULL, NULL, NULL, NULL,
		"width H of a token"},
	{"encoder.layers", INT, AT(encoder.layers), {"2"}, 1, 256, NULL, NULL, NULL, NULL,
		"encoder layers of a region"},
	{"encoder.heads", INT, AT(encoder.heads), {"4"}, 1, 1024, NULL, NULL, NULL, NULL,
		"attention heads; must divide encoder.hidden_dim"},
	{"encoder.ffn_dim", INT, AT(encoder.ffn_dim), {"32", "2048"}, 1, 1 << 20, NULL, NULL, NULL, NULL,
		"width F of the feed-forward layers"},
	{"encoder.dropout", REAL_NUMBER, AT(encoder.dropout), {"0.1"}, 0, 0.95, NULL, NULL, NULL, NULL,
		"dropout in training: attention weights, hidden units, and what the two sub-layers return"},
	{"encoder.activation", CHOICE, AT(encoder.activation), {"gelu", "relu"}, 0, 0, "relu|gelu", NULL,
		NULL, NULL, "of the feed-forward layers; gelu in the exact form"},
	{"encoder.norm", CHOICE, AT(encoder.norm), {"pre", "post"}, 0, 0, "post|pre", NULL, NULL, NULL,
		"layer normalisation after (post) or before (pre) each sub-layer"},
	{"encoder.positional", CHOICE, AT(encoder.positional), {"learned"}, 0, 0, "learned|sinusoidal|none",
		NULL, NULL, NULL, "position added to each token"},
	{"encoder.pool", CHOICE, AT(encoder.pool), {"mean"}, 0, 0, "mean", "attention", NULL, NULL,
		"summary of a region's tokens"},
	{"encoder.tokens", CHOICE, AT(encoder.tokens), {"spectral", "sample"}, 0, 0, NULL, "conv|covariance",
		NULL, NULL, "what a token is: a sample, a patch of samples, or log band powers of a stretch"},
	{"encoder.patch", INT, AT(encoder.patch), {"10"}, 1, 1 << 20, NULL, NULL, with_patch,
		"encoder.tokens is not patch", "samples per token"},
	{"encoder.bands", EDGES, AT(encoder.bands), {"[1,4,6,8,9,10,11,12,13,14,16,18,20,22,24,30,45]"}, 0, 0,
		NULL, NULL, with_spectral, NOT_SPECTRAL,
		"edges of the bands in Hz, ascending; n edges make n - 1 bands"},
	{"encoder.window", REAL_NUMBER, AT(encoder.window), {"1"}, 0.01, 1e4, NULL, NULL, with_spectral,
		NOT_SPECTRAL,
		"length of the stretch a token sums up, in seconds; shortened to the window when that is "
		"shorter"},
	{"encoder.hop", REAL_NUMBER, AT(encoder.hop), {"0.5"}, 0.001, 1e4, NULL, NULL, with_spectral,
		NOT_SPECTRAL, "distance of two tokens' stretches in seconds"},
	{"encoder.max_seq_length", INT, AT(encoder.max_seq_length), {"0"}, 0, 1 << 24, NULL, NULL, NULL, NULL,
		"refuse more tokens than this; 0 for no limit"},
	{"bridge.tokens", INT, AT(bridge.tokens), {"1"}, 0, 64, NULL, NULL, NULL, NULL,
		"global tokens; 0 for none"},
	{"bridge.sync", CHOICE, AT(bridge.sync), {"end"}, 0, 0, "none|end", "layer", with_bridge,
		"bridge.tokens is 0",
		"when the regions' global tokens are averaged: never, or after the last layer"},
	{"bridge.sync_every", LATER, 0, {"1"}, 0, 0, NULL, NULL, NULL, NULL, "layers between two exchanges"},
	{"gate.type", LATER, 0, {"\"mlp\""}, 0, 0, NULL, NULL, NULL, NULL, "kind of gate"},
	{"gate.combine", LATER, 0, {"\"features\""}, 0, 0, NULL, NULL, NULL, NULL,
		"what the gate's weights mix"},
	{"gate.top_k", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL, "regions that count; 0 for all"},
	{"gate.noise_std", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL,
		"noise on the gate's logits in training"},
	{"gate.temperature", REAL_NUMBER, AT(gate.temperature), {"1"}, 1e-3, 1e3, NULL, NULL, NULL, NULL,
		"divides the gate's logits before the softmax"},
	{"gate.load_balance_weight", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL,
		"weight of a balance loss on the gate"},
	{"moe.layers", LATER, 0, {"\"none\""}, 0, 0, NULL, NULL, NULL, NULL,
		"layers whose feed-forward is a mixture"},
	{"train.optimizer", CHOICE, AT(train.optimizer), {"adamw"}, 0, 0, "adamw", NULL, NULL, NULL,
		"the optimizer"},
	{"train.lr", REAL_NUMBER, AT(train.lr), {"0.001"}, 1e-12, 1e3, NULL, NULL, NULL, NULL,
		"learning rate, the schedule's largest"},
	{"train.weight_decay", REAL_NUMBER, AT(train.weight_decay), {"0.05", "0.01"}, 0, 1e3, NULL, NULL,
		NULL, NULL, "decoupled weight decay"},
	{"train.beta1", REAL_NUMBER, AT(train.beta1), {"0.9"}, 0, 0.999999, NULL, NULL, NULL, NULL,
		"decay of the first moment"},
	{"train.beta2", REAL_NUMBER, AT(train.beta2), {"0.999"}, 0, 0.9999999, NULL, NULL, NULL, NULL,
		"decay of the second moment"},
	{"train.eps", REAL_NUMBER, AT(train.eps), {"1e-08"}, 1e-30, 1, NULL, NULL, NULL, NULL,
		"added to the root of the second moment"},
	{"train.epochs", INT, AT(train.epochs), {"15", "10"}, 1, 1000000, NULL, NULL, NULL, NULL,
		"passes over the training windows"},
	{"train.batch_size", INT, AT(train.batch_size), {"32"}, 1, 1 << 20, NULL, NULL, NULL, NULL,
		"windows a step"},
	{"train.schedule", CHOICE, AT(train.schedule), {"cosine", "constant"}, 0, 0,
		"constant|cosine|onecycle|step", NULL, NULL, NULL,
		"course of the learning rate after the warm-up"},
	{"train.warmup_steps", INT, AT(train.warmup_steps), {"20", "0"}, 0, 1 << 30, NULL, NULL, NULL, NULL,
		"steps over which the learning rate rises from 0"},
	{"train.clip_norm", REAL_NUMBER, AT(train.clip_norm), {"1", "0"}, 0, 1e9, NULL, NULL, NULL, NULL,
		"largest norm of the whole gradient; 0 for no clipping"},
	{"train.patience", INT, AT(train.patience), {"8", "10"}, 0, 1000000, NULL, NULL, NULL, NULL,
		"stop after so many epochs without a better validation loss; 0 for never"},
	{"train.class_weight", CHOICE, AT(train.class_weight), {"none"}, 0, 0, "none|balanced", NULL, NULL,
		NULL, "balanced: a class counts inversely to its windows"},
	{"train.label_smoothing", REAL_NUMBER, AT(train.label_smoothing), {"0"}, 0, 0.99, NULL, NULL, NULL,
		NULL, "share of the target that is spread over all classes"},
	{"train.expert_loss_weight", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL,
		"weight of the regions' own losses"},
	{"train.scale", CHOICE, AT(train.scale), {"zscore"}, 0, 0, "zscore|none", "ems|window|group", NULL,
		NULL,
		"zscore: each channel by mean and deviation of the training windows, kept in the model"},
	{"train.decay", CHOICE, AT(train.decay), {"matrices", "all"}, 0, 0, "matrices|all", NULL, with_decay,
		"train.weight_decay is 0", "which tensors decay: weight matrices only, or all"},
	{"train.shuffle", BOOL, AT(train.shuffle), {"true"}, 0, 0, NULL, NULL, NULL, NULL,
		"a new order of the windows every epoch"},
	{"train.recompute", LATER, 0, {"\"none\""}, 0, 0, NULL, NULL, NULL, NULL,
		"layers computed again in backward"},
	{"train.prox_mu", LATER, 0, {"0"}, 0, 0, NULL, NULL, NULL, NULL,
		"pull towards the model training starts from"},
	{"train.augment", LATER, 0, {"\"none\""}, 0, 0, NULL, NULL, NULL, NULL,
		"changes made to training windows"},
};

/* Keys below moe. say how a mixture inside the encoder works: known names, without effect while there is none. */
const char *const config_moe_keys[] = {"num_experts", "top_k", "router", "route_unit", "slots", "router_dim",
	"scope", "balance_scope", "use_gating_network", "temperature", "load_balance_weight",
	"load_balance_form", "z_loss_weight", "noise_std", "jitter", "capacity_factor",
	"capacity_factor_eval", "capacity_min", "capacity_max", "capacity", "drop_policy", "drop_residual",
	"expert_types", "expert_dropout", "shared_experts", "renormalise", "groups", "top_k_groups",
	"specialisation", "bias", "levels", "top_p", "score", "balance", "kernel", NULL};

const int config_key_count = sizeof config_keys / sizeof *config_keys;

const char *key_preset(const struct key *k, int preset)
{
	return preset && k->preset[1] ? k->preset[1] : k->preset[0];
}

struct names key_choices(const struct key *k)
{
	struct names l = {0};
	if (k->choices)
		names_split(&l, k->choices, '|');
	else
		for (int i = 0; tokeniser_table[i]; i++)
			names_add(&l, tokeniser_table[i]->name);
	return l;
}
