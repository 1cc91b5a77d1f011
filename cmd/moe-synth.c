/* moe-synth: EEG recordings as CSV whose truth is known. */
#include "program.h"

#include "base/mem.h"
#include "synth/synth.h"

#include <errno.h>
#include <sys/stat.h>

static struct {
	long long subjects, sessions, regions, experts;
	double rate, seconds, snr;
	const char *channels, *classes, *where, *relation, *artefacts, *truth;
	struct names effect;
	bool force, regions_given, experts_given;
} o;

static const struct option table[] = {
	{"output", 'o', OPT_TEXT, &common.output, .arg = "FOLDER",
		.help = "write the recordings to FOLDER, which is created if it does not exist (the folder "
			"above it must exist)"},
	{"subjects", 0, OPT_INT, &o.subjects, .value = "8", .min = 1, .max = 10000, .arg = "N",
		.help = "number of subjects"},
	{"sessions", 0, OPT_INT, &o.sessions, .value = "1", .min = 1, .max = 1000, .arg = "N",
		.help = "recordings of each subject"},
	{"channels", 0, OPT_TEXT, &o.channels, .value = "16", .arg = "N|LIST",
		.help = "electrodes: how many, or their 10-05 names separated by commas"},
	{"rate", 0, OPT_REAL, &o.rate, .value = "128", .min = 1, .max = 100000, .arg = "HZ",
		.help = "samples per second"},
	{"seconds", 0, OPT_REAL, &o.seconds, .value = "60", .min = 1, .max = 1000000, .arg = "S",
		.help = "length of a recording"},
	{"classes", 0, OPT_TEXT, &o.classes, .value = "2", .arg = "N|LIST",
		.help = "classes: how many, or their names separated by commas"},
	{"regions", 0, OPT_INT, &o.regions, .value = "4", .min = 1, .max = 1000, .arg = "K",
		.given = &o.regions_given,
		.help = "number of index regions, to which region numbers refer, as made by moe-split "
			"--regions K --halo 0; when not given, at most the number of channels"},
	{"experts", 0, OPT_INT, &o.experts, .min = 1, .max = 1000, .arg = "K", .given = &o.experts_given,
		.help = "the older name of --regions"},
	{"where", 0, OPT_TEXT, &o.where, .arg = "REGION|LIST",
		.help = "place of the class effect: the number of a region, or channel names; when not "
			"given, a region chosen at random from the seed"},
	{"effect", 0, OPT_LIST, &o.effect, .arg = "CLASS:HZ@PLACE",
		.help = "a rhythm of HZ while CLASS (name or index) is on, at PLACE (number of a region, or "
			"names joined by +); may be repeated"},
	{"relation", 0, OPT_TEXT, &o.relation, .arg = "PLACE,PLACE",
		.help = "bursts of one rhythm at two places (numbers of regions, or names joined by +) in "
			"all classes, which differ only in the timing of the two"},
	{"snr", 0, OPT_REAL, &o.snr, .value = "1", .min = 0, .max = 1000000, .arg = "X",
		.help = "strength of every effect and of the relation: the power of its rhythm divided by "
			"that of everything else in the channels of its place"},
	{"artefacts", 0, OPT_TEXT, &o.artefacts, .arg = "LIST",
		.help = "some of blink, muscle, flat (a constant channel), gap (missing values), pause "
			"(missing rows)"},
	{"truth", 0, OPT_TEXT, &o.truth, .arg = "FILE",
		.help = "write the truth (what was put into the recordings) as JSON; - for standard output"},
	{"force", 0, OPT_FLAG, &o.force,
		.help = "replace existing recordings of the same name; symbolic links are replaced, not "
			"followed"},
	SEED_OPTION,
	COMMON_OPTIONS,
};

static const struct program program = {"moe-synth",
	"synthesise EEG recordings with known differences between classes", "-o FOLDER", table,
	"moe-synth --where O1,O2 --truth truth.json -o eeg && moe-split eeg/*.csv | moe-train -o "
	"m.safetensors -",
	"make shorter recordings (--seconds) or fewer --channels, or raise the limit (ulimit -v, ulimit -d)"};

static int set_up(struct synth *s)
{
	*s = (struct synth){.seed = (uint64_t)common.seed,
		.rate = o.rate,
		.seconds = o.seconds,
		.snr = o.snr,
		.regions = (int)(o.experts_given ? o.experts : o.regions)};
	if (o.regions_given && o.experts_given)
		return err_set(EX_USAGE, "--experts is the older name of --regions; give only one of them");
	if (o.where && o.effect.n)
		return err_set(
			EX_USAGE, "--where and --effect: an --effect names its own place; leave --where out");
	if (o.where && o.relation)
		return err_set(EX_USAGE,
			"--where and --relation: a --relation names its own places; leave --where out");
	if (synth_channels(s, o.channels) || synth_classes(s, o.classes))
		return -1;
	if (!o.regions_given && !o.experts_given && s->regions > s->channels.n)
		s->regions = s->channels.n;
	if (o.artefacts && synth_artefacts(s, o.artefacts))
		return -1;
	for (int i = 0; i < o.effect.n; i++)
		if (synth_effect(s, o.effect.s[i]))
			return -1;
	if (o.relation && synth_relation(s, o.relation))
		return -1;
	if (!o.effect.n && !o.relation && synth_effects_at(s, o.where))
		return -1;
	return synth_check(s);
}

static char *file_name(int subject, int session)
{
	return mem_format("S%02d_%d.csv", subject, session);
}

/* The folder is there afterwards, and none of the names is taken unless --force says so. */
static int open_folder(void)
{
	struct stat st;
	if (mkdir(common.output, 0777) && errno != EEXIST)
		return err_errno(EX_CANTCREAT, "%s: cannot create this folder", common.output);
	if (stat(common.output, &st) || !S_ISDIR(st.st_mode))
		return err_set(EX_CANTCREAT, "%s: is not a folder; -o names the folder for the recordings",
			common.output);
	for (int i = 0; i < o.subjects && !o.force; i++)
		for (int j = 1; j <= o.sessions; j++) {
			char *name = file_name(i, j), *path = mem_format("%s/%s", common.output, name);
			int taken = !lstat(path, &st);
			if (taken)
				err_set(EX_CANTCREAT,
					"%s: already exists; --force replaces it, or name another folder",
					path);
			free(name);
			free(path);
			if (taken)
				return -1;
		}
	return 0;
}

static int one_recording(const struct synth *s, int subject, int session, struct text *truth)
{
	char *name = file_name(subject, session), *path = mem_format("%s/%s", common.output, name);
	struct synth_recording *r = synth_record(s, subject, session);
	struct output *out = output_drop_link(path) ? NULL : output_open(path, OUTPUT_TEXT);
	int failed = out ? output_end(out, synth_write_csv(s, r, out)) : -1;
	if (!failed)
		synth_truth_recording(s, r, name, truth);
	if (!failed && common.verbose)
		program_sayf("%s: %lld rows", path, (long long)r->n);
	synth_recording_free(r);
	free(name);
	free(path);
	return failed;
}

/* Ends the truth: the file appears now, after the last recording. */
static int finish_truth(struct output *out, struct text *t)
{
	text_add(t, "\n]}\n");
	return output_end(out, output_write(out, t->s, t->n));
}

static void add_place(const struct synth *s, const struct synth_place *p, struct text *t)
{
	for (int j = 0; j < p->n; j++)
		text_addf(t, " %s", s->channels.s[p->channel[j]]);
}

static void say_effects(const struct synth *s)
{
	struct text t = {0};
	for (int i = 0; i < s->effects; i++) {
		const struct synth_effect *e = &s->effect[i];
		t.n = 0;
		text_addf(&t, "class %s: %g Hz at", s->classes.s[e->class], e->hz);
		add_place(s, &e->place, &t);
		program_say(t.s);
	}
	if (o.relation) {
		t.n = 0;
		text_addf(&t, "all classes: bursts of %g Hz at", s->relation.hz);
		add_place(s, &s->relation.place[0], &t);
		text_add(&t, " and at");
		add_place(s, &s->relation.place[1], &t);
		program_say(t.s);
	}
	text_free(&t);
}

static int make_all(const struct synth *s)
{
	struct text truth = {0};
	struct output *out = NULL;
	if (o.truth && !(out = output_open(o.truth, OUTPUT_TEXT)))
		return -1;
	int failed = open_folder();
	if (!failed && common.verbose)
		say_effects(s);
	synth_truth_head(s, &truth);
	for (int i = 0; i < o.subjects && !failed; i++)
		for (int j = 1; j <= o.sessions && !failed; j++)
			failed = one_recording(s, i, j, &truth);
	if (out && failed)
		output_discard(out);
	else if (out)
		failed = finish_truth(out, &truth);
	text_free(&truth);
	return failed;
}

static int run_synth(const struct names *operands)
{
	struct synth s;
	if (operands->n)
		return err_set(EX_USAGE, "%s: moe-synth reads no file; name the folder to write to with -o",
			operands->s[0]);
	if (!common.output)
		return err_set(EX_USAGE, "-o FOLDER is missing; name the folder for the recordings");
	if (!strcmp(common.output, "-"))
		return err_set(EX_USAGE, "-o -: recordings are written to a folder, not to standard output");
	int failed = set_up(&s) || make_all(&s);
	synth_free(&s);
	return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv, run_synth);
}
