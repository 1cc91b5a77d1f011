#include "recording/channel_facts.h"

#include <stdlib.h>

void channel_facts_free(struct channel_facts *f)
{
	names_free(&f->channel);
	names_free(&f->why);
	free(f->bad);
	free(f->factor);
	free(f->name);
	*f = (struct channel_facts){0};
}

const char *channel_facts_why(const struct channel_facts *f, const char *column)
{
	if (!f->name)
		return NULL;
	int i = names_find(&f->channel, column);
	if (i < 0)
		return "not in the channels file";
	return *f->why.s[i] ? f->why.s[i] : NULL;
}

bool channel_facts_bad(const struct channel_facts *f, const char *column)
{
	int i = f->name ? names_find(&f->channel, column) : -1;
	return i >= 0 && f->bad[i];
}

double channel_facts_factor(const struct channel_facts *f, const char *channel)
{
	int i = f->name ? names_find(&f->channel, channel) : -1;
	return i < 0 ? 0 : f->factor[i];
}
