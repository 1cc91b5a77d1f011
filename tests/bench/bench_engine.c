/* The engine on the shape of the listing: batch 32, 300 samples, 64 channels, 4 regions, hidden 32, 2 layers, halo 4.
 *
 * Medians of several runs; GFLOP/s count the useful work (what forward and backward need, without anything computed twice):
 * forward = 2 per multiplication of every matrix product, training = 3 times forward. The last column is the share of what
 * OpenBLAS reaches with sgemm 2048^3 on one thread, times the threads. BENCH_JSON=1 prints JSON Lines.
 */
#include "base/mem.h"
#include "base/progress.h"
#include "base/rng.h"
#include "model/forward.h"
#include "tensor/gemm.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { B = 32, T = 300, C = 64, K = 4, HALO = 4, RUNS = 5 };

static double forward_flop(const struct model *m)
{
	double sum = 0;
	for (int k = 0; k < m->layout.regions; k++) {
		double H = m->config.encoder.hidden_dim, F = m->config.encoder.ffn_dim, N = m->N;
		double layer = 2 * N * H * 3 * H + 4 * N * N * H + 2 * N * H * H + 4 * N * H * F;
		sum += 2.0 * m->n * m->region[k].D * H + m->config.encoder.layers * layer;
	}
	return sum;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *x, int n)
{
	qsort(x, (size_t)n, sizeof *x, by_value);
	return x[n / 2];
}

static double sgemm_rate(void)
{
	enum { N = 2048 };
	real *a = NEW_ARRAY(real, N * N), *b = NEW_ARRAY(real, N * N), *c = NEW_ARRAY(real, N * N);
	double t[3];
	for (int i = 0; i < N * N; i++)
		a[i] = b[i] = (real)(i % 7) - 3;
	for (int run = 0; run < 3; run++) {
		double start = progress_now();
		gemm(PLAIN, PLAIN, N, N, N, 1, a, N, b, N, 0, c, N);
		t[run] = progress_now() - start;
	}
	free(a);
	free(b);
	free(c);
	return 2e-9 * N * N * N / median(t, 3);
}

static void fill(void *context, int b, int k, real *x)
{
	const struct model *m = context;
	struct rng r = rng_stream(7, "bench", (uint64_t)b, (uint64_t)k);
	for (int i = 0; i < T * m->layout.region[k].width; i++)
		x[i] = (real)(rng_next(&r) >> 40) * REAL(1e-7);
}

static struct model *make(int ffn)
{
	struct configuration c;
	struct layout l = {.length = T, .stride = T, .rate = 160, .unit = mem_text("uV")};
	char name[16];
	for (int i = 0; i < C; i++) {
		snprintf(name, sizeof name, "C%d", i);
		names_add(&l.channels, name);
	}
	names_add(&l.classes, "0");
	names_add(&l.classes, "1");
	if (layout_index_regions(&l, K, HALO))
		return NULL;
	config_begin(&c, PRESET_SEED);
	c.value.encoder.hidden_dim = 32;
	c.value.encoder.ffn_dim = ffn;
	struct model *m = model_new(&c.value, &l, -1);
	params_init(&m->params, 1);
	config_end(&c);
	layout_free(&l);
	return m;
}

static void row(
	const char *what, int ffn, int threads, double seconds, double windows, double gflop, double sgemm)
{
	double rate = gflop / seconds;
	if (getenv("BENCH_JSON"))
		printf("{\"what\":\"%s\",\"ffn_dim\":%d,\"threads\":%d,\"seconds\":%.6g,\"windows_per_s\":%."
		       "6g,\"gflop_per_s\":%.6g,"
		       "\"share_of_sgemm\":%.4g}\n",
			what, ffn, threads, seconds, windows / seconds, rate, rate / sgemm / threads);
	else
		printf("%-22s %5d %7d %10.4f %10.1f %9.1f %8.2f\n", what, ffn, threads, seconds,
			windows / seconds, rate, rate / sgemm / threads);
	fflush(stdout);
}

static void measure(int ffn, int threads, double sgemm)
{
	struct model *m = make(ffn);
	struct pool *pool = pool_new(threads);
	struct forward *f = forward_new(m, pool);
	double flop = forward_flop(m) * 1e-9, t[RUNS + 1];
	real *gradient = NEW_ARRAY(real, m->params.count), logits[B * 2], gate[B * K];
	int label[B];
	for (int b = 0; b < B; b++)
		label[b] = b % 2;
	for (int run = 0; run <= RUNS; run++) {
		struct train_step s = {
			.label = label, .dropout = REAL(0.1), .seed = 1, .number = (uint64_t)run};
		double start = progress_now();
		forward_train(f, B, fill, m, &s, gradient);
		t[run] = progress_now() - start;
	}
	row("training step", ffn, threads, median(t + 1, RUNS), B, 3 * B * flop, sgemm);
	for (int run = 0; run <= RUNS; run++) {
		double start = progress_now();
		forward_evaluate(f, B, fill, m, logits, gate);
		t[run] = progress_now() - start;
	}
	row("evaluation of a batch", ffn, threads, median(t + 1, RUNS), B, B * flop, sgemm);
	for (int run = 0; run <= RUNS; run++) {
		double start = progress_now();
		for (int i = 0; i < 10; i++)
			forward_evaluate(f, 1, fill, m, logits, gate);
		t[run] = (progress_now() - start) / 10;
	}
	row("one window", ffn, threads, median(t + 1, RUNS), 1, flop, sgemm);
	free(gradient);
	forward_free(f);
	pool_free(pool);
	model_free(m);
}

int main(void)
{
	gemm_single_thread(1);
	double sgemm = sgemm_rate();
	if (!getenv("BENCH_JSON"))
		printf("%s\nsgemm 2048^3 on one thread: %.1f GFLOP/s\n\n%-22s %5s %7s %10s %10s %9s %8s\n",
			gemm_library(), sgemm, "what", "ffn", "threads", "seconds", "windows/s", "GFLOP/s",
			"of sgemm");
	for (int ffn = 2048; ffn >= 128; ffn /= 16)
		for (int threads = 1; threads <= 2; threads++)
			measure(ffn, threads, sgemm);
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	if (getenv("BENCH_JSON"))
		printf("{\"what\":\"peak memory\",\"megabytes\":%.1f}\n", (double)u.ru_maxrss / 1024);
	else
		printf("\npeak memory: %.0f MB\n", (double)u.ru_maxrss / 1024);
	return 0;
}
