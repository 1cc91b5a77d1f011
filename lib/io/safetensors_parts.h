/* What the parts of the safetensors reader share: safetensors_header.c parses, safetensors.c reads,
 * safetensors_write.c writes. */
#ifndef IO_SAFETENSORS_PARTS_H
#define IO_SAFETENSORS_PARTS_H

#include "io/safetensors.h"

/* The memory behind a file: it mapped (io/mapping.h), a mapping of a temporary file, or a block;
 * and copies of tensors that stood unaligned. */
struct st_memory {
	void *file;
	void *map;
	size_t mapped;
	void *block;
	size_t held; /* bytes of block */
	void **copy;
	int copies, room;
};

/* Parses and checks a header; the tensors' data pointers hold offsets from the start of the data,
 * *data_bytes is how many bytes of data there must be. NULL with an error. */
struct st_file *st_parse(const char *name, const char *json, size_t n, uint64_t *data_bytes);

#endif
