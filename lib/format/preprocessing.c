#include "format/preprocessing.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void preprocessing_free(struct preprocessing *c)
{
	names_free(&c->reference);
	names_free(&c->except);
	*c = (struct preprocessing){0};
}

void preprocessing_copy(struct preprocessing *to, const struct preprocessing *from)
{
	*to = *from;
	names_copy(&to->reference, &from->reference);
	names_copy(&to->except, &from->except);
}

bool preprocessing_any(const struct preprocessing *c)
{
	return c->average || c->reference.n || c->notches || c->low > 0 || c->high > 0 || c->rate > 0;
}

static bool same_set(const struct names *a, const struct names *b)
{
	bool same = a->n == b->n;
	for (int i = 0; i < a->n && same; i++)
		same = names_find(b, a->s[i]) >= 0;
	return same;
}

bool preprocessing_same(const struct preprocessing *a, const struct preprocessing *b)
{
	bool same = same_set(&a->reference, &b->reference) && same_set(&a->except, &b->except) &&
		    a->notches == b->notches && a->low == b->low && a->high == b->high && a->rate == b->rate;
	for (int i = 0; i < a->notches && same; i++)
		same = a->notch[i] == b->notch[i];
	return same;
}

void preprocessing_join(struct preprocessing *c, const struct preprocessing *other)
{
	if (fabs(c->rate_before - other->rate_before) > 1e-3 * c->rate_before)
		c->rate_before = 0;
}

/* --- from text */

int preprocessing_reference(struct preprocessing *c, const char *text)
{
	if (!strcmp(text, "none"))
		return 0;
	c->average = !strcmp(text, "average");
	if (!c->average)
		names_split(&c->reference, text, ',');
	const char *twice = names_duplicate(&c->reference);
	if (twice)
		return err_set(EX_USAGE, "--reference: channel \"%s\" is listed twice", twice);
	return c->average || c->reference.n ? 0
					    : err_set(EX_USAGE,
						      "--reference: \"%s\" names no channel; give average, "
						      "none, or names of channels separated by commas",
						      text);
}

/* An edge: n bytes, none for no edge. */
static int read_edge(const char *s, size_t n, double *hz)
{
	char *part = mem_text_n(s, n);
	bool good = !n || (text_to_double(part, hz) && *hz > 0);
	free(part);
	return good ? 0 : -1;
}

int preprocessing_band(struct preprocessing *c, const char *text)
{
	size_t n = strcspn(text, "-");
	if (!text[n] || read_edge(text, n, &c->low) ||
		read_edge(text + n + 1, strlen(text + n + 1), &c->high) || !(c->low > 0 || c->high > 0))
		return err_set(EX_USAGE,
			"--bandpass: \"%s\" is not LOW-HIGH, LOW- or -HIGH in Hz: 1-45 passes the "
			"frequencies between, 1- those above, -45 those below",
			text);
	if (c->low > 0 && c->high > 0 && c->low >= c->high)
		return err_set(EX_USAGE, "--bandpass: %g Hz is not below %g Hz; write the lower edge first",
			c->low, c->high);
	return 0;
}

static int add_notch(struct preprocessing *c, double hz)
{
	if (c->notches == PREPROCESSING_NOTCHES)
		return -1;
	for (int i = 0; i < c->notches; i++)
		if (c->notch[i] == hz)
			return -1;
	c->notch[c->notches++] = hz;
	return hz > 0 ? 0 : -1;
}

int preprocessing_notches(struct preprocessing *c, const char *text)
{
	struct names part = {0};
	names_split(&part, text, ',');
	bool good = part.n > 0;
	for (int i = 0; i < part.n && good; i++) {
		double hz;
		good = text_to_double(part.s[i], &hz) && !add_notch(c, hz);
	}
	names_free(&part);
	return good ? 0
		    : err_set(EX_USAGE,
			      "--notch: \"%s\" is not a list of frequencies in Hz separated by commas, such "
			      "as 50,100, with none given twice and at most %d of them",
			      text, PREPROCESSING_NOTCHES);
}

/* --- as JSON */

static void put_number(struct text *t, const char *before, double x)
{
	text_add(t, before);
	if (x > 0)
		json_double(t, x);
	else
		text_add(t, "null");
}

void preprocessing_put(const struct preprocessing *c, struct text *t)
{
	const char *between = "{";
	if (c->reference.n) {
		text_addf(t, "%s\"reference\":", between);
		json_list(t, &c->reference);
		between = ",";
	}
	if (c->except.n) {
		text_addf(t, "%s\"except\":", between);
		json_list(t, &c->except);
	}
	if (c->notches) {
		text_addf(t, "%s\"notch\":", between);
		for (int i = 0; i < c->notches; i++)
			put_number(t, i ? "," : "[", c->notch[i]);
		text_add(t, "]");
		between = ",";
	}
	if (c->low > 0 || c->high > 0) {
		text_add(t, between);
		put_number(t, "\"bandpass\":[", c->low);
		put_number(t, ",", c->high);
		text_add(t, "]");
		between = ",";
	}
	if (c->rate > 0) {
		text_add(t, between);
		put_number(t, "\"resample\":", c->rate);
		put_number(t, ",\"rate_before\":", c->rate_before);
		between = ",";
	}
	text_add(t, *between == '{' ? "{}" : "}");
}

static int read_names(const cJSON *v, struct names *out)
{
	const cJSON *x;
	if (!cJSON_IsArray(v))
		return -1;
	cJSON_ArrayForEach(x, v)
	{
		if (!cJSON_IsString(x))
			return -1;
		names_add(out, x->valuestring);
	}
	return out->n && !names_duplicate(out) ? 0 : -1;
}

/* A frequency; null is none. */
static int read_hz(const cJSON *v, double *hz)
{
	if (cJSON_IsNull(v))
		return 0;
	*hz = cJSON_IsNumber(v) ? v->valuedouble : 0;
	return *hz > 0 && *hz < 1e300 ? 0 : -1;
}

static int read_band(const cJSON *v, struct preprocessing *c)
{
	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) != 2 || read_hz(cJSON_GetArrayItem(v, 0), &c->low) ||
		read_hz(cJSON_GetArrayItem(v, 1), &c->high))
		return -1;
	return (c->low > 0 || c->high > 0) && !(c->high > 0 && c->low >= c->high) ? 0 : -1;
}

static int read_notches(const cJSON *v, struct preprocessing *c)
{
	const cJSON *x;
	if (!cJSON_IsArray(v))
		return -1;
	cJSON_ArrayForEach(x, v)
	{
		double hz = 0;
		if (read_hz(x, &hz) || add_notch(c, hz))
			return -1;
	}
	return 0;
}

static int read_step(const cJSON *v, struct preprocessing *c)
{
	const char *key = v->string;
	if (!strcmp(key, "reference"))
		return read_names(v, &c->reference);
	if (!strcmp(key, "except"))
		return read_names(v, &c->except);
	if (!strcmp(key, "notch"))
		return read_notches(v, c);
	if (!strcmp(key, "bandpass"))
		return read_band(v, c);
	if (!strcmp(key, "resample"))
		return cJSON_IsNull(v) ? -1 : read_hz(v, &c->rate);
	if (!strcmp(key, "rate_before"))
		return read_hz(v, &c->rate_before);
	return -1;
}

int preprocessing_read(struct preprocessing *c, const char *json, const char *what)
{
	cJSON *o = json_parse(json, strlen(json), what);
	const cJSON *v;
	*c = (struct preprocessing){0};
	int r = o ? 0 : -1;
	if (o && !cJSON_IsObject(o))
		r = err_set(EX_DATAERR, "%s: not an object", what);
	if (!r)
		cJSON_ArrayForEach(v, o)
		{
			if (!r && read_step(v, c))
				r = err_set(EX_DATAERR, "%s: \"%.60s\" is unknown, or its value is invalid",
					what, v->string);
		}
	cJSON_Delete(o);
	if (r)
		preprocessing_free(c);
	return r;
}

/* --- in words */

char *preprocessing_words(const struct preprocessing *c)
{
	struct text t = {0};
	if (c->reference.n) {
		char *list = names_join(&c->reference, " ");
		text_addf(&t, ", reference %s", list);
		free(list);
	}
	if (c->except.n) {
		char *list = names_join(&c->except, " ");
		text_addf(&t, " but not for %s", list);
		free(list);
	}
	for (int i = 0; i < c->notches; i++)
		text_addf(&t, i ? " and %g Hz" : ", notch %g Hz", c->notch[i]);
	if (c->low > 0 && c->high > 0)
		text_addf(&t, ", band pass %g-%g Hz", c->low, c->high);
	else if (c->low > 0 || c->high > 0)
		text_addf(&t, c->low > 0 ? ", high pass %g Hz" : ", low pass %g Hz",
			c->low > 0 ? c->low : c->high);
	if (c->rate > 0)
		text_addf(&t, ", resampled to %g Hz", c->rate);
	char *words = mem_text(t.n ? t.s + 2 : "no preprocessing");
	text_free(&t);
	return words;
}
