/* Windows of a recording that is still being written.
 *
 *     split_begin --> live_new --> live_next, live_next, ...
 *
 *     rows ----> the last rows [length + some][C] --cut--> each window as soon as its last row is there
 *
 * The windows are those of split_rest and split_finish, with these differences, as the end is not
 * known: the rate and the longest step that is no gap come from the first rows of the time column
 * (at most LIVE_RATE_ROWS), classes that are not given are numbered as they appear, and
 * missing values (VALUE_INTERP) cannot be interpolated. Memory does not grow with the recording.
 */
#ifndef CUT_LIVE_H
#define CUT_LIVE_H

#include "cut/split.h"

enum { LIVE_RATE_ROWS = 100 };

struct live;

/* Takes the recording that was begun; both are borrowed. NULL with an error. */
struct live *live_new(struct split *, struct input *);
/* As many windows as are there without waiting for the writer, at least one and at most `most`;
 * they own their samples. 1; 0 at the end, -1 with an error. */
int live_next(struct live *, int most, struct windows **);
void live_free(struct live *);

#endif
