/* Views: what the experts of a model see. A view is a tokeniser at a place,
 *
 *     covariance@regions    an expert for each region of the windows
 *     relative@head         one expert for all channels together
 *
 * and the regions of a model are those of its views, one after the other (encoder.views). A model
 * without views has the regions of its windows, with encoder.tokens.
 */
#ifndef MODEL_VIEWS_H
#define MODEL_VIEWS_H

#include "format/layout.h"
#include "model/config.h"

/* The regions of windows become those of the model's views, named "relative@head" and so on. What
 * has them already, or a configuration without views, changes nothing. */
void views_apply(const struct config *, struct layout *);
/* Reads "TOKENISER@PLACE"; -1 when it is no such thing. */
int view_read(const char *text, struct view *);
const char *view_place_name(int place);

#endif
