/* The routing of a dataset's windows: what the gate weighs and which experts the routers choose, as
 * a routing file (format/routing.h) or as JSON Lines.
 *
 *     struct route *r = route_new(model, selection, pool, output, batch, lines, &history);
 *     route_windows(r, dataset, ADAPT_WHOLE);       for each dataset; a file each, or further lines
 */
#ifndef ANALYSIS_ROUTE_H
#define ANALYSIS_ROUTE_H

#include "dataset/adapt.h"
#include "io/history.h"
#include "io/output.h"
#include "predict/selection.h"

struct route;

/* lines: JSON Lines instead of files. batch: windows evaluated at a time, at least 1. Everything is
 * borrowed until route_free. */
struct route *route_new(const struct model *, const struct selection *, struct pool *, struct output *,
	int batch, bool lines, const struct history *);
void route_free(struct route *);

/* Evaluates every window of a dataset made for the model and writes their routing; `how` is for
 * models that normalise by subject. -1 with an error when a window cannot be evaluated or
 * written. */
int route_windows(struct route *, struct dataset *, enum adapt how);

#endif
