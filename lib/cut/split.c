#include "cut/split.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "cut/sidecars.h"
#include "cut/split_state.h"
#include "filter/preprocessor.h"
#include "sidecar/events.h"
#include "sidecar/list.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reading_options split_defaults(void)
{
	return (struct reading_options){.window = {READING_WINDOW, false},
		.index_regions = READING_REGIONS,
		.halo = READING_HALO,
		.max_row = CSV_MAX_ROW,
		.max_columns = CSV_MAX_COLUMNS,
		.max_classes = READING_MAX_CLASSES};
}

static struct region_options regions_of(const struct reading_options *o)
{
	return (struct region_options){.regions = o->regions,
		.electrodes = o->electrodes,
		.indexed = o->index_regions,
		.halo = o->halo,
		.halo_mm = o->halo_mm,
		.halo_given = o->halo_given,
		.halo_mm_given = o->halo_mm_given};
}

static int compile_pattern(struct pattern *p, const char *option, const char *text, const char *name)
{
	char why[128];
	if (text && name)
		return err_set(EX_USAGE, "--%s and --%s-name cannot be used together; give one of them",
			option, option);
	int e = text ? regcomp(&p->regex, text, REG_EXTENDED) : 0;
	p->given = text && !e;
	if (!e)
		return 0;
	if (e == REG_ESPACE)
		mem_exhausted();
	regerror(e, &p->regex, why, sizeof why);
	return err_set(EX_USAGE, "--%s: \"%s\" is not a regular expression: %s", option, text, why);
}

struct split *split_new(const struct reading_options *o)
{
	struct split *s = NEW(struct split);
	s->o = o;
	s->row_file.fd = s->now.own.fd = -1;
	const struct region_options regions = regions_of(o);
	const char *twice = names_duplicate(&o->channels);
	int r = 0;
	if (twice)
		r = err_set(EX_USAGE, "channel \"%s\" is listed twice in --channels", twice);
	else if ((twice = names_duplicate(&o->classes)))
		r = err_set(EX_USAGE, "class \"%s\" is listed twice in --classes", twice);
	else
		r = regions_check(&regions);
	preprocessing_copy(&s->preprocessing, reading_preprocessing(o));
	names_copy(&s->labels, o->like ? &o->like->classes : &o->classes);
	if (!r)
		r = compile_pattern(&s->group, "group", o->naming.group, o->naming.group_name) ||
		    compile_pattern(
			    &s->condition, "condition", o->naming.condition, o->naming.condition_name);
	if (!r)
		return s;
	split_free(s);
	return NULL;
}

void split_free(struct split *s)
{
	if (!s)
		return;
	if (s->group.given)
		regfree(&s->group.regex);
	if (s->condition.given)
		regfree(&s->condition.regex);
	if (s->row_file.fd >= 0)
		close(s->row_file.fd);
	layout_free(&s->layout);
	preprocessing_free(&s->preprocessing);
	names_free(&s->channels);
	names_free(&s->labels);
	names_free(&s->recordings);
	names_free(&s->groups);
	names_free(&s->conditions);
	names_free(&s->notes);
	names_free(&s->regions.empty);
	cut_free(&s->table);
	intake_free(&s->now);
	for (int i = 0; i < s->explained_count; i++)
		intake_free(&s->explained[i]);
	free(s->explained);
	free(s->file);
	names_free(&s->description);
	free(s);
}

const struct names *split_notes(const struct split *s)
{
	return &s->notes;
}

static void add_note(struct split *s, char *sentence)
{
	names_add(&s->notes, sentence);
	free(sentence);
}

/* --- names */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

/* What a pattern, or its first parenthesis, matches; NULL with an error when it does not. */
static char *match_pattern(const struct pattern *p, const char *option, const char *text, const char *name)
{
	regmatch_t m[2];
	int e = regexec(&p->regex, name, 2, m, 0);
	if (e == REG_ESPACE)
		mem_exhausted();
	if (e) {
		err_set(EX_DATAERR, "%s: --%s \"%s\" does not match this file name", name, option, text);
		return NULL;
	}
	int which = p->regex.re_nsub > 0 && m[1].rm_so >= 0;
	return mem_text_n(name + m[which].rm_so, (size_t)(m[which].rm_eo - m[which].rm_so));
}

static char *group_of(const struct split *s, const char *name)
{
	if (s->o->naming.group_name)
		return mem_text(s->o->naming.group_name);
	if (s->group.given)
		return match_pattern(&s->group, "group", s->o->naming.group, name);
	size_t n = strcspn(name, "_.");
	return mem_text_n(name, n ? n : strlen(name));
}

/* The condition of the next recording, when they have such. */
static int name_condition(struct split *s, const char *name)
{
	const struct reading_naming *by = &s->o->naming;
	const struct list_entry *e = sidecars_entry(s->o, s->recordings.n);
	if (e && e->session) {
		names_add(&s->conditions, e->session);
		return 0;
	}
	if (!by->condition && !by->condition_name)
		return 0;
	char *condition = by->condition ? match_pattern(&s->condition, "condition", by->condition, name)
					: mem_text(by->condition_name);
	if (condition)
		names_add(&s->conditions, condition);
	free(condition);
	return condition ? 0 : -1;
}

/* The name within its folder, or with the folder when another recording has the same. */
static char *recording_name(const struct split *s, const char *path)
{
	const char *name = base_name(path);
	if (names_find(&s->recordings, name) >= 0)
		name = path;
	if (names_find(&s->recordings, name) < 0 && json_utf8(name, strlen(name)))
		return mem_text(name);
	err_set(EX_USAGE,
		json_utf8(name, strlen(name)) ? "%s: this recording is given twice; name it once"
					      : "%s: the file's name is not UTF-8 text; rename it",
		path);
	return NULL;
}

/* -1 when another recording is the same file under another name. */
static int note_file(struct split *s, const char *file, const struct stat *info)
{
	int n = s->recordings.n;
	ROOM_FOR_ONE(s->file, n, s->file_room);
	s->file[n] = info ? (struct file_id){info->st_dev, info->st_ino} : (struct file_id){0, 0};
	for (int i = 0; i < n && info; i++)
		if (s->file[i].inode == info->st_ino && s->file[i].device == info->st_dev)
			return err_set(EX_USAGE,
				"%s: this recording is given twice (it is the same file as %s); name it "
				"once, or make a copy of it if both are meant",
				file, s->recordings.s[i]);
	return 0;
}

int split_name(struct split *s, struct recording *r, const char *file, const struct stat *info)
{
	r->name = recording_name(s, !strcmp(file, "standard input") ? "stdin" : file);
	const struct list_entry *e = sidecars_entry(s->o, s->recordings.n);
	r->group = !r->name ? NULL : e && e->group ? mem_text(e->group) : group_of(s, base_name(r->name));
	if (!r->group || note_file(s, file, info) || name_condition(s, base_name(r->name)))
		return -1;
	names_add(&s->recordings, r->name);
	return 0;
}

/* --- the layout */

static int span_to_samples(struct span w, double rate, const char *what, int *out)
{
	double n = w.seconds ? round(w.amount * rate) : w.amount;
	if (!(n >= 1 && n <= INT_MAX / 4))
		return err_set(EX_USAGE,
			"--%s: %g%s is %.0f samples at %g Hz; it must be at least 1 and less than 2^29", what,
			w.amount, w.seconds ? "s" : "", n, rate);
	*out = (int)n;
	return 0;
}

/* The rate of the windows that a recording gives. */
static double rate_out(const struct split *s, const struct recording *r)
{
	return s->preprocessing.rate > 0 ? s->preprocessing.rate : r->rate;
}

/* Regions and lengths, once the channels and the rate of the first recording are known. */
static int fix_layout(struct split *s, const struct recording *r)
{
	const struct reading_options *o = s->o;
	const struct region_options regions = regions_of(o);
	struct layout *l = &s->layout;
	if (o->like) {
		layout_copy(l, o->like);
		s->rate = l->rate;
		return 0;
	}
	names_copy(&l->channels, &r->columns.channels);
	l->unit = mem_text("uV");
	s->rate = l->rate = rate_out(s, r);
	s->doubt = s->preprocessing.rate > 0 ? 0 : r->time.doubt;
	preprocessing_copy(&l->preprocessing, &s->preprocessing);
	l->preprocessing.rate_before = s->preprocessing.rate > 0 ? r->rate : 0;
	if (regions_make(l, &regions, r->name, &s->notes, &s->regions))
		return -1;
	struct span stride = o->stride.amount > 0 ? o->stride : o->window;
	if (r->rate <= 0 && (o->window.seconds || stride.seconds || s->preprocessing.rate > 0))
		return 0; /* only when explaining: the length is not known */
	return span_to_samples(o->window, l->rate, "window", &l->length) ||
			       span_to_samples(stride, l->rate, "stride", &l->stride)
		       ? -1
		       : 0;
}

/* All of them in one sentence: there may be many. */
static void note_channels_without_region(struct split *s)
{
	const struct layout *l = &s->layout;
	struct names out = {0};
	for (int c = 0; c < l->channels.n; c++) {
		bool in = false;
		for (int k = 0; k < l->regions && !in; k++)
			for (int j = 0; j < l->region[k].width && !in; j++)
				in = l->region[k].channel[j] == c;
		if (!in)
			names_add(&out, l->channels.s[c]);
	}
	char *list = names_join(&out, ", ");
	if (out.n == 1)
		add_note(s, mem_format("channel %s is in no region and is left out", list));
	else if (out.n)
		add_note(s, mem_format("channels %s are in no region and are left out", list));
	free(list);
	names_free(&out);
}

static int check_rate(struct split *s, const struct recording *r, const char *file)
{
	if (s->preprocessing.rate > 0) { /* any will do */
		struct preprocessing other = {.rate_before = r->rate};
		if (!s->o->like)
			preprocessing_join(&s->layout.preprocessing, &other);
		return 0;
	}
	if (fabs(r->rate - s->rate) <= (1e-3 + r->time.doubt + s->doubt) * s->rate)
		return 0;
	return err_set(EX_DATAERR,
		"%s: the rate is %.10g Hz, but the earlier recordings have %.10g Hz; --resample brings all "
		"to one rate",
		file, r->rate, s->rate);
}

/* --- one recording */

void split_note_imputed(struct split *s, const struct recording *r)
{
	for (int c = 0; c < r->columns.channels.n; c++)
		if (r->columns.from[c] < 0)
			add_note(s,
				mem_format("%s: channel %s is missing: %s", r->name, r->columns.channels.s[c],
					s->o->missing == MISSING_ZERO
						? "it is replaced by zeros"
						: "it is replaced by the mean of its region"));
}

void split_count(struct split *s, const struct recording *r, int64_t longest)
{
	const char *name = r->name;
	s->windows += r->windows;
	s->left_out += r->left_out;
	struct names remarks = {0};
	recording_remarks(r, &remarks);
	for (int i = 0; i < remarks.n; i++)
		add_note(s, mem_format("%s: %s", name, remarks.s[i]));
	names_free(&remarks);
	if (r->left_out)
		add_note(s, mem_format("%s: %lld window%s left out because %lld cell%s no value", name,
				    (long long)r->left_out, r->left_out == 1 ? "" : "s",
				    (long long)r->missing, r->missing == 1 ? " has" : "s have"));
	if (r->missing && s->o->value == VALUE_INTERP)
		add_note(s, mem_format("%s: %lld cells without a value interpolated", name,
				    (long long)r->missing));
	if (!r->windows && !r->left_out && split_cuts(s, r) && !(r->by_trials && !r->trials))
		add_note(s,
			mem_format(
				"%s: no window: its longest segment%s has %lld rows, and a window needs %d",
				name,
				r->by_trials               ? " of a trial without a gap"
				: s->o->align == ALIGN_RUN ? " of one label without a gap"
							   : " without a gap",
				(long long)longest, s->layout.length));
}

int split_settle(struct split *s, const struct recording *r, const char *file)
{
	if (s->settled)
		return check_rate(s, r, file);
	if (fix_layout(s, r))
		return -1;
	note_channels_without_region(s);
	s->settled = true;
	return 0;
}

/* The recording's labels get the numbers they have among those of all recordings. */
static int join_labels(struct split *s, struct intake *j)
{
	int32_t *to = NEW_ARRAY(int32_t, j->labels.n + 1);
	for (int i = 0; i < j->labels.n; i++)
		to[i] = names_intern(&s->labels, j->labels.s[i]);
	recording_labels(&j->r, to, s->labels.n);
	if (j->events)
		events_labels(j->events, to);
	free(to);
	if (s->labels.n <= s->o->max_classes || s->labels.n <= j->labels.n)
		return 0;
	return err_set(EX_DATAERR,
		"%s: more than %d different labels together with the earlier recordings; is this the label "
		"column? --max-classes raises the limit",
		j->file, s->o->max_classes);
}

bool split_cuts(const struct split *s, const struct recording *r)
{
	return s->layout.length && (r->rate > 0 || !(s->preprocessing.rate > 0));
}

struct cutter split_cutter(const struct split *s)
{
	return (struct cutter){.length = s->layout.length,
		.stride = s->layout.stride,
		.align = s->o->align,
		.rule = s->o->rule,
		.keep_last = s->o->keep_last};
}

int split_take(struct split *s, struct intake *j, int index)
{
	const struct reading_options *o = s->o;
	struct recording *r = &j->r;
	if (split_settle(s, r, j->file) || join_labels(s, j))
		return -1;
	recording_resampled(r);
	if (sidecars_place(s, j) || (j->own.fd >= 0 && row_file_append(&s->row_file, &j->own, &r->first)))
		return -1;
	int32_t group = names_intern(&s->groups, r->group);
	int64_t longest = 0;
	if (split_cuts(s, r)) {
		struct cutter how = split_cutter(s);
		longest = cut_windows(&s->table, r, &how, o->value != VALUE_INTERP, index, group);
	}
	split_note_imputed(s, r);
	sidecars_note(s, j);
	split_count(s, r, longest);
	if (!o->explain) {
		intake_free(j);
		return 0;
	}
	ROOM_FOR_ONE(s->explained, s->explained_count, s->explained_room);
	s->explained[s->explained_count++] = *j;
	*j = (struct intake){.own = {.fd = -1}};
	return 0;
}

/* --- one after the other */

int split_begin(struct split *s, struct input *in)
{
	int fd;
	uint64_t size;
	struct stat info;
	bool regular = input_is_file(in, &fd, &size) && !fstat(fd, &info);
	intake_free(&s->now);
	s->now.index = s->recordings.n;
	if (split_name(s, &s->now.r, input_name(in), regular ? &info : NULL) || intake_begin(&s->now, s, in))
		return -1;
	names_copy(&s->now.labels, &s->labels);
	if (s->channels.n)
		return 0;
	names_copy(&s->channels, &s->now.r.columns.channels);
	return s->o->like ? 0 : preprocessor_resolve(&s->preprocessing, &s->channels);
}

bool split_labelled(const struct split *s)
{
	return s->now.r.columns.label >= 0;
}

int split_rest(struct split *s)
{
	return intake_read(&s->now, s, &s->row_file) || split_take(s, &s->now, s->recordings.n - 1) ? -1 : 0;
}

int split_add_input(struct split *s, struct input *in)
{
	return split_begin(s, in) || split_rest(s) ? -1 : 0;
}
