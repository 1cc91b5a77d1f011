#include "recording/options.h"

const struct preprocessing *reading_preprocessing(const struct reading_options *o)
{
	return o->like ? &o->like->preprocessing : &o->preprocessing;
}
