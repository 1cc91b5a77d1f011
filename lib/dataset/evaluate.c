/* What a model makes of the windows of a dataset. */
#include "dataset/dataset.h"

#include "base/error.h"
#include "base/mem.h"
#include "dataset/tokens.h"

#include <stdlib.h>

struct filling {
	const struct dataset *d;
	const int64_t *items;
};

static void fill_window(void *context, int b, int k, real *x)
{
	const struct filling *f = context;
	dataset_fill(f->d, f->items[b], k, x);
}

static int count_samples(void *context, int b)
{
	const struct filling *f = context;
	return dataset_samples(f->d, f->items[b]);
}

static bool read_tokens(void *context, int b, int k, real *out)
{
	const struct filling *f = context;
	return tokens_read(f->d->tokens, f->items[b], k, out);
}

static const real *subject_mean(void *context, int b, int k)
{
	const struct filling *f = context;
	return tokens_subject_mean(f->d->tokens, f->items[b], k);
}

int dataset_no_answer(const struct dataset *d, int64_t item)
{
	const struct item *it = &d->item[item];
	return err_set(EX_DATAERR,
		"%s: the prediction for the window at sample %lld is not a finite number: its samples or the "
		"model's parameters are too large; correct the recording, or leave the window out",
		d->recordings.s[it->recording], (long long)dataset_windows(d, item)->sample[it->window]);
}

int dataset_evaluate(const struct dataset *d, struct forward *f, const int64_t *items, int64_t n, int batch,
	int outputs, int K, real *out, real *gate, bool *unanswered)
{
	int bad = 0;
	int *condition = NEW_ARRAY(int, n < batch ? n : batch);
	struct window_source source = {.fill = fill_window,
		.samples = count_samples,
		.tokens = d->tokens ? read_tokens : NULL,
		.subject_mean = d->tokens ? subject_mean : NULL,
		.condition = condition};
	for (int64_t from = 0; from < n; from += batch) {
		int B = n - from < batch ? (int)(n - from) : batch;
		struct filling here = {d, items + from};
		source.context = &here;
		for (int b = 0; b < B; b++)
			condition[b] = d->item[items[from + b]].condition;
		forward_evaluate(f, B, &source, out + from * outputs, gate + from * K);
	}
	free(condition);
	for (int64_t i = 0; i < n && !bad; i++) {
		bool answered = reals_finite(out + i * outputs, (size_t)outputs) &&
				reals_finite(gate + i * K, (size_t)K);
		if (unanswered)
			unanswered[i] = !answered;
		else if (!answered)
			bad = dataset_no_answer(d, items[i]);
	}
	return bad;
}
