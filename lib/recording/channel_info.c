#include "recording/channel_info.h"

#include <stdlib.h>

void channel_info_free(struct channel_info *f)
{
	names_free(&f->channel);
	names_free(&f->why);
	free(f->bad);
	free(f->factor);
	free(f->name);
	*f = (struct channel_info){0};
}

const char *channel_info_why(const struct channel_info *f, const char *column)
{
	if (!f->name)
		return NULL;
	int i = names_find(&f->channel, column);
	if (i < 0)
		return "not in the channels file";
	return *f->why.s[i] ? f->why.s[i] : NULL;
}

bool channel_info_bad(const struct channel_info *f, const char *column)
{
	int i = f->name ? names_find(&f->channel, column) : -1;
	return i >= 0 && f->bad[i];
}

double channel_info_factor(const struct channel_info *f, const char *channel)
{
	int i = f->name ? names_find(&f->channel, channel) : -1;
	return i < 0 ? 0 : f->factor[i];
}
