/* What the routers of a model choose while windows are evaluated, batch by batch.
 *
 *     struct recorder *r = recorder_new(model, selection, batch);
 *     forward_besides(f, &(struct besides){.chosen = recorder_take, .context = r});
 *     for each batch: evaluate; recorder_layers(r, B, &n)         the arrays of its B windows, until the next batch
 *
 * For a file, whose tensors hold one layer after the other, the batches go through a temporary file:
 *
 *     spool_new(r, gate, N); spool_add(s, B) for each batch; spool_put(s, writer); st_write; spool_free
 */
#ifndef ANALYSIS_RECORDER_H
#define ANALYSIS_RECORDER_H

#include "format/routing.h"
#include "predict/selection.h"

struct recorder;
struct recorder *recorder_new(const struct model *, const struct selection *, int batch);
void recorder_free(struct recorder *);
void recorder_take(void *recorder, int b, int k, int layer, const struct choice *);
/* The layers [*n] of the last batch's B windows, by region, then layer; until the next evaluation. */
struct routing_layer *recorder_layers(struct recorder *, int B, int *n);

struct spool;
struct spool *spool_new(struct recorder *, int64_t N); /* NULL and an error when there is no temporary file */
void spool_free(struct spool *);
int spool_add(struct spool *, int B);
/* Adds the tensors of every layer to the writer; the spool is borrowed until st_write. */
void spool_put(struct spool *, struct st_writer *);

#endif
