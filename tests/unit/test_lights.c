/* Tokenisers of given frequencies against their formulas, sample by sample in double. */
#include "check.h"
#include "view_rig.h"

/* What of the references of f there is in the whole window, above a frequency: ZR [2][4], and the
 * covariance S there, both by samples: Z from its lines, and back. */
static void follow(double f, double low, double ZR[2][4], double S[3])
{
	static double Z[2][LONG], R[4][LONG];
	memset(Z, 0, sizeof Z);
	for (int v = 0; v < 2; v++)
		for (int i = 1; 2 * i < LONG; i++) {
			double re = 0, im = 0;
			if (!(i * RATE / LONG > low && i * RATE / LONG <= 60))
				continue;
			for (int t = 0; t < LONG; t++) {
				re += signal[v][t] * cos(2 * PI * i * t / LONG) * 2 / LONG;
				im += signal[v][t] * sin(2 * PI * i * t / LONG) * 2 / LONG;
			}
			for (int t = 0; t < LONG; t++)
				Z[v][t] += re * cos(2 * PI * i * t / LONG) + im * sin(2 * PI * i * t / LONG);
		}
	for (int h = 0; h < 4; h++) {
		double norm = 0;
		for (int t = 0; t < LONG; t++) {
			double angle = 2 * PI * f * (1 + h / 2) * t / RATE;
			R[h][t] = h % 2 ? cos(angle) : sin(angle);
		}
		for (int g = 0; g < h; g++) {
			double dot = 0;
			for (int t = 0; t < LONG; t++)
				dot += R[g][t] * R[h][t];
			for (int t = 0; t < LONG; t++)
				R[h][t] -= dot * R[g][t];
		}
		for (int t = 0; t < LONG; t++)
			norm += R[h][t] * R[h][t];
		for (int t = 0; t < LONG; t++)
			R[h][t] /= sqrt(norm);
	}
	memset(S, 0, 3 * sizeof *S);
	memset(ZR, 0, 8 * sizeof **ZR);
	for (int t = 0; t < LONG; t++) {
		S[0] += Z[0][t] * Z[0][t] / LONG;
		S[1] += Z[0][t] * Z[1][t] / LONG;
		S[2] += Z[1][t] * Z[1][t] / LONG;
		for (int v = 0; v < 2; v++)
			for (int h = 0; h < 4; h++)
				ZR[v][h] += Z[v][t] * R[h][t];
	}
}

/* M of f above a frequency */
static void relative_at(double f, double low, double M[3])
{
	double ZR[2][4], S[3], R[3], E[3] = {0};
	follow(f, low, ZR, S);
	for (int h = 0; h < 4; h++) {
		E[0] += ZR[0][h] * ZR[0][h] / LONG;
		E[1] += ZR[0][h] * ZR[1][h] / LONG;
		E[2] += ZR[1][h] * ZR[1][h] / LONG;
	}
	whitener(S, R);
	seen_through(R, E, M);
}

/* Frequencies 10 and 20 (whose harmonic there is), high passes at 4, 10 and 22 Hz */
static void cca_gives_canonical_correlations(void)
{
	static const double low[] = {4, 10, 22};
	struct looker v;
	begin(&v, &padded,
		(const char *const[]){"encoder.tokens=cca", "encoder.bands=[[9,11],[20,20]]", NULL});
	CHECK(v.n == 1 && v.D == 2 * 3 * 2);
	look(&v, 1, NULL);
	for (int i = 0; i < 6; i++) {
		double M[3];
		relative_at(i / 3 ? 20 : 10, low[i % 3], M);
		double half = (M[0] + M[2]) / 2, r = hypot((M[0] - M[2]) / 2, M[1]);
		CHECK_NEAR(v.out[2 * i], sqrt(half + r), 1e-4);
		CHECK_NEAR(v.out[2 * i + 1], sqrt(fmax(half - r, 0)), 1e-4);
		CHECK(v.out[2 * i] < 1 && v.out[2 * i] >= v.out[2 * i + 1]);
	}
	CHECK((double)v.out[0] > 0.85); /* both signals have much of 10 Hz */
	end(&v);
}

static void harmonic_is_what_follows_the_frequencies(void)
{
	static const double low[] = {4, 10, 22};
	struct looker v;
	begin(&v, &padded,
		(const char *const[]){"encoder.tokens=harmonic", "encoder.bands=[[9,11],[20,20]]",
			"encoder.harmonic_floor=0.3", NULL});
	CHECK(v.n == 2 && v.D == 3 * 3 && v.of->kinds(&v.c.value) == 2);
	look(&v, 1, NULL);
	for (int i = 0; i < 6; i++) {
		double M[3], token[3];
		relative_at(i / 3 ? 20 : 10, low[i % 3], M);
		logarithm(M, 0.3, token);
		for (int j = 0; j < 3; j++)
			CHECK_NEAR(v.out[3 * i + j], token[j], 1e-4);
	}
	end(&v);
}

/* A signal that is nothing but a reference is explained wholly, and by no other frequency. */
static void cca_tells_frequencies_apart(void)
{
	static int32_t channel[] = {0};
	static const struct region one = {.name = "one", .width = 1, .channel = channel, .core = core};
	struct looker v;
	real x[LONG];
	begin(&v, &one,
		(const char *const[]){"encoder.tokens=cca", "encoder.bands=[[10,10],[14,14],[26,26]]", NULL});
	CHECK(v.n == 1 && v.D == 9);
	for (int t = 0; t < LONG; t++)
		x[t] = (real)(3 * sin(2 * PI * 14 * t / RATE + 0.7) + cos(2 * PI * 28 * t / RATE));
	look_at(&v, x, NULL);
	for (int i = 0; i < 9; i++)
		CHECK_NEAR(v.out[i], i / 3 == 1 ? 1 : 0, 1e-3);
	end(&v);
}

int main(void)
{
	make_signals();
	CASE(cca_gives_canonical_correlations);
	CASE(harmonic_is_what_follows_the_frequencies);
	CASE(cca_tells_frequencies_apart);
	return check_done();
}
