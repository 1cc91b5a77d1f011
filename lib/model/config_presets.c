/* The presets: values over the defaults of the keys. What a document leaves open stays at the
 * default. */
#include "model/config_keys.h"

#include <string.h>

/* Encoders that learn by themselves: from band powers of segments of a second, without linear prior
 * beside them. */
static const char *const plain[] = {"encoder.tokens=spectral",
	"encoder.bands=[1,4,6,8,9,10,11,12,13,14,16,18,20,22,24,30,45]", "encoder.window=1",
	"encoder.evidence=none", "train.lr=0.001", "train.weight_decay=0.05", "train.epochs=15", NULL};

/* Encoders of what comes at the same time of each window: learned filters, pooling that keeps time,
 * half of the samples left out in training, and a rate at which filters are learned within some
 * hundred steps. */
static const char *const separable[] = {"encoder.layers=1", "encoder.tokens=separable", "encoder.window=0.5",
	"encoder.hop=0.1", "encoder.filters=16", "encoder.kernel=0.4", "encoder.pool=position",
	"encoder.input_dropout=0.5", "train.lr=0.002", "train.weight_decay=1", "train.epochs=16", NULL};

/* The region model as it was first listed: post-norm layers of a standard library on raw samples,
 * AdamW without a schedule. */
static const char *const seed[] = {"encoder.hidden_dim=64", "encoder.ffn_dim=2048", "encoder.activation=relu",
	"encoder.norm=post", "encoder.tokens=sample", "train.weight_decay=0.01", "train.epochs=10",
	"train.schedule=constant", "train.warmup_steps=0", "train.clip_norm=0", "train.patience=10",
	"train.decay=all", NULL};

/* The transformer of federated mixtures, by its table of parameters: embedding_dim 256,
 * num_layers 6, num_heads 8, ff_dim 4 embedding_dim, dropout 0.1, sinusoidal positions,
 * max_seq_length 512; post-norm, GELU, no token beside those of the input. */
static const char *const transformer[] = {"encoder.hidden_dim=256", "encoder.layers=6", "encoder.heads=8",
	"encoder.ffn_dim=1024", "encoder.dropout=0.1", "encoder.activation=gelu", "encoder.norm=post",
	"encoder.positional=sinusoidal", "encoder.max_seq_length=512", "encoder.tokens=sample",
	"bridge.tokens=0", NULL};

/* The same with an MoE layer in every layer: num_experts 4, top_k 2, temperature 1,
 * load_balance_weight 0.01 of a loss whose counts are divided by N k. */
static const char *const transformer_moe[] = {"moe.layers=all", "moe.num_experts=4", "moe.top_k=2",
	"moe.router=topk", "moe.temperature=1", "moe.load_balance_weight=0.01",
	"moe.load_balance_form=switch", NULL};

/* What the presets of a library of MoE layers have in common: hidden_dim 768, intermediate size 4
 * hidden_dim, GELU, dropout 0.1, 8 heads, norm after the sum, an MoE layer in every layer; weight
 * 0.01 of the balance loss whose counts are divided by N alone, 0.001 of the z-loss; AdamW at 1e-4
 * with decay 0.01. */
static const char *const library[] = {"encoder.hidden_dim=768", "encoder.heads=8", "encoder.ffn_dim=3072",
	"encoder.dropout=0.1", "encoder.activation=gelu", "encoder.norm=post", "encoder.tokens=sample",
	"moe.layers=all", "moe.num_experts=8", "moe.load_balance_weight=0.01", "moe.load_balance_form=sum",
	"moe.z_loss_weight=0.001", "train.lr=0.0001", "train.weight_decay=0.01", NULL};

/* Its "large": 16 experts, SwiGLU, 1024 wide, two a token, capacity 1.5 in training and max(1, 0.8
 * of that) after it, weight 0.1. */
static const char *const large[] = {"encoder.hidden_dim=1024", "encoder.ffn_dim=4096", "moe.num_experts=16",
	"moe.top_k=2", "moe.ffn=swiglu", "moe.capacity_factor=1.5", "moe.capacity_factor_eval=1.2",
	"moe.load_balance_weight=0.1", NULL};

/* Its MoE layer of attention: 8 attention experts, one a token, by cosine similarity in 256
 * dimensions. The temperature is learned. */
static const char *const attention[] = {
	"moe.expert_types=attention", "moe.top_k=1", "moe.router=cosine", "moe.router_dim=256", NULL};

/* Its "vision": 6 convolutions of 3 taps and 256 filters, one a patch, capacity 1, no noise. */
static const char *const vision[] = {"moe.expert_types=conv", "moe.num_experts=6", "moe.kernel=3",
	"moe.ffn_dim=256", "moe.top_k=1", "moe.route_unit=patch", "moe.capacity_factor=1",
	"moe.capacity_factor_eval=1", NULL};

/* Its Switch Transformer: one expert a token, capacity 1.25 in training and 1 after it, what is
 * dropped goes on as it is. */
static const char *const switches[] = {"moe.top_k=1", "moe.capacity_factor=1.25",
	"moe.capacity_factor_eval=1", "moe.drop_residual=true", NULL};

/* A layer of two levels as a library for questions about images has it: 4 groups of 4, two groups,
 * one expert in each; hidden_dim 768, intermediate size 3072, GELU, dropout 0.1, expert dropout
 * 0.1; weight 0.01 of balance losses whose counts are divided by N alone, no z-loss. */
static const char *const hierarchical[] = {"moe.router=hierarchical", "moe.levels=[4,4]",
	"moe.top_k_groups=2", "moe.top_k=1", "moe.expert_dropout=0.1", "moe.z_loss_weight=0", NULL};

/* MultiMind's MoE layers, by their description: hidden_dim 1024, 6 layers with the norm before, 8
 * experts 4 times as wide with a norm and ReLU inside, dropout 0.1, two a token by a map with a
 * bias, specialisation, noise of deviation 0.01, capacity that follows the load between 4 and 256,
 * weight 0.01 of the balance loss; AdamW at 1e-4 with decay 0.01, warm-up of 1000 steps, gradients
 * clipped at 1, 10 epochs, layers computed again in backward. Their own loss does not see an uneven
 * load: here it is the one whose counts are divided by N k. */
static const char *const multimind[] = {"encoder.hidden_dim=1024", "encoder.layers=6", "encoder.heads=8",
	"encoder.ffn_dim=4096", "encoder.dropout=0.1", "encoder.activation=relu", "encoder.norm=pre",
	"encoder.tokens=sample", "moe.layers=all", "moe.num_experts=8", "moe.top_k=2",
	"moe.router=noisy_topk", "moe.noise=fixed", "moe.noise_std=0.01", "moe.bias=true",
	"moe.specialisation=true", "moe.inner_norm=true", "moe.capacity=dynamic", "moe.capacity_min=4",
	"moe.capacity_max=256", "moe.capacity_ema=0.9", "moe.load_balance_weight=0.01",
	"moe.load_balance_form=switch", "train.lr=0.0001", "train.weight_decay=0.01", "train.epochs=10",
	"train.warmup_steps=1000", "train.clip_norm=1", "train.recompute=layer", NULL};

/* DeepSeekMoE (Dai et al. 2024, the model of 2 billion, narrower): each expert a quarter of a
 * feed-forward, one shared, 63 routed, 7 a token; SwiGLU; AdamW with 0.95 for the second moment and
 * decay 0.1, gradients clipped at 1; sigmoid scores that sum to 1 over the chosen and a bias moved
 * by 0.001 in the place of the loss (DeepSeek-V3, 2024). */
static const char *const deepseek[] = {"encoder.hidden_dim=64", "encoder.ffn_dim=256", "moe.layers=all",
	"moe.ffn=swiglu", "moe.ffn_dim=64", "moe.shared_experts=1", "moe.num_experts=63", "moe.top_k=7",
	"moe.score=sigmoid", "moe.renormalise=yes", "moe.balance=bias", "moe.balance_rate=0.001",
	"train.beta2=0.95", "train.weight_decay=0.1", "train.clip_norm=1", NULL};

/* Small pre-norm encoders and linear priors as by default, on four views. */
static const char *const views[] = {
	"encoder.views=[\"covariance@regions\",\"relative@head\",\"power@head\",\"evoked@head\"]", NULL};

const struct preset preset_table[] = {
	{"default", {0},
		"small pre-norm encoders and a linear prior on covariances: the best on held-out subjects"},
	{"seed", {plain, seed}, "the region model: post-norm ReLU layers on raw samples"},
	{"transformer", {plain, transformer},
		"a plain transformer on raw samples, for windows of one region"},
	{"transformer-moe", {plain, transformer, transformer_moe},
		"the same with a mixture of experts in every layer"},
	{"multimind", {plain, multimind},
		"wide mixtures of capacity that follows the load, whose experts have embeddings"},
	{"large", {plain, library, large}, "sixteen wide gated experts, two a token"},
	{"attention", {plain, library, attention}, "attention experts, chosen by cosine similarity"},
	{"vision", {plain, library, vision}, "convolutions over patches of tokens"},
	{"switch", {plain, library, switches}, "one expert a token, of limited capacity"},
	{"hierarchical", {plain, library, hierarchical},
		"four groups of four experts, chosen one after the other"},
	{"deepseek", {plain, deepseek}, "many small experts and a shared one, balanced without a loss"},
	{"spectral", {plain}, "small pre-norm encoders on band powers, by themselves"},
	{"separable", {plain, separable},
		"small encoders on learned filters, for what is locked to the start of windows"},
	{"views", {views},
		"experts that see different things, each weighed by what it is worth on subjects it was not "
		"fitted "
		"on: covariances of the regions; covariances relative to those of the whole head; powers; "
		"and what "
		"is locked to the start of a window"},
	{0},
};

bool preset_names(int preset, const char *key)
{
	const struct preset *p = &preset_table[preset];
	size_t n = strlen(key);
	for (int list = 0; list < PRESET_LISTS && p->set[list]; list++)
		for (int i = 0; p->set[list][i]; i++)
			if (text_starts(p->set[list][i], key) && p->set[list][i][n] == '=')
				return true;
	return false;
}

bool config_preset_of_one_region(int preset)
{
	const char *const *of = preset_table[preset].set[1];
	return of == transformer || of == library || of == multimind;
}
