#include "recording/options.h"

const struct conditioning *options_conditioning(const struct split_options *o)
{
	return o->like ? &o->like->conditioning : &o->conditioning;
}
