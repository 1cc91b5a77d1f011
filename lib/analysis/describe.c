#include "analysis/describe.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "format/layout.h"

#include <stdlib.h>
#include <string.h>

static const char *format_of(const struct st_file *f)
{
	const char *s = st_meta(f, "moe.format");
	return s ? s : "";
}

static bool is_model(const struct st_file *f)
{
	return text_starts(format_of(f), "model/") || text_starts(format_of(f), "state/");
}

/* "name":VALUE of metadata that is JSON; nothing when it is absent. */
static int add_json_meta(const struct st_file *f, const char *key, const char *name, struct text *t)
{
	const char *s = st_meta(f, key);
	if (!s)
		return 0;
	char *what = mem_format("%s: metadata %s", f->name, key), *compact = mem_text(s);
	cJSON *value = json_parse(s, strlen(s), what);
	if (value) {
		cJSON_Minify(compact);
		text_addf(t, ",\"%s\":", name);
		json_copy(t, compact);
	}
	cJSON_Delete(value);
	free(compact);
	free(what);
	return value ? 0 : -1;
}

/* The names of a region's columns that are its own (core = 1), or its halo. */
static void add_columns(const struct layout *l, const struct region *r, int core, struct text *t)
{
	bool first = true;
	text_add(t, "[");
	for (int j = 0; j < r->width; j++) {
		if (r->channel[j] < 0 || r->core[j] != core)
			continue;
		text_add(t, first ? "" : ",");
		json_string(t, l->channels.s[r->channel[j]]);
		first = false;
	}
	text_add(t, "]");
}

static int describe_layout(const struct st_file *f, enum layout_of kind, struct text *t)
{
	struct layout l;
	if (layout_read(&l, f, kind))
		return -1;
	text_add(t, ",\"rate\":");
	json_double(t, l.rate);
	text_add(t, ",\"unit\":");
	json_string(t, l.unit);
	text_add(t, ",\"conditioning\":");
	if (preprocessing_any(&l.preprocessing))
		preprocessing_put(&l.preprocessing, t);
	else
		text_add(t, "null");
	text_addf(t, ",\"length\":%d,\"stride\":%d,\"halo\":%d,\"channels\":", l.length, l.stride, l.halo);
	json_list(t, &l.channels);
	text_add(t, ",\"classes\":");
	json_list(t, &l.classes);
	text_add(t, ",\"regions\":[");
	for (int k = 0; k < l.regions; k++) {
		text_add(t, k ? ",{\"name\":" : "{\"name\":");
		json_string(t, l.region[k].name);
		text_addf(t, ",\"width\":%d,\"core\":", l.region[k].width);
		add_columns(&l, &l.region[k], 1, t);
		text_add(t, ",\"halo\":");
		add_columns(&l, &l.region[k], 0, t);
		if (layout_own_input(&l, k)) {
			text_addf(t, ",\"length\":%d,\"rate\":", layout_length(&l, k));
			json_double(t, layout_rate(&l, k));
		}
		if (l.region[k].tokens) {
			text_add(t, ",\"tokens\":");
			json_string(t, l.region[k].tokens);
		}
		text_add(t, "}");
	}
	text_add(t, "]");
	layout_free(&l);
	return 0;
}

/* Which part of a model a tensor belongs to: "global_token", "gate", "experts.0" (a region) ...;
 * NULL for what is not a parameter: the scaler, the temperature, and what a state file keeps for
 * the optimizer. */
static char *part_of(const char *name)
{
	static const char *const not_parameters[] = {
		"scale.", "calibration.", "adam.", "optimizer.", "best.", "state."};
	for (size_t i = 0; i < sizeof not_parameters / sizeof *not_parameters; i++)
		if (text_starts(name, not_parameters[i]))
			return NULL;
	size_t n = strcspn(name, ".");
	if (text_starts(name, "experts.") || text_starts(name, "heads."))
		n += 1 + strcspn(name + n + 1, ".");
	return mem_text_n(name, n);
}

static void describe_parameters(const struct st_file *f, struct text *t)
{
	struct names part = {0};
	int64_t *count = NEW_ARRAY(int64_t, f->n), total = 0, experts = 0, moe = 0;
	for (int i = 0; i < f->n; i++) {
		char *name = part_of(f->tensor[i].name);
		if (!name)
			continue;
		count[names_intern(&part, name)] += f->tensor[i].count;
		total += f->tensor[i].count;
		experts += text_starts(name, "experts.") ? f->tensor[i].count : 0;
		moe += strstr(f->tensor[i].name, ".moe.") ? f->tensor[i].count : 0;
		free(name);
	}
	text_addf(t, ",\"parameters\":{\"total\":%lld,\"experts\":%lld,\"moe\":%lld", (long long)total,
		(long long)experts, (long long)moe);
	for (int i = 0; i < part.n; i++) {
		text_add(t, ",");
		json_string(t, part.s[i]);
		text_addf(t, ":%lld", (long long)count[i]);
	}
	text_add(t, "}");
	names_free(&part);
	free(count);
}

/* "key":{name:windows,...}; index [n] into names, -1 is counted as unlabelled. */
static int count_windows(const struct st_file *f, const char *meta, const char *tensor, int64_t *n,
	const char *key, struct text *t)
{
	const char *s = st_meta(f, meta);
	struct names name = {0};
	char *what = mem_format("%s: metadata %s", f->name, meta);
	int r = s ? json_names(s, &name, what) : err_set(EX_DATAERR, "%s is missing", what);
	const int32_t *index = r ? NULL : st_need(f, tensor, ST_I32, 1, n);
	int64_t *count = NEW_ARRAY(int64_t, name.n + 1);
	for (int64_t i = 0; index && i < *n; i++) {
		if (index[i] >= -1 && index[i] < name.n)
			count[index[i] < 0 ? name.n : index[i]]++;
		else {
			err_set(EX_DATAERR,
				"%s: tensor %s: window %lld has the index %d, but there are %d names; the "
				"file is damaged",
				f->name, tensor, (long long)i, (int)index[i], name.n);
			index = NULL;
		}
	}
	text_addf(t, ",\"%s\":{", key);
	for (int i = 0; i < name.n; i++) {
		text_add(t, i ? "," : "");
		json_string(t, name.s[i]);
		text_addf(t, ":%lld", (long long)count[i]);
	}
	text_add(t, "}");
	if (!strcmp(tensor, "window.label"))
		text_addf(t, ",\"unlabelled\":%lld", (long long)count[name.n]);
	free(count);
	names_free(&name);
	free(what);
	return index ? 0 : -1;
}

static int describe_windows(const struct st_file *f, struct text *t)
{
	int64_t n = -1;
	if (!st_need(f, "window.label", ST_I32, 1, &n))
		return -1;
	text_addf(t, ",\"windows\":%lld", (long long)n);
	return count_windows(f, "moe.classes", "window.label", &n, "windows_by_class", t) ||
			       count_windows(f, "moe.groups", "window.group", &n, "windows_by_group", t) ||
			       count_windows(f, "moe.recordings", "window.recording", &n,
				       "windows_by_recording", t) ||
			       (st_find(f, "window.condition") &&
				       count_windows(f, "moe.conditions", "window.condition", &n,
					       "windows_by_condition", t))
		       ? -1
		       : 0;
}

static void describe_tensors(const struct st_file *f, struct text *t)
{
	text_add(t, ",\"tensors\":{");
	for (int i = 0; i < f->n; i++) {
		text_add(t, i ? "," : "");
		json_string(t, f->tensor[i].name);
		text_addf(t, ":{\"type\":\"%s\",\"shape\":[", st_type_name(f->tensor[i].type));
		for (int d = 0; d < f->tensor[i].rank; d++)
			text_addf(t, "%s%lld", d ? "," : "", (long long)f->tensor[i].shape[d]);
		text_add(t, "]}");
	}
	text_add(t, "}");
}

int describe_file(const struct st_file *f, struct text *t)
{
	bool windows = text_starts(format_of(f), "windows/"), routing = text_starts(format_of(f), "routing/");
	text_add(t, "{\"file\":");
	json_string(t, f->name);
	text_add(t, ",\"format\":");
	if (*format_of(f))
		json_string(t, format_of(f));
	else
		text_add(t, "null");
	/* a routing file need not bring the tensors of its regions along */
	bool layout = is_model(f) || windows || (routing && st_find(f, "region.0.channel"));
	if (layout && describe_layout(f, is_model(f) ? LAYOUT_MODEL : LAYOUT_WINDOWS, t))
		return -1;
	if ((windows || routing) && describe_windows(f, t))
		return -1;
	if (is_model(f)) {
		describe_parameters(f, t);
		text_add(t, st_find(f, "scale.mean") ? ",\"scaler\":true" : ",\"scaler\":false");
		if (add_json_meta(f, "moe.train_groups", "train_groups", t) ||
			add_json_meta(f, "moe.conditions", "conditions", t) ||
			(st_meta(f, "moe.views") && add_json_meta(f, "moe.views", "views", t)) ||
			add_json_meta(f, "moe.config", "config", t))
			return -1;
	}
	describe_tensors(f, t);
	if (add_json_meta(f, "moe.history", "history", t))
		return -1;
	text_add(t, "}\n");
	return 0;
}
