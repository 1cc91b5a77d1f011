#include "scalp/region/region.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/csv.h"
#include "io/input.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool cell_is(struct csv_cell c, const char *word)
{
	size_t n = (size_t)(c.end - c.s);
	return strlen(word) == n && !strncasecmp(c.s, word, n);
}

static struct region *region_named(struct layout *l, const char *name)
{
	for (int k = 0; k < l->regions; k++)
		if (!strcmp(l->region[k].name, name))
			return &l->region[k];
	GROW(l->region, l->regions + 1);
	l->region[l->regions] = (struct region){.name = mem_text(name)};
	return &l->region[l->regions++];
}

static int add_line(struct layout *l, const char *at, const char *region, const char *channel, bool core)
{
	int c = names_find(&l->channels, channel);
	if (c < 0) {
		char *list = names_join(&l->channels, ", ");
		err_set(EX_DATAERR, "%s: there is no channel \"%.80s\"; the channels are: %s", at, channel,
			list);
		free(list);
		return -1;
	}
	if (!*region)
		return err_set(EX_DATAERR, "%s: the region has no name", at);
	struct region *r = region_named(l, region);
	for (int j = 0; j < r->width; j++)
		if (r->channel[j] == c)
			return err_set(EX_DATAERR, "%s: channel \"%s\" is listed twice in region \"%s\"", at,
				channel, region);
	region_add(r, c, core);
	return 0;
}

static int one_row(struct layout *l, const char *at, const struct csv_cell *cell, bool first)
{
	if (first && cell_is(cell[0], "region") && cell_is(cell[1], "channel"))
		return 0;
	bool core = cell_is(cell[2], "core");
	if (!core && !cell_is(cell[2], "halo"))
		return err_set(EX_DATAERR, "%s: the third column is \"%.*s\", not core or halo", at,
			(int)(cell[2].end - cell[2].s > 40 ? 40 : cell[2].end - cell[2].s), cell[2].s);
	char *region = mem_text_n(cell[0].s, (size_t)(cell[0].end - cell[0].s));
	char *channel = mem_text_n(cell[1].s, (size_t)(cell[1].end - cell[1].s));
	int r = add_line(l, at, region, channel, core);
	free(region);
	free(channel);
	return r;
}

static int all_rows(struct layout *l, const char *path, struct csv_table *t)
{
	const struct csv_cell *cell;
	int r;
	if (csv_table_columns(t) != 3)
		return err_set(EX_DATAERR,
			"%s:%lld: %d columns; a regions file has three, separated by tabs: region, channel, "
			"core or halo",
			path, (long long)csv_table_line(t), csv_table_columns(t));
	for (bool first = true; (r = csv_table_next(t, &cell)) == 1; first = false) {
		char *at = mem_format("%s:%lld", path, (long long)csv_table_line(t));
		r = one_row(l, at, cell, first);
		free(at);
		if (r)
			return -1;
	}
	for (int k = 0; k < l->regions && !r; k++)
		if (!memchr(l->region[k].core, 1, (size_t)l->region[k].width))
			r = err_set(
				EX_DATAERR, "%s: region \"%s\" has no core channel", path, l->region[k].name);
	if (!r && !l->regions)
		r = err_set(EX_DATAERR, "%s: there is no region in it", path);
	return r;
}

int region_file_read(struct layout *l, const char *path)
{
	struct input *in = input_open(path);
	struct csv_form form = {.delim = '\t', .header = CSV_HEADER_NO, .strict = true};
	struct csv_table *t = in ? csv_table_new(in, &form) : NULL;
	l->halo = 0;
	int r = t ? all_rows(l, path, t) : -1;
	csv_table_free(t);
	input_close(in);
	return r;
}
