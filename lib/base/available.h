/* How much memory this process can still get. */
#ifndef BASE_AVAILABLE_H
#define BASE_AVAILABLE_H

struct available {
	double bytes;
	const char *why; /* what sets this bound: "ulimit -v", "free memory of this machine" */
};

/* The least of what the machine has free, swap included, of the limits of the control groups it
 * runs in, and of what its own limits leave. Bounds that cannot be read do not count; without any
 * it is infinite. */
struct available available_memory(void);

#endif
