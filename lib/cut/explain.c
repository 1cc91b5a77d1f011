#include "cut/split_state.h"

#include "base/json.h"
#include "recording/unit.h"
#include "sidecar/events.h"

#include <math.h>
#include <string.h>

static void number_or_null(struct text *t, double x)
{
	if (x > 0)
		json_double(t, x);
	else
		text_add(t, "null");
}

static void put_counts(
	struct text *t, const char *key, const struct names *labels, const int64_t *count, int n)
{
	const char *between = "";
	text_addf(t, ",\"%s\":{", key);
	for (int i = 0; i < n; i++)
		if (count[i]) {
			text_add(t, between);
			json_string(t, labels->s[i]);
			text_addf(t, ":%lld", (long long)count[i]);
			between = ",";
		}
	text_add(t, "}");
}

static void put_pairs(
	struct text *t, const char *key, const char *first, const struct names *name, const struct names *why)
{
	text_addf(t, ",\"%s\":[", key);
	for (int i = 0; i < name->n; i++) {
		text_addf(t, "%s{\"%s\":", i ? "," : "", first);
		json_string(t, name->s[i]);
		text_add(t, ",\"why\":");
		json_string(t, why->s[i]);
		text_add(t, "}");
	}
	text_add(t, "]");
}

const char *split_time_kind(const struct recording *r)
{
	static const char *const text[] = {[TIME_FORMAT_DATE] = "date and time",
		[TIME_FORMAT_OF_DAY] = "time of day",
		[TIME_FORMAT_DELTA] = "timedelta"};
	if (r->time_format != TIME_FORMAT_NONE)
		return text[r->time_format];
	return r->time.unit != TIME_UNIT_AUTO ? timeline_kind(&r->time) : NULL;
}

static void explain_time(struct text *t, const struct recording *r, const char *column)
{
	const char *kind = split_time_kind(r);
	text_add(t, ",\"time\":");
	if (!column)
		text_add(t, "null");
	else {
		text_add(t, "{\"column\":");
		json_string(t, column);
		text_add(t, ",\"kind\":");
		if (kind)
			json_string(t, kind);
		else
			text_add(t, "null");
		text_add(t, "}");
	}
	text_add(t, ",\"gaps\":[");
	for (int64_t i = 0; i < r->time.gaps; i++) {
		text_addf(
			t, "%s{\"row\":%lld,\"seconds\":", i ? "," : "", (long long)r->time.gap[i].recorded);
		if (isnan(r->time.gap[i].seconds)) /* another trial, or a counter that started again */
			text_add(t, "null}");
		else
			text_addf(t, "%.6g}", r->time.gap[i].seconds);
	}
	text_add(t, "]");
}

static void explain_preprocessing(struct text *t, const struct split *s, const struct recording *r)
{
	text_add(t, ",\"conditioning\":");
	if (!preprocessing_any(&s->preprocessing)) {
		text_add(t, "null");
		return;
	}
	preprocessing_put(&s->layout.preprocessing, t);
	if (s->preprocessing.rate > 0 && r->rate > 0) {
		text_addf(t, ",\"resampled\":{\"up\":%d,\"down\":%d,\"rows\":%lld,\"delay\":", r->up, r->down,
			(long long)r->rows);
		json_double(t, r->delay / r->rate);
		text_add(t, "}");
	}
}

static void explain_regions(struct text *t, const struct layout *l)
{
	text_add(t, ",\"regions\":[");
	for (int k = 0; k < l->regions; k++) {
		const struct region *g = &l->region[k];
		struct names part[2] = {{0}};
		for (int j = 0; j < g->width; j++)
			if (g->channel[j] >= 0)
				names_add(&part[!g->core[j]], l->channels.s[g->channel[j]]);
		text_addf(t, "%s{\"name\":", k ? "," : "");
		json_string(t, g->name);
		text_add(t, ",\"core\":");
		json_list(t, &part[0]);
		text_add(t, ",\"halo\":");
		json_list(t, &part[1]);
		text_add(t, "}");
		names_free(&part[0]);
		names_free(&part[1]);
	}
	text_add(t, "]");
}

/* The pairs in comments, as far as they are UTF-8 text, and remarks from reading. */
static void explain_rest(struct text *t, const struct recording *r)
{
	struct names remarks = {0};
	const char *between = "";
	text_add(t, ",\"facts\":{");
	for (int i = 0; i < r->header.key.n; i++) {
		const char *key = r->header.key.s[i], *value = r->header.value.s[i];
		if (!json_utf8(key, strlen(key)) || !json_utf8(value, strlen(value)) ||
			names_find(&r->header.key, key) < i)
			continue;
		text_add(t, between);
		json_string(t, key);
		text_add(t, ":");
		json_string(t, value);
		between = ",";
	}
	recording_remarks(r, &remarks);
	text_add(t, "},\"notes\":");
	json_list(t, &remarks);
	names_free(&remarks);
}

static void explain_one(const struct split *s, int i, struct text *t)
{
	const struct recording *r = &s->explained[i].r;
	const struct text_form *form = &r->form;
	const char delim[2] = {form->delim, 0};
	int64_t of_group = 0;
	for (int k = 0; k < s->explained_count; k++)
		if (!strcmp(s->explained[k].r.group, r->group))
			of_group += s->explained[k].r.windows;
	text_add(t, "{\"file\":");
	json_string(t, r->name);
	text_addf(t, ",\"dialect\":\"%s\",\"delimiter\":", r->header.dialect);
	if (form->delim) {
		json_string(t, delim);
		text_addf(t, ",\"decimal\":\"%c\",\"header_rows\":%d", form->decimal, form->header_rows);
	} else {
		text_add(t, "null,\"decimal\":null,\"header_rows\":0");
	}
	text_add(t, ",\"rate\":");
	number_or_null(t, r->rate);
	text_add(t, ",\"rate_from\":");
	if (r->rate_from)
		json_string(t, r->rate_from);
	else
		text_add(t, "null");
	text_addf(t, ",\"unit\":\"%s\",\"rows\":%lld,\"channels\":",
		unit_common(r->columns.scale, r->columns.channels.n), (long long)r->recorded);
	json_list(t, &r->columns.channels);
	put_pairs(t, "ignored", "name", &r->columns.ignored, &r->columns.why);
	explain_time(t, r, r->columns.time_name);
	explain_preprocessing(t, s, r);
	text_addf(t, ",\"missing\":%lld", (long long)r->missing);
	put_counts(t, "labels", &s->labels, r->label_rows, r->labels);
	if (s->explained[i].events)
		events_explain(s->explained[i].events, r, &s->labels, t);
	text_add(t, ",\"group\":");
	json_string(t, r->group);
	if (s->conditions.n) {
		text_add(t, ",\"condition\":");
		json_string(t, s->conditions.s[i]);
	}
	if (split_cuts(s, r)) {
		text_addf(t, ",\"length\":%d,\"stride\":%d,\"windows\":%lld", s->layout.length,
			s->layout.stride, (long long)r->windows);
		put_counts(t, "windows_by_class", &s->labels, r->label_windows, r->labels);
		text_addf(t, ",\"windows_of_group\":%lld,\"windows_left_out\":%lld", (long long)of_group,
			(long long)r->left_out);
	} else {
		text_add(t, ",\"length\":null,\"stride\":null,\"windows\":null");
	}
	put_pairs(t, "suspicious", "channel", &s->explained[i].suspicious, &s->explained[i].why);
	explain_rest(t, r);
	explain_regions(t, &s->layout);
	if (s->regions.empty.n) {
		text_add(t, ",\"empty_regions\":");
		json_list(t, &s->regions.empty);
	}
	if (s->regions.head > 0)
		text_addf(t, ",\"head_mm\":%.4g", s->regions.head);
	text_add(t, "}\n");
}

void split_explain(const struct split *s, struct text *t)
{
	for (int i = 0; i < s->explained_count; i++)
		explain_one(s, i, t);
}
