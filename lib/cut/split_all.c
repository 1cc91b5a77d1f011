/* Several recordings, as many at a time as there are threads.
 *
 *     thread 0   S01 read --------> taken                S03 read ----> taken
 *     thread 1   S02 read ------------->  (waits) taken
 *
 * Each is read into a row file of its own; they are taken in the order they were given, so that the
 * result does not depend on the number of threads, and the error that is reported is that of the
 * first recording that has one.
 */
#include "cut/split_state.h"

#include "base/error.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct parallel_read {
	struct split *s;
	const struct names *paths;
	struct input *first; /* open, and begun */
	char **group;        /* [paths->n] */
	struct names labels; /* those the classes begin with */
	pthread_mutex_t lock;
	pthread_cond_t next;
	int turn; /* whose it is to be taken */
	bool failed;
	int status; /* of the first that failed */
	char *why;
};

static const char *file_name(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

static int read_one(struct parallel_read *c, int i, struct intake *j)
{
	struct input *in = i ? input_open(c->paths->s[i]) : c->first;
	if (!in)
		return -1;
	names_copy(&j->labels, &c->labels);
	int r = i ? intake_begin(j, c->s, in) : 0;
	if (!r)
		r = intake_read(j, c->s, &j->own);
	j->file = file_name(c->paths->s[i]); /* the input's own goes with it */
	input_close(in);
	if (!i)
		c->first = NULL;
	return r;
}

static void add_one(void *context, int i, int worker)
{
	struct parallel_read *c = context;
	struct intake j = {.own = {.fd = -1}};
	(void)worker;
	if (!i) {
		j = c->s->now;
		c->s->now = (struct intake){.own = {.fd = -1}};
		names_free(&j.labels);
	} else {
		j.index = i;
		j.r.name = mem_text(c->s->recordings.s[i]);
		j.r.group = c->group[i];
		c->group[i] = NULL;
	}
	pthread_mutex_lock(&c->lock);
	bool failed = c->failed;
	pthread_mutex_unlock(&c->lock);
	int r = failed ? -1 : read_one(c, i, &j);
	pthread_mutex_lock(&c->lock);
	while (c->turn != i)
		pthread_cond_wait(&c->next, &c->lock);
	if (!c->failed && (r || split_take(c->s, &j, i))) {
		c->failed = true;
		c->status = err_status();
		c->why = mem_text(err_text());
	}
	c->turn++;
	pthread_cond_broadcast(&c->next);
	pthread_mutex_unlock(&c->lock);
	intake_free(&j);
}

/* The names of all but the first, before anything of them is read. */
static int name_all(struct parallel_read *c)
{
	for (int i = 1; i < c->paths->n; i++) {
		struct recording named = {0};
		struct stat info;
		const char *path = c->paths->s[i];
		bool regular = strcmp(path, "-") && !stat(path, &info) && S_ISREG(info.st_mode);
		int r = split_name(c->s, &named, file_name(path), regular ? &info : NULL);
		c->group[i] = named.group;
		free(named.name);
		if (r)
			return -1;
	}
	return 0;
}

int split_add_all(struct split *s, const struct names *paths, struct pool *pool)
{
	struct parallel_read c = {.s = s, .paths = paths, .group = NEW_ARRAY(char *, paths->n)};
	names_copy(&c.labels, &s->labels);
	pthread_mutex_init(&c.lock, NULL);
	pthread_cond_init(&c.next, NULL);
	c.first = input_open(paths->s[0]);
	int r = c.first && !split_begin(s, c.first) ? name_all(&c) : -1;
	if (!r) {
		pool_run(pool, paths->n, add_one, &c);
		r = c.failed ? err_set(c.status, "%s", c.why) : 0;
	}
	input_close(c.first);
	for (int i = 0; i < paths->n; i++)
		free(c.group[i]);
	free(c.group);
	free(c.why);
	names_free(&c.labels);
	pthread_mutex_destroy(&c.lock);
	pthread_cond_destroy(&c.next);
	return r;
}
