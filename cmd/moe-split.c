/* moe-split: recordings as CSV to windows. */
#include "sidecars.h"
#include "program.h"

#include "base/mem.h"
#include "cut/live.h"
#include "recording/dialect/dialect.h"

enum { MAX_REGIONS = 4096 }; /* that may be asked for by number */

static struct {
	struct reading_options split;
	const char *channels, *drop, *classes, *like, *bandpass, *notch, *reference;
	int align, rule, value, last, form;
	long long experts, halo, max_row, max_columns, max_classes;
	bool explain, live, no_live;
	bool regions_given, experts_given, window_given, stride_given, resample_given,
		rule_given; /* fixed by --like, or bound to another */
} o;

static const struct option table[] = {
	{"window", 0, OPT_SPAN, &o.split.window, .value = OPTION_TEXT(READING_WINDOW), .min = 1, .max = 5e8,
		.given = &o.window_given, .help = "length of a window in samples, or in seconds with an s"},
	{"stride", 0, OPT_SPAN, &o.split.stride, .min = 1, .max = 5e8, .given = &o.stride_given,
		.help = "distance from the start of a window to the start of the next; when not given, the "
			"length of a window"},
	{"align", 0, OPT_CHOICE, &o.align, .value = "run", .choices = "run|grid",
		.help = "run: a new series of windows begins where the label changes; grid: windows lie on "
			"one grid from the start of the recording"},
	{"label-rule", 0, OPT_CHOICE, &o.rule, .value = "all", .choices = "all|majority|last",
		.given = &o.rule_given,
		.help = "with --align grid, the label of a window: that of all its rows (otherwise it is "
			"unlabelled), of most of them, or of the last one"},
	{"last", 0, OPT_CHOICE, &o.last, .value = "drop", .choices = "drop|keep",
		.help = "what remains after the last whole window of a recording, or of a run of one label: "
			"drop it, or keep it as a partial window if it is at least half a window long"},
	{"regions", 0, OPT_TEXT, &o.split.regions, .value = OPTION_TEXT(READING_REGIONS),
		.arg = "K|lobes|hemispheres|auto:K|FILE", .given = &o.regions_given,
		.help = "how the channels are divided into regions: a number K (1 to 4096) makes K index "
			"regions of consecutive channels; lobes, hemispheres and auto:K (K regions of equal "
			"size) use the positions of the electrodes; a file has lines of region, channel, and "
			"core or halo, separated by tabs"},
	{"experts", 0, OPT_INT, &o.experts, .min = 1, .max = MAX_REGIONS, .arg = "K",
		.given = &o.experts_given, .help = "the older name of --regions K"},
	{"halo", 0, OPT_INT, &o.halo, .value = OPTION_TEXT(READING_HALO), .min = 0, .max = 16384, .arg = "H",
		.given = &o.split.halo_given,
		.help = "number of neighbouring channels that a region sees in addition to its own: on each "
			"side of an index region, otherwise the nearest ones (when not given, a region of a "
			"file has only those listed in it)"},
	{"halo-mm", 0, OPT_REAL, &o.split.halo_mm, .min = 0, .max = 1000, .arg = "R",
		.given = &o.split.halo_mm_given,
		.help = "instead of --halo, the channels within R mm of a region's own, measured along the "
			"head"},
	{"electrodes", 0, OPT_TEXT, &o.split.electrodes, .arg = "FILE",
		.help = "positions of the electrodes (BIDS electrodes.tsv); when not given, they follow from "
			"names of the 10-05 system"},
	{"channels", 0, OPT_TEXT, &o.channels, .arg = "LIST",
		.help = "use these channels, in this order (names separated by commas)"},
	{"drop", 0, OPT_TEXT, &o.drop, .arg = "LIST",
		.help = "leave these columns out (names separated by commas)"},
	{"label-column", 0, OPT_TEXT, &o.split.label_column, .arg = "NAME",
		.help = "the column that contains the labels; when not given, the column called label, if "
			"there is one"},
	{"classes", 0, OPT_TEXT, &o.classes, .arg = "LIST",
		.help = "the classes, in this order (names separated by commas); when not given, those "
			"found, sorted"},
	SIDECAR_OPTIONS(o.split),
	{"ignore-label", 0, OPT_LIST, &o.split.ignore, .arg = "VALUE",
		.help = "treat this label as unlabelled; may be repeated"},
	{"rate", 0, OPT_REAL, &o.split.rate, .min = 1e-3, .max = 1e7, .arg = "HZ",
		.help = "sampling rate, for recordings that do not state it"},
	READING_OPTIONS(o.split.reading),
	{"missing", 0, OPT_CHOICE, &o.value, .value = "error", .choices = "error|drop-window|interp",
		.help = "cells without a value: refuse them, leave out the windows that contain them, or "
			"interpolate"},
	{"reference", 0, OPT_TEXT, &o.reference, .arg = "average|none|LIST",
		.help = "subtract the mean of all EEG channels, or of those listed (names separated by "
			"commas); listed channels are otherwise not used unless --channels names them"},
	{"notch", 0, OPT_TEXT, &o.notch, .arg = "HZ[,HZ...]",
		.help = "remove these frequencies, for instance that of the mains"},
	{"bandpass", 0, OPT_TEXT, &o.bandpass, .arg = "LOW-HIGH|LOW-|-HIGH",
		.help = "pass only the frequencies between LOW and HIGH, above LOW, or below HIGH, in Hz"},
	{"resample", 0, OPT_REAL, &o.split.preprocessing.rate, .min = 1e-3, .max = 1e7, .arg = "HZ",
		.given = &o.resample_given, .help = "resample the recordings to this rate"},
	NAMING_OPTIONS(o.split.naming),
	{"like", 0, OPT_TEXT, &o.like, .arg = "MODEL",
		.help = "take channels, preprocessing, regions, rate, window and stride from this model; "
			"channels are matched by name"},
	{"explain", 0, OPT_CHOICE, &o.form, .bare = "json", .choices = "json|text", .given = &o.explain,
		.help = "print how the recordings are understood, as one JSON object per recording or as "
			"text, and write no windows"},
	{"live", 0, OPT_FLAG, &o.live,
		.help = "write each window as a file of its own as soon as its last row has arrived"},
	{"no-live", 0, OPT_FLAG, &o.no_live,
		.help = "write one file at the end, even from one pipe into another, where windows would be "
			"written one by one"},
	{"max-row", 0, OPT_INT, &o.max_row, .value = OPTION_TEXT(CSV_MAX_ROW), .min = 64, .max = 1e9,
		.arg = "BYTES", .help = "longest row to accept"},
	{"max-columns", 0, OPT_INT, &o.max_columns, .value = OPTION_TEXT(CSV_MAX_COLUMNS), .min = 1,
		.max = 1e6, .arg = "N", .help = "most columns to accept"},
	{"max-classes", 0, OPT_INT, &o.max_classes, .value = OPTION_TEXT(READING_MAX_CLASSES), .min = 1,
		.max = 1e6, .arg = "N", .help = "most different labels to accept"},
	OUTPUT_OPTION,
	THREADS_OPTION,
	HISTORY_OPTION,
	MAX_HEADER_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-split", "cut EEG recordings (CSV) into windows",
	"[RECORDING.csv ...]", table,
	"moe-split --window 2s --stride 1s S*.csv | moe-train -o model.safetensors -",
	"use fewer --threads, cut fewer recordings at a time, or raise the limit (ulimit -v, ulimit -d)"};

static int check_options(void)
{
	if (o.rule_given && o.align == ALIGN_RUN)
		return err_set(EX_USAGE,
			"--label-rule needs --align grid: with --align run a window has one label only");
	if (o.regions_given && o.experts_given)
		return err_set(EX_USAGE, "--experts is the older name of --regions; give only one of them");
	const char *fixed = o.experts_given         ? "--experts"
			    : o.split.halo_given    ? "--halo"
			    : o.split.halo_mm_given ? "--halo-mm"
			    : o.split.electrodes    ? "--electrodes"
			    : o.window_given        ? "--window"
			    : o.stride_given        ? "--stride"
			    : o.regions_given       ? "--regions"
			    : o.channels            ? "--channels"
			    : o.classes             ? "--classes"
			    : o.reference           ? "--reference"
			    : o.notch               ? "--notch"
			    : o.bandpass            ? "--bandpass"
			    : o.resample_given      ? "--resample"
						    : NULL;
	if (o.like && fixed)
		return err_set(EX_USAGE, "%s is fixed by the model (--like); leave it out", fixed);
	if (o.live && o.no_live)
		return err_set(EX_USAGE, "--live and --no-live cannot be used together; give one of them");
	if (o.live && o.last)
		return err_set(EX_USAGE, "--last keep needs the end of the recording, which --live does not "
					 "wait for; leave one of them out");
	if (o.live && o.explain)
		return err_set(EX_USAGE, "--explain needs the end of the recording, which --live does not "
					 "wait for; leave one of them out");
	if (o.live && o.value == VALUE_INTERP)
		return err_set(EX_USAGE,
			"--missing interp needs the values after a missing one, which a live "
			"stream does not have yet; "
			"--missing drop-window leaves such windows out");
	if (o.explain && common.output)
		return err_set(EX_USAGE, "--explain writes no windows; leave out -o");
	return 0;
}

static int read_preprocessing(struct preprocessing *c)
{
	return (o.reference && preprocessing_reference(c, o.reference)) ||
			       (o.notch && preprocessing_notches(c, o.notch)) ||
			       (o.bandpass && preprocessing_band(c, o.bandpass))
		       ? -1
		       : 0;
}

/* --regions K, a whole number, is the same as --experts K; what else it may be is left to
 * split_new. */
static int read_regions(struct reading_options *s)
{
	long long k = o.experts;
	if (!o.experts_given && !text_to_long(s->regions, &k))
		return 0;
	if (k < 1 || k > MAX_REGIONS)
		return err_set(EX_USAGE, "--regions %s: the number of regions must be from 1 to %d",
			s->regions, MAX_REGIONS);
	s->regions = NULL;
	s->index_regions = (int)k;
	return 0;
}

static void copy_options(void)
{
	struct reading_options *s = &o.split;
	if (o.channels)
		names_split(&s->channels, o.channels, ',');
	if (o.drop)
		names_split(&s->drop, o.drop, ',');
	if (o.classes)
		names_split(&s->classes, o.classes, ',');
	s->align = (enum window_align)o.align;
	s->keep_last = o.last;
	s->rule = (enum label_rule)o.rule;
	s->value = (enum missing_value)o.value;
	s->halo = (int)o.halo;
	s->max_row = (size_t)o.max_row;
	s->max_columns = (int)o.max_columns;
	s->max_classes = (int)o.max_classes;
	s->explain = o.explain;
}

static int print_explanation(const struct split *s)
{
	struct text t = {0};
	if (o.form)
		split_explain_words(s, &t);
	else
		split_explain(s, &t);
	return program_print(&t);
}

static int write_windows(const struct windows *w)
{
	struct history h = program_history(NULL);
	struct output *out = output_open(common.output, OUTPUT_BINARY);
	if (!out)
		return -1;
	return output_end(out, windows_write(w, out, &h));
}

static int notes_said;

static void print_notes(const struct split *s)
{
	for (; notes_said < split_notes(s)->n && !common.quiet; notes_said++)
		program_say(split_notes(s)->s[notes_said]);
}

/* --- live: each window is a file of its own */

static int send_windows(struct split *s, struct input *in, struct output *out)
{
	struct history h = program_history(NULL);
	struct live *l = live_new(s, in);
	struct windows *w;
	int r = -1;
	while (l && (r = live_next(l, 1, &w)) == 1) {
		r = windows_write(w, out, &h) || output_flush(out) ? -1 : 0;
		windows_free(w);
		print_notes(s);
		if (r)
			break;
	}
	live_free(l);
	return r;
}

static int send_recording(struct split *s, const char *path, struct output *out)
{
	struct input *in = input_open(path);
	int r = in && !split_begin(s, in) ? send_windows(s, in, out) : -1;
	input_close(in);
	return r;
}

static int end_live(struct split *s, struct output *out, int r)
{
	if (!r && !(r = split_check(s)))
		print_notes(s);
	return output_end(out, r);
}

static int cut_live(struct split *s, const struct names *recordings)
{
	struct output *out = output_open(common.output, OUTPUT_BINARY);
	if (!out)
		return -1;
	int r = 0;
	if (!output_is_stream(out))
		r = err_set(EX_USAGE,
			"%s: --live writes one file after another, and a regular file holds only one; write "
			"to a pipe, or leave --live out",
			common.output ? common.output : "standard output");
	else if (!recordings->n)
		r = send_recording(s, "-", out);
	for (int i = 0; i < recordings->n && !r; i++)
		r = send_recording(s, recordings->s[i], out);
	return end_live(s, out, r);
}

/* A recording that comes through a pipe, goes into one and brings no labels is sent live
 * unasked. */
static bool suits_live(const struct split *s, struct input *in)
{
	int fd;
	uint64_t size;
	return !o.no_live && !o.split.events.files.n && !o.explain && !o.last && o.value != VALUE_INTERP &&
	       !input_is_file(in, &fd, &size) && output_is_pipe(common.output) && !split_labelled(s);
}

/* --- at once: one file */

static int write_result(struct split *s)
{
	if (o.explain)
		return print_explanation(s);
	struct windows *w = split_finish(s);
	if (w)
		print_notes(s);
	int r = w ? write_windows(w) : -1;
	windows_free(w);
	return r;
}

static int cut_recording(struct split *s, const char *path)
{
	struct input *in = input_open(path);
	int r = in ? split_begin(s, in) : -1;
	if (!r && suits_live(s, in)) {
		struct output *out = output_open(common.output, OUTPUT_BINARY);
		r = out ? end_live(s, out, send_windows(s, in, out)) : -1;
	} else if (!r) {
		r = split_rest(s) || write_result(s) ? -1 : 0;
	}
	input_close(in);
	return r;
}

static int cut_recordings(struct split *s, const struct names *recordings)
{
	if (o.live)
		return cut_live(s, recordings);
	if (recordings->n < 2 && !sidecar.list)
		return cut_recording(s, recordings->n ? recordings->s[0] : "-");
	struct pool *pool = pool_new((int)common.threads);
	int r = split_add_all(s, recordings, pool);
	pool_free(pool);
	return r || write_result(s) ? -1 : 0;
}

static int read_model(struct layout *l)
{
	struct st_file *f = st_read(o.like);
	int r = f ? layout_read(l, f, LAYOUT_MODEL) : -1;
	st_free(f);
	if (r)
		return r;
	layout_undo_views(l);
	for (int k = 0; k < l->regions; k++)
		if (layout_own_input(l, k))
			return err_set(EX_DATAERR,
				"%s: region %s has windows of its own length and rate, which are not cut "
				"from "
				"EEG recordings",
				o.like, l->region[k].name);
	return 0;
}

static int split_recordings(const struct names *operands)
{
	struct names recordings;
	names_copy(&recordings, operands);
	bool fine = (!sidecar.list || !sidecar_read_list(&o.split, &recordings)) &&
		    !sidecar_check_files(&o.split, &recordings);
	struct split *s = fine ? split_new(&o.split) : NULL;
	int r = s ? cut_recordings(s, &recordings) : -1;
	split_free(s);
	names_free(&recordings);
	return r;
}

static int run_split(const struct names *operands)
{
	struct layout like = {0};
	if (check_options() || read_preprocessing(&o.split.preprocessing) || read_regions(&o.split))
		return -1;
	copy_options();
	mem_return_large();
	if (sidecar_check_options(&o.split, o.live, operands) || (o.like && read_model(&like)))
		return -1;
	o.split.like = o.like ? &like : NULL;
	int r = split_recordings(operands);
	layout_free(&like);
	sidecar_free(&o.split);
	preprocessing_free(&o.split.preprocessing);
	names_free(&o.split.channels);
	names_free(&o.split.drop);
	names_free(&o.split.classes);
	names_free(&o.split.ignore);
	return r;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, run_split);
}
