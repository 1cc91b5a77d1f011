#include "analysis/recorder.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One layer of a batch. The arrays have room for E places a token until recorder_layers moves them
 * together. */
struct taken {
	float *probability, *weight;
	int32_t *expert;
	int *places; /* [batch] */
};

struct recorder {
	int K, L, batch;
	int layers, *at; /* [K * L] index below, -1 = not wanted */
	struct taken *taken;
	struct routing_layer *layer;
};

/* [E] the most tokens of a window that each expert of an MoE layer takes in evaluation; NULL when it
 * takes all, or when several tokens are routed together. */
static int32_t *capacities(const struct model *m, int region, int layer)
{
	struct router_shape s = model_router_shape(m, region, layer);
	struct capacity c = model_capacity(m, false);
	int buffer = m->region[region].layer[layer].capacity;
	bool limited = m->router->sends && c.factor > 0;
	if (m->region[region].unit || !(m->router->taken || limited || buffer >= 0))
		return NULL;
	int32_t *C = NEW_ARRAY(int32_t, s.E);
	int same =
		m->router->taken ? m->router->taken(&s) : capacity_of(c.factor, s.k, s.N, s.E, c.min, c.max);
	for (int e = 0; e < s.E; e++) {
		int own = buffer < 0
				  ? same
				  : (int)ceil((double)m->params.x[m->params.list[buffer].offset + (size_t)e]);
		C[e] = own < s.N ? own : s.N;
	}
	return C;
}

struct recorder *recorder_new(const struct model *m, const struct selection *s, int batch)
{
	struct recorder *r = NEW(struct recorder);
	int places = m->layout.regions * m->config.encoder.layers;
	*r = (struct recorder){.K = m->layout.regions, .L = m->config.encoder.layers, .batch = batch};
	r->at = NEW_ARRAY(int, places);
	r->taken = NEW_ARRAY(struct taken, places);
	r->layer = NEW_ARRAY(struct routing_layer, places);
	for (int i = 0; i < places; i++) {
		r->at[i] = -1;
		if (!s->moe_layer[i])
			continue;
		int E = config_experts(&m->config, i % r->L);
		int N = m->region[i / r->L].N;
		size_t n = (size_t)batch * (size_t)N * (size_t)E;
		struct taken *t = &r->taken[r->layers];
		*t = (struct taken){NEW_ARRAY(float, n), NEW_ARRAY(float, n), NEW_ARRAY(int32_t, n),
			NEW_ARRAY(int, batch)};
		r->layer[r->layers] =
			(struct routing_layer){i / r->L, i % r->L, N, E, selection_places(m, i % r->L),
				t->probability, t->expert, t->weight, capacities(m, i / r->L, i % r->L)};
		r->at[i] = r->layers++;
	}
	return r;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	for (int i = 0; i < r->layers; i++) {
		free(r->taken[i].probability);
		free(r->taken[i].weight);
		free(r->taken[i].expert);
		free(r->taken[i].places);
		free((void *)(uintptr_t)r->layer[i].capacity);
	}
	free(r->taken);
	free(r->layer);
	free(r->at);
	free(r);
}

void recorder_take(void *recorder, int b, int k, int layer, const struct choice *c)
{
	struct recorder *r = recorder;
	int i = r->at[k * r->L + layer];
	must(b < r->batch);
	if (i < 0)
		return;
	struct taken *t = &r->taken[i];
	int E = r->layer[i].experts;
	size_t all = (size_t)r->layer[i].tokens, from = (size_t)b * all * (size_t)E;
	size_t places = (size_t)choice_places(c, E), there = (size_t)choice_rows(c);
	t->places[b] = (int)places;
	choice_write(c, (int)there, E, t->probability + from, t->expert + from, t->weight + from);
	for (size_t j = there * (size_t)E; j < all * (size_t)E; j++) /* tokens after the window's end */
		t->probability[from + j] = 0;
	for (size_t j = there * places; j < all * places; j++) {
		t->expert[from + j] = -1;
		t->weight[from + j] = 0;
	}
}

struct routing_layer *recorder_layers(struct recorder *r, int B, int *n)
{
	for (int i = 0; i < r->layers && B; i++) {
		struct taken *t = &r->taken[i];
		struct routing_layer *l = &r->layer[i];
		l->k = t->places[0];
		size_t room = (size_t)l->tokens * (size_t)l->experts, used = (size_t)l->tokens * (size_t)l->k;
		for (int b = 1; b < B; b++) {
			must(t->places[b] == l->k);
			memmove(t->expert + (size_t)b * used, t->expert + (size_t)b * room,
				used * sizeof *t->expert);
			memmove(t->weight + (size_t)b * used, t->weight + (size_t)b * room,
				used * sizeof *t->weight);
		}
	}
	*n = r->layers;
	return r->layer;
}

/* --- batches to tensors */

/* Tensors of 4-byte elements, one after the other in the temporary file. */
struct file_part {
	struct recorder_file *file;
	size_t from, bytes; /* in the file; of one window */
};

struct recorder_file {
	struct recorder *r;
	int fd;
	int64_t N, written;
	struct file_part *part; /* [layers][3]: probability, expert, weight */
};

struct recorder_file *recorder_file_new(struct recorder *r, int64_t N)
{
	int fd = r->layers ? output_temporary() : -1;
	if (r->layers && fd < 0)
		return NULL;
	struct recorder_file *s = NEW(struct recorder_file);
	*s = (struct recorder_file){
		.r = r, .fd = fd, .N = N, .part = NEW_ARRAY(struct file_part, 3 * r->layers)};
	return s;
}

void recorder_file_free(struct recorder_file *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->part);
	free(s);
}

static void place_parts(struct recorder_file *s)
{
	size_t at = 0;
	for (int i = 0; i < 3 * s->r->layers; i++) {
		const struct routing_layer *l = &s->r->layer[i / 3];
		size_t width = (size_t)(i % 3 ? l->k : l->experts);
		s->part[i] = (struct file_part){s, at, (size_t)l->tokens * width * sizeof(float)};
		at += s->part[i].bytes * (size_t)s->N;
	}
}

static int write_at(int fd, const void *data, size_t n, size_t at)
{
	for (size_t done = 0; done < n;) {
		ssize_t got = pwrite(fd, (const char *)data + done, n - done, (off_t)(at + done));
		if (got <= 0)
			return err_errno(
				EX_IOERR, "temporary file: cannot write (TMPDIR names another folder)");
		done += (size_t)got;
	}
	return 0;
}

int recorder_file_add(struct recorder_file *s, int B)
{
	int n, bad = 0;
	const struct routing_layer *l = recorder_layers(s->r, B, &n);
	if (!s->written)
		place_parts(s);
	for (int i = 0; i < n && !bad; i++, l++) {
		const struct file_part *p = s->part + (size_t)3 * (size_t)i;
		const void *data[3] = {l->probability, l->expert, l->weight};
		for (int j = 0; j < 3 && !bad; j++)
			bad = write_at(s->fd, data[j], p[j].bytes * (size_t)B,
				p[j].from + p[j].bytes * (size_t)s->written);
	}
	s->written += B;
	return bad;
}

static int write_part(void *context, struct output *o)
{
	enum { BLOCK = 1 << 16 };
	const struct file_part *p = context;
	char *block = mem_new(BLOCK, 1);
	size_t n = p->bytes * (size_t)p->file->N;
	int bad = 0;
	for (size_t at = 0; at < n && !bad;) {
		size_t want = n - at < BLOCK ? n - at : BLOCK;
		ssize_t got = pread(p->file->fd, block, want, (off_t)(p->from + at));
		if (got <= 0)
			bad = err_errno(EX_IOERR, "temporary file: cannot read");
		else
			bad = output_write(o, block, (size_t)got);
		at += got > 0 ? (size_t)got : 0;
	}
	free(block);
	return bad;
}

void recorder_file_put(struct recorder_file *s, struct st_writer *w)
{
	if (!s->written)
		place_parts(s);
	for (int i = 0; i < s->r->layers; i++)
		routing_emit_layer(w, s->N, &s->r->layer[i], write_part,
			(void *[]){s->part + 3 * i, s->part + 3 * i + 1, s->part + 3 * i + 2});
}
