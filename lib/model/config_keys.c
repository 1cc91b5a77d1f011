#include "model/config_keys.h"

#include "base/error.h"
#include "base/mem.h"
#include "model/config_effect.h"
#include "model/head.h"
#include "model/optimizers.h"
#include "model/tokeniser.h"
#include "moe/expert.h"
#include "moe/rebalance.h"

#include <stdlib.h>
#include <string.h>

#define AT(field)       offsetof(struct config, field)
#define NO_FFN          "no expert is a feed-forward"
#define NO_PLAIN_FFN    "no expert is a feed-forward without gates"
#define NO_MIXTURE      "moe.layers is none"
#define NO_TOP_K        "the router gives a token to no fixed number of experts"
#define NO_LEARNED      "the router does not learn to choose a number of experts"
#define NO_BALANCE      "the router does not learn to choose a number of experts, or there is one expert"
#define NO_BALANCE_LOSS "the router needs no balance loss, moe.balance is not loss, or there is one expert"
#define NOT_SENT        "the router sends no tokens to experts of fixed capacity"
#define NO_DROPS        "the experts have no capacity (moe.capacity_factor, moe.capacity_factor_eval, moe.capacity)"
#define NO_SHARED_DROPS "nothing is dropped, or the weights of a token's experts do not sum to 1"
#define NO_EMS          "train.scale is not ems"
#define NO_CLASSES      "the model's head names no classes (head.type)"

static const struct key rows[] = {
	{"preset", CHOICE, AT(preset), "default", 0, 0, NULL, NULL, NULL,
		"where every other value starts: a list of values over the defaults below"},
	{"encoder.hidden_dim", INT, AT(encoder.hidden_dim), "16", 1, 65536, NULL, NULL, NULL,
		"width H of a token"},
	{"encoder.layers", INT, AT(encoder.layers), "2", 1, 256, NULL, NULL, NULL,
		"encoder layers of a region"},
	{"encoder.heads", INT, AT(encoder.heads), "4", 1, 1024, NULL, NULL, NULL,
		"attention heads; must divide encoder.hidden_dim"},
	{"encoder.ffn_dim", INT, AT(encoder.ffn_dim), "32", 1, 1 << 20, NULL, NULL, NULL,
		"width F of the feed-forward layers"},
	{"encoder.dropout", REAL_NUMBER, AT(encoder.dropout), "0.1", 0, 0.95, NULL, NULL, NULL,
		"dropout in training: attention weights, hidden units, and what the two sub-layers return"},
	{"encoder.activation", CHOICE, AT(encoder.activation), "gelu", 0, 0, "relu|gelu", NULL, NULL,
		"of the feed-forward layers; gelu in the exact form"},
	{"encoder.norm", CHOICE, AT(encoder.norm), "pre", 0, 0, "post|pre", NULL, NULL,
		"layer normalisation after (post) or before (pre) each sub-layer"},
	{"encoder.positional", CHOICE, AT(encoder.positional), "learned", 0, 0, "learned|sinusoidal|none",
		NULL, NULL, "position added to each token"},
	{"encoder.pool", CHOICE, AT(encoder.pool), "mean", 0, 0, "mean|attention", NULL, NULL,
		"summary of a region's tokens: their mean, or weighted by a learned query"},
	{"encoder.tokens", CHOICE, AT(encoder.tokens), "covariance", 0, 0, NULL, without_views,
		"encoder.views says what tokens are",
		"what a token is: a sample; a patch of samples; log band powers of a segment; the covariance "
		"of a band in a segment; or the log powers of learned filters over time and channels in a "
		"segment"},
	{"encoder.views", VIEWS, AT(encoder.views), "[]", 0, 0, NULL, NULL, NULL,
		"what the experts see: a list of \"TOKENISER@PLACE\", in which regions is an expert for each "
		"region of the windows and head one for all channels together; [] for encoder.tokens at the "
		"regions"},
	{"encoder.patch", INT, AT(encoder.patch), "10", 1, 1 << 20, NULL, with_patch, NULL,
		"samples per token; with moe.route_unit=patch tokens routed together"},
	{"encoder.bands", BANDS, AT(encoder.bands), "[4,8,10,13,20,30,45]", 0, 0, NULL, NULL, NULL,
		"bands in Hz: rising edges of bands that touch, n edges for n - 1 bands; or a list of pairs, "
		"lower and upper edge of each"},
	{"encoder.window", REAL_NUMBER, AT(encoder.window), "0", 0, 1e4, NULL, NULL, NULL,
		"length of the segment that a token summarises, in seconds; shortened to the window when "
		"that is shorter; 0 for the window"},
	{"encoder.hop", REAL_NUMBER, AT(encoder.hop), "0.5", 0.001, 1e4, NULL, with_hop,
		"encoder.window is 0", "time from one segment to the next in seconds"},
	{"encoder.filters", INT, AT(encoder.filters), "8", 1, 4096, NULL, NULL, NULL,
		"filters over time that a region learns, and maps of its columns over these, each of which "
		"makes a feature"},
	{"encoder.kernel", REAL_NUMBER, AT(encoder.kernel), "0.25", 1e-4, 1e4, NULL, NULL, NULL,
		"length of a learned filter over time, in seconds"},
	{"encoder.tapers", INT, AT(encoder.tapers), "5", 0, 16, NULL, NULL, NULL,
		"sine tapers over which the spectrum of a covariance is averaged; 0 for none, which keeps "
		"single "
		"frequencies apart"},
	{"encoder.floor", REAL_NUMBER, AT(encoder.floor), "0.01", 1e-6, 1e6, NULL, NULL, NULL,
		"added to a covariance's diagonal before its logarithm is taken, as a fraction of the band's "
		"mean power in training; from 1 on the logarithm is close to linear"},
	{"encoder.input_dropout", REAL_NUMBER, AT(encoder.input_dropout), "0", 0, 0.95, NULL, NULL, NULL,
		"fraction of a token's features that is set to 0 in training"},
	{"encoder.evidence", CHOICE, AT(encoder.linear_prior), "ridge", 0, 0, "none|ridge", with_linear_prior,
		NO_CLASSES,
		"ridge: a linear prior; a linear map from the tokens' features of all regions to the "
		"classes, fitted in closed form before the first step, is weighted by the gate and added to "
		"the logits, so that the encoders learn what it does not explain"},
	{"encoder.max_seq_length", INT, AT(encoder.max_seq_length), "0", 0, 1 << 24, NULL, NULL, NULL,
		"refuse more tokens than this; 0 for no limit"},
	{"bridge.tokens", INT, AT(bridge.tokens), "1", 0, 64, NULL, NULL, NULL, "global tokens; 0 for none"},
	{"bridge.sync", CHOICE, AT(bridge.sync), "end", 0, 0, "none|end|layer", with_bridge,
		"bridge.tokens is 0",
		"when the regions' global tokens are averaged: never, after the last layer, or also between "
		"layers, each region going on with the mean"},
	{"bridge.sync_every", INT, AT(bridge.sync_every), "1", 1, 256, NULL, with_exchange,
		"bridge.sync is not layer", "layers from one exchange of global tokens to the next"},
	{"gate.type", CHOICE, AT(gate.type), "mlp", 0, 0, "mlp|linear", NULL, NULL,
		"how the gate's logits come from what it reads: through a hidden layer, or by one linear "
		"map"},
	{"gate.combine", CHOICE, AT(gate.combine), "features", 0, 0, "features|answers", with_combine,
		"head.type is not auto",
		"what the gate's weights mix: the regions' summaries before one classifier, or the "
		"probabilities of a classifier of each region's own"},
	{"gate.top_k", INT, AT(gate.top_k), "0", 0, 65536, NULL, NULL, NULL,
		"regions that count, those of the largest weights, which then sum to 1; 0 for all"},
	{"gate.noise_std", REAL_NUMBER, AT(gate.noise_std), "0", 0, 1e3, NULL, NULL, NULL,
		"deviation of Gaussian noise on the gate's logits in training"},
	{"gate.temperature", REAL_NUMBER, AT(gate.temperature), "1", 1e-3, 1e3, NULL, with_degrees,
		"gate.top_k is 1, whose weight is 1", "divides the gate's logits before the softmax"},
	{"gate.load_balance_weight", REAL_NUMBER, AT(gate.load_balance_weight), "0", 0, 1e6, NULL, NULL, NULL,
		"weight of a loss that is least when the regions share the windows evenly: K times the sum "
		"of share of windows with the largest weight times mean weight"},
	{"head.type", HEAD, AT(head.type), "auto", 0, 0, NULL, NULL, NULL,
		"what the model puts out and is trained to; auto: classifier or answers, as gate.combine "
		"says"},
	{"moe.layers", LAYERS, AT(moe.layers), "\"none\"", 0, 0, NULL, NULL, NULL,
		"layers whose feed-forward is a mixture of experts: none, all, a list of indices, or every:n "
		"for each n-th"},
	{"moe.num_experts", COUNTS, AT(moe.num_experts), "4", 1, 1024, NULL, with_num_experts,
		"moe.layers is none, or moe.expert_types or moe.levels says how many",
		"experts of a mixture; or a list of one number for each mixture, from the first layer on"},
	{"moe.top_k", INT, AT(moe.top_k), "2", 1, 1024, NULL, with_top_k, NO_TOP_K,
		"experts a token is given to; in a tree (moe.levels): below each of the last routers it "
		"reaches"},
	{"moe.levels", COUNTS, AT(moe.levels), "[2,2]", 1, 1024, NULL, NULL, NULL,
		"alternatives of a router on each level of the tree, from the root on; their product is the "
		"number of "
		"experts"},
	{"moe.router", CHOICE, AT(moe.router), "topk", 0, 0, NULL, with_gating_network,
		"moe.layers is none, or moe.use_gating_network is false",
		"how a token's experts are chosen; moe-layers(7) says what each does"},
	{"moe.use_gating_network", BOOL, AT(moe.use_gating_network), "true", 0, 0, NULL, with_moe_layer,
		NO_MIXTURE, "false: no router is learned, experts are drawn as with moe.router random"},
	{"moe.score", CHOICE, AT(moe.score), "softmax", 0, 0, "softmax|sigmoid", with_learned_top_k,
		NO_LEARNED,
		"what experts are chosen and weighed by: softmax of the logits, or the logistic function of "
		"each"},
	{"moe.top_p", REAL_NUMBER, AT(moe.top_p), "0", 0, 1, NULL, with_mass,
		"the router does not choose several experts by softmax",
		"a token is given to no more experts than it takes to reach this probability, moe.top_k at "
		"most; 0 for "
		"moe.top_k"},
	{"moe.groups", INT, AT(moe.groups), "0", 0, 1024, NULL, with_learned_top_k, NO_LEARNED,
		"groups of experts, of neighbours and equal size: the choice is among the best groups; 0 for "
		"none"},
	{"moe.top_k_groups", INT, AT(moe.top_k_groups), "1", 1, 1024, NULL, with_groups,
		"the router does not choose among groups (moe.groups, moe.levels)",
		"groups a token is given to, those with the largest sum of their moe.top_k / "
		"moe.top_k_groups best scores; in a tree: the most probable at every router but the last "
		"ones"},
	{"moe.specialisation", BOOL, AT(moe.specialisation), "false", 0, 0, NULL, with_one_map,
		"the router has no linear map, or several",
		"adds to the logits a softmax over experts of the token's cosine with a learned embedding of "
		"each plus a "
		"linear map"},
	{"moe.jitter", REAL_NUMBER, AT(moe.jitter), "0", 0, 0.99, NULL, with_reading,
		"the router does not read the tokens",
		"in training the router reads each number times one drawn from 1 - jitter to 1 + jitter"},
	{"moe.expert_dropout", REAL_NUMBER, AT(moe.expert_dropout), "0", 0, 0.95, NULL, with_several_experts,
		"a token is not given to several experts with weights",
		"share of the experts left out in each training step; a token keeps its best if all would "
		"go"},
	{"moe.renormalise", CHOICE, AT(moe.renormalise), "auto", 0, 0, "auto|yes|no", with_weighed_choice,
		"the router does not weigh a choice",
		"weights of a token's experts sum to 1; auto: unless there is only one"},
	{"moe.bias", BOOL, AT(moe.bias), "false", 0, 0, NULL, with_linear_router,
		"the router has no linear map", "the router's linear map has a bias"},
	{"moe.temperature", REAL_NUMBER, AT(moe.temperature), "1", 1e-3, 1e3, NULL, with_linear_router,
		"the router has no linear map", "divides the router's logits before the softmax"},
	{"moe.noise", CHOICE, AT(moe.noise), "learned", 0, 0, "learned|fixed", NULL, NULL,
		"scale of the noise in training: learned, of each token and expert; or the same for all"},
	{"moe.noise_std", REAL_NUMBER, AT(moe.noise_std), "1", 0, 1e3, NULL, NULL, NULL,
		"factor on the learned scale of the noise, or its deviation where that is fixed"},
	{"moe.router_dim", INT, AT(moe.router_dim), "8", 1, 65536, NULL, NULL, NULL,
		"dimensions in which tokens and experts are compared"},
	{"moe.condition", CHOICE, AT(moe.condition), "condition", 0, 0, "recording|group|condition", NULL,
		NULL,
		"what has an embedding that is added to the router's input: each recording, group, or "
		"condition (moe-split --condition)"},
	{"moe.condition_unknown", REAL_NUMBER, AT(moe.condition_unknown), "0", 0, 0.95, NULL, NULL, NULL,
		"share of a training step's windows taken as of an unknown recording, group or condition, "
		"which then has an embedding, too; 0: such are refused"},
	{"moe.slots", INT, AT(moe.slots), "1", 1, 1024, NULL, NULL, NULL, "slots of an expert"},
	{"moe.capacity", CHOICE, AT(moe.capacity), "fixed", 0, 0, "fixed|dynamic", with_top_k, NO_TOP_K,
		"how many of a window's tokens an expert takes: as the capacity factors say; or a number of "
		"each "
		"expert that follows its load in training, in evaluation too"},
	{"moe.capacity_ema", REAL_NUMBER, AT(moe.capacity_ema), "0.9", 0, 0.9999, NULL, with_dynamic_capacity,
		"moe.capacity is not dynamic",
		"share of its capacity that an expert keeps after a step; the rest is 1.25 times the tokens "
		"a "
		"window of the batch "
		"sent it on average, within moe.capacity_min (0 for 4) and moe.capacity_max (0 for 256)"},
	{"moe.capacity_factor", REAL_NUMBER, AT(moe.capacity_factor), "0", 0, 1e3, NULL, with_sent_tokens,
		NOT_SENT,
		"in training an expert takes this many times its even share of what a window's tokens send, "
		"the rest is dropped; 0 for all of it; where experts choose: in evaluation too, 0 for 2"},
	{"moe.capacity_factor_eval", REAL_NUMBER, AT(moe.capacity_factor_eval), "0", 0, 1e3, NULL,
		with_fixed_capacity, NOT_SENT, "the same in evaluation; 0 for all of it"},
	{"moe.capacity_min", INT, AT(moe.capacity_min), "0", 0, 1 << 20, NULL, with_bound, NO_DROPS,
		"tokens of a window an expert takes at least"},
	{"moe.capacity_max", INT, AT(moe.capacity_max), "0", 0, 1 << 20, NULL, with_bound, NO_DROPS,
		"tokens of a window an expert takes at most; 0 for no such bound"},
	{"moe.drop_policy", CHOICE, AT(moe.drop_policy), "choice", 0, 0,
		"choice|probability|position|priority|random", with_drops, NO_DROPS,
		"which choices are kept: all first choices in token order, then all second ones; the most "
		"probable; token after token; as choice, the most certain tokens first; random ones (in "
		"training only)"},
	{"moe.drop_residual", BOOL, AT(moe.drop_residual), "true", 0, 0, NULL, with_drops, NO_DROPS,
		"a token left without an expert is its own answer; otherwise its answer is 0"},
	{"moe.drop_renormalise", BOOL, AT(moe.drop_renormalise), "false", 0, 0, NULL, with_shared_drops,
		NO_SHARED_DROPS, "the weights of the experts a token keeps sum to 1 again"},
	{"moe.balance", CHOICE, AT(moe.balance), "loss", 0, 0, "loss|bias|quantile", with_balance, NO_BALANCE,
		"what keeps the experts evenly used: a loss; or a number added to an expert's score for the "
		"choice alone, "
		"moved after each step by moe.balance_rate towards an even load, or set to what would have "
		"made the load "
		"of the step even"},
	{"moe.balance_rate", REAL_NUMBER, AT(moe.balance_rate), "0.001", 1e-9, 1, NULL, with_balance_bias,
		"moe.balance is not bias, or there is one expert",
		"by how much moe.balance=bias moves after each step"},
	{"moe.load_balance_weight", REAL_NUMBER, AT(moe.load_balance_weight), "0.01", 0, 1e3, NULL,
		with_balance_loss, NO_BALANCE_LOSS, "weight of the balance loss, summed over all mixtures"},
	{"moe.load_balance_form", CHOICE, AT(moe.load_balance_form), "switch", 0, 0,
		"switch|sum|first|cv2|cv2_load", with_balance_loss, NO_BALANCE_LOSS,
		"form of the balance loss; at perfect balance switch and first are 1, sum is moe.top_k, cv2 "
		"and cv2_load are 0; a tree has that for each of its levels"},
	{"moe.z_loss_weight", REAL_NUMBER, AT(moe.z_loss_weight), "0", 0, 1e3, NULL, with_logits,
		"the router has no logits of its own",
		"weight of the squared log of the sum of the exponentials of a router's logits"},
	{"moe.shared_experts", INT, AT(moe.shared_experts), "0", 0, 64, NULL, with_moe_layer, NO_MIXTURE,
		"further experts every token passes through"},
	{"moe.residual_expert", BOOL, AT(moe.residual_expert), "false", 0, 0, NULL, with_moe_layer,
		NO_MIXTURE,
		"a further feed-forward beside the mixture; two learned numbers for each token weigh them"},
	{"moe.ffn", CHOICE, AT(moe.ffn), "mlp", 0, 0, "mlp|glu|geglu|swiglu|residual", with_ffn, NO_FFN,
		"form of the experts' feed-forward: two maps; two and one that gates; or the token and what "
		"two maps add to it"},
	{"moe.ffn_dim", INT, AT(moe.ffn_dim), "0", 0, 1 << 20, NULL, with_hidden_units,
		"no expert has hidden units", "width of the experts' feed-forward; 0 for encoder.ffn_dim"},
	{"moe.activation", CHOICE, AT(moe.activation), "encoder", 0, 0, "encoder|relu|gelu", with_activation,
		NO_PLAIN_FFN, "of the experts' hidden units; encoder for that of encoder.activation"},
	{"moe.inner_norm", BOOL, AT(moe.inner_norm), "false", 0, 0, NULL, with_plain_ffn, NO_PLAIN_FFN,
		"layer normalisation of the experts' hidden units before the activation"},
	{"moe.output_norm", BOOL, AT(moe.output_norm), "false", 0, 0, NULL, with_ffn, NO_FFN,
		"layer normalisation of what a feed-forward gives back, with residual of the sum"},
	{"moe.route_unit", CHOICE, AT(moe.route_unit), "token", 0, 0, "token|patch|window", with_units,
		"moe.layers is none, or the router gives experts means of tokens",
		"what is routed together, by the mean of its tokens: each token, encoder.patch consecutive "
		"ones "
		"(the global tokens are a patch of their own), or all of a window"},
	{"moe.scope", CHOICE, AT(moe.scope), "window", 0, 0, "window|batch", with_scope,
		"nothing is chosen among several tokens (moe.router, moe.capacity_factor)",
		"tokens among which experts take theirs or are mixed "
		"in training: those "
		"of a window, or of all windows of a step; elsewhere always those of a window"},
	{"moe.balance_scope", CHOICE, AT(moe.balance_scope), "batch", 0, 0, "batch|window|group|running",
		with_balance_loss, NO_BALANCE_LOSS,
		"tokens a balance loss is about: those of a step, of each window, of each group (subject) in "
		"the step; or running: shares averaged over the steps"},
	{"moe.balance_ema", REAL_NUMBER, AT(moe.balance_ema), "0.9", 0, 0.9999, NULL, with_running_balance,
		"moe.balance_scope is not running", "share of the running shares that is kept in a step"},
	{"moe.expert_types", TYPES, AT(moe.expert_types), "[]", 0, 0, NULL, with_moe_layer, NO_MIXTURE,
		"types of the routed experts: a list such as [\"ffn*4\",\"attention*2\",\"conv*2\"], experts "
		"numbered "
		"in its order; a single name without a number makes all of them, none given makes them ffn"},
	{"moe.kernel", INT, AT(moe.kernel), "3", 1, 1023, NULL, NULL, NULL,
		"taps of a convolution over time, in tokens"},
	{"train.optimizer", CHOICE, AT(train.optimizer), "adamw", 0, 0, NULL, NULL, NULL, "the optimizer"},
	{"train.lr", REAL_NUMBER, AT(train.lr), "0.0001", 1e-12, 1e3, NULL, NULL, NULL,
		"learning rate, the schedule's largest"},
	{"train.router_lr", REAL_NUMBER, AT(train.router_lr), "1", 0, 1e3, NULL, with_reading,
		"no router is learned", "learning rate of the routers in mixtures, times train.lr"},
	{"train.expert_lr", REAL_NUMBER, AT(train.expert_lr), "1", 0, 1e3, NULL, with_moe_layer, NO_MIXTURE,
		"learning rate of the experts in mixtures, shared ones too, times train.lr"},
	{"train.weight_decay", REAL_NUMBER, AT(train.weight_decay), "1", 0, 1e3, NULL, NULL, NULL,
		"decoupled weight decay"},
	{"train.beta1", REAL_NUMBER, AT(train.beta1), "0.9", 0, 0.999999, NULL, NULL, NULL,
		"decay of the first moment"},
	{"train.beta2", REAL_NUMBER, AT(train.beta2), "0.999", 0, 0.9999999, NULL, NULL, NULL,
		"decay of the second moment"},
	{"train.eps", REAL_NUMBER, AT(train.eps), "1e-08", 1e-30, 1, NULL, NULL, NULL,
		"added to the root of the second moment"},
	{"train.epochs", INT, AT(train.epochs), "3", 1, 1000000, NULL, NULL, NULL,
		"passes over the training windows"},
	{"train.batch_size", INT, AT(train.batch_size), "32", 1, 1 << 20, NULL, NULL, NULL, "windows a step"},
	{"train.schedule", CHOICE, AT(train.schedule), "cosine", 0, 0, "constant|cosine|onecycle|step", NULL,
		NULL, "course of the learning rate after the warm-up"},
	{"train.warmup_steps", INT, AT(train.warmup_steps), "20", 0, 1 << 30, NULL, NULL, NULL,
		"steps over which the learning rate rises from 0"},
	{"train.clip_norm", REAL_NUMBER, AT(train.clip_norm), "1", 0, 1e9, NULL, NULL, NULL,
		"largest norm of the whole gradient; 0 for no clipping"},
	{"train.patience", INT, AT(train.patience), "8", 0, 1000000, NULL, NULL, NULL,
		"stop after so many epochs without a better validation loss; 0 for never"},
	{"train.class_weight", CHOICE, AT(train.class_weight), "none", 0, 0, "none|balanced", with_classes,
		NO_CLASSES, "balanced: a class counts inversely to its windows"},
	{"train.label_smoothing", REAL_NUMBER, AT(train.label_smoothing), "0", 0, 0.99, NULL, with_classes,
		NO_CLASSES, "share of the target that is spread over all classes"},
	{"train.expert_loss_weight", REAL_NUMBER, AT(train.expert_loss_weight), "0", 0, 1e3, NULL,
		with_answers,
		"gate.combine is not answers, and head.type names no head with answers of the regions",
		"weight of the sum of the regions' own cross-entropies"},
	{"train.ridge", REAL_NUMBER, AT(train.ridge), "2", 1e-9, 1e9, NULL, config_linear_prior,
		"no region gives evidence (encoder.evidence)",
		"ridge penalty of the linear prior, multiplied by the number of training windows"},
	{"train.scale", CHOICE, AT(train.scale), "zscore", 0, 0, "zscore|none|group|window|ems", NULL, NULL,
		"zscore: channels, and the features of band tokens, are standardised with mean and deviation "
		"of the training windows, kept in the model; group: the mean over the windows of the same "
		"group (subject) is first subtracted from the features of band tokens, and for other tokens "
		"channels are standardised with the group's own windows, which adapts to subjects with their "
		"unlabelled windows; window: channels are standardised within each window; ems: with a "
		"running mean and deviation of the recording"},
	{"train.ems_factor", REAL_NUMBER, AT(train.ems_factor), "0.001", 1e-6, 0.5, NULL, with_ems, NO_EMS,
		"weight of a new sample in the running mean and deviation"},
	{"train.ems_init", INT, AT(train.ems_init), "1000", 0, 1 << 30, NULL, with_ems, NO_EMS,
		"samples at the start of a recording that are standardised with their common mean and "
		"deviation; 0 for none, so that nothing looks ahead"},
	{"train.ems_eps", REAL_NUMBER, AT(train.ems_eps), "0.0001", 1e-12, 1e6, NULL, with_ems, NO_EMS,
		"least deviation to divide by, in microvolts"},
	{"train.decay", CHOICE, AT(train.decay), "matrices", 0, 0, "matrices|all", with_decay,
		"train.weight_decay is 0", "which tensors decay: weight matrices only, or all"},
	{"train.shuffle", BOOL, AT(train.shuffle), "true", 0, 0, NULL, NULL, NULL,
		"a new order of the windows every epoch"},
	{"train.recompute", CHOICE, AT(train.recompute), "none", 0, 0, "none|layer", NULL, NULL,
		"layer: activations inside encoder layers are computed again in the backward pass instead of "
		"kept: the same bytes, less memory, more time"},
	{"train.calibrate", CHOICE, AT(train.calibrate), "none", 0, 0, "none|temperature", with_classes,
		NO_CLASSES,
		"temperature: after training the temperature of the softmax is fitted to the validation "
		"windows; none: it is 1"},
	{"train.augment", AUGMENT, AT(train.augment), "[]", 0, 0, NULL, NULL, NULL,
		"changes made to training windows: a list such as [\"noise:0.1\",\"mask:0.2s\"], of shift, "
		"flip, noise, "
		"mask, channels and mixup; moe-train(1) says what they do"},
};

enum { ROWS = sizeof rows / sizeof *rows };

/* Whether two keys stand in the same object. */
static bool beside(const char *a, const char *b)
{
	size_t n = strcspn(a, ".");
	return strcspn(b, ".") == n && !memcmp(a, b, n);
}

static struct key key_of(const struct setting *s, int i)
{
	return (struct key){.name = s->name,
		.kind = s->whole ? WHOLE : REAL_NUMBER,
		.at = AT(own) + (size_t)i * sizeof(double),
		.value = s->value,
		.min = s->min,
		.max = s->max,
		.help = s->help};
}

/* Those of a row's object stand behind its last row. */
bool config_key(int n, struct key *k)
{
	for (int row = 0; row < ROWS; row++) {
		*k = rows[row];
		if (n-- == 0)
			return true;
		if (row + 1 < ROWS && beside(rows[row].name, rows[row + 1].name))
			continue;
		for (int i = 0; config_setting(i); i++) {
			must(i < CONFIG_OWN);
			if (!beside(rows[row].name, config_setting(i)->name) || n-- > 0)
				continue;
			*k = key_of(config_setting(i), i);
			return true;
		}
	}
	return false;
}

int config_key_find(const char *name, struct key *k)
{
	for (int i = 0; config_key(i, k); i++)
		if (!strcmp(k->name, name))
			return i;
	return -1;
}

int config_key_count(void)
{
	struct key k;
	int n = 0;
	while (config_key(n, &k))
		n++;
	return n;
}

bool key_matters(const struct key *k, const struct config *c)
{
	if (k->matters)
		return k->matters(c);
	char *claimants = config_claimants(k->name);
	bool matters = !claimants || config_claims(c, k->name);
	free(claimants);
	return matters;
}

char *key_unless(const struct key *k)
{
	char *claimants = config_claimants(k->name);
	char *s = mem_format("%s%s%s", claimants ? claimants : "", claimants && k->unless ? ", or " : "",
		k->unless ? k->unless : "");
	free(claimants);
	return s;
}

struct names key_choices(const struct key *k)
{
	struct names l = {0};
	if (k->choices)
		names_split(&l, k->choices, '|');
	else if (!strcmp(k->name, "preset"))
		for (int i = 0; preset_table[i].name; i++)
			names_add(&l, preset_table[i].name);
	else if (k->kind == HEAD) {
		names_add(&l, "auto");
		for (int i = 0; head_table[i]; i++)
			names_add(&l, head_table[i]->name);
	} else if (!strcmp(k->name, "moe.router"))
		for (int i = 0; router_table[i]; i++)
			names_add(&l, router_table[i]->name);
	else if (!strcmp(k->name, "train.optimizer"))
		for (int i = 0; optimizer_names[i]; i++)
			names_add(&l, optimizer_names[i]);
	else
		for (int i = 0; tokeniser_table[i]; i++)
			names_add(&l, tokeniser_table[i]->name);
	return l;
}
