#include "train/epoch_text.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

/* The accuracy where there are classes. */
static void add_loss(struct text *t, const char *before, double loss, double accuracy)
{
	text_addf(t, "%sloss %.4f", before, loss);
	if (!isnan(accuracy))
		text_addf(t, ", accuracy %.3f", accuracy);
}

void epoch_text(const struct epoch_report *e, struct text *t)
{
	text_addf(t, "epoch %d of %d", e->epoch, e->epochs);
	add_loss(t, ": ", e->loss, e->accuracy);
	if (e->valids) {
		add_loss(t, "; validation: ", e->valid_loss, e->valid_accuracy);
		text_add(t, e->best ? ", best so far" : "");
	}
	text_addf(t, "; %.0f windows/s", e->windows_per_s);
}

void views_text(const char *views, struct text *t)
{
	cJSON *list = json_parse(views, strlen(views), "views");
	const cJSON *view;
	bool first = true;
	text_add(t, "what each view counts in the linear prior, and its accuracy on subjects it was not "
		    "fitted on: ");
	cJSON_ArrayForEach(view, list)
	{
		const cJSON *name = json_get(view, "view"), *weight = json_get(view, "weight"),
			    *accuracy = json_get(view, "accuracy");
		if (!cJSON_IsString(name) || !cJSON_IsNumber(weight) || !cJSON_IsNumber(accuracy))
			continue;
		text_addf(t, "%s%s %.2f (%.3f)", first ? "" : ", ", name->valuestring, weight->valuedouble,
			accuracy->valuedouble);
		first = false;
	}
	cJSON_Delete(list);
}
