/* The statistics of moe-stats over routings: usage (moe/usage.h) of the gate and of every MoE
 * layer, in total, by class and by group.
 *
 *     report_add(&r, routing) for each file, or report_merge(&r, json) for counts written by report_raw
 *     report_json (statistics), report_raw (counts, exact), report_table (one row per place and expert), report_words (sentences)
 *
 * Classes and groups are matched by name: files may bring different ones. Regions must be the same
 * in all of them.
 */
#ifndef ANALYSIS_REPORT_H
#define ANALYSIS_REPORT_H

#include "format/routing.h"
#include "analysis/association.h"
#include "io/input.h"
#include "moe/usage.h"

#include <cjson/cJSON.h>

/* Assignments window by window, for what is tested by permuting windows. */
struct report_windows {
	int64_t n, room;
	int *class, *group; /* [n] indices into the report's names; class -1 = unlabelled */
	int32_t *count;     /* [n][E] */
};

/* One place where tokens are distributed: the gate (region -1; its "experts" are the regions), or
 * a layer of a region. */
struct report_site {
	int region, layer;
	struct usage all;
	int classes, groups;    /* how many there are below; those beyond were not met yet */
	struct usage *by_class; /* [classes] */
	struct usage *by_group; /* [groups] */
	struct report_windows window;
};

struct report {
	int64_t windows;
	struct names regions, classes, groups;
	int sites;
	struct report_site *site; /* [sites] the gate first, then layers as they were met */
	int permutations;         /* for the p-values; 0 = none */
	uint64_t seed;
};

/* What an expert's use goes along with, by p <= 0.05: against the class within groups, against the
 * group within classes. */
enum report_dependence { DEPENDS_UNKNOWN, DEPENDS_NEITHER, DEPENDS_CLASS, DEPENDS_GROUP, DEPENDS_BOTH };

/* The tests of a site. */
struct report_tests {
	struct association class, group;
	enum report_dependence *depends; /* [E] */
};
struct report_tests report_tests(const struct report *, const struct report_site *);
void report_tests_free(struct report_tests *);

int report_add(struct report *, const struct routing *);
/* Adds counts written by report_raw; `name` for messages. */
int report_merge(struct report *, const cJSON *raw, const char *name);
/* The same from an input that holds them. -1 with an error also when it holds something else. */
int report_merge_input(struct report *, struct input *);
/* Whether a text begins as JSON Lines do, and not as counts of report_raw. Reads nothing away. */
bool report_is_lines(struct input *);
void report_json(const struct report *, struct text *);
void report_raw(const struct report *, struct text *);
void report_table(const struct report *, char separator, struct text *);
void report_words(const struct report *, struct text *);
void report_free(struct report *);

/* For report_raw's other half: the site at this place, made when new. NULL with an error when it
 * has other sizes. */
struct report_site *report_site(struct report *, int region, int layer, int experts, int k, const char *name);
/* Adds a window with no assignments yet; returns its counts [E]. */
int32_t *report_window(struct report_site *, int class, int group);
/* The sites, gate first, then by region and layer. [sites], to be freed. */
const struct report_site **report_in_order(const struct report *);
/* The usage of class or group i (index into the report's names), made when new. */
struct usage *report_class(struct report_site *, int i);
struct usage *report_group(struct report_site *, int i);
int report_regions(struct report *, const struct names *regions, const char *name);

#endif
