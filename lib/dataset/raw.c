#include "dataset/raw.h"

#include "dataset/dataset.h"

struct raw_window dataset_raw(const struct dataset *d, int64_t item)
{
	return (struct raw_window){dataset_windows(d, item), dataset_columns(d, item), d->item[item].window,
		dataset_samples(d, item)};
}

struct raw_channel raw_channel(const struct raw_window *w, int channel)
{
	const struct channel_column *c = &w->column[channel];
	if (!c->base)
		return (struct raw_channel){0};
	return (struct raw_channel){
		c->base + c->start[w->window] * c->step, c->step, windows_column_samples(w->w, c, w->window)};
}
