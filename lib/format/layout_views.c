/* The regions of a model whose experts see different things: "covariance@frontal",
 * "relative@head". */
#include "format/layout.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

bool layout_has_views(const struct layout *l)
{
	for (int k = 0; k < l->regions; k++)
		if (l->region[k].tokens)
			return true;
	return false;
}

int layout_views(const struct layout *l, int *view)
{
	int views = 0;
	for (int k = 0; k < l->regions; k++) {
		const char *tokens = l->region[k].tokens, *before = k ? l->region[k - 1].tokens : NULL;
		bool same = k && (tokens && before ? !strcmp(tokens, before) : !tokens && !before);
		view[k] = same ? views - 1 : views++;
	}
	return views;
}

/* The name behind the @, or all of it. */
static void name_place(struct region *r)
{
	char *at = strchr(r->name, '@');
	if (at)
		memmove(r->name, at + 1, strlen(at + 1) + 1);
	free(r->tokens);
	r->tokens = NULL;
}

void layout_undo_views(struct layout *l)
{
	if (!layout_has_views(l))
		return;
	int *view = NEW_ARRAY(int, l->regions), chosen = -1, kept = 0;
	layout_views(l, view);
	for (int k = 0; k < l->regions && chosen < 0; k++)
		if (!text_ends(l->region[k].name, "@head"))
			chosen = view[k];
	for (int k = 0; k < l->regions; k++) {
		if (chosen < 0 ? k : view[k] != chosen) {
			layout_region_free(&l->region[k]);
			continue;
		}
		l->region[kept] = l->region[k];
		name_place(&l->region[kept++]);
	}
	l->regions = kept;
	free(view);
}
