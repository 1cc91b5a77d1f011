#include "io/safetensors.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

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
	must(rank <= ST_RANK && st_type_bits(type) % 8 == 0);
	for (int i = 0; i < rank; i++) {
		t.shape[i] = dims[i];
		t.count *= dims[i];
	}
	t.name = mem_text(name);
	t.bytes = (uint64_t)t.count * (uint64_t)st_type_bits(type) / 8;
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
	int d = st_type_bits(b->t.type) - st_type_bits(a->t.type);
	return d ? d : strcmp(a->t.name, b->t.name);
}

static char *header_text(const struct st_writer *w, size_t *length)
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
		text_addf(&t, ":{\"dtype\":\"%s\",\"shape\":[", st_type_name(x->type));
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
	char *json = header_text(w, &n);
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
