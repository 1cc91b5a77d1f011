/* What heads have in common whose outputs are logits of classes, and what all heads may use. */
#include "model/head.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/softmax.h"

#include <stdlib.h>

int head_outputs(const struct model *m)
{
	return m->head->outputs ? m->head->outputs(m) : m->layout.classes.n;
}

int head_targets(const struct model *m)
{
	return m->head->targets ? m->head->targets(m) : 0;
}

void head_tensor(struct model *m, const char *name, int rows, int cols, enum init init, double scale)
{
	int64_t shape[2] = {rows, cols};
	GROW(m->head_tensor, m->head_tensors + 1);
	m->head_tensor[m->head_tensors++] =
		params_add(&m->params, name, cols ? 2 : 1, shape, init, scale, cols > 0);
}

/* Beside a linear prior all begins with next to nothing. */
void head_linear(struct model *m, const char *prefix, int rows, int cols)
{
	bool prior = m->prior;
	char *weight = mem_format("%s.weight", prefix), *bias = mem_format("%s.bias", prefix);
	head_tensor(m, weight, rows, cols, prior ? INIT_NORMAL : INIT_FAN_IN, prior ? 0.01 : cols);
	head_tensor(m, bias, rows, 0, prior ? INIT_ZERO : INIT_FAN_IN, cols);
	free(weight);
	free(bias);
}

double head_classes_total(const struct model *m, const struct head_targets *target, int B)
{
	(void)m;
	return targets_weight(&target->class, B, target->class_weight);
}

static struct node *cross_entropy(
	struct tape *t, struct node *logits, const struct head_targets *target, double total)
{
	return op_cross_entropy(t, logits, &target->class, target->class_weight, target->smoothing, total);
}

struct head_loss head_classes_loss(const struct model *m, struct tape *t, const struct head_input *in,
	const struct head_output *y, const struct head_targets *target, double total)
{
	int K = m->layout.regions;
	struct head_loss l = {.task = cross_entropy(t, y->out, target, total)};
	(void)in;
	if (!y->own || !(m->config.train.expert_loss_weight > 0))
		return l;
	l.own = tape_take(t, (size_t)K * sizeof *l.own);
	for (int k = 0; k < K; k++)
		l.own[k] = cross_entropy(t, y->own[k], target, total);
	return l;
}

void head_classes_decode(const struct model *m, const real *out, double *p)
{
	softmax_of(out, m->layout.classes.n, (double)m->temperature, p);
}

void head_write_word(struct text *t, const char *key, const char *word)
{
	text_addf(t, ",\"%s\":", key);
	if (word)
		json_string(t, word);
	else
		text_add(t, "null");
}

void head_write_list(struct text *t, const char *key, const double *x, int n)
{
	if (!x) {
		text_addf(t, ",\"%s\":null", key);
		return;
	}
	text_addf(t, ",\"%s\":[", key);
	for (int i = 0; i < n; i++) {
		text_add(t, i ? "," : "");
		json_float(t, x[i]);
	}
	text_add(t, "]");
}

void head_classes_write(const struct head_prediction *a, struct text *t)
{
	head_write_word(t, "class", a->class);
	head_write_list(t, "p", a->p, a->n);
	if (a->out) {
		text_add(t, ",\"logits\":[");
		for (int c = 0; c < a->n; c++) {
			text_add(t, c ? "," : "");
			json_float(t, (double)a->out[c]);
		}
		text_add(t, "]");
	} else if (!a->recording) {
		text_add(t, ",\"logits\":null");
	}
}
