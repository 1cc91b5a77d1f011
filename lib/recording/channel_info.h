/* What a channels file states: which channels are good EEG, and their units. All zero: there is
 * none. */
#ifndef RECORDING_CHANNEL_INFO_H
#define RECORDING_CHANNEL_INFO_H

#include "base/text.h"

struct channel_info {
	char *name;                /* of the file; NULL: there is none */
	struct names channel, why; /* [n] why it is left out; "" = it is not */
	bool *bad;                 /* [n] by its status */
	double *factor;            /* [n] to microvolts; 0 = not in the file, -1 = not a unit of voltage */
};

void channel_info_free(struct channel_info *);

/* Why a column of the table is no channel; NULL when it is one, or there is no file. */
const char *channel_info_why(const struct channel_info *, const char *column);
bool channel_info_bad(const struct channel_info *, const char *column);
/* The factor of a channel to microvolts, 0 = not in the file, or there is no file; -1 = not a unit
 * of voltage. */
double channel_info_factor(const struct channel_info *, const char *channel);

#endif
