/* What the routers of a model choose while windows are evaluated, batch by batch.
 *
 *     struct recorder *r = recorder_new(model, selection, batch);
 *     forward_besides(f, &(struct besides){.chosen = recorder_take, .context = r});
 *     for each batch: evaluate; recorder_layers(r, B, &n)         the arrays of its B windows, until the next batch
 *
 * For a file, whose tensors hold one layer after the other, the batches go through a temporary
 * file:
 *
 *     recorder_file_new(r, N); recorder_file_add(s, B) for each batch; recorder_file_put(s, writer); st_write; recorder_file_free
 */
#ifndef ANALYSIS_RECORDER_H
#define ANALYSIS_RECORDER_H

#include "format/routing.h"
#include "predict/selection.h"

struct recorder;
struct recorder *recorder_new(const struct model *, const struct selection *, int batch);
void recorder_free(struct recorder *);
void recorder_take(void *recorder, int b, int k, int layer, const struct choice *);
/* The layers [*n] of the last batch's B windows, by region, then layer; until the next
 * evaluation. */
struct routing_layer *recorder_layers(struct recorder *, int B, int *n);

struct recorder_file;
struct recorder_file *recorder_file_new(
	struct recorder *, int64_t N); /* NULL and an error when there is no temporary file */
void recorder_file_free(struct recorder_file *);
int recorder_file_add(struct recorder_file *, int B);
/* Adds the tensors of every layer to the writer; the file is borrowed until st_write. */
void recorder_file_put(struct recorder_file *, struct st_writer *);

#endif
