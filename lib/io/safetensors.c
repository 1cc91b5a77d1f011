#include "io/safetensors.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint64_t st_header_limit = 16u << 20;

static const struct {
	const char *name;
	int bits;
} types[] = {[ST_F64] = {"F64", 64},
	[ST_I64] = {"I64", 64},
	[ST_U64] = {"U64", 64},
	[ST_C64] = {"C64", 64},
	[ST_F32] = {"F32", 32},
	[ST_I32] = {"I32", 32},
	[ST_U32] = {"U32", 32},
	[ST_F16] = {"F16", 16},
	[ST_BF16] = {"BF16", 16},
	[ST_I16] = {"I16", 16},
	[ST_U16] = {"U16", 16},
	[ST_I8] = {"I8", 8},
	[ST_U8] = {"U8", 8},
	[ST_BOOL] = {"BOOL", 8},
	[ST_F8_E4M3] = {"F8_E4M3", 8},
	[ST_F8_E5M2] = {"F8_E5M2", 8},
	[ST_F8_E8M0] = {"F8_E8M0", 8},
	[ST_F8_E4M3FNUZ] = {"F8_E4M3FNUZ", 8},
	[ST_F8_E5M2FNUZ] = {"F8_E5M2FNUZ", 8},
	[ST_F6_E2M3] = {"F6_E2M3", 6},
	[ST_F6_E3M2] = {"F6_E3M2", 6},
	[ST_F4] = {"F4", 4}};

enum { TYPES = sizeof types / sizeof *types };

const char *st_type_name(enum st_type t)
{
	return types[t].name;
}

int st_type_bits(enum st_type t)
{
	return types[t].bits;
}

/* --- the memory behind a file: a mapping, or a block; and copies of tensors that stood unaligned */

struct st_memory {
	void *map;
	size_t mapped;
	void *block;
	void **copy;
	int copies, room;
};

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
		if (f->memory->map)
			munmap(f->memory->map, f->memory->mapped);
		for (int i = 0; i < f->memory->copies; i++)
			free(f->memory->copy[i]);
		free(f->memory->copy);
		free(f->memory->block);
		free(f->memory);
	}
	free(f->name);
	free(f);
}

/* --- the header: a recursive descent over exactly the JSON that may stand there */

struct entry {
	struct st_tensor t;
	uint64_t begin, end;
};

struct parser {
	const char *file;
	const char *start, *p, *end;
	struct entry *entry;
	int n, room;
	struct names key, value;
};

static int fault(struct parser *s, const char *what)
{
	return err_set(EX_DATAERR, "%s: damaged safetensors header at byte %td: %s", s->file,
		8 + (s->p - s->start), what);
}

static void blanks(struct parser *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool take(struct parser *s, char c)
{
	blanks(s);
	if (s->p >= s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static int hex4(struct parser *s, unsigned *out)
{
	unsigned v = 0;
	for (int i = 0; i < 4; i++) {
		char c = s->p < s->end ? *s->p : 0;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return fault(s, "a malformed \\u escape");
		v = 16 * v + (unsigned)digit;
		s->p++;
	}
	*out = v;
	return 0;
}

static void add_utf8(struct text *t, unsigned c)
{
	char b[4];
	size_t n;
	if (c < 0x80) {
		b[0] = (char)c;
		n = 1;
	} else if (c < 0x800) {
		b[0] = (char)(0xc0 | c >> 6);
		b[1] = (char)(0x80 | (c & 63));
		n = 2;
	} else if (c < 0x10000) {
		b[0] = (char)(0xe0 | c >> 12);
		b[1] = (char)(0x80 | (c >> 6 & 63));
		b[2] = (char)(0x80 | (c & 63));
		n = 3;
	} else {
		b[0] = (char)(0xf0 | c >> 18);
		b[1] = (char)(0x80 | (c >> 12 & 63));
		b[2] = (char)(0x80 | (c >> 6 & 63));
		b[3] = (char)(0x80 | (c & 63));
		n = 4;
	}
	text_add_n(t, b, n);
}

static int escape(struct parser *s, struct text *t)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	char c = s->p < s->end ? *s->p++ : 0;
	const char *known = c ? strchr(from, c) : NULL;
	if (known) {
		text_add_n(t, to + (known - from), 1);
		return 0;
	}
	unsigned u, low;
	if (c != 'u')
		return fault(s, "an unknown escape");
	if (hex4(s, &u))
		return -1;
	if (u >= 0xd800 && u < 0xdc00) {
		if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
			return fault(s, "half a surrogate pair");
		s->p += 2;
		if (hex4(s, &low))
			return -1;
		if (low < 0xdc00 || low > 0xdfff)
			return fault(s, "half a surrogate pair");
		u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
	} else if (u >= 0xdc00 && u < 0xe000) {
		return fault(s, "half a surrogate pair");
	}
	if (!u)
		return fault(s, "a NUL inside a string");
	add_utf8(t, u);
	return 0;
}

/* A string; t is emptied first. UTF-8 was checked for the whole header. */
static int string(struct parser *s, struct text *t)
{
	t->n = 0;
	text_add(t, "");
	if (!take(s, '"'))
		return fault(s, "a string was expected");
	for (;;) {
		const char *run = s->p;
		while (s->p < s->end && *s->p != '"' && *s->p != '\\' && (unsigned char)*s->p >= 0x20)
			s->p++;
		text_add_n(t, run, (size_t)(s->p - run));
		if (s->p >= s->end)
			return fault(s, "a string is not closed");
		char c = *s->p++;
		if (c == '"')
			return 0;
		if (c != '\\')
			return fault(s, "a control character inside a string");
		if (escape(s, t))
			return -1;
	}
}

static int whole(struct parser *s, uint64_t *out)
{
	blanks(s);
	const char *first = s->p;
	uint64_t v = 0;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		if (__builtin_mul_overflow(v, 10u, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*s->p - '0'), &v))
			return fault(s, "a number too large");
		s->p++;
	}
	if (s->p == first || (*first == '0' && s->p - first > 1))
		return fault(s, "a whole number, zero or above, was expected");
	if (s->p < s->end && strchr(".eE", *s->p))
		return fault(s, "a number that is not whole");
	*out = v;
	return 0;
}

static int shape(struct parser *s, struct st_tensor *t)
{
	t->rank = 0;
	if (!take(s, '['))
		return fault(s, "the shape is not a list");
	if (take(s, ']'))
		return 0;
	do {
		uint64_t d;
		if (whole(s, &d))
			return -1;
		if (t->rank == ST_RANK)
			return fault(s, "more than 8 dimensions");
		if (d > INT64_MAX)
			return fault(s, "a dimension too large");
		t->shape[t->rank++] = (int64_t)d;
	} while (take(s, ','));
	return take(s, ']') ? 0 : fault(s, "the shape is not closed");
}

static int dtype(struct parser *s, struct text *t, enum st_type *out)
{
	if (string(s, t))
		return -1;
	for (int i = 0; i < TYPES; i++)
		if (!strcmp(types[i].name, t->s)) {
			*out = (enum st_type)i;
			return 0;
		}
	return fault(s, "an unknown dtype");
}

static int offsets(struct parser *s, struct entry *e)
{
	if (!take(s, '[') || whole(s, &e->begin))
		return fault(s, "data_offsets is not a pair of whole numbers");
	if (!take(s, ',') || whole(s, &e->end))
		return fault(s, "data_offsets is not a pair of whole numbers");
	return take(s, ']') ? 0 : fault(s, "data_offsets is not a pair of whole numbers");
}

static int entry(struct parser *s, struct text *t, struct entry *e)
{
	enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4 };
	int seen = 0;
	if (!take(s, '{'))
		return fault(s, "a tensor's entry is not an object");
	do {
		if (string(s, t))
			return -1;
		int which = !strcmp(t->s, "dtype")          ? DTYPE
			    : !strcmp(t->s, "shape")        ? SHAPE
			    : !strcmp(t->s, "data_offsets") ? OFFSETS
							    : 0;
		if (!which)
			return fault(s, "an unknown key in a tensor's entry");
		if (seen & which)
			return fault(s, "a key stands twice in a tensor's entry");
		seen |= which;
		if (!take(s, ':'))
			return fault(s, "':' was expected");
		if (which == DTYPE       ? dtype(s, t, &e->t.type)
			: which == SHAPE ? shape(s, &e->t)
					 : offsets(s, e))
			return -1;
	} while (take(s, ','));
	if (!take(s, '}'))
		return fault(s, "a tensor's entry is not closed");
	return seen == (DTYPE | SHAPE | OFFSETS) ? 0 : fault(s, "dtype, shape or data_offsets is missing");
}

static int metadata(struct parser *s, struct text *t)
{
	if (!take(s, '{'))
		return fault(s, "__metadata__ is not an object");
	if (take(s, '}'))
		return 0;
	do {
		if (string(s, t))
			return -1;
		names_add(&s->key, t->s);
		if (!take(s, ':'))
			return fault(s, "':' was expected");
		blanks(s);
		if (s->p >= s->end || *s->p != '"')
			return fault(s, "a value of __metadata__ is not a string");
		if (string(s, t))
			return -1;
		names_add(&s->value, t->s);
	} while (take(s, ','));
	return take(s, '}') ? 0 : fault(s, "__metadata__ is not closed");
}

static int members(struct parser *s, struct text *t)
{
	bool meta = false;
	if (!take(s, '{'))
		return fault(s, "it does not start with '{'");
	if (take(s, '}'))
		return 0;
	do {
		if (string(s, t))
			return -1;
		if (!t->n)
			return fault(s, "a tensor without a name");
		bool is_meta = !strcmp(t->s, "__metadata__");
		char *name = is_meta ? NULL : mem_text(t->s);
		int r = take(s, ':') ? 0 : fault(s, "':' was expected");
		if (!r && is_meta) {
			r = meta ? fault(s, "__metadata__ stands twice") : metadata(s, t);
			meta = true;
		} else if (!r) {
			ROOM_FOR_ONE(s->entry, s->n, s->room);
			s->entry[s->n] = (struct entry){.t.name = name};
			name = NULL;
			r = entry(s, t, &s->entry[s->n++]);
		}
		free(name);
		if (r)
			return -1;
	} while (take(s, ','));
	return take(s, '}') ? 0 : fault(s, "'}' was expected");
}

static int by_place(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	return a->end < b->end ? -1 : a->end > b->end;
}

static int entry_by_name(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	return strcmp(a->t.name, b->t.name);
}

/* Element count and bytes from shape and type, with every product checked. */
static int measure(const char *file, struct entry *e)
{
	uint64_t n = 1, bits;
	bool over = false, zero = false;
	for (int i = 0; i < e->t.rank; i++) {
		zero |= e->t.shape[i] == 0;
		over |= __builtin_mul_overflow(n, (uint64_t)e->t.shape[i], &n);
	}
	if (over && !zero)
		return err_set(EX_DATAERR, "%s: tensor %s: its shape overflows", file, e->t.name);
	if (zero)
		n = 0;
	if (__builtin_mul_overflow(n, (uint64_t)types[e->t.type].bits, &bits) || n > INT64_MAX)
		return err_set(EX_DATAERR, "%s: tensor %s: its size overflows", file, e->t.name);
	if (bits % 8)
		return err_set(EX_DATAERR, "%s: tensor %s: %s elements that do not fill whole bytes", file,
			e->t.name, types[e->t.type].name);
	e->t.count = (int64_t)n;
	e->t.bytes = bits / 8;
	if (e->end < e->begin || e->end - e->begin != e->t.bytes)
		return err_set(EX_DATAERR,
			"%s: tensor %s: shape and type need %llu bytes, its offsets span %lld", file,
			e->t.name, (unsigned long long)e->t.bytes, (long long)(e->end - e->begin));
	return 0;
}

static int check(struct parser *s, uint64_t *data_bytes)
{
	for (int i = 0; i < s->n; i++)
		if (measure(s->file, &s->entry[i]))
			return -1;
	qsort(s->entry, (size_t)s->n, sizeof *s->entry, by_place);
	uint64_t at = 0;
	for (int i = 0; i < s->n; i++) {
		if (s->entry[i].begin != at)
			return err_set(EX_DATAERR, "%s: tensor %s: %s before it", s->file, s->entry[i].t.name,
				s->entry[i].begin > at ? "a hole" : "an overlap with the one");
		at = s->entry[i].end;
	}
	*data_bytes = at;
	qsort(s->entry, (size_t)s->n, sizeof *s->entry, entry_by_name);
	for (int i = 1; i < s->n; i++)
		if (!strcmp(s->entry[i - 1].t.name, s->entry[i].t.name))
			return err_set(
				EX_DATAERR, "%s: tensor %s stands there twice", s->file, s->entry[i].t.name);
	const char *twice = names_duplicate(&s->key);
	return twice ? err_set(EX_DATAERR, "%s: metadata %s stands there twice", s->file, twice) : 0;
}

/* Parses and checks; data pointers hold the offset until place() turns them into addresses. */
static struct st_file *parse(const char *name, const char *json, size_t n, uint64_t *data_bytes)
{
	struct parser s = {.file = name, .start = json, .p = json, .end = json + n};
	struct text t = {0};
	int r = json_utf8(json, n) ? 0 : fault(&s, "it is not UTF-8 text");
	if (!r)
		r = members(&s, &t);
	if (!r) {
		blanks(&s);
		if (s.p < s.end)
			r = fault(&s, "something follows the closing brace");
	}
	if (!r)
		r = check(&s, data_bytes);
	text_free(&t);
	if (r) {
		for (int i = 0; i < s.n; i++)
			free(s.entry[i].t.name);
		free(s.entry);
		names_free(&s.key);
		names_free(&s.value);
		return NULL;
	}
	struct st_file *f = NEW(struct st_file);
	f->name = mem_text(name);
	f->n = s.n;
	f->tensor = NEW_ARRAY(struct st_tensor, s.n);
	for (int i = 0; i < s.n; i++) {
		f->tensor[i] = s.entry[i].t;
		f->tensor[i].data = (const void *)(uintptr_t)s.entry[i].begin;
	}
	free(s.entry);
	f->key = s.key;
	f->value = s.value;
	f->memory = NEW(struct st_memory);
	return f;
}

struct st_file *st_parse_header(const char *name, const char *json, size_t n, uint64_t data_bytes)
{
	uint64_t need;
	struct st_file *f = parse(name, json, n, &need);
	if (f && need != data_bytes) {
		err_set(EX_DATAERR, "%s: the tensors need %llu bytes, %llu are there", name,
			(unsigned long long)need, (unsigned long long)data_bytes);
		st_free(f);
		f = NULL;
	}
	return f;
}

/* Turns offsets into addresses; a tensor that does not stand aligned for its type is copied. */
static void place(struct st_file *f, const unsigned char *data)
{
	struct st_memory *m = f->memory;
	for (int i = 0; i < f->n; i++) {
		struct st_tensor *t = &f->tensor[i];
		const unsigned char *p = data + (uintptr_t)t->data;
		uintptr_t width = (uintptr_t)(types[t->type].bits + 7) / 8;
		if (width > 1 && (uintptr_t)p % width) {
			ROOM_FOR_ONE(m->copy, m->copies, m->room);
			m->copy[m->copies] = mem_new((size_t)t->bytes, 1);
			memcpy(m->copy[m->copies], p, (size_t)t->bytes);
			p = m->copy[m->copies++];
		}
		t->data = p;
	}
}

static uint64_t little64(const unsigned char *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static int header_length(const char *name, const unsigned char *p, uint64_t *n)
{
	*n = little64(p);
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
	unsigned char *map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return err_errno(EX_IOERR, "%s: cannot map it", name);
	struct st_file *f = NULL;
	if (!header_length(name, map + from, &n)) {
		if (n > size - from - 8) {
			too_short(name);
		} else if ((f = parse(name, (const char *)map + from + 8, (size_t)n, &need)) &&
			   need != size - from - 8 - n) {
			uint64_t have = size - from - 8 - n;
			err_set(EX_DATAERR, "%s: %s: the header speaks of %llu bytes of data, %llu are there",
				name, have < need ? "truncated" : "something follows the data",
				(unsigned long long)need, (unsigned long long)have);
			st_free(f);
			f = NULL;
		}
	}
	if (!f) {
		munmap(map, (size_t)size);
		return -1;
	}
	f->memory->map = map;
	f->memory->mapped = (size_t)size;
	place(f, map + from + 8 + n);
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

/* Data above this size goes through a nameless temporary file, so that memory does not grow with the recordings. */
enum { SPOOL_ABOVE = 4 << 20, CHUNK = 1 << 18 };

static unsigned char *spool(struct input *in, uint64_t n, struct st_memory *m)
{
	int fd = output_spool();
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
			err_errno(EX_IOERR, "temporary file: cannot write (TMPDIR names another folder)");
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
	struct st_file *f = parse(name, (const char *)json, (size_t)n, &need);
	free(json);
	if (!f)
		return -1;
	unsigned char *data;
	if (need > SPOOL_ABOVE)
		data = spool(in, need, f->memory);
	else
		data = f->memory->block = read_growing(in, need);
	if (!data) {
		st_free(f);
		return -1;
	}
	place(f, data);
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
	if (r == 1) { /* taken whole: the next call finds the end */
		unsigned char sink[4096];
		long k;
		size_t left = (size_t)(size - input_offset(in));
		while (left && (k = input_read(in, sink, left < sizeof sink ? left : sizeof sink)) > 0)
			left -= (size_t)k;
	}
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
		err_set(EX_DATAERR, "%s: tensor %s is %s %s, not %s %s", f->name, name, types[t->type].name,
			text_string(&x), types[type].name, text_string(&y));
		text_free(&x);
		text_free(&y);
		return NULL;
	}
	for (int i = 0; i < rank; i++)
		want[i] = t->shape[i];
	return t->data;
}

/* --- writing */

struct pending {
	struct st_tensor t;
	int (*emit)(void *, struct output *);
	void *context;
};

struct st_writer {
	struct pending *list;
	int n, room;
	struct names key, value;
};

struct st_writer *st_writer_new(void)
{
	return NEW(struct st_writer);
}

void st_writer_free(struct st_writer *w)
{
	if (!w)
		return;
	for (int i = 0; i < w->n; i++)
		free(w->list[i].t.name);
	free(w->list);
	names_free(&w->key);
	names_free(&w->value);
	free(w);
}

void st_put_emitter(struct st_writer *w, const char *name, enum st_type type, int rank, const int64_t *dims,
	int (*emit)(void *, struct output *), void *context)
{
	struct st_tensor t = {.type = type, .rank = rank, .count = 1};
	must(rank <= ST_RANK && types[type].bits % 8 == 0);
	for (int i = 0; i < rank; i++) {
		t.shape[i] = dims[i];
		t.count *= dims[i];
	}
	t.name = mem_text(name);
	t.bytes = (uint64_t)t.count * (uint64_t)types[type].bits / 8;
	ROOM_FOR_ONE(w->list, w->n, w->room);
	w->list[w->n++] = (struct pending){t, emit, context};
}

void st_put(struct st_writer *w, const char *name, enum st_type type, int rank, const int64_t *dims,
	const void *data)
{
	st_put_emitter(w, name, type, rank, dims, NULL, NULL);
	w->list[w->n - 1].t.data = data;
}

void st_put_meta(struct st_writer *w, const char *key, const char *value)
{
	names_add(&w->key, key);
	names_add(&w->value, value);
}

static int by_width_and_name(const void *x, const void *y)
{
	const struct pending *a = x, *b = y;
	int d = types[b->t.type].bits - types[a->t.type].bits;
	return d ? d : strcmp(a->t.name, b->t.name);
}

static char *header(const struct st_writer *w, size_t *length)
{
	struct text t = {0};
	uint64_t at = 0;
	const char *between = "";
	text_add(&t, "{");
	if (w->key.n) {
		text_add(&t, "\"__metadata__\":{");
		for (int i = 0; i < w->key.n; i++) {
			text_add(&t, i ? "," : "");
			json_string(&t, w->key.s[i]);
			text_add(&t, ":");
			json_string(&t, w->value.s[i]);
		}
		text_add(&t, "}");
		between = ",";
	}
	for (int i = 0; i < w->n; i++) {
		const struct st_tensor *x = &w->list[i].t;
		text_add(&t, between);
		json_string(&t, x->name);
		text_addf(&t, ":{\"dtype\":\"%s\",\"shape\":[", types[x->type].name);
		for (int d = 0; d < x->rank; d++)
			text_addf(&t, "%s%lld", d ? "," : "", (long long)x->shape[d]);
		text_addf(&t, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)at,
			(unsigned long long)(at + x->bytes));
		at += x->bytes;
		between = ",";
	}
	text_add(&t, "}");
	while ((t.n + 8) % 64)
		text_add(&t, " ");
	*length = t.n;
	return text_take(&t);
}

int st_write(struct st_writer *w, struct output *o)
{
	if (w->n)
		qsort(w->list, (size_t)w->n, sizeof *w->list, by_width_and_name);
	size_t n;
	char *json = header(w, &n);
	unsigned char length[8];
	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)((uint64_t)n >> 8 * i);
	int r = output_write(o, length, 8) || output_write(o, json, n);
	free(json);
	for (int i = 0; i < w->n && !r; i++) {
		const struct pending *p = &w->list[i];
		r = p->emit ? p->emit(p->context, o) : output_write(o, p->t.data, (size_t)p->t.bytes);
	}
	return r ? -1 : 0;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	"files are little-endian; a big-endian host needs conversion here");
