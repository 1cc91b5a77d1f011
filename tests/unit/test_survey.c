/* How often the raw samples of a training run are read before its first step: the linker puts a
 * function that counts in the place of dataset_raw. And what the first pass finds. */
#include "check.h"
#include "configured.h"
#include "made.h"

#include "base/error.h"
#include "base/pool.h"
#include "dataset/raw.h"
#include "train/fit.h"
#include "train/survey.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

enum { RECORDINGS = 4, EACH = 40, WINDOWS = RECORDINGS * EACH }; /* more than a block */

struct raw_window __real_dataset_raw(const struct dataset *, int64_t item);
struct raw_window __wrap_dataset_raw(const struct dataset *, int64_t item);

static atomic_int passes[WINDOWS];

struct raw_window __wrap_dataset_raw(const struct dataset *d, int64_t item)
{
	atomic_fetch_add(&passes[item], 1);
	return __real_dataset_raw(d, item);
}

struct scene {
	struct layout l;
	struct dataset *d;
	struct pool *pool;
	struct holdout_split s;
	struct training_data data;
};

static void begin(struct scene *s, int threads)
{
	*s = (struct scene){.l = target(), .pool = pool_new(threads)};
	s->d = dataset_new(&s->l, MISSING_ERROR);
	CHECK(!dataset_add(s->d, make("a,b,c", RECORDINGS, EACH, T, 1)));
	CHECK(!holdout_cut(s->d, &(struct holdout){.fraction = 0.25}, &s->s) && s->s.valids > 0);
	s->data = (struct training_data){s->d, s->d, s->s.train, s->s.valid, s->s.trains, s->s.valids, NULL};
	memset(passes, 0, sizeof passes);
}

static void end(struct scene *s)
{
	dataset_free(s->d);
	holdout_split_free(&s->s);
	pool_free(s->pool);
	target_done(&s->l);
}

static void check_passes(const int64_t *items, int64_t n, int expected, const char *what)
{
	for (int64_t i = 0; i < n; i++)
		if (passes[items[i]] != expected) {
			printf("# %s: window %lld was read %d times, not %d\n", what, (long long)items[i],
				passes[items[i]], expected);
			CHECK(false);
			return;
		}
}

/* Fits a model with these tokens and scale, with the fingerprint and the out-of-fold prior. */
static void check_fit(const char *tokens, const char *scale, int train, int valid)
{
	const char *keys[] = {tokens, scale, "encoder.hidden_dim=8", "encoder.heads=2", "encoder.layers=1",
		"encoder.ffn_dim=8", "encoder.window=0.0625", "encoder.hop=0.03125",
		strstr(tokens, "conv") ? "encoder.kernel=0.03125" : "encoder.bands=[4,16,31]", NULL};
	if (strstr(tokens, "sample"))
		keys[6] = NULL;
	struct configuration c = configured(PRESET_DEFAULT, keys);
	struct scene s;
	char *fingerprint;
	begin(&s, 2);
	struct model *m = fit_model(&c, NULL, false, &s.data, s.pool, 1, &fingerprint);
	CHECK(m && fingerprint);
	if (!m)
		printf("# %s\n", err_text());
	check_passes(s.s.train, s.s.trains, train, tokens);
	check_passes(s.s.valid, s.s.valids, valid, tokens);
	free(fingerprint);
	model_free(m);
	end(&s);
	config_end(&c);
}

static void raw_samples_are_read_twice_at_most(void)
{
	static const char *const scale[] = {"train.scale=zscore", "train.scale=group", "train.scale=window",
		"train.scale=none", "train.scale=ems"};
	for (int i = 0; i < 5; i++) {
		check_fit("encoder.tokens=covariance", scale[i], 2, 2);
		check_fit("encoder.tokens=spectral", scale[i], 2, 2);
		int once = strstr(scale[i], "group") ? 2 : 1;
		check_fit("encoder.tokens=conv", scale[i], once, once);
		check_fit("encoder.tokens=sample", scale[i], once, once);
	}
}

static void the_fingerprint_of_the_pass_is_that_of_the_windows(void)
{
	const char *keys[] = {"encoder.tokens=sample", "encoder.hidden_dim=8", "encoder.heads=2",
		"encoder.layers=1", "encoder.ffn_dim=8", NULL};
	struct configuration c = configured(PRESET_DEFAULT, keys);
	char *text[3];
	for (int i = 0; i < 3; i++) {
		struct scene s;
		begin(&s, 1 + i);
		if (i == 2)
			((float *)(uintptr_t)dataset_windows(s.d, 0)->signal)[C * T * WINDOWS - 1] += 1;
		struct model *m = fit_model(&c, NULL, false, &s.data, s.pool, 1, &text[i]);
		char *anew = survey_fingerprint(&s.data, survey_rule(&c.value), s.pool);
		CHECK(m && !strcmp(anew, text[i]) && !strncmp(anew, "windows:", 8));
		free(anew);
		model_free(m);
		end(&s);
	}
	CHECK(!strcmp(text[0], text[1]) && strcmp(text[1], text[2]));
	for (int i = 0; i < 3; i++)
		free(text[i]);
	config_end(&c);
}

static void the_first_window_that_is_not_finite_is_named(void)
{
	struct scene s;
	begin(&s, 2);
	float *x = (float *)(uintptr_t)dataset_windows(s.d, 0)->signal;
	x[C * T * 90 + 1] = NAN;
	x[C * T * 75 + C * 2] = INFINITY;
	int64_t item[WINDOWS];
	for (int i = 0; i < WINDOWS; i++)
		item[i] = i;
	CHECK(survey_windows(s.d, item, WINDOWS, s.pool, &(struct survey){0}) && err_status() == EX_DATAERR);
	CHECK(strstr(err_text(), "recording r1: channel a, sample 282 ") != NULL);
	CHECK(!survey_windows(s.d, item, 75, s.pool, &(struct survey){0}));
	end(&s);
}

int main(void)
{
	CASE(raw_samples_are_read_twice_at_most);
	CASE(the_fingerprint_of_the_pass_is_that_of_the_windows);
	CASE(the_first_window_that_is_not_finite_is_named);
	return check_done();
}
