#include "analysis/leak.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>

static void add_place(const struct leak_side *s, struct leak_place p, struct text *t)
{
	const struct windows *w = s->part[p.part];
	text_add(t, "{\"recording\":");
	json_string(t, w->recordings.s[w->recording[p.window]]);
	text_add(t, ",\"group\":");
	json_string(t, w->groups.s[w->group[p.window]]);
	text_addf(t, ",\"start\":%lld}", (long long)w->sample[p.window]);
}

static void add_windows(const struct leak *l, const char *key, const struct leak_windows *x, struct text *t)
{
	text_addf(t, ",\"%s\":", key);
	if (l->train->model) {
		text_add(t, "null");
		return;
	}
	text_addf(t, "{\"windows\":%lld,\"first\":[", (long long)x->n);
	for (int i = 0; i < x->n && i < LEAKS_NAMED; i++) {
		text_add(t, i ? ",{\"test\":" : "{\"test\":");
		add_place(l->test, x->test[i], t);
		text_add(t, ",\"train\":");
		add_place(l->train, x->train[i], t);
		text_add(t, "}");
	}
	text_add(t, "]}");
}

void leak_json(const struct leak *l, struct text *t)
{
	text_addf(t, "{\"leak\":%s,\"train\":", leak_found(l) ? "true" : "false");
	json_string(t, l->train->name);
	text_add(t, ",\"test\":");
	json_string(t, l->test->name);
	text_add(t, ",\"train_windows\":");
	if (l->train->model)
		text_add(t, "null");
	else
		text_addf(t, "%lld", (long long)l->train->n);
	text_addf(t, ",\"test_windows\":%lld,\"shared_groups\":", (long long)l->test->n);
	json_list(t, &l->groups);
	add_windows(l, "equal", &l->equal, t);
	add_windows(l, "overlapping", &l->overlapping, t);
	text_add(t, ",\"same_name\":");
	json_list(t, &l->same_name);
	text_addf(t, ",\"flat\":%lld}\n", (long long)l->flat);
}

static void add_count(struct text *t, int64_t n, const char *what, const char *after)
{
	if (n)
		text_addf(t, "%s%lld %s%s%s", t->s[t->n - 1] == ' ' ? "" : ", ", (long long)n, what,
			n == 1 ? "" : "s", after);
}

void leak_words(const struct leak *l, struct text *t)
{
	char *groups = names_join(&l->groups, ", "), *named = mem_format(" in both (%.300s)", groups);
	text_addf(t, "%s is not independent of %s: ", l->test->name, l->train->name);
	add_count(t, l->groups.n, "group", named);
	add_count(t, l->equal.n, "identical window", "");
	add_count(t, l->overlapping.n, "window", " overlapping training windows in time");
	free(groups);
	free(named);
}
