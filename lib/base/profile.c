#include "base/profile.h"

#ifdef PROFILE

#include "base/mem.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { OPERATIONS = 32, PARTS = 8 };

/* Each thread counts for itself; the report adds up. */
struct table {
	const char *operation[OPERATIONS], *part[PARTS];
	uint64_t ticks[OPERATIONS][PARTS];
	struct table *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table *tables;
static struct timespec began;
static uint64_t began_ticks;
static _Thread_local struct table *mine;
static _Thread_local struct profile_mark *innermost;

static uint64_t ticks_now(void)
{
#if defined __x86_64__
	return __builtin_ia32_rdtsc();
#else
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
#endif
}

static void begin_thread(void)
{
	mine = NEW(struct table);
	pthread_mutex_lock(&lock);
	if (!tables) {
		clock_gettime(CLOCK_MONOTONIC, &began);
		began_ticks = ticks_now();
	}
	mine->next = tables;
	tables = mine;
	pthread_mutex_unlock(&lock);
}

void profile_enter(struct profile_mark *m, const char *operation, const char *part)
{
	if (!mine)
		begin_thread();
	m->operation = operation ? operation : innermost ? innermost->operation : "elsewhere";
	m->part = part;
	m->outer = innermost;
	m->inside = 0;
	innermost = m;
	m->start = ticks_now();
}

/* The place of a name, entered when it is new; the last place takes what there is no room for. */
static int place_of(const char **list, int room, const char *name)
{
	int i = 0;
	while (i < room - 1 && list[i] && list[i] != name && strcmp(list[i], name))
		i++;
	if (!list[i])
		list[i] = name;
	return i;
}

static void add_ticks(struct table *t, const char *operation, const char *part, uint64_t ticks)
{
	t->ticks[place_of(t->operation, OPERATIONS, operation)][place_of(t->part, PARTS, part)] += ticks;
}

void profile_leave(struct profile_mark *m)
{
	uint64_t took = ticks_now() - m->start;
	innermost = m->outer;
	if (m->outer)
		m->outer->inside += took;
	add_ticks(mine, m->operation, m->part, took - m->inside);
}

static void write_table(FILE *f, const struct table *t, double per_tick)
{
	double total = 0, of_part[PARTS] = {0};
	for (int i = 0; i < OPERATIONS; i++)
		for (int j = 0; j < PARTS; j++) {
			of_part[j] += (double)t->ticks[i][j] * per_tick;
			total += (double)t->ticks[i][j] * per_tick;
		}
	fprintf(f, "%-24s", "seconds of all threads");
	for (int j = 0; j < PARTS && t->part[j]; j++)
		fprintf(f, " %10s", t->part[j]);
	fprintf(f, " %10s\n", "share");
	for (int i = 0; i < OPERATIONS && t->operation[i]; i++) {
		double sum = 0;
		fprintf(f, "%-24s", t->operation[i]);
		for (int j = 0; j < PARTS && t->part[j]; j++) {
			fprintf(f, " %10.4f", (double)t->ticks[i][j] * per_tick);
			sum += (double)t->ticks[i][j] * per_tick;
		}
		fprintf(f, " %9.1f%%\n", 100 * sum / total);
	}
	fprintf(f, "%-24s", "share");
	for (int j = 0; j < PARTS && t->part[j]; j++)
		fprintf(f, " %9.1f%%", 100 * of_part[j] / total);
	fprintf(f, "\n");
}

void profile_report(FILE *f)
{
	struct table all = {.next = NULL};
	struct timespec end;
	clock_gettime(CLOCK_MONOTONIC, &end);
	double ns = (double)(end.tv_sec - began.tv_sec) * 1e9 + (double)(end.tv_nsec - began.tv_nsec);
	double per_tick = ns * 1e-9 / (double)(ticks_now() - began_ticks);
	pthread_mutex_lock(&lock);
	for (const struct table *t = tables; t; t = t->next)
		for (int i = 0; i < OPERATIONS && t->operation[i]; i++)
			for (int j = 0; j < PARTS && t->part[j]; j++)
				add_ticks(&all, t->operation[i], t->part[j], t->ticks[i][j]);
	pthread_mutex_unlock(&lock);
	write_table(f, &all, per_tick);
}

#else

typedef int profile_is_off; /* a file must hold something */

#endif
