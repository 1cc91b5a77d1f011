#include "format/layout.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void layout_region_free(struct region *r)
{
	free(r->name);
	free(r->channel);
	free(r->core);
	free(r->tokens);
}

void layout_clear_regions(struct layout *l)
{
	for (int k = 0; k < l->regions; k++)
		layout_region_free(&l->region[k]);
	free(l->region);
	l->region = NULL;
	l->regions = 0;
}

void layout_free(struct layout *l)
{
	free(l->unit);
	names_free(&l->channels);
	names_free(&l->classes);
	names_free(&l->conditions);
	preprocessing_free(&l->preprocessing);
	layout_clear_regions(l);
	*l = (struct layout){0};
}

void layout_copy(struct layout *to, const struct layout *from)
{
	*to = *from;
	to->unit = from->unit ? mem_text(from->unit) : NULL;
	names_copy(&to->channels, &from->channels);
	names_copy(&to->classes, &from->classes);
	names_copy(&to->conditions, &from->conditions);
	preprocessing_copy(&to->preprocessing, &from->preprocessing);
	to->region = NEW_ARRAY(struct region, from->regions);
	for (int k = 0; k < from->regions; k++) {
		const struct region *r = &from->region[k];
		size_t w = (size_t)r->width;
		to->region[k] = (struct region){.name = mem_text(r->name),
			.width = r->width,
			.channel = NEW_ARRAY(int32_t, w),
			.core = NEW_ARRAY(unsigned char, w),
			.length = r->length,
			.rate = r->rate,
			.tokens = r->tokens ? mem_text(r->tokens) : NULL};
		if (w) {
			memcpy(to->region[k].channel, r->channel, w * sizeof *r->channel);
			memcpy(to->region[k].core, r->core, w);
		}
	}
}

bool layout_own_input(const struct layout *l, int k)
{
	return l->region[k].length || l->region[k].rate > 0;
}

int layout_length(const struct layout *l, int k)
{
	return l->region[k].length ? l->region[k].length : l->length;
}

double layout_rate(const struct layout *l, int k)
{
	return l->region[k].rate > 0 ? l->region[k].rate : l->rate;
}

int layout_samples(const struct layout *l, int k, int there)
{
	return (int)((int64_t)there * layout_length(l, k) / l->length);
}

int layout_region_of(const struct layout *l, int channel)
{
	for (int core = 1; core >= 0; core--)
		for (int k = 0; k < l->regions; k++)
			for (int j = 0; j < l->region[k].width; j++)
				if (l->region[k].channel[j] == channel && l->region[k].core[j] >= core)
					return k;
	return -1;
}

int layout_index_regions(struct layout *l, int K, int h)
{
	int C = l->channels.n;
	if (K > C)
		return err_set(EX_USAGE,
			"%d regions (--regions) for %d channels: a region needs a channel of its own", K, C);
	l->regions = K;
	l->halo = h;
	l->region = NEW_ARRAY(struct region, K);
	for (int k = 0, first = 0; k < K; k++) {
		int own = C / K + (k < C % K);
		struct region *r = &l->region[k];
		r->name = mem_format("%d", k);
		r->width = own + 2 * h;
		r->channel = NEW_ARRAY(int32_t, r->width);
		r->core = NEW_ARRAY(unsigned char, r->width);
		for (int j = 0; j < r->width; j++) {
			int c = first - h + j;
			r->channel[j] = c >= 0 && c < C ? c : -1;
			r->core[j] = c >= first && c < first + own;
		}
		first += own;
	}
	return 0;
}

/* --- reading */

static int need_text(const struct st_file *f, const char *key, const char **out)
{
	*out = st_meta(f, key);
	return *out ? 0 : err_set(EX_DATAERR, "%s: metadata %s is missing", f->name, key);
}

static int read_int(const struct st_file *f, const char *key, int least, int *out)
{
	const char *s;
	long long v;
	if (need_text(f, key, &s))
		return -1;
	if (!text_to_long(s, &v) || v < least || v > INT_MAX / 4)
		return err_set(EX_DATAERR, "%s: metadata %s: \"%s\" is not a whole number of at least %d",
			f->name, key, s, least);
	*out = (int)v;
	return 0;
}

static int read_names(const struct st_file *f, const char *key, struct names *out)
{
	const char *s;
	if (need_text(f, key, &s))
		return -1;
	char *what = mem_format("%s: metadata %s", f->name, key);
	int r = json_names(s, out, what);
	const char *twice = r ? NULL : names_duplicate(out);
	if (twice)
		r = err_set(EX_DATAERR, "%s: \"%s\" stands there twice", what, twice);
	free(what);
	return r;
}

static int check_region(const struct st_file *f, const struct layout *l, int k)
{
	const struct region *r = &l->region[k];
	if (r->width < 1)
		return err_set(EX_DATAERR, "%s: region %s has no channel", f->name, r->name);
	for (int j = 0; j < r->width; j++)
		if (r->channel[j] < -1 || r->channel[j] >= l->channels.n)
			return err_set(EX_DATAERR, "%s: region %s: channel index %d of %d channels", f->name,
				r->name, (int)r->channel[j], l->channels.n);
	return 0;
}

/* All regions with a channel see the same samples of it. */
static int check_inputs(const struct st_file *f, const struct layout *l)
{
	for (int k = 0; k < l->regions; k++)
		for (int j = 0; j < l->region[k].width; j++) {
			int c = l->region[k].channel[j], first = c < 0 ? k : layout_region_of(l, c);
			if (layout_length(l, k) != layout_length(l, first) ||
				fabs(layout_rate(l, k) - layout_rate(l, first)) > 1e-3 * layout_rate(l, k))
				return err_set(EX_DATAERR,
					"%s: channel %s is in regions %s and %s, whose windows have "
					"different "
					"numbers of samples or rates",
					f->name, l->channels.s[c], l->region[first].name, l->region[k].name);
		}
	return 0;
}

/* "length" and "rate", each of which may be absent: the region has the common input then. */
static int read_input(struct region *g, const cJSON *object)
{
	const cJSON *length = json_get(object, "length"), *rate = json_get(object, "rate");
	if (!cJSON_IsObject(object) ||
		(length && (!cJSON_IsNumber(length) || length->valuedouble != (double)length->valueint ||
				   length->valueint < 1 || length->valueint > INT_MAX / 4)) ||
		(rate && (!cJSON_IsNumber(rate) || !(rate->valuedouble > 0) || !isfinite(rate->valuedouble))))
		return -1;
	g->length = length ? length->valueint : 0;
	g->rate = rate ? rate->valuedouble : 0;
	return 0;
}

/* moe.region_inputs: an object for each region, {} for one with the common input. */
static int read_inputs(struct layout *l, const struct st_file *f)
{
	const char *s = st_meta(f, "moe.region_inputs");
	if (!s)
		return 0;
	char *what = mem_format("%s: metadata moe.region_inputs", f->name);
	cJSON *list = json_parse(s, strlen(s), what);
	int r = list ? 0 : -1;
	if (list && (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != l->regions))
		r = err_set(
			EX_DATAERR, "%s: not a list of %d objects, one for each region", what, l->regions);
	for (int k = 0; k < l->regions && !r; k++)
		if (read_input(&l->region[k], cJSON_GetArrayItem(list, k)))
			r = err_set(EX_DATAERR,
				"%s: region %s: \"length\" is a number of samples and \"rate\" one in Hz",
				what, l->region[k].name);
	cJSON_Delete(list);
	free(what);
	return r;
}

static int read_window_regions(struct layout *l, const struct st_file *f)
{
	struct names name = {0};
	int r = read_names(f, "moe.regions", &name);
	l->regions = name.n;
	l->region = NEW_ARRAY(struct region, name.n);
	for (int k = 0; k < name.n; k++)
		l->region[k].name = mem_text(name.s[k]);
	for (int k = 0; k < name.n && !r; k++) {
		struct region *g = &l->region[k];
		char *channel = mem_format("region.%d.channel", k), *core = mem_format("region.%d.core", k);
		int64_t w = -1;
		const int32_t *c = st_need(f, channel, ST_I32, 1, &w);
		const unsigned char *o = c ? st_need(f, core, ST_U8, 1, &w) : NULL;
		if (o && w > INT_MAX / 4)
			err_set(EX_DATAERR, "%s: tensor %s is too large", f->name, channel);
		else if (o) {
			g->width = (int)w;
			g->channel = NEW_ARRAY(int32_t, w);
			g->core = NEW_ARRAY(unsigned char, w);
			memcpy(g->channel, c, (size_t)w * sizeof *c);
			memcpy(g->core, o, (size_t)w);
		}
		r = g->channel ? check_region(f, l, k) : -1;
		free(channel);
		free(core);
	}
	names_free(&name);
	return r ? r : read_inputs(l, f);
}

static int model_region(struct region *g, const cJSON *item)
{
	const cJSON *name = json_get(item, "name"), *channel = json_get(item, "channel"),
		    *core = json_get(item, "core"), *tokens = json_get(item, "tokens"), *x;
	if (!cJSON_IsString(name) || !cJSON_IsArray(channel) || !cJSON_IsArray(core) ||
		(tokens && !cJSON_IsString(tokens)) || read_input(g, item))
		return -1;
	g->tokens = tokens ? mem_text(tokens->valuestring) : NULL;
	int w = cJSON_GetArraySize(channel), j = 0;
	if (cJSON_GetArraySize(core) != w)
		return -1;
	g->name = mem_text(name->valuestring);
	g->width = w;
	g->channel = NEW_ARRAY(int32_t, w);
	g->core = NEW_ARRAY(unsigned char, w);
	cJSON_ArrayForEach(x, channel)
	{
		if (!cJSON_IsNumber(x) || x->valuedouble != (double)x->valueint)
			return -1;
		g->channel[j++] = x->valueint;
	}
	j = 0;
	cJSON_ArrayForEach(x, core)
	{
		if (!cJSON_IsNumber(x) || (x->valuedouble != 0 && x->valuedouble != 1))
			return -1;
		g->core[j++] = x->valuedouble != 0;
	}
	return 0;
}

static int read_model_regions(struct layout *l, const struct st_file *f)
{
	const char *s;
	if (need_text(f, "moe.regions", &s))
		return -1;
	char *what = mem_format("%s: metadata moe.regions", f->name);
	cJSON *list = json_parse(s, strlen(s), what);
	int r = list ? 0 : -1;
	if (list && !cJSON_IsArray(list))
		r = err_set(EX_DATAERR, "%s: not a list", what);
	if (!r) {
		const cJSON *item;
		l->regions = cJSON_GetArraySize(list);
		l->region = NEW_ARRAY(struct region, l->regions);
		int k = 0;
		cJSON_ArrayForEach(item, list)
		{
			struct region *g = &l->region[k];
			int bad = model_region(g, item);
			if (!g->name)
				g->name = mem_format("%d", k);
			if (bad && !r)
				r = err_set(EX_DATAERR,
					"%s: region %d is not {\"name\", \"channel\", \"core\"} with lists "
					"of equal length (and \"length\", \"rate\", \"tokens\" of a region "
					"that "
					"has its own)",
					what, k);
			if (!r)
				r = check_region(f, l, k);
			k++;
		}
	}
	cJSON_Delete(list);
	free(what);
	return r;
}

static int read_preprocessing(struct layout *l, const struct st_file *f)
{
	const char *s = st_meta(f, "moe.conditioning");
	if (!s)
		return 0;
	char *what = mem_format("%s: metadata moe.conditioning", f->name);
	int r = preprocessing_read(&l->preprocessing, s, what);
	free(what);
	return r;
}

static int read_all(struct layout *l, const struct st_file *f, enum layout_of kind)
{
	const char *s;
	if (read_int(f, "moe.length", 1, &l->length) || read_int(f, "moe.stride", 1, &l->stride))
		return -1;
	if (st_meta(f, "moe.halo") && read_int(f, "moe.halo", 0, &l->halo))
		return -1;
	if (need_text(f, "moe.rate", &s))
		return -1;
	if (!text_to_double(s, &l->rate) || !(l->rate > 0))
		return err_set(
			EX_DATAERR, "%s: metadata moe.rate: \"%s\" is not a positive number", f->name, s);
	if (need_text(f, "moe.unit", &s))
		return -1;
	l->unit = mem_text(s);
	if (read_names(f, "moe.channels", &l->channels) || read_names(f, "moe.classes", &l->classes))
		return -1;
	if (read_preprocessing(l, f))
		return -1;
	if (kind == LAYOUT_MODEL && st_meta(f, "moe.conditions") &&
		read_names(f, "moe.conditions", &l->conditions))
		return -1;
	if (!l->channels.n)
		return err_set(EX_DATAERR, "%s: metadata moe.channels: no channel", f->name);
	if (kind == LAYOUT_WINDOWS ? read_window_regions(l, f) : read_model_regions(l, f))
		return -1;
	if (check_inputs(f, l))
		return -1;
	return l->regions ? 0 : err_set(EX_DATAERR, "%s: metadata moe.regions: no region", f->name);
}

int layout_read(struct layout *l, const struct st_file *f, enum layout_of kind)
{
	*l = (struct layout){0};
	int r = read_all(l, f, kind);
	if (r)
		layout_free(l);
	return r;
}

/* --- writing */

static void put_int(struct st_writer *w, const char *key, int v)
{
	char s[24];
	snprintf(s, sizeof s, "%d", v);
	st_put_meta(w, key, s);
}

static void put_names(struct st_writer *w, const char *key, const struct names *l)
{
	struct text t = {0};
	json_list(&t, l);
	st_put_meta(w, key, t.s);
	text_free(&t);
}

/* The keys in which a region's input differs from the common one, each with a comma in front. */
static void put_input(const struct region *r, struct text *t)
{
	if (r->length)
		text_addf(t, ",\"length\":%d", r->length);
	if (r->rate > 0) {
		text_add(t, ",\"rate\":");
		json_double(t, r->rate);
	}
}

static void put_inputs(const struct layout *l, struct st_writer *w)
{
	struct text t = {0};
	bool any = false;
	for (int k = 0; k < l->regions; k++) {
		struct text keys = {0};
		any |= layout_own_input(l, k);
		put_input(&l->region[k], &keys);
		text_addf(&t, "%s{%s}", k ? "," : "[", keys.n ? keys.s + 1 : "");
		text_free(&keys);
	}
	text_add(&t, "]");
	if (any)
		st_put_meta(w, "moe.region_inputs", t.s);
	text_free(&t);
}

static void put_model_regions(const struct layout *l, struct st_writer *w)
{
	struct text t = {0};
	text_add(&t, "[");
	for (int k = 0; k < l->regions; k++) {
		const struct region *r = &l->region[k];
		text_addf(&t, "%s{\"name\":", k ? "," : "");
		json_string(&t, r->name);
		text_add(&t, ",\"channel\":[");
		for (int j = 0; j < r->width; j++)
			text_addf(&t, "%s%d", j ? "," : "", (int)r->channel[j]);
		text_add(&t, "],\"core\":[");
		for (int j = 0; j < r->width; j++)
			text_addf(&t, "%s%d", j ? "," : "", r->core[j]);
		text_add(&t, "]");
		put_input(r, &t);
		if (r->tokens) {
			text_add(&t, ",\"tokens\":");
			json_string(&t, r->tokens);
		}
		text_add(&t, "}");
	}
	text_add(&t, "]");
	st_put_meta(w, "moe.regions", t.s);
	text_free(&t);
}

static void put_window_regions(const struct layout *l, struct st_writer *w)
{
	struct names name = {0};
	for (int k = 0; k < l->regions; k++) {
		const struct region *r = &l->region[k];
		char *channel = mem_format("region.%d.channel", k), *core = mem_format("region.%d.core", k);
		int64_t width = r->width;
		names_add(&name, r->name);
		st_put(w, channel, ST_I32, 1, &width, r->channel);
		st_put(w, core, ST_U8, 1, &width, r->core);
		free(channel);
		free(core);
	}
	put_names(w, "moe.regions", &name);
	put_inputs(l, w);
	names_free(&name);
}

void layout_put(const struct layout *l, struct st_writer *w, enum layout_of kind)
{
	struct text rate = {0};
	json_double(&rate, l->rate);
	put_int(w, "moe.length", l->length);
	put_int(w, "moe.stride", l->stride);
	st_put_meta(w, "moe.rate", rate.s);
	st_put_meta(w, "moe.unit", l->unit);
	put_int(w, "moe.halo", l->halo);
	put_names(w, "moe.channels", &l->channels);
	put_names(w, "moe.classes", &l->classes);
	if (kind == LAYOUT_WINDOWS)
		put_window_regions(l, w);
	else
		put_model_regions(l, w);
	if (kind == LAYOUT_MODEL && l->conditions.n)
		put_names(w, "moe.conditions", &l->conditions);
	if (preprocessing_any(&l->preprocessing)) {
		struct text t = {0};
		preprocessing_put(&l->preprocessing, &t);
		st_put_meta(w, "moe.conditioning", t.s);
		text_free(&t);
	}
	text_free(&rate);
}
