/* Regions whose input is not the common one: region "fast" sees channels a, b at 64 Hz, "same" sees
 * them too through a tokeniser of its own that only this file knows, and "slow" sees a sensor of 16
 * Hz, whose rows begin elsewhere. They are written, read, trained, asked and described like all
 * others. */
#include "check.h"
#include "configured.h"

#include "analysis/describe.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "dataset/adapt.h"
#include "model/tokenisers.h"
#include "train/fit.h"
#include "train/survey.h"
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { T = 64, SLOW = 16, K = 3, WINDOWS = 40, ROWS = WINDOWS * T, SLOW_ROWS = 5 + WINDOWS * SLOW };

/* --- a tokeniser: mean and largest value of each channel; one token, standardised */

static int extremes_size(const struct config *c, int T_, double rate, const struct region *r, int *n, int *D)
{
	(void)c;
	(void)T_;
	(void)rate;
	*n = 1;
	*D = 2 * r->width;
	return 0;
}

static int extremes_count(const struct config *c, int T_, double rate, int samples)
{
	(void)c;
	(void)rate;
	return samples == T_;
}

static void extremes_features(const struct config *c, const void *prepared, const real *x, int T_,
	double rate, const struct region *r, real *out, struct arena *scratch)
{
	(void)c;
	(void)prepared;
	(void)rate;
	(void)scratch;
	for (int j = 0; j < r->width; j++) {
		real sum = 0, most = x[j];
		for (int t = 0; t < T_; t++) {
			sum += x[t * r->width + j];
			most = x[t * r->width + j] > most ? x[t * r->width + j] : most;
		}
		out[2 * j] = sum / (real)T_;
		out[2 * j + 1] = most;
	}
}

static const struct tokeniser tokeniser_extremes = {.name = "extremes",
	.standardised = true,
	.size = extremes_size,
	.count = extremes_count,
	.features = extremes_features};

TOKENISERS(TOKENISER_DECLARATION)
const struct tokeniser *const tokeniser_table[] = {TOKENISERS(TOKENISER_ROW) TOKENISER_ROW(extremes) NULL};

/* --- windows */

static char folder[] = "/tmp/moe-extend-XXXXXX";
static const struct history no_history = {.off = 1};

static int32_t both[] = {0, 1}, sensor[] = {2};
static unsigned char core[] = {1, 1};

static struct layout layout(bool model)
{
	static struct region file[K], own[K];
	file[0] = (struct region){.name = "fast", .width = 2, .channel = both, .core = core};
	file[1] = (struct region){.name = "same", .width = 2, .channel = both, .core = core};
	file[2] = (struct region){
		.name = "slow", .width = 1, .channel = sensor, .core = core, .length = SLOW, .rate = 16};
	memcpy(own, file, sizeof own);
	struct layout l = {.length = T,
		.stride = T,
		.rate = 64,
		.unit = "uV",
		.regions = K,
		.region = model ? own : file};
	static char extremes[] = "extremes";
	own[1].tokens = extremes;
	names_split(&l.channels, "a,b,heart", ',');
	names_split(&l.classes, "rest,task", ',');
	return l;
}

static void layout_done(struct layout *l)
{
	names_free(&l->channels);
	names_free(&l->classes);
}

/* The class shows in the slow sensor alone: its mean is -1 or 1. */
static void write_windows(const char *path, int64_t first_slow, bool twice, float nudge)
{
	static float fast[ROWS][2], slow[SLOW_ROWS];
	static int64_t start[WINDOWS], slow_start[WINDOWS];
	static int32_t label[WINDOWS], zero[WINDOWS], group[WINDOWS];
	struct layout l = layout(false);
	struct rng r = rng_stream(1, "signal", 0, 0);
	const float *expert[K] = {fast[0], fast[0], slow};
	const int64_t *own_start[K] = {NULL, NULL, slow_start};
	int64_t own_rows[K] = {0, 0, SLOW_ROWS};
	for (int i = 0; i < ROWS; i++)
		for (int c = 0; c < 2; c++)
			fast[i][c] = (float)rng_normal(&r);
	for (int i = 0; i < WINDOWS; i++) {
		start[i] = i * T;
		slow_start[i] = first_slow + i * SLOW;
		label[i] = i % 2;
		group[i] = i / 10;
	}
	for (int i = 0; i < SLOW_ROWS; i++)
		slow[i] = (float)(50 + (i < 5 ? 0 : (i - 5) / SLOW % 2 ? 1 : -1) + 0.3 * rng_normal(&r));
	slow[5 + 3 * SLOW] += nudge;
	if (twice)
		l.region[2].channel = both;
	struct windows w = {.layout = l,
		.samples = ROWS,
		.expert = expert,
		.own_start = own_start,
		.own_rows = own_rows,
		.n = WINDOWS,
		.start = start,
		.sample = start,
		.label = label,
		.recording = zero,
		.group = group};
	names_split(&w.recordings, "r", ',');
	names_split(&w.groups, "g0,g1,g2,g3", ',');
	struct output *o = output_open(path, OUTPUT_BINARY);
	CHECK(!windows_write(&w, o, &no_history) && !output_commit(o));
	names_free(&w.recordings);
	names_free(&w.groups);
	layout_done(&l);
}

static struct windows *read_windows(const char *path)
{
	struct input *in = input_open(path);
	struct windows *w = NULL;
	if (windows_next(in, &w) != 1)
		w = NULL;
	input_close(in);
	return w;
}

/* --- what they go through */

struct rig {
	struct layout l;
	struct dataset *d;
	struct pool *pool;
	int64_t item[WINDOWS];
};

static void begin(struct rig *r, const char *path)
{
	*r = (struct rig){.l = layout(true), .pool = pool_new(2)};
	for (int i = 0; i < WINDOWS; i++)
		r->item[i] = i;
	r->d = dataset_new(&r->l, MISSING_ERROR);
	struct windows *w = read_windows(path);
	CHECK(w && !dataset_add(r->d, w));
}

static void end(struct rig *r)
{
	dataset_free(r->d);
	pool_free(r->pool);
	layout_done(&r->l);
}

static struct training_data data_of(struct rig *r)
{
	return (struct training_data){r->d, r->d, r->item, NULL, WINDOWS, 0, NULL};
}

static struct model *train(struct rig *r, const char *const *set)
{
	static const char *const small[] = {"encoder.hidden_dim=8", "encoder.heads=2", "encoder.layers=2",
		"encoder.ffn_dim=16", "encoder.dropout=0", "train.batch_size=20", "train.lr=0.01",
		"train.schedule=constant"};
	const char *all[30] = {0};
	size_t n = sizeof small / sizeof *small;
	memcpy(all, small, sizeof small);
	for (; *set; set++)
		all[n++] = *set;
	struct configuration c = configured(PRESET_DEFAULT, all);
	struct training_data data = data_of(r);
	struct model *m = fit_model(&c, NULL, false, &data, r->pool, 3, NULL);
	CHECK(m != NULL);
	struct trainer *t = trainer_new(m, &data, r->pool, 3);
	CHECK(!trainer_run(t, &(struct watch){0}));
	trainer_free(t);
	config_end(&c);
	return m;
}

static void prepare(struct rig *r, const struct model *m)
{
	CHECK(!dataset_scale(r->d, m));
	dataset_adapt(r->d, m, r->item, WINDOWS, ADAPT_WHOLE, r->pool);
	dataset_standardise(r->d, r->item, WINDOWS);
}

/* logits [WINDOWS][2]; returns how many windows get their class. */
static int ask(struct rig *r, const struct model *m, real *logits)
{
	real gate[WINDOWS * K];
	struct forward *f = forward_new(m, r->pool);
	int right = 0;
	prepare(r, m);
	CHECK(!dataset_evaluate(r->d, f, r->item, WINDOWS, WINDOWS, 2, K, logits, gate, NULL));
	for (int i = 0; i < WINDOWS; i++)
		right += (logits[2 * i + 1] > logits[2 * i]) == (i % 2);
	forward_free(f);
	return right;
}

static const char *const ways[][8] = {
	{"encoder.tokens=patch", "encoder.patch=4", "train.epochs=20", "encoder.positional=learned"},
	{"encoder.tokens=patch", "encoder.patch=4", "train.epochs=20", "encoder.positional=sinusoidal",
		"bridge.sync=layer"},
	{"encoder.tokens=patch", "encoder.patch=4", "train.epochs=20", "moe.layers=all", "moe.num_experts=3",
		"moe.route_unit=patch", "train.scale=group"},
	{"encoder.tokens=sample", "train.epochs=25", "train.lr=0.03", "train.augment=mixup:0.2"},
};

static void regions_with_inputs_of_their_own_go_all_the_way(void)
{
	write_windows("w.st", 5, false, 0);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct rig r;
		real before[WINDOWS * 2], after[WINDOWS * 2];
		begin(&r, "w.st");
		struct model *m = train(&r, ways[i]);
		int patch = i == 3 ? 1 : 4;
		CHECK(m->region[0].n == T / patch && m->region[1].n == 1 && m->region[2].n == SLOW / patch);
		CHECK(m->region[2].length == SLOW && m->region[2].rate == 16 && m->region[0].rate == 64);
		CHECK(m->region[1].tokeniser == &tokeniser_extremes && m->most_tokens == T / patch + 1);
		CHECK(m->prior && m->region[1].linear_prior >= 0 && m->region[0].linear_prior < 0);
		int right = ask(&r, m, before);
		CHECK(right >= 36);
		CHECK(!model_save(m, "model.st", &no_history));
		struct model *again = model_load("model.st");
		end(&r);
		begin(&r, "w.st");
		CHECK(again && again->region[1].tokeniser == &tokeniser_extremes &&
			again->region[2].length == SLOW);
		ask(&r, again, after);
		CHECK(!memcmp(before, after, sizeof before));
		struct text t = {0};
		struct st_file *f = st_read("model.st");
		CHECK(f && !describe_file(f, &t) &&
			strstr(t.s, "\"core\":[\"heart\"],\"halo\":[],\"length\":16,\"rate\":16}") &&
			strstr(t.s, "\"tokens\":\"extremes\""));
		text_free(&t);
		st_free(f);
		model_free(again);
		model_free(m);
		end(&r);
	}
}

/* Any number of threads, one window or many at a time. */
static void the_cut_does_not_matter(void)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		struct rig r, s;
		real one[WINDOWS * 2], all[WINDOWS * 2], gate[K];
		begin(&r, "w.st");
		begin(&s, "w.st");
		pool_free(s.pool);
		s.pool = pool_new(1);
		struct model *m = train(&r, ways[i]), *other = train(&s, ways[i]);
		ask(&r, m, all);
		CHECK(!memcmp(m->params.x, other->params.x, m->params.count * sizeof(real)));
		struct forward *f = forward_new(other, s.pool);
		prepare(&s, other);
		for (int w = 0; w < WINDOWS; w++)
			CHECK(!dataset_evaluate(s.d, f, &s.item[w], 1, 1, 2, K, one + 2 * w, gate, NULL));
		CHECK(!memcmp(one, all, sizeof one));
		forward_free(f);
		model_free(other);
		model_free(m);
		end(&s);
		end(&r);
	}
}

static void rows_begin_where_the_file_says(void)
{
	struct rig r;
	real x[SLOW];
	begin(&r, "w.st");
	const struct windows *w = dataset_windows(r.d, 0);
	CHECK(w->own_rows[2] == SLOW_ROWS && !w->own_start[0] && w->own_start[2][3] == 5 + 3 * SLOW);
	dataset_fill(r.d, 3, 2, x);
	for (int t = 0; t < SLOW; t++)
		CHECK(x[t] == (real)w->expert[2][5 + 3 * SLOW + t]);
	CHECK(dataset_channel_samples(r.d, 3, 2) == SLOW && dataset_channel_samples(r.d, 3, 1) == T);
	struct training_data data = data_of(&r);
	char *print = survey_fingerprint(&data, FINGERPRINT_WINDOWS, r.pool), *other;
	end(&r);
	write_windows("w2.st", 5, false, 1); /* one sample of the slow sensor differs */
	begin(&r, "w2.st");
	data = data_of(&r);
	other = survey_fingerprint(&data, FINGERPRINT_WINDOWS, r.pool);
	CHECK(strcmp(print, other) != 0);
	free(print);
	free(other);
	end(&r);
}

static void refused(const char *path, const char *words)
{
	struct windows *w = read_windows(path);
	if (w || !strstr(err_text(), words))
		fprintf(stderr, "%s\n", w ? "was read" : err_text());
	CHECK(!w && err_status() == EX_DATAERR && strstr(err_text(), words));
	windows_free(w);
}

static void files_that_do_not_fit_are_refused(void)
{
	write_windows("far.st", 6, false, 0);
	refused("far.st", "region.2.start: window 39 starts at row 630, of 645 rows of which it takes 16");
	write_windows("twice.st", 5, true, 0);
	refused("twice.st", "channel a is in regions fast and slow");

	struct rig r; /* the target wants another rate */
	r.l = layout(true);
	r.l.region[2].rate = 32;
	r.d = dataset_new(&r.l, MISSING_ERROR);
	CHECK(dataset_add(r.d, read_windows("w.st")) && err_status() == EX_DATAERR &&
		strstr(err_text(),
			"channel heart has windows of 16 samples at 16 Hz instead of 16 at 32 Hz"));
	dataset_free(r.d);
	layout_done(&r.l);

	begin(&r, "w.st");
	struct configuration c = configured(
		PRESET_SEED, (const char *const[]){"encoder.tokens=sample", "train.scale=ems", NULL});
	struct training_data data = data_of(&r);
	CHECK(!fit_model(&c, NULL, false, &data, r.pool, 3, NULL) && err_status() == EX_CONFIG &&
		strstr(err_text(), "train.scale=ems"));
	config_end(&c);
	r.l.region[1].tokens = (char[]){"none such"};
	c = configured(PRESET_SEED, (const char *const[]){"encoder.tokens=sample", NULL});
	CHECK(!fit_declare(&c, NULL, &data) && strstr(err_text(), "no tokeniser \"none such\""));
	config_end(&c);
	end(&r);
}

int main(void)
{
	if (!mkdtemp(folder) || chdir(folder))
		return 1;
	CASE(regions_with_inputs_of_their_own_go_all_the_way);
	CASE(the_cut_does_not_matter);
	CASE(rows_begin_where_the_file_says);
	CASE(files_that_do_not_fit_are_refused);
	for (const char *const *f =
			(const char *const[]){"w.st", "w2.st", "far.st", "twice.st", "model.st", NULL};
		*f; f++)
		unlink(*f);
	return check_done() || rmdir(folder);
}
