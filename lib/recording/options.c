#include "recording/options.h"

const struct preprocessing *options_preprocessing(const struct split_options *o)
{
	return o->like ? &o->like->preprocessing : &o->preprocessing;
}
