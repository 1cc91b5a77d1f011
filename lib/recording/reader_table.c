#include "recording/reader.h"

extern const struct recording_reader reader_csv;

const struct recording_reader *const reader_table[] = {&reader_csv, NULL};
