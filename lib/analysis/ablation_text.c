/* Ablation as JSON, as a table, in words. */
#include "analysis/ablation.h"

#include "base/json.h"
#include "dataset/adapt.h"

#include <math.h>
#include <string.h>

static void add_number(struct text *t, const char *key, double x)
{
	text_addf(t, ",\"%s\":", key);
	json_float(t, x);
}

static void add_part(const struct left_out *p, const struct model *m, struct text *t)
{
	text_addf(t, "{\"region\":%d,\"name\":", p->region);
	json_string(t, m->layout.region[p->region].name);
	if (p->layer >= 0)
		text_addf(t, ",\"layer\":%d,\"expert\":%d", p->layer, p->expert);
	add_number(t, "accuracy", p->accuracy);
	add_number(t, "change", p->change);
	text_add(t, ",\"interval\":[");
	json_float(t, p->interval.low);
	text_add(t, ",");
	json_float(t, p->interval.high);
	text_add(t, "]}");
}

static void add_parts(
	const struct ablation_table *a, const struct model *m, const char *key, bool regions, struct text *t)
{
	bool first = true;
	text_addf(t, ",\"%s\":[", key);
	for (int i = 0; i < a->n; i++) {
		if ((a->part[i].layer < 0) != regions)
			continue;
		text_add(t, first ? "" : ",");
		add_part(&a->part[i], m, t);
		first = false;
	}
	text_add(t, "]");
}

void ablation_json(const struct ablation_table *a, const struct model *m, struct text *t)
{
	text_addf(t, "{\"windows\":%lld,\"groups\":%d,\"resamples\":%d,\"seed\":\"%llu\"",
		(long long)a->windows, a->groups, a->resamples, (unsigned long long)a->seed);
	if (dataset_adapts(m))
		text_add(t, ",\"adapted\":\"group\"");
	add_number(t, "accuracy", a->accuracy);
	add_parts(a, m, "regions", true, t);
	add_parts(a, m, "experts", false, t);
	text_add(t, "}\n");
}

void ablation_rows(const struct ablation_table *a, const struct model *m, char c, struct text *t)
{
	text_addf(t, "region%cname%clayer%cexpert%caccuracy%cchange%clow%chigh\n", c, c, c, c, c, c, c);
	text_addf(t, "%c%c%c%c%.9g%c%c%c\n", c, c, c, c, a->accuracy, c, c, c);
	for (int i = 0; i < a->n; i++) {
		const struct left_out *p = &a->part[i];
		text_addf(t, "%d%c", p->region, c);
		text_cell(t, m->layout.region[p->region].name, c);
		if (p->layer < 0)
			text_addf(t, "%c%c", c, c);
		else
			text_addf(t, "%c%d%c%d", c, p->layer, c, p->expert);
		const double value[] = {p->accuracy, p->change, p->interval.low, p->interval.high};
		for (int f = 0; f < 4; f++)
			text_number_cell(t, value[f], c);
		text_add(t, "\n");
	}
}

static void describe_part(const struct left_out *p, const struct model *m, struct text *t)
{
	text_add(t, "Without ");
	if (p->layer >= 0)
		text_addf(t, "expert %d of layer %d in ", p->expert, p->layer);
	text_add(t, "region ");
	text_shown(t, m->layout.region[p->region].name);
	text_addf(t, " it is %.3g, ", p->accuracy);
	if (fabs(p->change) < 1e-12)
		text_add(t, "unchanged");
	else
		text_addf(t, "%.3g %s", fabs(p->change), p->change < 0 ? "less" : "more");
	if (!isnan(p->interval.low))
		text_addf(t, " (%+.3g to %+.3g): %s", p->interval.low, p->interval.high,
			p->interval.high < 0  ? "it is needed"
			: p->interval.low > 0 ? "it does harm"
					      : "it may be chance");
	text_add(t, ".\n");
}

void ablation_words(const struct ablation_table *a, const struct model *m, struct text *t)
{
	text_addf(t, "The accuracy of the model is %.3g on %lld windows of %d group%s.\n", a->accuracy,
		(long long)a->windows, a->groups, a->groups == 1 ? "" : "s");
	for (int i = 0; i < a->n; i++)
		describe_part(&a->part[i], m, t);
}
