#include "io/safetensors_parts.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

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

/* A recursive descent over exactly the JSON that may stand there. */

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

static int refuse_header(struct parser *s, const char *what)
{
	return err_set(EX_DATAERR, "%s: damaged safetensors header at byte %td: %s", s->file,
		8 + (s->p - s->start), what);
}

static void skip_blanks(struct parser *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static bool take_char(struct parser *s, char c)
{
	skip_blanks(s);
	if (s->p >= s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

static int read_hex4(struct parser *s, unsigned *out)
{
	unsigned v = 0;
	for (int i = 0; i < 4; i++) {
		char c = s->p < s->end ? *s->p : 0;
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return refuse_header(s, "a malformed \\u escape");
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

static int read_escape(struct parser *s, struct text *t)
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
		return refuse_header(s, "an unknown escape");
	if (read_hex4(s, &u))
		return -1;
	if (u >= 0xd800 && u < 0xdc00) {
		if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
			return refuse_header(s, "half a surrogate pair");
		s->p += 2;
		if (read_hex4(s, &low))
			return -1;
		if (low < 0xdc00 || low > 0xdfff)
			return refuse_header(s, "half a surrogate pair");
		u = 0x10000 + ((u - 0xd800) << 10) + (low - 0xdc00);
	} else if (u >= 0xdc00 && u < 0xe000) {
		return refuse_header(s, "half a surrogate pair");
	}
	if (!u)
		return refuse_header(s, "a NUL inside a string");
	add_utf8(t, u);
	return 0;
}

/* A string; t is emptied first. UTF-8 was checked for the whole header. */
static int read_string(struct parser *s, struct text *t)
{
	t->n = 0;
	text_add(t, "");
	if (!take_char(s, '"'))
		return refuse_header(s, "a string was expected");
	for (;;) {
		const char *run = s->p;
		while (s->p < s->end && *s->p != '"' && *s->p != '\\' && (unsigned char)*s->p >= 0x20)
			s->p++;
		text_add_n(t, run, (size_t)(s->p - run));
		if (s->p >= s->end)
			return refuse_header(s, "a string is not closed");
		char c = *s->p++;
		if (c == '"')
			return 0;
		if (c != '\\')
			return refuse_header(s, "a control character inside a string");
		if (read_escape(s, t))
			return -1;
	}
}

static int read_whole(struct parser *s, uint64_t *out)
{
	skip_blanks(s);
	const char *first = s->p;
	uint64_t v = 0;
	while (s->p < s->end && *s->p >= '0' && *s->p <= '9') {
		if (__builtin_mul_overflow(v, 10u, &v) ||
			__builtin_add_overflow(v, (uint64_t)(*s->p - '0'), &v))
			return refuse_header(s, "a number too large");
		s->p++;
	}
	if (s->p == first || (*first == '0' && s->p - first > 1))
		return refuse_header(s, "a whole number, zero or above, was expected");
	if (s->p < s->end && strchr(".eE", *s->p))
		return refuse_header(s, "a number that is not whole");
	*out = v;
	return 0;
}

static int read_shape(struct parser *s, struct st_tensor *t)
{
	t->rank = 0;
	if (!take_char(s, '['))
		return refuse_header(s, "the shape is not a list");
	if (take_char(s, ']'))
		return 0;
	do {
		uint64_t d;
		if (read_whole(s, &d))
			return -1;
		if (t->rank == ST_RANK)
			return refuse_header(s, "more than 8 dimensions");
		if (d > INT64_MAX)
			return refuse_header(s, "a dimension too large");
		t->shape[t->rank++] = (int64_t)d;
	} while (take_char(s, ','));
	return take_char(s, ']') ? 0 : refuse_header(s, "the shape is not closed");
}

static int read_dtype(struct parser *s, struct text *t, enum st_type *out)
{
	if (read_string(s, t))
		return -1;
	for (int i = 0; i < TYPES; i++)
		if (!strcmp(types[i].name, t->s)) {
			*out = (enum st_type)i;
			return 0;
		}
	return refuse_header(s, "an unknown dtype");
}

static int read_offsets(struct parser *s, struct entry *e)
{
	if (!take_char(s, '[') || read_whole(s, &e->begin))
		return refuse_header(s, "data_offsets is not a pair of whole numbers");
	if (!take_char(s, ',') || read_whole(s, &e->end))
		return refuse_header(s, "data_offsets is not a pair of whole numbers");
	return take_char(s, ']') ? 0 : refuse_header(s, "data_offsets is not a pair of whole numbers");
}

static int read_entry(struct parser *s, struct text *t, struct entry *e)
{
	enum { DTYPE = 1, SHAPE = 2, OFFSETS = 4 };
	int seen = 0;
	if (!take_char(s, '{'))
		return refuse_header(s, "a tensor's entry is not an object");
	do {
		if (read_string(s, t))
			return -1;
		int which = !strcmp(t->s, "dtype")          ? DTYPE
			    : !strcmp(t->s, "shape")        ? SHAPE
			    : !strcmp(t->s, "data_offsets") ? OFFSETS
							    : 0;
		if (!which)
			return refuse_header(s, "an unknown key in a tensor's entry");
		if (seen & which)
			return refuse_header(s, "a key appears twice in a tensor's entry");
		seen |= which;
		if (!take_char(s, ':'))
			return refuse_header(s, "':' was expected");
		if (which == DTYPE       ? read_dtype(s, t, &e->t.type)
			: which == SHAPE ? read_shape(s, &e->t)
					 : read_offsets(s, e))
			return -1;
	} while (take_char(s, ','));
	if (!take_char(s, '}'))
		return refuse_header(s, "a tensor's entry is not closed");
	return seen == (DTYPE | SHAPE | OFFSETS)
		       ? 0
		       : refuse_header(s, "dtype, shape or data_offsets is missing");
}

static int read_metadata(struct parser *s, struct text *t)
{
	if (!take_char(s, '{'))
		return refuse_header(s, "__metadata__ is not an object");
	if (take_char(s, '}'))
		return 0;
	do {
		if (read_string(s, t))
			return -1;
		names_add(&s->key, t->s);
		if (!take_char(s, ':'))
			return refuse_header(s, "':' was expected");
		skip_blanks(s);
		if (s->p >= s->end || *s->p != '"')
			return refuse_header(s, "a value of __metadata__ is not a string");
		if (read_string(s, t))
			return -1;
		names_add(&s->value, t->s);
	} while (take_char(s, ','));
	return take_char(s, '}') ? 0 : refuse_header(s, "__metadata__ is not closed");
}

static int read_members(struct parser *s, struct text *t)
{
	bool meta = false;
	if (!take_char(s, '{'))
		return refuse_header(s, "it does not start with '{'");
	if (take_char(s, '}'))
		return 0;
	do {
		if (read_string(s, t))
			return -1;
		if (!t->n)
			return refuse_header(s, "a tensor without a name");
		bool is_meta = !strcmp(t->s, "__metadata__");
		char *name = is_meta ? NULL : mem_text(t->s);
		int r = take_char(s, ':') ? 0 : refuse_header(s, "':' was expected");
		if (!r && is_meta) {
			r = meta ? refuse_header(s, "__metadata__ appears twice") : read_metadata(s, t);
			meta = true;
		} else if (!r) {
			ROOM_FOR_ONE(s->entry, s->n, s->room);
			s->entry[s->n] = (struct entry){.t.name = name};
			name = NULL;
			r = read_entry(s, t, &s->entry[s->n++]);
		}
		free(name);
		if (r)
			return -1;
	} while (take_char(s, ','));
	return take_char(s, '}') ? 0 : refuse_header(s, "'}' was expected");
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
static int measure_tensor(const char *file, struct entry *e)
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

static int check_tensors(struct parser *s, uint64_t *data_bytes)
{
	for (int i = 0; i < s->n; i++)
		if (measure_tensor(s->file, &s->entry[i]))
			return -1;
	if (s->n)
		qsort(s->entry, (size_t)s->n, sizeof *s->entry, by_place);
	uint64_t at = 0;
	for (int i = 0; i < s->n; i++) {
		if (s->entry[i].begin != at)
			return err_set(EX_DATAERR, "%s: tensor %s: %s before it", s->file, s->entry[i].t.name,
				s->entry[i].begin > at ? "a gap" : "an overlap with the one");
		at = s->entry[i].end;
	}
	*data_bytes = at;
	if (s->n)
		qsort(s->entry, (size_t)s->n, sizeof *s->entry, entry_by_name);
	for (int i = 1; i < s->n; i++)
		if (!strcmp(s->entry[i - 1].t.name, s->entry[i].t.name))
			return err_set(
				EX_DATAERR, "%s: tensor %s appears twice", s->file, s->entry[i].t.name);
	const char *twice = names_duplicate(&s->key);
	return twice ? err_set(EX_DATAERR, "%s: metadata %s appears twice", s->file, twice) : 0;
}

struct st_file *st_parse(const char *name, const char *json, size_t n, uint64_t *data_bytes)
{
	struct parser s = {.file = name, .start = json, .p = json, .end = json + n};
	struct text t = {0};
	int r = json_utf8(json, n) ? 0 : refuse_header(&s, "it is not UTF-8 text");
	if (!r)
		r = read_members(&s, &t);
	if (!r) {
		skip_blanks(&s);
		if (s.p < s.end)
			r = refuse_header(&s, "something follows the closing brace");
	}
	if (!r)
		r = check_tensors(&s, data_bytes);
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
	struct st_file *f = st_parse(name, json, n, &need);
	if (f && need != data_bytes) {
		err_set(EX_DATAERR, "%s: the tensors need %llu bytes, but there are %llu", name,
			(unsigned long long)need, (unsigned long long)data_bytes);
		st_free(f);
		f = NULL;
	}
	return f;
}
