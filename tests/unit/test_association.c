/* Experts and labels: known tables, the p-value of all permutations, and what strata keep apart. */
#include "check.h"

#include "analysis/association.h"

#include <stdlib.h>

enum { N = 24 };

static struct association test(
	int n, int E, const int32_t *count, const int *label, const int *stratum, int permutations)
{
	struct labelled_counts c = {n, E, count, label, stratum, 2, 2};
	struct rng r = rng_stream(7, "test", 0, 0);
	return association_of(&c, permutations, &r);
}

static void specialisation_and_information_of_a_known_table(void)
{
	/* expert 0: 3 of label 0, 1 of label 1; expert 1: 4 of label 1; expert 2 unused; the last
	 * window is not labelled */
	static const int32_t count[5][3] = {{2, 0, 0}, {1, 0, 0}, {1, 1, 0}, {0, 3, 0}, {9, 9, 9}};
	static const int label[5] = {0, 0, 1, 1, -1}, stratum[5] = {0};
	struct association a = test(5, 3, &count[0][0], label, stratum, 0);
	double h = -(.75 * log(.75) + .25 * log(.25)), all = -(3. / 8 * log(3. / 8) + 5. / 8 * log(5. / 8));
	CHECK_NEAR(a.specialisation[0], 1 - h / log(2), 1e-12);
	CHECK_NEAR(a.specialisation[1], 1, 1e-12);
	CHECK(isnan(a.specialisation[2]) && isnan(a.p[0]) && isnan(a.information_p));
	CHECK_NEAR(a.information, all - h / 2, 1e-12);
	association_free(&a);
}

static void p_is_that_of_all_permutations(void)
{
	/* the first three windows use expert 0, the others expert 1, as the labels say: 2 of the 20
	 * ways to label reach that */
	static const int32_t count[6][2] = {{1, 0}, {1, 0}, {1, 0}, {0, 1}, {0, 1}, {0, 1}};
	static const int label[6] = {0, 0, 0, 1, 1, 1}, stratum[6] = {0};
	struct association a = test(6, 2, &count[0][0], label, stratum, 19999);
	CHECK_NEAR(a.information, log(2), 1e-12);
	CHECK_NEAR(a.information_p, 0.1, 0.01);
	CHECK_NEAR(a.p[0], 0.1, 0.01);
	association_free(&a);
	a = test(6, 2, &count[0][0], label, stratum, 9);
	struct association again = test(6, 2, &count[0][0], label, stratum, 9);
	CHECK(a.p[0] == again.p[0] && a.p[1] == again.p[1]);
	association_free(&a);
	association_free(&again);
}

/* Windows of two strata; expert 0 is used in stratum 0, expert 1 in stratum 1, whatever the
 * label. */
static void what_goes_along_with_the_stratum_is_not_found(void)
{
	int32_t count[N][2] = {{0}};
	int label[N], stratum[N];
	for (int i = 0; i < N; i++) {
		stratum[i] = i % 2;
		count[i][stratum[i]] = 4;
		label[i] = i % 8 ? stratum[i] : !stratum[i]; /* mostly, but not only, the stratum's */
	}
	struct association a = test(N, 2, &count[0][0], label, stratum, 199);
	CHECK(a.information > 0.1);
	CHECK(a.information_p > 0.99 && a.p[0] > 0.99);
	association_free(&a);
	int one[N] = {0}; /* without strata it is found */
	a = test(N, 2, &count[0][0], label, one, 199);
	CHECK(a.information_p < 0.02);
	association_free(&a);
}

static void labels_that_are_the_strata_cannot_be_permuted(void)
{
	int32_t count[N][2] = {{0}};
	int label[N];
	for (int i = 0; i < N; i++)
		count[i][label[i] = i % 2] = 1;
	struct association a = test(N, 2, &count[0][0], label, label, 199);
	CHECK_NEAR(a.specialisation[0], 1, 1e-12);
	CHECK(isnan(a.p[0]) && isnan(a.information_p));
	association_free(&a);
}

int main(void)
{
	CASE(specialisation_and_information_of_a_known_table);
	CASE(p_is_that_of_all_permutations);
	CASE(what_goes_along_with_the_stratum_is_not_found);
	CASE(labels_that_are_the_strata_cannot_be_permuted);
	return check_done();
}
