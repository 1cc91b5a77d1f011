#include "train/epoch_text.h"

#include <math.h>

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
