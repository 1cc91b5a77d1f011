/* What windows and models have in common: how a recording is cut, and into which regions.
 *
 *     channels  Fp1 Fp2 F3 F4 ...            names, in order
 *     region 0  [-1 -1  0  1  2  3 | 4 5]    indices into channels: halo, own (core) channels, halo; -1 = padding
 *
 * A window is `length` samples at `rate` Hz. A region may have windows of its own over the same
 * time, of another number of samples or at another rate (a slower sensor), and in a model a
 * tokeniser of its own.
 *
 * Stored as metadata (and, for windows, as the tensors region.<k>.channel and region.<k>.core).
 */
#ifndef FORMAT_LAYOUT_H
#define FORMAT_LAYOUT_H

#include "base/text.h"
#include "format/preprocessing.h"
#include "io/safetensors.h"

/* The largest number of a sample within its recording: up to here whole numbers are exact in JSON,
 * and a window's length more is no overflow. */
#define LAYOUT_SAMPLE_MOST ((int64_t)1 << 53)

struct region {
	char *name;
	int width;           /* W: columns */
	int32_t *channel;    /* [W] index into channels, -1 = padding */
	unsigned char *core; /* [W] 1 = the region's own channel */
	/* Of a region whose input differs from the common one; 0 and NULL otherwise. */
	int length;   /* samples of a window */
	double rate;  /* Hz */
	char *tokens; /* of a model: the tokeniser's name, instead of encoder.tokens */
};

struct layout {
	int length, stride; /* samples */
	int halo;           /* channels a region sees beyond its own (index regions: on each side); 0 when a
			     * list or a distance says which */
	double rate;        /* Hz */
	char *unit;         /* "uV" */
	struct names channels, classes;
	struct preprocessing preprocessing; /* of the recordings before they were cut; {0}: none */
	int regions;                        /* K */
	struct region *region;              /* [K] */
	struct names
		conditions; /* of a model whose router knows them by name, in the order of their embeddings */
};

/* What becomes of a channel that a model expects and a recording does not have: an error, the mean
 * of the present channels of its region, or zeros. */
enum missing_channel { MISSING_ERROR, MISSING_INTERP, MISSING_ZERO };

enum layout_of { LAYOUT_WINDOWS, LAYOUT_MODEL };

/* Reads and checks; on error what was read is freed. */
int layout_read(struct layout *, const struct st_file *, enum layout_of);
/* Adds metadata (and for windows the region tensors, borrowed from the layout until st_write). */
void layout_put(const struct layout *, struct st_writer *, enum layout_of);
void layout_copy(struct layout *to, const struct layout *from);
void layout_free(struct layout *);
void layout_region_free(struct region *);
void layout_clear_regions(struct layout *); /* to none */

/* Whether region k has windows of another number of samples, or at another rate, than the
 * others. */
bool layout_own_input(const struct layout *, int k);
/* Samples of a window in region k, their rate in Hz, and how many of them are there where the first
 * `there` of the window's layout.length common samples are. */
int layout_length(const struct layout *, int k);
double layout_rate(const struct layout *, int k);
int layout_samples(const struct layout *, int k, int there);
/* The first region that has the channel, a region of its own before a halo; -1: none has. All
 * regions with a channel have the same length and rate. */
int layout_region_of(const struct layout *, int channel);

/* Of a model whose regions are those of several views (model/views.h), with the tokenisers
 * named. */
bool layout_has_views(const struct layout *);
/* view [K]: which view each region belongs to, 0, 1, ...; regions side by side with one tokeniser
 * are of one. Returns how many there are. */
int layout_views(const struct layout *, int *view);
/* "covariance@regions", "relative@head": the view of region k; to be freed. */
char *layout_view_name(const struct layout *, int k);
/* The regions that windows for such a model are cut into: those of its first view at the regions,
 * or else the whole head. Without views nothing changes. */
void layout_undo_views(struct layout *);

/* K index regions over C channels with a halo of h on each side: region k owns C/K consecutive
 * channels, the first C mod K regions one more; W = own + 2h, -1 where the array ends. Names "0",
 * "1", ... Sets regions, region and halo. */
int layout_index_regions(struct layout *, int K, int h);

#endif
