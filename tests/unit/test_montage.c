/* Names of electrodes and where they sit. */
#include "check.h"

#include "base/error.h"
#include "scalp/montage.h"

#include <stdlib.h>

static const double pi = 3.14159265358979323846;

static double angle_between(const char *a, const char *b)
{
	double p[3], q[3];
	CHECK(montage_position(a, p) && montage_position(b, q));
	CHECK_NEAR(p[0] * p[0] + p[1] * p[1] + p[2] * p[2], 1, 1e-12);
	return montage_angle(p, q) * 180 / pi;
}

static void electrodes_sit_where_the_system_says(void)
{
	double p[3];
	CHECK_NEAR(angle_between("Cz", "Fpz"), 72, 1e-9);
	CHECK_NEAR(angle_between("Cz", "Fz"), 36, 1e-9);
	CHECK_NEAR(angle_between("Cz", "C3"), 36, 1e-9);
	CHECK_NEAR(angle_between("Cz", "T7"), 72, 1e-9);
	CHECK_NEAR(angle_between("Cz", "C3h"), 27, 1e-9);
	CHECK_NEAR(angle_between("Cz", "Iz"), 90, 1e-9);
	CHECK_NEAR(angle_between("Cz", "T9"), 90, 1e-9);
	CHECK_NEAR(angle_between("Fz", "Nz"), 54, 1e-9);
	CHECK_NEAR(angle_between("F7", "F3"), angle_between("F3", "Fz"), 1e-9);
	CHECK_NEAR(angle_between("F7", "Cz"), 72, 1e-9);
	CHECK_NEAR(angle_between("PO8", "Cz"), 72, 1e-9);
	CHECK_NEAR(angle_between("Fp1", "Fp2"),
		acos(pow(cos(72 * pi / 180), 2) + pow(sin(72 * pi / 180), 2) * cos(36 * pi / 180)) * 180 / pi,
		1e-9);
	CHECK_NEAR(angle_between("T3", "T7"), 0, 1e-5);
	CHECK(montage_position("O1", p) && p[0] < 0 && p[1] < 0);
	CHECK(montage_position("fp2", p) && p[0] > 0 && p[1] > 0);
	static const char *const none[] = {"", "Q1", "C", "C11", "C0", "Fp5", "Cz1", "C3x", "EEG", "F-1",
		"Chz", "C7", "FT3", "TPz", "N3", "Fp1-F7", "A2-A1", "C3-", "EEG ", "ECG", "VEOG", "FC5-REFX"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		CHECK(!montage_position(none[i], p));
}

static void picked_electrodes_run_from_front_to_back(void)
{
	for (int n = 1; n <= 72; n++) {
		struct names l = {0};
		double p[3], last = 2;
		CHECK(!montage_pick(&l, n) && l.n == n && !names_duplicate(&l));
		for (int i = 0; i < l.n && n == 16; i += 4) {
			double row = 0;
			for (int j = 0; j < 4; j++) {
				CHECK(montage_position(l.s[i + j], p));
				row += p[1] / 4;
			}
			CHECK(row < last);
			last = row;
		}
		for (int i = 0; i < l.n; i++)
			CHECK(montage_position(l.s[i], p));
		names_free(&l);
	}
	struct names l = {0};
	CHECK(montage_pick(&l, 500) && err_status() == EX_USAGE);
	names_free(&l);
}

/* Every name the system has: row, number up to 10 or z, with and without h. */
static const char *const row[] = {"N", "NFp", "Fp", "AFp", "AF", "AFF", "F", "FFC", "FFT", "FC", "FT", "FCC",
	"FTT", "C", "T", "CCP", "TTP", "CP", "TP", "CPP", "TPP", "P", "PPO", "PO", "POO", "O", "OI", "I"};
enum { ROWS = sizeof row / sizeof *row };

static void the_system_has_345_places_each_of_them_once(void)
{
	static struct montage_site all[1000];
	int n = 0, middle = 0;
	for (int i = 0; i < ROWS; i++)
		for (int number = 0; number <= 10; number++)
			for (int half = 0; half < (number ? 2 : 1); half++) {
				char name[16], digits[16];
				snprintf(digits, sizeof digits, "%d%s", number, half ? "h" : "");
				snprintf(name, sizeof name, "%s%s", row[i], number ? digits : "z");
				/* T1 to T6 are older names */
				bool old = !strcmp(row[i], "T") && number < 7;
				if (!old && montage_find(name, &all[n])) {
					middle += !number;
					CHECK((all[n].p[0] < -1e-9) == (number % 2 == 1) &&
						(all[n].p[0] > 1e-9) == (number && number % 2 == 0));
					n++;
				}
			}
	CHECK(n == 345 && middle == 21);
	for (int i = 0; i < n; i++) {
		struct montage_site near = montage_nearest(all[i].p);
		CHECK(near.front == all[i].front && near.steps == all[i].steps && near.side == all[i].side);
		double least = 9;
		for (int j = 0; j < n; j++)
			if (j != i) {
				double angle = montage_angle(all[i].p, all[j].p) * 180 / pi;
				least = angle < least ? angle : least;
			}
		CHECK(least > 2.5 && least <= 9 + 1e-9);
	}
}

static void left_and_right_mirror_each_other(void)
{
	for (int i = 0; i < ROWS; i++)
		for (int number = 1; number <= 9; number += 2) {
			char left[16], right[16];
			double p[3], q[3];
			snprintf(left, sizeof left, "%s%dh", row[i], number);
			snprintf(right, sizeof right, "%s%dh", row[i], number + 1);
			if (!montage_position(left, p) || !montage_position(right, q))
				continue;
			CHECK_NEAR(p[0], -q[0], 1e-12);
			CHECK_NEAR(p[1], q[1], 1e-12);
			CHECK_NEAR(p[2], q[2], 1e-12);
		}
}

static void the_ring_has_a_mark_every_18_degrees(void)
{
	static const char *const ring[] = {
		"Fpz", "Fp1", "AF7", "F7", "FT7", "T7", "TP7", "P7", "PO7", "O1", "Oz"};
	for (int i = 0; i <= 10; i++) {
		double p[3];
		CHECK(montage_position(ring[i], p));
		CHECK_NEAR(atan2(-p[0], p[1]) * 180 / pi, 18 * i, 1e-9);
		CHECK_NEAR(acos(p[2]) * 180 / pi, 72, 1e-9);
	}
	static const char *const line[] = {"Nz", "NFpz", "Fpz", "AFpz", "AFz", "AFFz", "Fz", "FFCz", "FCz",
		"FCCz", "Cz", "CCPz", "CPz", "CPPz", "Pz", "PPOz", "POz", "POOz", "Oz", "OIz", "Iz"};
	for (int i = 0; i <= 20; i++) {
		double p[3];
		CHECK(montage_position(line[i], p));
		CHECK_NEAR(p[0], 0, 1e-12);
		CHECK_NEAR(atan2(p[1], p[2]) * 180 / pi, 90 - 9 * i, 1e-9);
	}
}

static void half_names_lie_half_way(void)
{
	CHECK_NEAR(angle_between("CCPz", "CCP1h"), angle_between("CCP1h", "CCP1"), 1e-6);
	CHECK_NEAR(angle_between("AF7h", "AF7"), angle_between("AF7h", "AF5"), 1e-6);
	CHECK_NEAR(angle_between("AFF1h", "AFFz"), angle_between("AFF1h", "AFF1"), 1e-6);
	CHECK_NEAR(angle_between("FFT7h", "FFT7"), angle_between("FFT7h", "FFC5"), 1e-6);
	CHECK_NEAR(angle_between("FC1", "FCC1"), 9, 0.3);
	CHECK_NEAR(angle_between("T7", "T9h"), 9, 1e-9);
}

static void names_are_known_whatever_stands_around_them(void)
{
	static const char *const same[][2] = {{"Fp1", "EEG Fp1-REF"}, {"Fp1", "FP1"}, {"Fp1", "EEG FP1-LE"},
		{"Fc5.", "FC5"}, {"Cz..", "cz"}, {"Fp1", "EEG Fp1"}, {"AF3", "EEG.AF3"}, {"TP9", "RAW_TP9"},
		{"C3", "C3-A2"}, {"C4", "EEG C4 - M1"}, {"T1", "FT9"}, {"T2", "FT10"}, {"T5", "P7"},
		{"T6", "P8"}, {"A1", "T9"}, {"m2", "TP10"}};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		CHECK_NEAR(angle_between(same[i][0], same[i][1]), 0, 1e-5);
}

int main(void)
{
	CASE(electrodes_sit_where_the_system_says);
	CASE(picked_electrodes_run_from_front_to_back);
	CASE(the_system_has_345_places_each_of_them_once);
	CASE(left_and_right_mirror_each_other);
	CASE(the_ring_has_a_mark_every_18_degrees);
	CASE(half_names_lie_half_way);
	CASE(names_are_known_whatever_stands_around_them);
	return check_done();
}
