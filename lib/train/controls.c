#include "train/controls_parts.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/need.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- what is left out */

/* The configuration with other values, assignments ended by NULL. */
static bool reconfigure(struct control *c, const char *const *set)
{
	struct names l = {0};
	for (; *set; set++)
		names_add(&l, *set);
	const struct configuration *of = c->cv.config;
	int bad = config_variant(&c->config, of, &l);
	c->cv.config = &c->config;
	names_free(&l);
	return !bad;
}

static bool does_not_apply(char **why, const char *clause)
{
	*why = mem_text(clause);
	return false;
}

static int regions(const struct control *c)
{
	return c->cv.folds->d->target->regions;
}

/* All windows as if they trained: enough to declare a model. */
static struct training_data all_windows(const struct control *c)
{
	struct dataset *d = (struct dataset *)(uintptr_t)c->cv.folds->d; /* read only */
	return (struct training_data){
		.train = d, .trains = d->n, .valid = d, .valids = c->cv.valid_fraction > 0 ? d->n : 0};
}

/* The model of the control's configuration, without values; NULL with an error. */
static struct model *declared(const struct control *c)
{
	struct training_data all = all_windows(c);
	return fit_declare(c->cv.config, NULL, &all);
}

static bool frozen(struct control *c, char **why)
{
	(void)why;
	c->without.steps = true;
	return true;
}

/* The gate no longer sees the window: what is left is a bias of each region. */
static void hold_gate(struct model *m)
{
	struct param *p = &m->params.list[m->gate_fc2_weight >= 0 ? m->gate_fc2_weight : m->gate_fc1_weight];
	memset(m->params.x + p->offset, 0, p->count * sizeof(real));
	p->buffer = true;
}

/* Nothing but the linear prior: a head that says nothing, and the weights that the prior's fit gave
 * the regions. */
static void silence(struct model *m)
{
	if (m->gate_fc1_weight >= 0)
		hold_gate(m);
	for (int i = 0; i < m->head_tensors; i++) {
		const struct param *p = &m->params.list[m->head_tensor[i]];
		memset(m->params.x + p->offset, 0, p->count * sizeof(real));
	}
}

static bool linear(struct control *c, char **why)
{
	static const char *const set[] = {"gate.top_k=0", NULL};
	if (!config_linear_prior(&c->cv.config->value))
		return does_not_apply(why, "the configuration has no linear prior");
	c->without.steps = true;
	c->without.change = silence;
	return reconfigure(c, set);
}

static bool constant_gate(struct control *c, char **why)
{
	if (regions(c) == 1)
		return does_not_apply(why, "there is one region, whose weight is 1");
	c->without.change = hold_gate;
	return true;
}

/* The MoE layer that stands first in every region. */
static int first_moe_layer(const struct config *c)
{
	int l = 0;
	while (!config_moe_layer(c, l))
		l++;
	return l;
}

static bool random_router(struct control *c, char **why)
{
	const struct config *v = &c->cv.config->value;
	if (!config_moe_layers(v))
		return does_not_apply(why, "the configuration has no MoE layer");
	if (config_router(v)->unlearned)
		return does_not_apply(why, "its router is random already");
	struct model *m = declared(c);
	if (!m)
		return false;
	int layer = first_moe_layer(v), least = config_experts(v, layer), leaves = config_experts(v, layer);
	double passed = model_experts_per_token(m, 0, layer);
	bool tree = config_router(v)->tree;
	for (int l = layer; l < v->encoder.layers; l++)
		if (config_moe_layer(v, l) && config_experts(v, l) < least)
			least = config_experts(v, l);
	int k = (int)fmax(1, fmin(least, floor(passed + 0.5)));
	char *top_k = mem_format("moe.top_k=%d", k), *experts = mem_format("moe.num_experts=%d", leaves);
	const char *const set[] = {"moe.router=random", top_k, tree ? experts : NULL, NULL};
	bool made = reconfigure(c, set);
	free(top_k);
	free(experts);
	model_free(m);
	return made;
}

/* One expert that every token passes, so wide. */
static bool one_expert(struct control *c, const struct configuration *of, int width)
{
	char *ffn_dim = mem_format("moe.ffn_dim=%d", width);
	const char *const set[] = {"moe.use_gating_network=true", "moe.router=topk", "moe.num_experts=1",
		"moe.top_k=1", "moe.top_p=0", "moe.groups=0", "moe.renormalise=yes", "moe.score=softmax",
		"moe.specialisation=false", "moe.bias=false", "moe.jitter=0", "moe.expert_dropout=0",
		"moe.capacity=fixed", "moe.capacity_factor=0", "moe.capacity_factor_eval=0",
		"moe.capacity_min=0", "moe.capacity_max=0", "moe.balance=loss", "moe.load_balance_weight=0",
		"moe.load_balance_form=switch", "moe.balance_scope=batch", "moe.z_loss_weight=0",
		"moe.scope=window", "moe.shared_experts=0", "moe.residual_expert=false",
		"moe.expert_types=[]", ffn_dim, NULL};
	config_end(&c->config);
	c->cv.config = of;
	bool made = reconfigure(c, set);
	free(ffn_dim);
	return made;
}

/* Its parameters, 0 with an error. */
static double size_of_one_expert(struct control *c, const struct configuration *of, int width)
{
	struct model *m = one_expert(c, of, width) ? declared(c) : NULL;
	double size = m ? (double)model_size(m).active : 0;
	model_free(m);
	return size;
}

/* The size is linear in the width: two sizes give the width whose size is that of what a token
 * passes. */
static bool dense(struct control *c, char **why)
{
	const struct configuration *of = c->cv.config;
	if (!config_moe_layers(&of->value))
		return does_not_apply(why, "the configuration has no MoE layer");
	struct model *m = declared(c);
	if (!m)
		return false;
	double active = (double)model_size(m).active;
	model_free(m);
	double one = size_of_one_expert(c, of, 1), two = one > 0 ? size_of_one_expert(c, of, 2) : 0;
	return two > one && one_expert(c, of, (int)fmax(1, floor(1.5 + (active - one) / (two - one))));
}

/* A layout of one region that owns every channel that some region sees. */
static void join_regions(struct layout *to, const struct layout *from)
{
	int C = from->channels.n, n = 0;
	char *seen = NEW_ARRAY(char, C);
	layout_copy(to, from);
	for (int k = 0; k < from->regions; k++)
		for (int j = 0; j < from->region[k].width; j++)
			if (from->region[k].channel[j] >= 0)
				seen[from->region[k].channel[j]] = 1;
	layout_clear_regions(to);
	must(!layout_index_regions(to, 1, 0));
	for (int c = 0; c < C; c++)
		if (seen[c])
			to->region[0].channel[n++] = c;
	to->region[0].width = n;
	free(seen);
}

static bool one_region(struct control *c, char **why)
{
	static const char *const set[] = {NULL};
	const struct dataset *d = c->cv.folds->d;
	if (regions(c) == 1)
		return does_not_apply(why, "there is one region already");
	if (layout_has_views(d->target))
		return does_not_apply(why, "the regions are those of views (encoder.views)");
	for (int k = 0; k < d->target->regions; k++)
		if (layout_own_input(d->target, k))
			return does_not_apply(why, "the regions have windows of different lengths or rates");
	join_regions(&c->layout, d->target);
	c->data = dataset_rebind(d, &c->layout);
	if (!c->data)
		return false;
	c->folds = *c->cv.folds;
	c->folds.d = c->data;
	c->cv.folds = &c->folds;
	return reconfigure(c, set);
}

static bool permuted(struct control *c, char **why)
{
	(void)why;
	c->cv.permutations = 1;
	c->cv.permute_by = c->cv.folds->by;
	return true;
}

static bool chance(struct control *c, char **why)
{
	(void)why;
	c->without.model = true;
	return true;
}

static const struct control_kind kinds[] = {
	{"frozen", "no training steps: what steps train stays as it was drawn", frozen},
	{"linear", "the closed-form linear prior alone", linear},
	{"constant-gate", "a gate that weighs the regions of all windows alike", constant_gate},
	{"random-router", "experts drawn at random", random_router},
	{"dense", "dense layers of the size a token passes, in place of MoE layers", dense},
	{"one-region", "all channels in one region, without a gate", one_region},
	{"permuted", "labels permuted within each group", permuted},
	{"chance", "always the largest class of the training windows", chance},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

char *controls_names(void)
{
	struct names l = {0};
	names_add(&l, "all");
	for (int i = 0; i < KINDS; i++)
		names_add(&l, kinds[i].name);
	char *list = names_join(&l, "|");
	names_free(&l);
	return list;
}

/* --- which run */

static int check_names(const struct names *l, bool all)
{
	const char *name[KINDS];
	for (int k = 0; k < KINDS; k++)
		name[k] = kinds[k].name;
	for (int i = 0; i < l->n; i++) {
		bool known = all && !strcmp(l->s[i], "all");
		for (int k = 0; k < KINDS && !known; k++)
			known = !strcmp(l->s[i], name[k]);
		if (known)
			continue;
		const char *near = text_nearest(l->s[i], name, KINDS);
		char *list = controls_names();
		err_set(EX_USAGE, "\"%s\" is no control%s%s; they are %s", l->s[i],
			near ? "; did you mean " : "", near ? near : "", all ? list : list + strlen("all|"));
		free(list);
		return -1;
	}
	return 0;
}

static struct metrics *begin_units(const struct cv *cv)
{
	int n = cv_runs(cv) * holdout_units(cv->folds->d, cv->folds->by)->n;
	struct metrics *m = NEW_ARRAY(struct metrics, n);
	for (int i = 0; i < n; i++)
		metrics_begin(&m[i], cv->folds->d->classes.n);
	return m;
}

static void end_units(const struct cv *cv, struct metrics *m)
{
	int n = cv_runs(cv) * holdout_units(cv->folds->d, cv->folds->by)->n;
	for (int i = 0; m && i < n; i++)
		metrics_end(&m[i]);
	free(m);
}

static void free_control(struct control *c)
{
	if (c->cv.folds)
		end_units(&c->cv, c->cv.by_unit);
	if (c->config.from)
		config_end(&c->config);
	dataset_free(c->data);
	layout_free(&c->layout);
	free(c);
}

/* Whether its folds have what they need; -1 with an error. */
static int check(struct control *c, int threads)
{
	struct names notes = {0};
	struct training_data all = all_windows(c);
	int folds = cv_count(&c->cv);
	int bad = cv_check(&c->cv, &notes) ||
		  (!c->without.model &&
			  need_check(c->cv.config, NULL, &all, folds < threads ? folds : threads, &notes));
	names_free(&notes);
	return bad ? -1 : 0;
}

/* Left out, with a note; -1 where it is needed. */
static int leave_out(struct controls *l, const char *name, const char *why, bool needed, struct names *notes)
{
	if (needed)
		return err_set(EX_CONFIG, "the control %s cannot be run: %s", name, why);
	char *note = mem_format("the control %s is left out: %s", name, why);
	names_add(notes, note);
	names_add(&l->left_out, name);
	names_add(&l->reasons, why);
	free(note);
	return 0;
}

static int add(
	struct controls *l, const struct control_kind *kind, bool needed, int threads, struct names *notes)
{
	struct control *c = NEW(struct control);
	char *why = NULL;
	*c = (struct control){.kind = kind, .needed = needed, .cv = *l->cv};
	c->cv.by_unit = NULL;
	c->cv.without = &c->without;
	c->without.name = kind->name;
	if (kind->make(c, &why) && !check(c, threads)) {
		c->cv.by_unit = begin_units(&c->cv);
		l->total += cv_count(&c->cv);
		ROOM_FOR_ONE(l->list, l->n, l->room);
		l->list[l->n++] = c;
		return 0;
	}
	why = why ? why : mem_text(err_text());
	int bad = leave_out(l, kind->name, why, needed, notes);
	free(why);
	free_control(c);
	return bad;
}

struct controls *controls_new(struct cv *cv, const struct names *wanted, const struct names *needed,
	int threads, struct names *notes)
{
	if (check_names(wanted, true) || check_names(needed, false))
		return NULL;
	struct controls *l = NEW(struct controls);
	bool all = names_find(wanted, "all") >= 0, bad = false;
	l->cv = cv;
	for (int k = 0; k < KINDS && !bad; k++) {
		bool must_win = names_find(needed, kinds[k].name) >= 0;
		if (all || must_win || names_find(wanted, kinds[k].name) >= 0)
			bad = add(l, &kinds[k], must_win, threads, notes);
	}
	cv->by_unit = begin_units(cv);
	if (bad) {
		controls_free(l);
		return NULL;
	}
	return l;
}

void controls_free(struct controls *l)
{
	if (!l)
		return;
	for (int i = 0; i < l->n; i++)
		free_control(l->list[i]);
	free(l->list);
	end_units(l->cv, l->cv->by_unit);
	l->cv->by_unit = NULL;
	names_free(&l->left_out);
	names_free(&l->reasons);
	free(l);
}

/* --- running them */

struct running {
	const struct controls_watch *watch;
	int before, total; /* folds of the controls before this one, of all */
};

static int on_fold(void *context, const struct cv_fold *f, int done, int total)
{
	struct running *r = context;
	(void)f;
	(void)total;
	return r->watch->fold(r->watch->context, r->before + done, r->total);
}

int controls_run(struct controls *l, struct pool *pool, const struct controls_watch *watch)
{
	struct running r = {watch, 0, l->total};
	int bad = 0;
	for (int i = 0; i < l->n && !bad; i++) {
		const struct cv *cv = &l->list[i]->cv;
		struct cv_fold *f = cv_new(cv);
		struct cv_watch each = {&r, on_fold};
		bad = cv_run(cv, pool, f, &each);
		if (bad)
			err_at("control %s", l->list[i]->kind->name);
		r.before += cv_count(cv);
		cv_free(cv, f);
	}
	return bad;
}
