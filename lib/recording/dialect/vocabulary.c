/* Names of columns that hold no signal, whoever wrote them. */
#include "recording/dialect/dialect.h"

#include <fnmatch.h>

static const struct word {
	const char *pattern, *why;
	enum column_role role;
} words[] = {
	{"counter", "counts the samples", ROLE_COUNTER},
	{"eeg.counter", "counts the samples", ROLE_COUNTER},
	{"sample counter", "counts the samples", ROLE_COUNTER},
	{"sample_counter", "counts the samples", ROLE_COUNTER},
	{"packet[ _]*", "counts the samples", ROLE_COUNTER},
	{"package[ _]num*", "counts the samples", ROLE_COUNTER},
	{"validation indicator", "marks which samples are valid", ROLE_VALID},
	{"eeg.interpolated", "marks which samples are interpolated", ROLE_INTERPOLATED},
	{"elements", "messages", ROLE_MESSAGE},
	{"accel*", "movement, not EEG", ROLE_IGNORED},
	{"acc[xyz]", "movement, not EEG", ROLE_IGNORED},
	{"acc[ _.][xyz]", "movement, not EEG", ROLE_IGNORED},
	{"gyro*", "movement, not EEG", ROLE_IGNORED},
	{"magnetometer*", "movement, not EEG", ROLE_IGNORED},
	{"mot.*", "movement, not EEG", ROLE_IGNORED},
	{"*battery*", "battery level", ROLE_IGNORED},
	{"hsi_*", "electrode contact", ROLE_IGNORED},
	{"headbandon", "electrode contact", ROLE_IGNORED},
	{"*.rawcq", "electrode contact", ROLE_IGNORED},
	{"cq.*", "electrode contact", ROLE_IGNORED},
	{"eq.*", "electrode contact", ROLE_IGNORED},
	{"impedance*", "electrode contact", ROLE_IGNORED},
	{"resistance*", "electrode contact", ROLE_IGNORED},
	{"delta_*", "band power", ROLE_IGNORED},
	{"theta_*", "band power", ROLE_IGNORED},
	{"alpha_*", "band power", ROLE_IGNORED},
	{"beta_*", "band power", ROLE_IGNORED},
	{"gamma_*", "band power", ROLE_IGNORED},
	{"pow.*", "band power", ROLE_IGNORED},
	{"pm.*", "a score computed by the recorder", ROLE_IGNORED},
	{"fe.*", "a score computed by the recorder", ROLE_IGNORED},
	{"mellow", "a score computed by the recorder", ROLE_IGNORED},
	{"concentration", "a score computed by the recorder", ROLE_IGNORED},
	{"ppg*", "pulse, not EEG", ROLE_IGNORED},
	{"optics*", "pulse, not EEG", ROLE_IGNORED},
	{"heart[ _]rate", "pulse, not EEG", ROLE_IGNORED},
	{"aux", "an auxiliary input; --channels uses it", ROLE_IGNORED},
	{"aux[0-9 _.]*", "an auxiliary input; --channels uses it", ROLE_IGNORED},
	{"* aux", "an auxiliary input; --channels uses it", ROLE_IGNORED},
	{"*_aux", "an auxiliary input; --channels uses it", ROLE_IGNORED},
	{"analog channel*", "an auxiliary input; --channels uses it", ROLE_IGNORED},
	{"digital channel*", "an auxiliary input; --channels uses it", ROLE_IGNORED},
	{"not used*", "not used", ROLE_IGNORED},
	{"other", "not used", ROLE_IGNORED},
	{"other#*", "not used", ROLE_IGNORED},
	{"marker*", "marks events", ROLE_IGNORED},
	{"event*", "marks events", ROLE_IGNORED},
	{"eeg.marker*", "marks events", ROLE_IGNORED},
	{"trigger*", "marks events", ROLE_IGNORED},
	{"stim", "marks events", ROLE_IGNORED},
	{"sti [0-9]*", "marks events", ROLE_IGNORED},
	{"sti[0-9]*", "marks events", ROLE_IGNORED},
	{"status", "marks events", ROLE_IGNORED},
	{"annotation*", "marks events", ROLE_IGNORED},
	{"epoch", "epoch numbers", ROLE_IGNORED},
	{"sampling rate", "the sampling rate", ROLE_IGNORED},
	{"timestamp (formatted)", "times as text", ROLE_IGNORED},
	{"originaltimestamp", "another time column", ROLE_IGNORED},
	{"id", "identifiers, not numbers", ROLE_IGNORED},
};

bool dialect_name_matches(const char *name, const char *pattern)
{
	return !fnmatch(pattern, name, FNM_CASEFOLD);
}

const char *dialect_vocabulary(const char *name, enum column_role *role)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (dialect_name_matches(name, words[i].pattern)) {
			*role = words[i].role;
			return words[i].why;
		}
	return NULL;
}
