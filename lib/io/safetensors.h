/* safetensors: the container of every binary file here.
 *
 *     u64 N | N bytes of JSON: {"__metadata__":{text:text}, name:{"dtype","shape","data_offsets":[b,e]}} | data
 *
 * Written strictly: little-endian, C order, tensors by falling element width and then name, the
 * header padded by spaces so that the data starts on a multiple of 64. Read strictly: duplicate
 * names, unknown keys, gaps between tensors, overlaps, sizes that do not match shape and type,
 * trailing bytes, a header above the limit (16 MB, st_header_limit) are all refused before memory
 * is taken for them. Blanks before and after the header's JSON are accepted, as other writers pad
 * with them.
 *
 * A regular file holds exactly one such container and is mapped, not read. On a pipe several may
 * follow each other.
 */
#ifndef IO_SAFETENSORS_H
#define IO_SAFETENSORS_H

#include "base/text.h"
#include "io/input.h"
#include "io/output.h"

#include <stdint.h>

enum { ST_RANK = 8 };

enum st_type {
	ST_F64,
	ST_I64,
	ST_U64,
	ST_C64,
	ST_F32,
	ST_I32,
	ST_U32,
	ST_F16,
	ST_BF16,
	ST_I16,
	ST_U16,
	ST_I8,
	ST_U8,
	ST_BOOL,
	ST_F8_E4M3,
	ST_F8_E5M2,
	ST_F8_E8M0,
	ST_F8_E4M3FNUZ,
	ST_F8_E5M2FNUZ,
	ST_F6_E2M3,
	ST_F6_E3M2,
	ST_F4
};

struct st_tensor {
	char *name;
	enum st_type type;
	int rank;
	int64_t shape[ST_RANK];
	int64_t count; /* elements */
	uint64_t bytes;
	const void *data; /* aligned for its type; owned by the file */
};

struct st_file {
	char *name; /* for messages */
	int n;
	struct st_tensor *tensor; /* [n], by name */
	struct names key, value;  /* __metadata__ */
	struct st_memory *memory; /* what the data lives in */
};

extern uint64_t st_header_limit; /* bytes; programs set it from --max-header before reading */

/* One container from a file or standard input; anything behind it is an error. NULL on error. */
struct st_file *st_read(const char *path);

/* The next container of an input: 1 and *file, 0 at the end, -1 on error. A regular file yields
 * exactly one. */
int st_next(struct input *, struct st_file **file);

void st_free(struct st_file *);

const struct st_tensor *st_find(const struct st_file *, const char *name);
const char *st_meta(const struct st_file *, const char *key); /* NULL when absent */

/* The data of a tensor that must be there with this type and shape; a dimension of -1 in shape
 * takes any size and is overwritten with the one found. NULL and an error naming file and tensor
 * otherwise. */
const void *st_need(const struct st_file *, const char *name, enum st_type, int rank, int64_t *shape);

const char *st_type_name(enum st_type);
int st_type_bits(enum st_type);

/* Writing. Names and values are copied, data is borrowed until st_write. */
struct st_writer;
struct st_writer *st_writer_new(void);
void st_writer_free(struct st_writer *);
void st_put(
	struct st_writer *, const char *name, enum st_type, int rank, const int64_t *shape, const void *data);
/* Data that is made while it is written: emit must write exactly the tensor's bytes to the
 * output. */
void st_put_emitter(struct st_writer *, const char *name, enum st_type, int rank, const int64_t *shape,
	int (*emit)(void *context, struct output *), void *context);
void st_put_meta(struct st_writer *, const char *key, const char *value);
int st_write(struct st_writer *, struct output *);

/* Checks a header without data behind it: for the fuzzer and the tests. data_bytes: length of what
 * would follow. */
struct st_file *st_parse_header(const char *name, const char *json, size_t n, uint64_t data_bytes);

#endif
