/* ffn: the feed-forward of a transformer layer, in one of five forms
 *
 *     mlp       f(x) = W2 dropout(act(W1 x + b1)) + b2
 *     residual  x + dropout(f(x))
 *     glu, geglu, swiglu   W2 dropout(gate(V x + c) * (W1 x + b1)) + b2       (Dauphin et al. 2017; Shazeer 2020)
 *
 * inner_norm (mlp, residual): act(norm(W1 x + b1)); output_norm: norm(all of it). */
#include "moe/expert.h"

extern const struct expert_type expert_ffn;

static bool gated(const struct expert_shape *s)
{
	return s->form == FFN_GLU || s->form == FFN_GEGLU || s->form == FFN_SWIGLU;
}

static struct tensor_plan *map(
	struct tensor_plan *t, const char *weight, const char *bias, int outputs, int inputs)
{
	*t++ = (struct tensor_plan){weight, 2, outputs, inputs, START_FAN_IN, inputs};
	*t++ = (struct tensor_plan){bias, 1, outputs, 0, START_FAN_IN, inputs};
	return t;
}

static struct tensor_plan *norm(struct tensor_plan *t, const char *weight, const char *bias, int cols)
{
	*t++ = (struct tensor_plan){weight, 1, cols, 0, START_CONSTANT, 1};
	*t++ = (struct tensor_plan){bias, 1, cols, 0, START_CONSTANT, 0};
	return t;
}

static int declare(const struct expert_shape *s, struct tensor_plan plan[EXPERT_TENSORS])
{
	struct tensor_plan *t = map(plan, "linear1.weight", "linear1.bias", s->F, s->H);
	if (gated(s))
		t = map(t, "linear_gate.weight", "linear_gate.bias", s->F, s->H);
	t = map(t, "linear2.weight", "linear2.bias", s->H, s->F);
	if (s->inner_norm && !gated(s))
		t = norm(t, "inner_norm.weight", "inner_norm.bias", s->F);
	if (s->output_norm)
		t = norm(t, "output_norm.weight", "output_norm.bias", s->H);
	return (int)(t - plan);
}

/* w is moved on to what comes after the maps and the inner norm */
static struct node *inner(
	struct tape *t, struct node *x, const struct weight **w, const struct expert_shape *s)
{
	static const enum gating gating[] = {
		[FFN_GLU] = GATING_SIGMOID, [FFN_GEGLU] = GATING_GELU, [FFN_SWIGLU] = GATING_SILU};
	const struct weight *v = *w;
	if (gated(s)) {
		*w += 6;
		return op_gated_feedforward(t, x, &(struct gated_weights){v[0], v[1], v[2], v[3], v[4], v[5]},
			s->F, gating[s->form]);
	}
	*w += 4;
	if (!s->inner_norm)
		return op_feedforward(t, x, v[0], v[1], v[2], v[3], s->F, s->activation);
	*w += 2;
	struct node *h = op_norm(t, op_linear(t, x, v[0], v[1], s->F), NULL, v[4], v[5]);
	return op_linear_passing(t, op_activation(t, h, s->activation), v[2], v[3], s->H);
}

static struct node *forward(struct tape *t, struct node *x, const struct weight w[EXPERT_TENSORS],
	const struct expert_shape *s, const struct expert_rows *rows)
{
	(void)rows;
	struct node *f = inner(t, x, &w, s);
	bool residual = s->form == FFN_RESIDUAL;
	if (s->output_norm)
		return residual ? op_norm(t, x, f, w[0], w[1]) : op_norm(t, f, NULL, w[0], w[1]);
	return residual ? op_residual(t, x, f) : f;
}

const struct expert_type expert_ffn = {.name = "ffn",
	.help = "The feed-forward part of a transformer layer, in one of five forms (moe.ffn):\n"
		"  mlp                  f(x) = W2 dropout(act(W1 x + b1)) + b2\n"
		"  residual             x + dropout(f(x))\n"
		"  glu, geglu, swiglu   W2 dropout(gate(V x + c) * (W1 x + b1)) + b2\n"
		"The last three are gated linear units (Dauphin et al. 2017; Shazeer 2020), "
		"with the logistic function, GELU and SiLU for the gate. With moe.inner_norm "
		"mlp and residual take act(norm(W1 x + b1)); with moe.output_norm the result is"
		" norm(all of it).",
	.hidden = true,
	.forms = true,
	.declare = declare,
	.forward = forward};
