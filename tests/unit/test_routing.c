/* The routing file: what is written is read back, and the line of a window. */
#include "check.h"

#include "base/error.h"
#include "base/mem.h"
#include "analysis/report.h"
#include "format/routing.h"

#include <stdlib.h>
#include <unistd.h>

static const float gate[3][2] = {{.25f, .75f}, {1, 0}, {.5f, .5f}};
static const float probability[3][2][3] = {{{.5f, .25f, .25f}, {.125f, .125f, .75f}}, {{1, 0, 0}, {0, 1, 0}},
	{{.5f, .5f, 0}, {.25f, .25f, .5f}}};
static const int32_t expert[3][2][2] = {{{0, 1}, {2, -1}}, {{0, 1}, {1, 0}}, {{0, 1}, {2, 0}}};
static const float weight[3][2][2] = {{{.75f, .25f}, {1, 0}}, {{1, 0}, {1, 0}}, {{.5f, .5f}, {.75f, .25f}}};
static const int64_t start[3] = {0, 64, 128};
static const int32_t label[3] = {1, -1, 0}, recording[3] = {0, 0, 0}, group[3] = {0, 0, 0};
static const int32_t capacity[3] = {2, 2, 1};
static const struct routing_layer layer = {
	1, 0, 2, 3, 2, &probability[0][0][0], &expert[0][0][0], &weight[0][0][0], capacity};

/* Writes the arrays above to a temporary file and opens it; the file's name is gone at once. */
static struct input *written(void)
{
	char path[] = "/tmp/test_routing.XXXXXX";
	int64_t n = 3;
	struct st_writer *w = st_writer_new();
	st_put(w, "window.start", ST_I64, 1, &n, start);
	st_put(w, "window.label", ST_I32, 1, &n, label);
	st_put(w, "window.recording", ST_I32, 1, &n, recording);
	st_put(w, "window.group", ST_I32, 1, &n, group);
	st_put_meta(w, "moe.rate", "128");
	st_put_meta(w, "moe.regions", "[\"front\",\"back\"]");
	st_put_meta(w, "moe.classes", "[\"rest\",\"task\"]");
	st_put_meta(w, "moe.recordings", "[\"S \\\"1\\\".csv\"]");
	st_put_meta(w, "moe.groups", "[\"S1\"]");
	routing_put_gate(w, 3, 2, &gate[0][0]);
	routing_put_layer(w, 3, &layer);
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
	struct output *o = output_open(path, OUTPUT_BINARY);
	CHECK(o && !st_write(w, o) && !output_commit(o));
	st_writer_free(w);
	struct input *in = input_open(path);
	CHECK(in != NULL);
	unlink(path);
	return in;
}

static void what_is_written_is_read_back(void)
{
	struct input *in = written();
	struct routing *r = NULL;
	CHECK(routing_next(in, &r) == 1);
	CHECK(r->n == 3 && r->layers == 1 && r->rate == 128 && r->sample == r->start);
	CHECK_TEXT(r->regions.s[1], "back");
	const struct routing_layer *l = &r->layer[0];
	CHECK(l->region == 1 && l->layer == 0 && l->tokens == 2 && l->experts == 3 && l->k == 2);
	CHECK(!memcmp(r->gate, gate, sizeof gate));
	CHECK(!memcmp(l->probability, probability, sizeof probability));
	CHECK(!memcmp(l->expert, expert, sizeof expert));
	CHECK(!memcmp(l->weight, weight, sizeof weight));
	CHECK(l->capacity && !memcmp(l->capacity, capacity, sizeof capacity));
	CHECK(!memcmp(r->label, label, sizeof label));
	routing_free(r);
	CHECK(routing_next(in, &r) == 0);
	input_close(in);
}

static void a_window_is_one_line_of_json(void)
{
	struct input *in = written();
	struct routing *r = NULL;
	struct text t = {0};
	CHECK(routing_next(in, &r) == 1);
	routing_json_line(r, 0, &t);
	CHECK_TEXT(text_string(&t),
		"{\"recording\":\"S "
		"\\\"1\\\".csv\",\"group\":\"S1\",\"start\":0,\"time\":0,\"label\":\"task\","
		"\"gate\":[0.25,0.75],\"layers\":[{\"region\":1,\"layer\":0,\"expert\":[[0,1],[2,-1]],"
		"\"weight\":[[0.75,0.25],[1,0]],\"probability\":[[0.5,0.25,0.25],[0.125,0.125,0.75]]}]}\n");
	t.n = 0;
	r->layers = 0;
	routing_json_line(r, 1, &t);
	CHECK_TEXT(text_string(&t),
		"{\"recording\":\"S \\\"1\\\".csv\",\"group\":\"S1\",\"start\":64,\"time\":0.5,"
		"\"label\":null,\"gate\":[1,0],\"layers\":[]}\n");
	text_free(&t);
	routing_free(r);
	input_close(in);
}

/* Counts that can be told by hand. */
static void a_report_counts_windows_tokens_and_places(void)
{
	struct input *in = written();
	struct routing *r = NULL;
	struct report report = {0};
	CHECK(routing_next(in, &r) == 1);
	CHECK(!report_add(&report, r));
	CHECK(report.windows == 3 && report.sites == 2);
	const struct report_site *g = &report.site[0], *l = &report.site[1];
	CHECK(g->region == -1 && g->all.tokens == 3 && g->all.count[0] == 2 && g->all.count[1] == 1);
	CHECK(l->region == 1 && l->all.tokens == 6 && l->all.dropped == 1);
	CHECK(l->all.count[0] == 5 && l->all.count[1] == 4 && l->all.count[2] == 2);
	CHECK(l->by_class[0].tokens == 2 && l->by_class[1].tokens == 2 && l->by_group[0].tokens == 6);
	CHECK(l->all.pair[1] == 4 && l->all.pair[2] == 1 && l->all.pair[5] == 0);
	struct usage_metrics f = usage_metrics(&l->all);
	CHECK_NEAR(f.overflow, 1 / 12., 1e-15);
	CHECK_NEAR(f.capacity_utilisation, 11 / 15., 1e-15);
	CHECK(f.capacity[0] == 2 && f.capacity[2] == 1);
	CHECK_NEAR(f.margin, (0 + 0 + 0 + 0 + 1 + 0) / 6., 1e-15);
	CHECK_NEAR(f.importance[0], (.5 + .125 + 1 + 0 + .5 + .25) / 6, 1e-15);
	usage_metrics_free(&f);
	report_free(&report);
	routing_free(r);
	input_close(in);
}

int main(void)
{
	CASE(what_is_written_is_read_back);
	CASE(a_window_is_one_line_of_json);
	CASE(a_report_counts_windows_tokens_and_places);
	return check_done();
}
