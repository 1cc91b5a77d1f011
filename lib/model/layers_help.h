/* What moe-layers(7) says of routers, of the rules that go for several of them, and of types of
 * experts. */
#ifndef MODEL_LAYERS_HELP_H
#define MODEL_LAYERS_HELP_H

#include "base/text.h"

/* Adds for each a line "= router NAME", "= rule TITLE" or "= expert NAME", then its help:
 * paragraphs, parted by empty lines, in which lines that begin with two spaces are to be shown as
 * they are. */
void layers_help(struct text *);

#endif
