#include "model/layers_help.h"

#include "moe/expert.h"
#include "moe/router.h"

/* Rules that go for several routers. */
static const struct {
	const char *title, *help;
} rules[] = {
	{"Capacity", "How many of a window's tokens an expert takes, and which go without it when "
		     "more were sent there. An expert takes\n"
		     "  C = ceil(factor k N / E), at least moe.capacity_min, at most moe.capacity_max\n"
		     "of a window's N tokens, where the factor is moe.capacity_factor in training "
		     "and moe.capacity_factor_eval in evaluation. With moe.capacity=dynamic each "
		     "expert has a capacity of its own, which holds in evaluation, too. It begins at"
		     " C for a factor of 1.25 and after each step of training becomes\n"
		     "  ema C + (1 - ema) max(min, min(max, 1.25 s))\n"
		     "where ema is moe.capacity_ema and s the number of tokens that a window of the "
		     "batch sent to the expert on average; it is rounded up where it is used.\n"
		     "\n"
		     "Each token asks for k places. Places are given in an order (moe.drop_policy); "
		     "when an expert has no place left, the choice is dropped:\n"
		     "  choice       all first choices in the order of the tokens, then all second ones, ..  "
		     " (Lepikhin et al. 2020, algorithm 1)\n"
		     "  probability  by falling probability of the choice                                    "
		     " (DeepSpeed, Megatron)\n"
		     "  position     token after token, with all their choices                               "
		     " (DeepSpeed)\n"
		     "  priority     as choice, tokens ordered by their largest probability                  "
		     " (Riquelme et al. 2021, section 3.4)\n"
		     "  random       drawn, in training only                                                 "
		     " (DeepSpeed)\n"
		     "Among equals the earlier token comes first, then the earlier choice. The "
		     "balance losses count what was chosen before anything is dropped."},
	{"Balance by a loss",
		"Losses that keep the experts evenly used, over the N tokens of a step. Expert "
		"i is chosen c_i times and has the mean probability P_i; g_ti is its weight for"
		" token t:\n"
		"  switch    E sum_i c_i/(kN) P_i            1 at perfect balance   (Fedus, Zoph, Shazeer "
		"2021, equations 4 to 6, for any k)\n"
		"  sum       E sum_i c_i/N P_i               k                      (as switch, not divided "
		"by k)\n"
		"  first     E sum_i f_i P_i                 1                      (Lepikhin et al. 2020)\n"
		"  cv2       (deviation / mean)^2 of sum_t g_ti   0                 (Shazeer et al. 2017, "
		"equations 6 and 7)\n"
		"  cv2_load  cv2 + the same of sum_t q_ti    0                      (the same, appendix A)\n"
		"  z         mean over the tokens of (ln sum_i e^z_i)^2             (Zoph et al. 2022, "
		"equation 5)\n"
		"In first, f_i is the fraction of the tokens whose first choice is i. In "
		"cv2_load, q_ti is the probability that t chooses i when its noise is drawn "
		"again. Where moe.top_p leaves places empty, switch divides by the number of "
		"choices made instead of kN. The deviation is that of a population. Counts are "
		"constants to the gradient.\n"
		"\n"
		"By moe.balance_scope, one loss is for all tokens of a step (batch); or there "
		"is one for the tokens of each window, or of each group (person), and their "
		"mean, weighted by tokens, counts; or the fractions c_i/(kN) are averaged over "
		"the steps, each of which keeps moe.balance_ema of the old ones (running). A "
		"tree of routers has a loss for each of them, over the tokens that reach it; "
		"those of a level are averaged by these tokens, and the levels are added up."},
	{"Balance without a loss",
		"A number b_i for each expert is added to its score when experts are chosen, "
		"and only then. It is moved after every step of training by what the batch did,"
		" and is kept in the model:\n"
		"  bias      b_i += rate sign(mean of c - c_i)\n"
		"  quantile  b_i = the k/E-quantile over the tokens of q_t - s_ti, less the mean of b\n"
		"In bias (Wang et al. 2024, algorithm 1), c_i is the number of tokens that "
		"chose expert i, and the rate is moe.balance_rate. In quantile (Megatron-Core "
		"2026), s_ti is the score of expert i for token t, and q_t the (k+1)-th largest"
		" of s_t + b: with these b every expert would have been chosen by as many "
		"tokens. The quantile of n numbers, with h = n k/E, is the mean of the h-th and"
		" the next one when h is whole, and otherwise the one that h points into."},
	{"Expert dropout", "In training each expert is left out of a step with this probability, for all "
			   "tokens alike, so that no token comes to rely on one. The weights of a token's "
			   "other experts are divided by their sum if they summed to 1 before. A token all"
			   " of whose experts would go keeps the first of its choice, the one that counts "
			   "most."},
};

void layers_help(struct text *t)
{
	for (int i = 0; router_table[i]; i++)
		text_addf(t, "= router %s\n%s\n", router_table[i]->name, router_table[i]->help);
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		text_addf(t, "= rule %s\n%s\n", rules[i].title, rules[i].help);
	for (int i = 0; expert_table[i]; i++)
		text_addf(t, "= expert %s\n%s\n", expert_table[i]->name, expert_table[i]->help);
}
