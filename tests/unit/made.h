/* Windows made by hand: channels a, b, c; region "left" sees (pad, a, b), region "right" sees (b,
 * c). */
#ifndef TESTS_MADE_H
#define TESTS_MADE_H

#include "base/mem.h"
#include "base/rng.h"
#include "format/windows.h"

#include <stdlib.h>

enum { T = 8, C = 3 };

static inline struct layout target(void)
{
	static int32_t left[] = {-1, 0, 1}, right[] = {1, 2};
	static unsigned char left_core[] = {0, 1, 1}, right_core[] = {0, 1};
	static struct region region[] = {{.name = "left", .width = 3, .channel = left, .core = left_core},
		{.name = "right", .width = 2, .channel = right, .core = right_core}};
	struct layout l = {.length = T,
		.stride = T,
		.halo = 1,
		.rate = 64,
		.unit = "uV",
		.regions = 2,
		.region = region};
	names_split(&l.channels, "a,b,c", ',');
	names_split(&l.classes, "rest,task", ',');
	return l;
}

static inline void target_done(struct layout *l)
{
	names_free(&l->channels);
	names_free(&l->classes);
}

static inline void release(struct windows *w)
{
	free((void *)(uintptr_t)w->signal);
	free((void *)(uintptr_t)w->start);
	free((void *)(uintptr_t)w->sample);
	free((void *)(uintptr_t)w->label);
	free((void *)(uintptr_t)w->recording);
	free((void *)(uintptr_t)w->group);
}

/* n windows, `stride` apart, of each recording; recording r belongs to group r / per_group; labels
 * alternate. */
static inline struct windows *make(const char *channels, int recordings, int n, int stride, int per_group)
{
	struct windows *w = NEW(struct windows);
	struct layout l = {.length = T, .stride = stride, .rate = 64, .unit = "uV"};
	int rows = (n - 1) * stride + T, all = recordings * n;
	names_split(&l.channels, channels, ',');
	names_split(&l.classes, "rest,task", ',');
	layout_copy(&w->layout, &l);
	target_done(&l);
	float *x = NEW_ARRAY(float, (size_t)(recordings * rows * w->layout.channels.n));
	int64_t *start = NEW_ARRAY(int64_t, all), *sample = NEW_ARRAY(int64_t, all);
	int32_t *label = NEW_ARRAY(int32_t, all), *recording = NEW_ARRAY(int32_t, all),
		*group = NEW_ARRAY(int32_t, all);
	w->name = mem_text("made");
	w->release = release;
	w->samples = (int64_t)recordings * rows;
	w->n = all;
	struct rng random = rng_stream(1, "signal", 0, 0);
	for (int64_t i = 0; i < w->samples * w->layout.channels.n; i++)
		x[i] = (float)(1000 + 10 * rng_normal(&random) * (double)(i % w->layout.channels.n + 1));
	for (int r = 0; r < recordings; r++) {
		char name[32];
		snprintf(name, sizeof name, "r%d", r);
		names_add(&w->recordings, name);
		snprintf(name, sizeof name, "g%d", r / per_group);
		names_intern(&w->groups, name);
		for (int i = 0; i < n; i++) {
			int at = r * n + i;
			start[at] = (int64_t)r * rows + i * stride;
			sample[at] = i * stride;
			label[at] = i % 2;
			recording[at] = r;
			group[at] = r / per_group;
		}
	}
	w->signal = x;
	w->start = start;
	w->sample = sample;
	w->label = label;
	w->recording = recording;
	w->group = group;
	return w;
}

#endif
