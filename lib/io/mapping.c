#include "io/mapping.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Of a list that only grows: an entry is never freed, but used again, so that a signal's handler
 * can walk it at any time. */
struct mapping {
	struct mapping *next;
	_Atomic(unsigned char *) from; /* NULL: this entry is free; else the rest is valid */
	_Atomic size_t bytes;
	char *name, *shown; /* shown: as people read it (text_shown) */
	bool standard;      /* standard input: asked by its descriptor */
	struct stat seen;   /* when it was mapped */
};

static _Atomic(struct mapping *) list;
static char *changed; /* the name of a file that had changed when it was unmapped */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static bool is_before(struct timespec a, struct timespec b)
{
	return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/* Times of modification advance in ticks of a few milliseconds. If this is still the tick of the
 * last change the next one could leave the same time, so it is waited for. */
static int stat_settled(int fd, struct stat *seen)
{
	enum { TRIES = 20 };
	struct timespec now, wait = {.tv_nsec = 1000000};
	for (int i = 0;; i++) {
		if (fstat(fd, seen))
			return -1;
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
		if (i == TRIES || is_before(seen->st_mtim, now) || seen->st_mtim.tv_sec > now.tv_sec + 1)
			return 0;
		nanosleep(&wait, NULL);
	}
}

static struct mapping *free_entry(void)
{
	struct mapping *m = atomic_load(&list);
	while (m && atomic_load(&m->from))
		m = m->next;
	if (!m) {
		m = NEW(struct mapping);
		m->next = atomic_load(&list);
		atomic_store(&list, m);
	}
	return m;
}

static int refuse_changed(const char *name)
{
	return err_set(EX_IOERR,
		"%s: changed while it was read; run again, and replace files with mv, never by overwriting "
		"them",
		name);
}

void *mapping_new(int fd, size_t bytes, const char *name)
{
	struct stat seen;
	unsigned char *from =
		stat_settled(fd, &seen) ? MAP_FAILED : mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (from == MAP_FAILED) {
		err_errno(EX_IOERR, "%s: cannot map it", name);
		return NULL;
	}
	if ((uint64_t)seen.st_size != bytes) {
		refuse_changed(name);
		munmap(from, bytes);
		return NULL;
	}
	pthread_mutex_lock(&lock);
	struct mapping *m = free_entry();
	atomic_store(&m->bytes, bytes);
	struct text shown = {0};
	text_shown(&shown, name);
	m->name = mem_text(name);
	m->shown = text_take(&shown);
	m->standard = fd == STDIN_FILENO;
	m->seen = seen;
	atomic_store(&m->from, from);
	pthread_mutex_unlock(&lock);
	return from;
}

/* What the file is now, by its name; false when that leads to another file or nowhere. */
static bool look_again(const struct mapping *m, struct stat *now)
{
	return !(m->standard ? fstat(STDIN_FILENO, now) : stat(m->name, now)) &&
	       now->st_dev == m->seen.st_dev && now->st_ino == m->seen.st_ino;
}

static bool same_state(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool has_changed(const struct mapping *m)
{
	struct stat now;
	return look_again(m, &now) && !same_state(&now, &m->seen);
}

void mapping_free(void *mapping)
{
	if (!mapping)
		return;
	pthread_mutex_lock(&lock);
	struct mapping *m = atomic_load(&list);
	while (m && atomic_load(&m->from) != mapping)
		m = m->next;
	must(m);
	char *name = m->name, *shown = m->shown;
	if (!changed && has_changed(m)) {
		changed = name;
		name = NULL;
	}
	atomic_store(&m->from, NULL);
	munmap(mapping, atomic_load(&m->bytes));
	pthread_mutex_unlock(&lock);
	free(name);
	free(shown);
}

int mapping_check(void)
{
	int r = 0;
	pthread_mutex_lock(&lock);
	const char *name = changed;
	for (struct mapping *m = atomic_load(&list); m && !name; m = m->next)
		if (atomic_load(&m->from) && has_changed(m))
			name = m->name;
	if (name)
		r = refuse_changed(name);
	pthread_mutex_unlock(&lock);
	return r;
}

/* Without the lock, for handlers of signals: another thread may be using the entry again, so its
 * length holds only if its start is still the same afterwards. */
static bool contains_address(const struct mapping *m, const void *address)
{
	uintptr_t from = (uintptr_t)atomic_load(&m->from);
	size_t bytes = atomic_load(&m->bytes);
	return from && (uintptr_t)address - from < bytes && (uintptr_t)atomic_load(&m->from) == from;
}

const char *mapping_at(const void *address, bool *whole)
{
	for (const struct mapping *m = atomic_load(&list); m; m = m->next) {
		if (contains_address(m, address)) {
			struct stat now;
			*whole = look_again(m, &now) && same_state(&now, &m->seen);
			return m->shown;
		}
	}
	return NULL;
}
