/* The whole model against numbers of a second implementation (tests/golden, made by
 * tests/reference/make_golden.py): logits and gate to 1e-5, each gradient to 1e-4 of its tensor's
 * largest entry. Runs in float and, by make gradcheck, in double; there the gradient of the whole
 * model is also held against finite differences.
 *
 * With arguments MODEL GOLDEN it compares just that pair.
 */
#include "differences.h"

#include "base/error.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

struct golden {
	struct st_file *f;
	struct model *m;
	int B, T, C;
	const float *x;     /* [B][T][C] */
	int *label;         /* [B] */
	int *condition;     /* [B], or NULL */
	real *class_weight; /* [classes] or NULL */
	double smoothing;
};

static void fill(void *context, int b, int k, real *x)
{
	const struct golden *g = context;
	const struct region *r = &g->m->layout.region[k];
	for (int t = 0; t < g->T; t++)
		for (int j = 0; j < r->width; j++) {
			int c = r->channel[j];
			x[t * r->width + j] =
				c < 0 ? 0
				      : (real)g->x[((size_t)b * (size_t)g->T + (size_t)t) * (size_t)g->C +
						   (size_t)c];
		}
}

/* The model part of a golden file as a model file at `path`. */
static int write_model(const struct st_file *f, const char *path)
{
	static const char *const keys[] = {
		"config", "regions", "channels", "classes", "length", "halo", "rate", "conditions"};
	struct st_writer *w = st_writer_new();
	struct output *o = output_open(path, OUTPUT_BINARY);
	for (int i = 0; i < f->n; i++)
		if (text_starts(f->tensor[i].name, "param."))
			st_put(w, f->tensor[i].name + 6, f->tensor[i].type, f->tensor[i].rank,
				f->tensor[i].shape, f->tensor[i].data);
	st_put_meta(w, "moe.format", "model/1");
	st_put_meta(w, "moe.unit", "uV");
	st_put_meta(w, "moe.stride", st_meta(f, "length"));
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char *key = mem_format("moe.%s", keys[i]);
		if (st_meta(f, keys[i]))
			st_put_meta(w, key, st_meta(f, keys[i]));
		free(key);
	}
	int r = st_write(w, o) || output_commit(o);
	st_writer_free(w);
	return r;
}

static void read_settings(struct golden *g)
{
	struct names set = {0};
	const char *list = st_meta(g->f, "set");
	CHECK(!list || !json_names(list, &set, "set"));
	for (int i = 0; i < set.n; i++) {
		if (text_starts(set.s[i], "train.label_smoothing="))
			g->smoothing = strtod(strchr(set.s[i], '=') + 1, NULL);
		if (text_starts(set.s[i], "train.expert_loss_weight="))
			g->m->config.train.expert_loss_weight = strtod(strchr(set.s[i], '=') + 1, NULL);
		if (!strcmp(set.s[i], "train.class_weight=balanced")) {
			int classes = g->m->layout.classes.n;
			g->class_weight = NEW_ARRAY(real, classes);
			for (int b = 0; b < g->B; b++)
				g->class_weight[g->label[b]] += 1;
			for (int c = 0; c < classes; c++)
				g->class_weight[c] =
					g->class_weight[c] > 0
						? (real)g->B / ((real)classes * g->class_weight[c])
						: 0;
		}
	}
	names_free(&set);
}

static int begin(struct golden *g, const char *golden, const char *model)
{
	char path[] = "/tmp/moe-golden-XXXXXX";
	int64_t shape[3] = {-1, -1, -1}, n = -1;
	*g = (struct golden){.f = st_read(golden)};
	if (!g->f)
		return -1;
	if (!model) {
		int fd = mkstemp(path);
		close(fd);
		if (!write_model(g->f, path))
			g->m = model_load(path);
		unlink(path);
	} else {
		g->m = model_load(model);
	}
	if (!g->m)
		return -1;
	g->x = st_need(g->f, "x", ST_F32, 3, shape);
	g->B = (int)shape[0];
	g->T = (int)shape[1];
	g->C = (int)shape[2];
	const int64_t *y = st_need(g->f, "y", ST_I64, 1, &n);
	g->label = NEW_ARRAY(int, n);
	for (int b = 0; b < g->B; b++)
		g->label[b] = (int)y[b];
	const int64_t *condition =
		st_find(g->f, "condition") ? st_need(g->f, "condition", ST_I64, 1, &n) : NULL;
	g->condition = condition ? NEW_ARRAY(int, n) : NULL;
	for (int b = 0; condition && b < g->B; b++)
		g->condition[b] = (int)condition[b];
	read_settings(g);
	return 0;
}

static void end(struct golden *g)
{
	st_free(g->f);
	model_free(g->m);
	free(g->label);
	free(g->condition);
	free(g->class_weight);
}

static double worst_difference(const real *a, const float *b, size_t n)
{
	double worst = 0;
	for (size_t i = 0; i < n; i++)
		worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
	return worst;
}

static void compare_gradients(const struct golden *g, const real *gradient)
{
	for (int i = 0; i < g->m->params.n; i++) {
		const struct param *p = &g->m->params.list[i];
		if (p->buffer) /* not trained */
			continue;
		char *name = mem_format("grad.%s", p->name);
		int64_t shape[PARAM_RANK];
		memcpy(shape, p->shape, sizeof shape);
		const float *want = st_need(g->f, name, ST_F32, p->rank, shape);
		double top = 0, worst = 0;
		for (size_t j = 0; want && j < p->count; j++)
			top = fmax(top, fabs((double)want[j]));
		/* the key third of in_proj_bias has no gradient: softmax does not see it */
		bool keys = text_ends(p->name, "in_proj_bias");
		size_t row = (size_t)p->shape[p->rank - 1];
		for (size_t j = 0; want && j < p->count; j++) {
			bool key = keys && j % row / (row / 3) == 1;
			double e = fabs((double)gradient[p->offset + j] - (double)want[j]);
			worst = fmax(worst, key ? e / 1e-6 : e / (1e-4 * top + 1e-12));
		}
		if (!want || worst > 1) {
			fprintf(stderr, "%s %s: %g of the tolerance\n", g->f->name, name, worst);
			CHECK(0);
		}
		free(name);
	}
}

static void compare(const char *golden, const char *model)
{
	struct golden g;
	if (begin(&g, golden, model)) {
		fprintf(stderr, "%s\n", err_text());
		CHECK(0);
		return;
	}
	int classes = g.m->layout.classes.n, K = g.m->layout.regions;
	struct pool *pool = pool_new(2);
	struct forward *f = forward_new(g.m, pool);
	real *logits = NEW_ARRAY(real, g.B * classes), *gate = NEW_ARRAY(real, g.B * K),
	     *gradient = NEW_ARRAY(real, g.m->params.count);
	int64_t ls[2] = {g.B, classes}, gs[2] = {g.B, K}, n = -1;
	struct window_source source = {.context = &g, .fill = fill, .condition = g.condition};
	forward_evaluate(f, g.B, &source, logits, gate);
	CHECK(worst_difference(logits, st_need(g.f, "logits", ST_F32, 2, ls), (size_t)(g.B * classes)) <
		1e-5);
	CHECK(worst_difference(gate, st_need(g.f, "gate", ST_F32, 2, gs), (size_t)(g.B * K)) < 1e-5);
	struct train_step step = {
		.label = g.label, .class_weight = g.class_weight, .smoothing = (real)g.smoothing, .seed = 1};
	const float *losses = st_need(g.f, "losses", ST_F32, 1, &n);
	CHECK_NEAR(forward_train(f, g.B, &source, &step, gradient), losses[0], 1e-5);
	compare_gradients(&g, gradient);
#ifdef REAL_DOUBLE
	step.dropout = 0.2; /* masks and noise are the same for the same step */
	g.m->config.gate.noise_std = 0.3;
	forward_train(f, g.B, &source, &step, gradient);
	if (!model)
		against_differences(g.m, f, g.B, &source, &step, gradient);
#endif
	forward_free(f);
	pool_free(pool);
	free(logits);
	free(gate);
	free(gradient);
	end(&g);
}

static const char *argument[2];

static void given_pair(void)
{
	compare(argument[1], argument[0]);
}

static char current[512];

static void golden_case(void)
{
	compare(current, NULL);
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		argument[0] = argv[1];
		argument[1] = argv[2];
		CASE(given_pair);
		return check_done();
	}
	struct dirent **list;
	int n = scandir("tests/golden", &list, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (text_ends(list[i]->d_name, ".safetensors")) {
			snprintf(current, sizeof current, "tests/golden/%s", list[i]->d_name);
			check_case(current, golden_case);
		}
		free(list[i]);
	}
	free(n >= 0 ? list : NULL);
	return check_done();
}
