#include "score/threshold.h"

#include "base/error.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct threshold {
	int metric;
	double limit;
};

static int parse_one(const char *option, const char *s, struct threshold *t)
{
	const char *equals = strchr(s, '=');
	if (!equals || !text_to_double(equals + 1, &t->limit))
		return err_set(EX_USAGE, "--%s %s: not of the form NAME=X, like bacc=0.6", option, s);
	char *name = mem_text_n(s, (size_t)(equals - s));
	t->metric = metric_named(name);
	free(name);
	return t->metric < 0 ? err_at("--%s", option) : 0;
}

int threshold_parse(const char *option, const struct names *list)
{
	struct threshold t;
	for (int i = 0; i < list->n; i++)
		if (parse_one(option, list->s[i], &t))
			return -1;
	return 0;
}

void threshold_check(const struct names *list, bool below, const struct score *s, struct text *misses)
{
	for (int i = 0; i < list->n; i++) {
		struct threshold t;
		must(!parse_one("", list->s[i], &t));
		double x = s->value[t.metric];
		if (below ? x >= t.limit : x <= t.limit)
			continue;
		text_addf(misses, "%s%s ", misses->n ? "; " : "", metric_kind[t.metric].words);
		if (x < t.limit || x > t.limit)
			text_addf(misses, "%.6g is %s %.6g", x, below ? "below" : "above", t.limit);
		else
			text_add(misses, "is not defined for these predictions");
	}
}
