#include "filter/preprocessor.h"

#include "base/error.h"
#include "base/mem.h"
#include "filter/filter.h"
#include "filter/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 256 }; /* rows filtered at a time */

struct preprocessor {
	int in, C;     /* channels as they come, and as they go */
	int *of, ofs;  /* [ofs] channels whose mean is the reference */
	double *share; /* [C] 1: the reference is subtracted */
	struct filter *filter;
	int up, down;
	struct resampler *resampler; /* NULL: the rate stays */
	double *block;               /* [BLOCK][C] */
	/* of the segment */
	int64_t first, row; /* where it begins, and the next row, both from the recording's start */
	int64_t next;       /* row out, from the segment's start */
	bool running;       /* the row before had values: the state is that behind it */
	bool begins;        /* no row out yet */
	struct preprocessed out;
};

/* --- making one */

static bool is_eeg(const char *name)
{
	static const char *const other[] = {
		"EOG", "ECG", "EKG", "EMG", "GSR", "RESP", "PPG", "ACC", "GYRO", "TRIG", "STIM"};
	for (size_t i = 0; i < sizeof other / sizeof *other; i++)
		if (strcasestr(name, other[i]))
			return false;
	return true;
}

int preprocessor_resolve(struct preprocessing *c, const struct names *channels)
{
	for (int i = 0; i < channels->n && (c->average || c->reference.n); i++)
		if (!is_eeg(channels->s[i]))
			names_add(&c->except, channels->s[i]);
		else if (c->average)
			names_add(&c->reference, channels->s[i]);
	if (c->average && c->reference.n < 2)
		return err_set(EX_USAGE,
			"--reference average: subtracting the mean of %d channel%s leaves no signal; leave "
			"it out, or use more channels",
			c->reference.n, c->reference.n == 1 ? "" : "s");
	c->average = false;
	return 0;
}

static int find_reference(struct preprocessor *r, const struct preprocessing *c,
	const struct preprocessor_channels *in, const char *file, int status)
{
	for (int i = 0; i < c->reference.n; i++) {
		int at = names_find(in->channels, c->reference.s[i]);
		if (at < 0 && (at = names_find(in->extra, c->reference.s[i])) >= 0)
			at += r->C;
		if (at >= 0 && in->from[at] >= 0)
			r->of[r->ofs++] = at;
	}
	for (int i = 0; i < r->C; i++)
		r->share[i] =
			names_find(&c->except, in->channels->s[i]) < 0 && !(in->zero && in->from[i] < 0);
	return r->ofs || !c->reference.n
		       ? 0
		       : err_set(status, "%s: none of the channels of the reference is present: %s%s", file,
				 c->reference.s[0], c->reference.n > 1 ? ", ..." : "");
}

static int below_nyquist(double hz, double rate, const char *what, const char *file, int status)
{
	if (hz < rate / 2)
		return 0;
	return err_set(status,
		"%s: %s at %g Hz: a recording with %.10g samples per second only contains frequencies below "
		"%g Hz; %s",
		file, what, hz, rate, rate / 2,
		status == EX_USAGE ? "choose a lower frequency, or leave it out"
				   : "the model needs recordings with a higher rate");
}

static int design_filters(
	struct preprocessor *r, const struct preprocessing *c, double rate, const char *file, int status)
{
	struct biquad s[PREPROCESSING_NOTCHES + FILTER_MOST];
	int n = 0;
	for (int i = 0; i < c->notches; i++) {
		if (below_nyquist(c->notch[i], rate, "--notch", file, status))
			return -1;
		s[n++] = filter_notch(c->notch[i], rate);
	}
	if (c->low > 0 || c->high > 0) {
		if (below_nyquist(c->low, rate, "--bandpass", file, status) ||
			below_nyquist(c->high, rate, "--bandpass", file, status))
			return -1;
		n += filter_butterworth(s + n, c->low, c->high, rate);
	}
	r->filter = filter_new(s, n, r->C);
	return 0;
}

static int choose_resampler(struct preprocessor *r, double from, double to, const char *file, int status)
{
	if (!(to > 0))
		return 0;
	if (to > 2 * from)
		return err_set(status,
			"%s: --resample %g from %.10g Hz would more than double the rate, and the added "
			"frequencies would be empty; %s",
			file, to, from,
			status == EX_USAGE ? "choose a lower rate"
					   : "the model needs recordings with a higher rate");
	if (resample_ratio(from, to, &r->up, &r->down))
		return err_set(status,
			"%s: --resample %g from %.10g Hz is not a ratio of whole numbers up to %d; %s", file,
			to, from, RESAMPLE_MOST,
			status == EX_USAGE ? "give the rate that is meant with --rate"
					   : "cut it with moe-split --like MODEL --rate HZ, where HZ is the "
					     "rate that is meant");
	if (r->up != r->down)
		r->resampler = resampler_new(r->up, r->down, r->C);
	return 0;
}

struct preprocessor *preprocessor_new(const struct preprocessing *c, const struct preprocessor_channels *in,
	double rate, const char *file, int status)
{
	struct preprocessor *r = NEW(struct preprocessor);
	r->C = in->channels->n;
	r->in = r->C + in->extra->n;
	r->of = NEW_ARRAY(int, c->reference.n + 1);
	r->share = NEW_ARRAY(double, r->C);
	r->block = NEW_ARRAY(double, BLOCK *(size_t)r->C);
	r->up = r->down = 1;
	r->begins = true;
	if (!find_reference(r, c, in, file, status) && !design_filters(r, c, rate, file, status) &&
		!choose_resampler(r, rate, c->rate, file, status))
		return r;
	preprocessor_free(r);
	return NULL;
}

void preprocessor_free(struct preprocessor *r)
{
	if (!r)
		return;
	free(r->of);
	free(r->share);
	free(r->block);
	filter_free(r->filter);
	resampler_free(r->resampler);
	free(r->out.x);
	free(r->out.from);
	free(r);
}

struct preprocessed *preprocessor_out(struct preprocessor *r)
{
	return &r->out;
}

void preprocessor_ratio(const struct preprocessor *r, int *up, int *down)
{
	*up = r->up;
	*down = r->down;
}

int preprocessor_delay(const struct preprocessor *r)
{
	return r->resampler ? resampler_delay(r->resampler) : 0;
}

/* --- rows out */

/* y [C]; NULL: an invalid row. */
static void emit_row(struct preprocessor *r, const double *y)
{
	struct preprocessed *o = &r->out;
	if (o->n == o->room) {
		o->room = o->room ? 2 * o->room : BLOCK;
		GROW(o->x, o->room * r->C);
		GROW(o->from, o->room);
	}
	float *x = o->x + o->n * r->C;
	for (int c = 0; c < r->C; c++)
		x[c] = y ? (float)y[c] : 0;
	o->from[o->n++] = (struct preprocessed_row){r->first + r->next * r->down / r->up, !y, r->begins};
	r->begins = false;
	r->next++;
}

static void emit_invalid(struct preprocessor *r, int64_t until)
{
	while (r->next < until)
		emit_row(r, NULL);
}

static void emit_resampled(struct preprocessor *r, int64_t until)
{
	for (const double *y; r->next < until && (y = resampler_next(r->resampler, r->next));)
		emit_row(r, y);
}

/* --- rows in */

static void subtract_reference(const struct preprocessor *r, const float *x, double *y)
{
	double mean = 0;
	for (int i = 0; i < r->ofs; i++)
		mean += (double)x[r->of[i]];
	mean = r->ofs ? mean / r->ofs : 0;
	for (int c = 0; c < r->C; c++)
		y[c] = (double)x[c] - mean * r->share[c];
}

static void preprocess_block(struct preprocessor *r, const float *x, int64_t rows)
{
	size_t C = (size_t)r->C;
	for (int64_t t = 0; t < rows; t++)
		subtract_reference(r, x + t * r->in, r->block + (size_t)t * C);
	if (!r->running) {
		filter_begin(r->filter, r->block);
		if (r->resampler)
			resampler_begin(r->resampler, r->row - r->first);
		r->running = true;
	}
	filter_run(r->filter, r->block, rows);
	for (int64_t t = 0; t < rows; t++) {
		const double *y = r->block + (size_t)t * C;
		if (r->resampler) {
			resampler_push(r->resampler, y);
			emit_resampled(r, INT64_MAX);
		} else {
			emit_row(r, y);
		}
	}
	r->row += rows;
}

void preprocessor_rows(struct preprocessor *r, const float *x, int64_t rows)
{
	for (int64_t n; rows > 0; rows -= n, x += n * r->in) {
		n = rows < BLOCK ? rows : BLOCK;
		preprocess_block(r, x, n);
	}
}

/* The rows with values end here: what is held back, before row out `until`. */
static void end_rows(struct preprocessor *r, int64_t until)
{
	if (r->running && r->resampler) {
		resampler_end(r->resampler);
		emit_resampled(r, until);
	}
	r->running = false;
}

void preprocessor_invalid(struct preprocessor *r, int64_t rows)
{
	end_rows(r, (r->row - r->first) * r->up / r->down);
	r->row += rows;
	emit_invalid(r, resample_row(r->row - r->first, r->up, r->down));
}

void preprocessor_gap(struct preprocessor *r)
{
	end_rows(r, resample_row(r->row - r->first, r->up, r->down));
	r->first = r->row;
	r->next = 0;
	r->begins = true;
}
