/* What a router or an expert type declares: its tensors, below the layer's prefix. */
#ifndef MOE_TENSOR_PLAN_H
#define MOE_TENSOR_PLAN_H

/* Start values: U(-b, b) with b = 1 / sqrt(scale); the scale itself; N(0, scale^2). */
enum start { START_FAN_IN, START_CONSTANT, START_NORMAL };

struct tensor_plan {
	const char *name; /* "linear1.weight" */
	int rank;
	int rows, cols; /* cols 0 for a vector */
	enum start start;
	double scale;
};

#endif
