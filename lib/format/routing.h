/* The routing file (moe-formats(5), Routing): the weight of each region and the experts of each
 * token, by window.
 *
 *     gate.weight [N][K]                        weight of each region
 *     layer.<region>.<l>.probability [N][tokens][E]   .expert [N][tokens][k]   .weight [N][tokens][k]
 *     layer.<region>.<l>.capacity [E]           tokens of a window an expert takes; not there when it takes all
 *     window.start, .sample, .label, .recording, .group and the metadata of the windows
 *
 * Reading (moe-stats): routing_next gives one container after the other; what it returns owns the
 * file's memory. Writing (moe-route): windows_put_table(w, st); routing_put_gate(st, ...);
 * routing_put_layer(st, ...) for each MoE layer, or what analysis/recorder.h has gathered; history;
 * st_write. All arrays are borrowed until st_write. For --jsonl fill a struct routing with borrowed
 * arrays (file NULL) and call routing_json_line for each window.
 */
#ifndef FORMAT_ROUTING_H
#define FORMAT_ROUTING_H

#include "base/text.h"
#include "io/safetensors.h"

#include <stdint.h>

struct routing_layer {
	int region, layer;        /* 0-based */
	int64_t tokens;           /* tokens of a window */
	int experts, k;           /* E; experts a token is given to at most */
	const float *probability; /* [N][tokens][E] */
	const int32_t *expert;    /* [N][tokens][k] -1 = dropped, or not used */
	const float *weight;      /* [N][tokens][k] */
	const int32_t *capacity;  /* [E] tokens of a window an expert takes at most; NULL: all */
};

struct routing {
	char *name; /* where it comes from, for messages */
	struct names regions, classes, recordings, groups;
	double rate;                      /* Hz */
	int64_t n;                        /* N windows */
	const int64_t *start, *sample;    /* [N] */
	const int32_t *label;             /* [N] index into classes, -1 = unlabelled */
	const int32_t *recording, *group; /* [N] */
	const float *gate;                /* [N][K], K = regions.n */
	const char *adapted; /* of lines: "group": other windows of it had a say; NULL: none had */
	int layers;
	struct routing_layer *layer; /* [layers] by region, then layer */
	char *history;               /* JSON, or NULL */
	struct st_file *file;        /* what owns the arrays */
};

/* The next routing of an input: 1, 0 at the end, -1 on error. Shapes, indices and ranges are all
 * checked. */
int routing_next(struct input *, struct routing **);
/* Takes over a container that was read; NULL when it does not hold a routing (the container is
 * freed). */
struct routing *routing_of(struct st_file *);
void routing_free(struct routing *);
/* The same from the JSON Lines of moe-route --jsonl: calls take() with the routing of each line's
 * window, which lives until it returns. Such a routing has no rate, start, sample, capacity or
 * history, and its regions are called 0, 1, ..: lines do not say it. Returns how many lines there
 * were, or -1 with an error, that of take() or of a line that holds something else. */
int64_t routing_lines(struct input *, int (*take)(void *context, const struct routing *), void *context);

/* Adds gate.weight [N][K] and moe.format = routing/1. */
void routing_put_gate(struct st_writer *, int64_t N, int K, const float *gate);
/* Adds the tensors of one MoE layer of one region, of N windows. */
void routing_put_layer(struct st_writer *, int64_t N, const struct routing_layer *);
/* The same with data that is emitted while it is written (st_put_emitter): context of probability,
 * expert and weight. */
void routing_emit_layer(struct st_writer *, int64_t N, const struct routing_layer *,
	int (*emit)(void *context, struct output *), void *const context[3]);

/* Appends the line of window i, with its newline:
 * {"recording","group","start","time","label","gate":[K],"layers":[{"region","layer","expert":[tokens][k],
 * "weight":[tokens][k],"probability":[tokens][E]}],"adapted"}; numbers with 9 digits, label null
 * when unknown. */
void routing_json_line(const struct routing *, int64_t i, struct text *);

#endif
