/* Regions and halos against what they are said to be, the fitted sphere against one that is
 * known. */
#include "check.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "scalp/electrodes.h"
#include "scalp/regions.h"
#include "scalp/sphere.h"

#include <stdlib.h>

static const double pi = 3.14159265358979323846;

static struct layout of(int channels)
{
	struct layout l = {0};
	must(!montage_pick(&l.channels, channels));
	return l;
}

static int make(struct layout *l, struct region_options o, struct names *notes)
{
	struct regions_report told = {0};
	o.indexed = 4;
	int r = regions_check(&o) || regions_make(l, &o, "r.csv", notes, &told) ? -1 : 0;
	CHECK(r || o.regions == NULL || told.head == 95);
	names_free(&told.empty);
	return r;
}

static double angle(const struct layout *l, int a, int b)
{
	double p[3], q[3];
	CHECK(montage_position(l->channels.s[a], p) && montage_position(l->channels.s[b], q));
	return montage_angle(p, q);
}

/* Angle to the nearest of the region's own channels. */
static double off(const struct layout *l, const struct region *r, int c)
{
	double least = 9;
	for (int j = 0; j < r->width; j++)
		if (r->core[j]) {
			double a = angle(l, c, r->channel[j]);
			least = a < least ? a : least;
		}
	return least;
}

static int place_in(const struct region *r, int c)
{
	for (int j = 0; j < r->width; j++)
		if (r->channel[j] == c)
			return j;
	return -1;
}

/* Each channel is one region's own; no column is padding or stands twice. */
static void check_partition(const struct layout *l)
{
	for (int c = 0; c < l->channels.n; c++) {
		int owners = 0;
		for (int k = 0; k < l->regions; k++) {
			int j = place_in(&l->region[k], c);
			owners += j >= 0 && l->region[k].core[j];
		}
		CHECK(owners == 1);
	}
	for (int k = 0; k < l->regions; k++)
		for (int j = 0; j < l->region[k].width; j++)
			CHECK(l->region[k].channel[j] >= 0 &&
				place_in(&l->region[k], l->region[k].channel[j]) == j);
}

static void automatic_regions_are_of_equal_size_and_of_neighbours(void)
{
	static const int channels[] = {1, 8, 19, 32, 64, 72};
	for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
		for (int K = 1; K <= channels[i]; K += K < 9 ? 1 : 7) {
			struct layout l = of(channels[i]), again = of(channels[i]);
			char *way = mem_format("auto:%d", K);
			struct region_options o = {.regions = way};
			CHECK(!make(&l, o, NULL) && !make(&again, o, NULL) && l.regions == K);
			check_partition(&l);
			double inside = 0, outside = 0;
			int pairs[2] = {0};
			for (int k = 0; k < l.regions; k++) {
				const struct region *r = &l.region[k], *q = &again.region[k];
				CHECK(r->width == channels[i] / K || r->width == (channels[i] + K - 1) / K);
				CHECK_TEXT(r->name, q->name);
				CHECK(r->width == q->width && !memcmp(r->channel, q->channel,
								      (size_t)r->width * sizeof *r->channel));
				for (int j = 0; j < r->width; j++)
					for (int c = 0; c < l.channels.n; c++) {
						bool in = place_in(r, c) >= 0;
						*(in ? &inside : &outside) += angle(&l, r->channel[j], c);
						pairs[in]++;
					}
			}
			CHECK(K == 1 || inside / pairs[1] < 0.75 * outside / pairs[0]);
			layout_free(&l);
			layout_free(&again);
			free(way);
		}
}

static void regions_run_from_front_to_back(void)
{
	struct layout l = of(64);
	CHECK(!make(&l, (struct region_options){.regions = "auto:6"}, NULL));
	double before = 2;
	for (int k = 0; k < l.regions; k++) {
		double p[3], y = 0;
		for (int j = 0; j < l.region[k].width; j++) {
			CHECK(montage_position(l.channels.s[l.region[k].channel[j]], p));
			y += p[1] / l.region[k].width;
		}
		CHECK(y < before + 0.3); /* steps of 18 degrees */
		before = y;
	}
	layout_free(&l);
}

static void a_halo_is_of_the_nearest(void)
{
	static const char *const ways[] = {"lobes", "hemispheres", "auto:5"};
	for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
		for (int h = 0; h <= 80; h += h < 4 ? 1 : 38) {
			struct layout l = of(64);
			CHECK(!make(&l,
				(struct region_options){.regions = ways[w], .halo = h, .halo_given = true},
				NULL));
			CHECK(l.halo == h);
			check_partition(&l);
			for (int k = 0; k < l.regions; k++) {
				const struct region *r = &l.region[k];
				int own = 0;
				double farthest = 0, nearest = 9;
				for (int c = 0; c < l.channels.n; c++) {
					int j = place_in(r, c);
					if (j >= 0 && r->core[j])
						own++;
					else if (j >= 0)
						farthest = fmax(farthest, off(&l, r, c));
					else
						nearest = fmin(nearest, off(&l, r, c));
				}
				CHECK(r->width == (own + h < 64 ? own + h : 64));
				CHECK(farthest <= nearest + 1e-6);
			}
			layout_free(&l);
		}
}

static void a_halo_in_mm_is_within_the_arc(void)
{
	static const char *const ways[] = {"lobes", "auto:3", NULL};
	static const double mm[] = {0, 15, 29.9, 60};
	for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
		for (size_t i = 0; i < sizeof mm / sizeof *mm; i++) {
			struct layout l = of(32);
			CHECK(!make(&l,
				(struct region_options){.regions = ways[w],
					.halo = 2,
					.halo_mm = mm[i],
					.halo_mm_given = true},
				NULL));
			check_partition(&l);
			for (int k = 0; k < l.regions; k++)
				for (int c = 0; c < l.channels.n; c++) {
					int j = place_in(&l.region[k], c);
					if (j < 0 || !l.region[k].core[j])
						CHECK((off(&l, &l.region[k], c) * 95 <= mm[i] + 1e-3) ==
							(j >= 0));
				}
			layout_free(&l);
		}
}

static void lobes_are_those_of_the_names(void)
{
	static const char *const lobe[][2] = {{"frontal", "Nz Fp1 AFp2 AF7 AFF1h F7 F9 Fz F8 FFC1"},
		{"central", "FC1 FCz FC5 C3 C5h CCP1 CPz CP6"},
		{"temporal", "FFT7 FT7 FT10 T3 T7 A2 TTP7h TP8 M1 T5 P7 P10 PPO9"},
		{"parietal", "CPP1 Pz P3 P6 PPO1h"}, {"occipital", "PO7 POz PO10 POO1 O1 Oz OI2 Iz"}};
	struct layout l = {0};
	struct names notes = {0};
	for (int i = 0; i < 5; i++)
		if (i != 1)
			names_split(&l.channels, lobe[i][1], ' ');
	CHECK(!make(&l, (struct region_options){.regions = "lobes"}, &notes) && l.regions == 4);
	CHECK(notes.n == 1 && strstr(notes.s[0], "region central has no channel"));
	for (int i = 0, k = 0; i < 5; i++) {
		struct names want = {0}, got = {0};
		names_split(&want, lobe[i][1], ' ');
		if (i != 1) {
			CHECK_TEXT(l.region[k].name, lobe[i][0]);
			for (int j = 0; j < l.region[k].width; j++)
				names_add(&got, l.channels.s[l.region[k].channel[j]]);
			CHECK(names_equal(&want, &got));
			k++;
		}
		names_free(&want);
		names_free(&got);
	}
	names_free(&notes);
	layout_free(&l);
	names_split(&l.channels, lobe[1][1], ' ');
	CHECK(!make(&l, (struct region_options){.regions = "lobes"}, &notes) && l.regions == 1);
	CHECK_TEXT(l.region[0].name, "central");
	names_free(&notes);
	layout_free(&l);
}

static void a_sphere_is_found_again(void)
{
	struct rng rng = rng_stream(7, "sphere", 0, 0);
	double x[60][3];
	struct sphere s;
	for (int cap = 0; cap < 2; cap++) { /* the whole upper half, then a cap of 40 degrees */
		for (int i = 0; i < 60; i++) {
			double z = cap ? cos(40 * pi / 180 * rng_uniform(&rng)) : rng_uniform(&rng),
			       a = 2 * pi * rng_uniform(&rng), r = 92;
			x[i][0] = 3 + r * sqrt(1 - z * z) * cos(a);
			x[i][1] = -11 + r * sqrt(1 - z * z) * sin(a);
			x[i][2] = 40 + r * z;
		}
		CHECK(sphere_fit(&s, (const double(*)[3])x, 60));
		CHECK_NEAR(s.radius, 92, 1e-6);
		CHECK_NEAR(s.centre[0], 3, 1e-6);
		CHECK_NEAR(s.centre[1], -11, 1e-6);
		CHECK_NEAR(s.centre[2], 40, 1e-6);
		CHECK_NEAR(s.error, 0, 1e-6);
	}
	/* two shells of equally many points: the least squares lie between them, in the linear
	 * problem nearer to the outer */
	for (int i = 0; i < 60; i++) {
		double z = 1 - (i / 2 + 0.5) / 15, a = i / 2 * 2.4, r = i % 2 ? 80 : 100;
		x[i][0] = r * sqrt(1 - z * z) * cos(a);
		x[i][1] = r * sqrt(1 - z * z) * sin(a);
		x[i][2] = r * z;
	}
	CHECK(sphere_fit(&s, (const double(*)[3])x, 60));
	CHECK_NEAR(s.radius, 90, 0.05);
	CHECK_NEAR(s.error, 10, 0.05);
	CHECK(!sphere_fit(&s, (const double(*)[3])x, 3));
	for (int i = 0; i < 60; i++)
		x[i][2] = 5;
	CHECK(!sphere_fit(&s, (const double(*)[3])x, 60));
}

int main(void)
{
	CASE(automatic_regions_are_of_equal_size_and_of_neighbours);
	CASE(regions_run_from_front_to_back);
	CASE(a_halo_is_of_the_nearest);
	CASE(a_halo_in_mm_is_within_the_arc);
	CASE(lobes_are_those_of_the_names);
	CASE(a_sphere_is_found_again);
	return check_done();
}
