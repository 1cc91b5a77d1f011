#include "io/safetensors_parts.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/mapping.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t st_header_limit = 16u << 20;

/* Bytes of data from streams that are in memory now. */
static atomic_size_t held;

void st_free(struct st_file *f)
{
	if (!f)
		return;
	for (int i = 0; i < f->n; i++)
		free(f->tensor[i].name);
	free(f->tensor);
	names_free(&f->key);
	names_free(&f->value);
	if (f->memory) {
		mapping_free(f->memory->file);
		if (f->memory->map)
			munmap(f->memory->map, f->memory->mapped);
		for (int i = 0; i < f->memory->copies; i++)
			free(f->memory->copy[i]);
		free(f->memory->copy);
		free(f->memory->block);
		atomic_fetch_sub(&held, f->memory->held);
		free(f->memory);
	}
	free(f->name);
	free(f);
}

/* Turns offsets into addresses; a tensor that does not stand aligned for its type is copied. */
static void place_tensors(struct st_file *f, const unsigned char *data)
{
	struct st_memory *m = f->memory;
	for (int i = 0; i < f->n; i++) {
		struct st_tensor *t = &f->tensor[i];
		const unsigned char *p = data + (uintptr_t)t->data;
		uintptr_t width = (uintptr_t)(st_type_bits(t->type) + 7) / 8;
		if (width > 1 && (uintptr_t)p % width) {
			ROOM_FOR_ONE(m->copy, m->copies, m->room);
			m->copy[m->copies] = mem_new((size_t)t->bytes, 1);
			memcpy(m->copy[m->copies], p, (size_t)t->bytes);
			p = m->copy[m->copies++];
		}
		t->data = p;
	}
}

static uint64_t read_little64(const unsigned char *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static int header_length(const char *name, const unsigned char *p, uint64_t *n)
{
	*n = read_little64(p);
	if (*n > st_header_limit)
		return err_set(EX_DATAERR,
			"%s: a header of %llu bytes is above the limit of %llu (not a safetensors file, or "
			"raise --max-header)",
			name, (unsigned long long)*n, (unsigned long long)st_header_limit);
	return 0;
}

static int too_short(const char *name)
{
	return err_set(EX_DATAERR, "%s: truncated: it ends within the safetensors header", name);
}

static int from_file(struct input *in, int fd, uint64_t size, struct st_file **out)
{
	const char *name = input_name(in);
	uint64_t from = input_offset(in), n, need;
	if (size - from < 8)
		return too_short(name);
	unsigned char *map = mapping_new(fd, (size_t)size, name);
	if (!map)
		return -1;
	struct st_file *f = NULL;
	if (!header_length(name, map + from, &n)) {
		if (n > size - from - 8) {
			too_short(name);
		} else if ((f = st_parse(name, (const char *)map + from + 8, (size_t)n, &need)) &&
			   need != size - from - 8 - n) {
			uint64_t have = size - from - 8 - n;
			err_set(EX_DATAERR,
				"%s: %s: the header announces %llu bytes of data, but there are %llu", name,
				have < need ? "truncated" : "something follows the data",
				(unsigned long long)need, (unsigned long long)have);
			st_free(f);
			f = NULL;
		}
	}
	if (!f) {
		mapping_free(map);
		return -1;
	}
	f->memory->file = map;
	place_tensors(f, map + from + 8 + n);
	*out = f;
	return 1;
}

static int read_exactly(struct input *in, unsigned char *to, size_t n)
{
	while (n) {
		long r = input_read(in, to, n);
		if (r < 0)
			return -1;
		if (!r)
			return err_set(EX_DATAERR, "%s: truncated: the stream ends in the middle of a file",
				input_name(in));
		to += r;
		n -= (size_t)r;
	}
	return 0;
}

/* What would be more than this, with what is in memory already, goes through a nameless temporary
 * file: memory does not grow with the recordings, however many files they come in. */
enum { SPOOL_ABOVE = 4 << 20, CHUNK = 1 << 18 };

static unsigned char *copy_to_file(struct input *in, uint64_t n, struct st_memory *m)
{
	int fd = output_temporary();
	if (fd < 0)
		return NULL;
	unsigned char *chunk = mem_new(CHUNK, 1), *map = NULL;
	uint64_t left = n;
	while (left) {
		size_t k = left < CHUNK ? (size_t)left : CHUNK;
		if (read_exactly(in, chunk, k))
			break;
		size_t done = 0;
		while (done < k) {
			ssize_t w = write(fd, chunk + done, k - done);
			if (w < 0 && errno != EINTR)
				break;
			done += w > 0 ? (size_t)w : 0;
		}
		if (done < k) {
			err_errno(
				EX_IOERR, "temporary file: cannot write (set TMPDIR to use another folder)");
			break;
		}
		left -= k;
	}
	if (!left) {
		map = mmap(NULL, (size_t)n, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED) {
			err_errno(EX_IOERR, "temporary file: cannot map it");
			map = NULL;
		} else {
			m->map = map;
			m->mapped = (size_t)n;
		}
	}
	free(chunk);
	close(fd);
	return map;
}

/* Reads n bytes in growing pieces: a length that lies costs no memory. */
static unsigned char *read_growing(struct input *in, uint64_t n)
{
	unsigned char *p = NULL;
	uint64_t have = 0;
	while (have < n) {
		uint64_t more = have < CHUNK ? CHUNK : have;
		if (more > n - have)
			more = n - have;
		GROW(p, have + more);
		if (read_exactly(in, p + have, (size_t)more)) {
			free(p);
			return NULL;
		}
		have += more;
	}
	return p ? p : mem_new(1, 1);
}

static int from_stream(struct input *in, struct st_file **out)
{
	const char *name = input_name(in);
	size_t got;
	uint64_t n, need;
	unsigned char length[8];
	if (!input_peek(in, 1, &got))
		return -1;
	if (!got)
		return 0;
	if (read_exactly(in, length, 8) || header_length(name, length, &n))
		return -1;
	unsigned char *json = read_growing(in, n);
	if (!json)
		return -1;
	struct st_file *f = st_parse(name, (const char *)json, (size_t)n, &need);
	free(json);
	if (!f)
		return -1;
	unsigned char *data;
	if (need > SPOOL_ABOVE || need + atomic_load(&held) > SPOOL_ABOVE) {
		data = copy_to_file(in, need, f->memory);
	} else if ((data = f->memory->block = read_growing(in, need))) {
		f->memory->held = (size_t)need;
		atomic_fetch_add(&held, f->memory->held);
	}
	if (!data) {
		st_free(f);
		return -1;
	}
	place_tensors(f, data);
	*out = f;
	return 1;
}

int st_next(struct input *in, struct st_file **file)
{
	int fd;
	uint64_t size;
	if (!input_is_file(in, &fd, &size))
		return from_stream(in, file);
	if (input_offset(in) >= size)
		return 0;
	int r = from_file(in, fd, size, file);
	if (r == 1)
		input_take_all(in);
	return r;
}

struct st_file *st_read(const char *path)
{
	struct input *in = input_open(path);
	if (!in)
		return NULL;
	struct st_file *f = NULL;
	size_t extra;
	int r = st_next(in, &f);
	if (r == 0)
		err_set(EX_DATAERR, "%s: the input is empty", input_name(in));
	int fd;
	uint64_t size;
	if (r == 1 && !input_is_file(in, &fd, &size) && input_peek(in, 1, &extra) && extra) {
		err_set(EX_DATAERR, "%s: something follows the data", input_name(in));
		st_free(f);
		f = NULL;
	}
	input_close(in);
	return f;
}

const struct st_tensor *st_find(const struct st_file *f, const char *name)
{
	int low = 0, high = f->n;
	while (low < high) {
		int middle = (low + high) / 2;
		int c = strcmp(name, f->tensor[middle].name);
		if (!c)
			return &f->tensor[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const char *st_meta(const struct st_file *f, const char *key)
{
	int i = names_find(&f->key, key);
	return i < 0 ? NULL : f->value.s[i];
}

static void shape_text(struct text *t, int rank, const int64_t *shape)
{
	for (int i = 0; i < rank; i++)
		if (shape[i] < 0)
			text_add(t, "[any]");
		else
			text_addf(t, "[%lld]", (long long)shape[i]);
}

const void *st_need(const struct st_file *f, const char *name, enum st_type type, int rank, int64_t *want)
{
	const struct st_tensor *t = st_find(f, name);
	if (!t) {
		err_set(EX_DATAERR, "%s: tensor %s is missing", f->name, name);
		return NULL;
	}
	bool fits = t->type == type && t->rank == rank;
	for (int i = 0; fits && i < rank; i++)
		fits = want[i] < 0 || want[i] == t->shape[i];
	if (!fits) {
		struct text x = {0}, y = {0};
		shape_text(&x, t->rank, t->shape);
		shape_text(&y, rank, want);
		err_set(EX_DATAERR, "%s: tensor %s is %s %s, not %s %s", f->name, name, st_type_name(t->type),
			text_string(&x), st_type_name(type), text_string(&y));
		text_free(&x);
		text_free(&y);
		return NULL;
	}
	for (int i = 0; i < rank; i++)
		want[i] = t->shape[i];
	return t->data;
}
