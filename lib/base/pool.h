/* A pool of threads.
 *
 * pool_run cuts work into tasks 0 .. n-1 by the problem, never by the number of threads; which
 * thread takes which task is left to chance, so a task may write only what is its own (and the
 * scratch of its worker). The calling thread works too.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

struct pool;

/* threads <= 0: as many as there are processors. */
struct pool *pool_new(int threads);
void pool_free(struct pool *);
int pool_threads(const struct pool *);

/* Runs task(context, i, worker) for every i in 0 .. n-1 and returns when all are done; worker is 0
 * .. threads-1. */
void pool_run(struct pool *, int n, void (*task)(void *context, int i, int worker), void *context);

#endif
