#include "base/available.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void apply_limit(struct available *a, double bytes, const char *why)
{
	if (bytes < a->bytes)
		*a = (struct available){bytes > 0 ? bytes : 0, why};
}

static void apply_free_memory(struct available *a)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[200];
	double free = NAN, swap = 0;
	while (f && fgets(line, sizeof line, f)) {
		sscanf(line, "MemAvailable: %lf kB", &free);
		sscanf(line, "SwapFree: %lf kB", &swap);
	}
	if (f)
		fclose(f);
	if (!isnan(free))
		apply_limit(a, 1024 * (free + swap), "free memory of this machine");
}

/* The process's own limits, of which it has taken some already. */
static void apply_process_limits(struct available *a)
{
	FILE *f = fopen("/proc/self/statm", "re");
	double page = (double)sysconf(_SC_PAGESIZE), all = 0, data = 0;
	struct rlimit space, heap;
	if (f && fscanf(f, "%lf %*s %*s %*s %*s %lf", &all, &data) != 2)
		all = data = 0;
	if (f)
		fclose(f);
	if (!getrlimit(RLIMIT_AS, &space) && space.rlim_cur != RLIM_INFINITY)
		apply_limit(a, (double)space.rlim_cur - all * page, "ulimit -v");
	if (!getrlimit(RLIMIT_DATA, &heap) && heap.rlim_cur != RLIM_INFINITY)
		apply_limit(a, (double)heap.rlim_cur - data * page, "ulimit -d");
}

/* The limit in a group's file, where it has one: "max" is none. */
static void apply_group_limit(struct available *a, const char *root, const char *path, const char *name)
{
	char file[4400];
	double bytes;
	snprintf(file, sizeof file, "%s%s/%s", root, path, name);
	FILE *f = fopen(file, "re");
	if (f && fscanf(f, "%lf", &bytes) == 1)
		apply_limit(a, bytes, "limit of the control group");
	if (f)
		fclose(f);
}

/* Its control group and all that this one is in: lines NUMBER:CONTROLLERS:/PATH, without
 * controllers in version 2. */
static void apply_control_groups(struct available *a)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[4200];
	while (f && fgets(line, sizeof line, f)) {
		char *of = strchr(line, ':'), *path = of ? strchr(of + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = 0;
		path[strcspn(path, "\n")] = 0;
		bool second = !of[1];
		if (!second && !strstr(of, "memory"))
			continue;
		for (char *end = path + strlen(path); end; end = strrchr(path, '/')) {
			*end = 0;
			apply_group_limit(a, second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory", path,
				second ? "memory.max" : "memory.limit_in_bytes");
		}
	}
	if (f)
		fclose(f);
}

struct available available_memory(void)
{
	struct available a = {INFINITY, "no limit"};
	apply_free_memory(&a);
	apply_control_groups(&a);
	apply_process_limits(&a);
	return a;
}
