#include "score/comparison.h"

#include "base/json.h"

#include <math.h>

void comparison_json(const struct comparison *c, struct text *t)
{
	const struct names *groups = &c->one->predictions->groups;
	text_add(t, "{\"other\":");
	json_string(t, c->other->predictions->files.s[0]);
	text_add(t, ",\"other_adapted\":");
	predictions_adapted(c->other->predictions, t);
	text_addf(t, ",\"metric\":\"%s\",\"value\":", metric_kind[c->metric].key);
	json_float(t, c->one->value[c->metric]);
	text_add(t, ",\"other_value\":");
	json_float(t, c->other->value[c->metric]);
	text_addf(t, ",\"groups\":%d,\"difference\":", c->groups);
	json_float(t, c->mean);
	text_add(t, ",\"interval\":[");
	json_float(t, c->interval.low);
	text_add(t, ",");
	json_float(t, c->interval.high);
	text_addf(t, "],\"p\":");
	json_float(t, c->p);
	text_addf(t, ",\"exact\":%s,\"flips\":%lld,\"by_group\":[", c->exact ? "true" : "false",
		(long long)c->flips);
	for (int g = 0; g < groups->n; g++) {
		text_add(t, g ? ",{\"group\":" : "{\"group\":");
		json_string(t, groups->s[g]);
		text_add(t, ",\"difference\":");
		json_float(t, c->difference[g]);
		text_add(t, "}");
	}
	text_add(t, "]}");
}

void comparison_score_json(const struct score *s, const struct comparison *c, struct text *t)
{
	score_json(s, t);
	if (c) {
		text_add(t, ",\"compare\":");
		comparison_json(c, t);
	}
	text_add(t, "}\n");
}

void comparison_rows(const struct comparison *c, char s, struct text *t)
{
	enum metric f = c->metric;
	text_addf(t, "part%cname%cmetric%cvalue%cother%cdifference%clow%chigh%cp\n", s, s, s, s, s, s, s, s);
	for (int g = -1; g < c->one->predictions->groups.n; g++) {
		bool all = g < 0;
		text_addf(t, "%s%c", all ? "all" : "group", s);
		text_cell(t, all ? "" : c->one->predictions->groups.s[g], s);
		text_addf(t, "%c%s", s, metric_kind[f].key);
		text_number_cell(t, all ? c->one->value[f] : c->one->group[g].value[f], s);
		text_number_cell(t, all ? c->other->value[f] : c->other->group[g].value[f], s);
		text_number_cell(t, all ? c->mean : c->difference[g], s);
		text_number_cell(t, all ? c->interval.low : NAN, s);
		text_number_cell(t, all ? c->interval.high : NAN, s);
		text_number_cell(t, all ? c->p : NAN, s);
		text_add(t, "\n");
	}
}

void comparison_words(const struct comparison *c, struct text *t)
{
	const char *other = c->other->predictions->files.s[0], *words = metric_kind[c->metric].words;
	text_add(t, "Against ");
	text_shown(t, other);
	text_addf(t, ", by %s in each of %d group%s: %+.3f on average", words, c->groups,
		c->groups == 1 ? "" : "s", c->mean);
	if (!isnan(c->interval.low))
		text_addf(t, " (%+.3f to %+.3f)", c->interval.low, c->interval.high);
	text_addf(t, ", p = %.3g %s%lld sign flips.\n", c->p, c->exact ? "of all " : "of ",
		(long long)c->flips);
	if (c->one->predictions->adapted != c->other->predictions->adapted) {
		text_add(t, "Only ");
		text_shown(t, c->other->predictions->adapted ? other : c->one->predictions->files.s[0]);
		text_add(t, " is adapted to the subjects it is tested on.\n");
	}
}
