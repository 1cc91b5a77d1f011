#include "base/pool.h"

#include "base/mem.h"
#include "base/profile.h"
#include "base/start.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct worker {
	struct pool *pool;
	int index;
	pthread_t thread;
};

struct pool {
	int threads;
	struct worker *worker; /* [threads]; 0 is the caller */
	pthread_mutex_t lock;
	pthread_cond_t start, finish;
	unsigned long round; /* counts calls of pool_run */
	int busy;            /* threads still in this round */
	bool quit;
	void (*task)(void *, int, int);
	void *context;
	int n;
	atomic_int next;
};

static void run_tasks(struct pool *p, int worker)
{
	for (int i; (i = atomic_fetch_add(&p->next, 1)) < p->n;)
		p->task(p->context, i, worker);
}

static void wait_for_start(struct pool *p, unsigned long seen)
{
	PROFILE_OPERATION("waiting");
	while (p->round == seen && !p->quit)
		pthread_cond_wait(&p->start, &p->lock);
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	unsigned long seen = 0;
	pthread_mutex_lock(&p->lock);
	for (;;) {
		wait_for_start(p, seen);
		if (p->quit)
			break;
		seen = p->round;
		pthread_mutex_unlock(&p->lock);
		run_tasks(p, w->index);
		pthread_mutex_lock(&p->lock);
		if (--p->busy == 0)
			pthread_cond_signal(&p->finish);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* With one size of stack, whatever ulimit -s says. */
static int start_worker(struct worker *w)
{
	pthread_attr_t a;
	if (pthread_attr_init(&a))
		return -1;
	pthread_attr_setstacksize(&a, STACK_NEEDED);
	int r = pthread_create(&w->thread, &a, thread_main, w);
	pthread_attr_destroy(&a);
	return r;
}

struct pool *pool_new(int threads)
{
	if (threads <= 0)
		threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
	if (threads < 1)
		threads = 1;
	struct pool *p = NEW(struct pool);
	p->worker = NEW_ARRAY(struct worker, threads);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->start, NULL);
	pthread_cond_init(&p->finish, NULL);
	p->threads = 1;
	for (int i = 1; i < threads; i++) {
		p->worker[i] = (struct worker){.pool = p, .index = i};
		if (start_worker(&p->worker[i]))
			break; /* fewer threads: slower, same results */
		p->threads++;
	}
	return p;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->quit = true;
	pthread_cond_broadcast(&p->start);
	pthread_mutex_unlock(&p->lock);
	for (int i = 1; i < p->threads; i++)
		pthread_join(p->worker[i].thread, NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->start);
	pthread_cond_destroy(&p->finish);
	free(p->worker);
	free(p);
}

int pool_threads(const struct pool *p)
{
	return p->threads;
}

void pool_run(struct pool *p, int n, void (*task)(void *, int, int), void *context)
{
	if (p->threads == 1 || n <= 1) {
		for (int i = 0; i < n; i++)
			task(context, i, 0);
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->task = task;
	p->context = context;
	p->n = n;
	atomic_store(&p->next, 0);
	p->busy = p->threads - 1;
	p->round++;
	pthread_cond_broadcast(&p->start);
	pthread_mutex_unlock(&p->lock);
	run_tasks(p, 0);
	PROFILE_OPERATION("waiting");
	pthread_mutex_lock(&p->lock);
	while (p->busy)
		pthread_cond_wait(&p->finish, &p->lock);
	pthread_mutex_unlock(&p->lock);
}
