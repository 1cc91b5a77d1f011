#include "predict/votes.h"

#include "base/mem.h"
#include "model/head.h"
#include "score/metrics.h"

#include <stdlib.h>
#include <string.h>

static struct votes_recording *votes_of(struct votes *v, const struct prediction *a)
{
	int i = names_intern(&v->recordings, a->recording);
	if (i >= v->room) {
		int before = v->room;
		v->room = 2 * i + 8;
		GROW(v->of, v->room);
		memset(v->of + before, 0, (size_t)(v->room - before) * sizeof *v->of);
	}
	struct votes_recording *r = &v->of[i];
	if (!r->p) {
		r->p = NEW_ARRAY(double, a->outputs);
		r->gate = NEW_ARRAY(double, v->regions);
		r->group = mem_text(a->group);
	}
	return r;
}

void votes_add(struct votes *v, const struct prediction *a)
{
	struct votes_recording *r = votes_of(v, a);
	if (a->label && !r->label)
		r->label = mem_text(a->label);
	else if (a->label && strcmp(a->label, r->label))
		r->mixed = true;
	r->windows++;
	if (!a->p)
		return;
	for (int i = 0; i < a->outputs; i++)
		r->p[i] += a->p[i];
	for (int k = 0; k < v->regions; k++)
		r->gate[k] += a->gate[k];
	r->answered++;
}

struct prediction votes_prediction(struct votes *v, int i)
{
	struct votes_recording *r = &v->of[i];
	const struct model *m = v->model;
	struct prediction a = {.model = m,
		.recording = v->recordings.s[i],
		.group = r->group,
		.label = r->mixed ? NULL : r->label,
		.windows = r->windows,
		.outputs = head_outputs(m),
		.regions = v->regions};
	if (!r->answered)
		return a;
	for (int j = 0; j < a.outputs; j++)
		r->p[j] /= (double)r->answered;
	for (int k = 0; k < v->regions; k++)
		r->gate[k] /= (double)r->answered;
	if (m->head->classes)
		a.class = m->layout.classes.s[metrics_likeliest(r->p, a.outputs)];
	a.p = r->p;
	a.gate = r->gate;
	return a;
}

void votes_free(struct votes *v)
{
	for (int i = 0; i < v->recordings.n; i++) {
		free(v->of[i].p);
		free(v->of[i].gate);
		free(v->of[i].group);
		free(v->of[i].label);
	}
	free(v->of);
	names_free(&v->recordings);
}
