#include "predict/prediction_table.h"

#include "base/mem.h"
#include "model/head.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A cell behind a separator. */
static void add_cell(const struct prediction_table *a, const char *s, struct text *t)
{
	text_addf(t, "%c", a->separator);
	text_cell(t, s, a->separator);
}

static void add_heading(const struct prediction_table *a, const char *what, const char *name, struct text *t)
{
	char *s = mem_format("%s_%s", what, name);
	add_cell(a, s, t);
	free(s);
}

/* What the head decodes to (pass 0), then what that was decoded from. */
static void add_output_headings(const struct prediction_table *a, int pass, struct text *t)
{
	const struct names *classes = &a->model->layout.classes;
	char number[16];
	for (int i = 0; i < head_outputs(a->model); i++)
		if (a->model->head->classes) {
			add_heading(a, pass ? "logit" : "p", classes->s[i], t);
		} else {
			snprintf(number, sizeof number, "%d", i);
			add_heading(a, "value", number, t);
		}
}

static bool has_logits(const struct prediction_table *a)
{
	return !a->recordings && a->model->head->classes;
}

void prediction_table_header(const struct prediction_table *a, struct text *t)
{
	text_cell(t, "recording", a->separator);
	add_cell(a, "group", t);
	add_cell(a, a->recordings ? "windows" : "start", t);
	if (!a->recordings)
		add_cell(a, "time", t);
	add_cell(a, "label", t);
	add_cell(a, "class", t);
	for (int pass = 0; pass < (has_logits(a) ? 2 : 1); pass++)
		add_output_headings(a, pass, t);
	for (int k = 0; k < a->regions; k++)
		add_heading(a, "gate", a->model->layout.region[k].name, t);
	if (a->adapts)
		add_cell(a, "adapted", t);
	text_add(t, "\n");
}

void prediction_table_row(const struct prediction_table *a, const struct prediction *x, struct text *t)
{
	char c = a->separator;
	text_cell(t, x->recording, c);
	add_cell(a, x->group, t);
	text_addf(t, "%c%lld", c, a->recordings ? x->windows : x->start);
	if (!a->recordings)
		text_number_cell(t, x->time, c);
	add_cell(a, x->label ? x->label : "", t);
	add_cell(a, x->class ? x->class : "", t);
	for (int i = 0; i < x->outputs; i++)
		text_number_cell(t, x->p ? x->p[i] : NAN, c);
	for (int i = 0; i < x->outputs && has_logits(a); i++)
		text_number_cell(t, x->logits ? (double)x->logits[i] : NAN, c);
	for (int k = 0; k < a->regions; k++)
		text_number_cell(t, x->gate ? x->gate[k] : NAN, c);
	if (a->adapts)
		add_cell(a, x->adapted ? x->adapted : "", t);
	text_add(t, "\n");
}
