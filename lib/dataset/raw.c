#include "dataset/raw.h"

#include "dataset/dataset.h"

struct raw_window dataset_raw(const struct dataset *d, int64_t item)
{
	return (struct raw_window){dataset_columns(d, item),
		dataset_windows(d, item)->start[d->item[item].window], dataset_samples(d, item)};
}
