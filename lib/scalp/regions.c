#include "scalp/regions.h"

#include "base/error.h"
#include "base/mem.h"
#include "scalp/region/region.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct region_way *const ways[] = {&region_lobes, &region_hemispheres, &region_auto, NULL};

/* The way that the word names, and its number; NULL when it is a file. */
static const struct region_way *way_of(const char *word, long long *K)
{
	*K = 0;
	for (int i = 0; word && ways[i]; i++) {
		size_t n = strlen(ways[i]->name);
		if (!ways[i]->numbered && !strcmp(word, ways[i]->name))
			return ways[i];
		if (ways[i]->numbered && !strncmp(word, ways[i]->name, n) && (!word[n] || word[n] == ':')) {
			if (!word[n] || !text_to_long(word + n + 1, K))
				*K = -1;
			return ways[i];
		}
	}
	return NULL;
}

int regions_check(const struct region_options *o)
{
	long long K;
	const struct region_way *way = way_of(o->regions, &K);
	if (way && way->numbered && (K < 1 || K > 4096))
		return err_set(EX_USAGE,
			"--regions %s: the number of regions is missing; %s:4 makes four (1 to 4096)",
			o->regions, way->name);
	const char *names[sizeof ways / sizeof *ways];
	int n = 0;
	for (; ways[n]; n++)
		names[n] = ways[n]->name;
	const char *near =
		o->regions && !way && access(o->regions, F_OK) ? text_nearest(o->regions, names, n) : NULL;
	if (near)
		return err_set(
			EX_USAGE, "--regions %s: there is no such file; did you mean %s?", o->regions, near);
	if (o->halo_given && o->halo_mm_given)
		return err_set(EX_USAGE, "--halo and --halo-mm cannot be used together: give a number of "
					 "channels, or a distance in mm");
	if (o->electrodes && !way && !o->halo_mm_given && !(o->regions && o->halo_given))
		return err_set(EX_USAGE, "--electrodes has no effect: these regions need no positions "
					 "(--regions lobes, hemispheres or auto:K, and --halo-mm do)");
	return 0;
}

/* The regions that have a channel, with their own channels in order. */
static void put_regions(struct layout *l, const struct division *d, struct names *notes, struct names *empty)
{
	for (int k = 0; k < d->name.n; k++) {
		struct region r = {0};
		for (int c = 0; c < l->channels.n; c++)
			if (d->of[c] == k)
				region_add(&r, c, true);
		if (r.width) {
			r.name = mem_text(d->name.s[k]);
			GROW(l->region, l->regions + 1);
			l->region[l->regions++] = r;
			continue;
		}
		char *sentence = mem_format("region %s has no channel and is left out", d->name.s[k]);
		names_add(notes, sentence);
		names_add(empty, d->name.s[k]);
		free(sentence);
	}
}

static int divide_channels(struct layout *l, const struct region_way *way, int K, const struct electrodes *e,
	struct names *notes, struct names *empty)
{
	struct division d = {.of = NEW_ARRAY(int, l->channels.n)};
	int r = way->divide(&d, &l->channels, e, K);
	if (!r)
		put_regions(l, &d, notes, empty);
	names_free(&d.name);
	free(d.of);
	return r;
}

static bool has_halo(const struct layout *l)
{
	for (int k = 0; k < l->regions; k++)
		if (memchr(l->region[k].core, 0, (size_t)l->region[k].width))
			return true;
	return false;
}

int regions_make(struct layout *l, const struct region_options *o, const char *recording, struct names *notes,
	struct regions_report *report)
{
	long long K;
	const struct region_way *way = way_of(o->regions, &K);
	bool index = !o->regions, file = o->regions && !way;
	/* by position; of a file's regions only when it was asked for */
	bool halo = o->halo_mm_given || way || (file && o->halo_given);
	struct electrodes e = {0};
	if ((index && layout_index_regions(l, o->indexed, halo ? 0 : o->halo)) ||
		(file && region_file_read(l, o->regions)))
		return -1;
	if (halo && has_halo(l))
		return err_set(EX_DATAERR,
			"%s: its regions already have halo channels; leave out --halo%s, or the lines with "
			"halo",
			o->regions, o->halo_mm_given ? "-mm" : "");
	int r = way || halo ? electrodes_place(&e, &l->channels, recording, o->electrodes, notes) : 0;
	if (!r && way)
		r = divide_channels(l, way, (int)K, &e, notes, &report->empty);
	if (!r && halo) {
		l->halo = o->halo_mm_given ? 0 : o->halo;
		region_halo(l, &e, o->halo_mm_given ? -1 : o->halo, o->halo_mm);
	}
	report->head = e.radius;
	electrodes_free(&e);
	return r;
}
