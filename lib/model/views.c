#include "model/views.h"

#include "base/mem.h"
#include "model/tokeniser.h"

#include <stdlib.h>
#include <string.h>

static const char *const place_name[] = {[VIEW_REGIONS] = "regions", [VIEW_HEAD] = "head"};

const char *view_place_name(int place)
{
	return place_name[place];
}

int view_read(const char *text, struct view *v)
{
	const char *at = strchr(text, '@');
	if (!at)
		return -1;
	char *name = mem_text_n(text, (size_t)(at - text));
	v->tokens = tokeniser_find(name);
	free(name);
	for (v->place = 0; v->place < VIEW_PLACES; v->place++)
		if (!strcmp(at + 1, place_name[v->place]))
			return v->tokens < 0 ? -1 : 0;
	return -1;
}

/* All channels that a region with the common input has as its own. */
static struct region whole_head(const struct layout *l)
{
	int C = l->channels.n;
	struct region r = {.channel = NEW_ARRAY(int32_t, C), .core = NEW_ARRAY(unsigned char, C)};
	for (int c = 0; c < C; c++) {
		int k = layout_region_of(l, c);
		if (k < 0 || layout_own_input(l, k))
			continue;
		r.channel[r.width] = c;
		r.core[r.width++] = 1;
	}
	return r;
}

/* A copy of a region of windows, without a name. */
static struct region copy_of(const struct region *from)
{
	size_t w = (size_t)from->width;
	struct region r = {.width = from->width,
		.channel = NEW_ARRAY(int32_t, w),
		.core = NEW_ARRAY(unsigned char, w),
		.length = from->length,
		.rate = from->rate};
	memcpy(r.channel, from->channel, w * sizeof *r.channel);
	memcpy(r.core, from->core, w);
	return r;
}

static void add_region(struct layout *l, struct region r, const char *tokens, const char *place)
{
	r.tokens = mem_text(tokens);
	r.name = mem_format("%s@%s", tokens, place);
	GROW(l->region, l->regions + 1);
	l->region[l->regions++] = r;
}

void views_apply(const struct config *c, struct layout *l)
{
	struct layout from;
	if (!c->encoder.views.n || layout_has_views(l))
		return;
	layout_copy(&from, l);
	layout_clear_regions(l);
	for (int i = 0; i < c->encoder.views.n; i++) {
		const struct view *v = &c->encoder.views.list[i];
		const char *tokens = tokeniser_table[v->tokens]->name;
		if (v->place == VIEW_HEAD)
			add_region(l, whole_head(&from), tokens, place_name[VIEW_HEAD]);
		for (int k = 0; v->place == VIEW_REGIONS && k < from.regions; k++)
			add_region(l, copy_of(&from.region[k]), tokens, from.region[k].name);
	}
	layout_free(&from);
}
