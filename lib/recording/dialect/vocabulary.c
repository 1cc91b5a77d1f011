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
	{"validation indicator", "says which samples are valid", ROLE_VALID},
	{"eeg.interpolated", "says which samples are made up", ROLE_INTERPOLATED},
	{"elements", "messages", ROLE_MESSAGE},
	{"accel*", "movement, no signal of the brain", ROLE_IGNORED},
	{"acc[xyz]", "movement, no signal of the brain", ROLE_IGNORED},
	{"acc[ _.][xyz]", "movement, no signal of the brain", ROLE_IGNORED},
	{"gyro*", "movement, no signal of the brain", ROLE_IGNORED},
	{"magnetometer*", "movement, no signal of the brain", ROLE_IGNORED},
	{"mot.*", "movement, no signal of the brain", ROLE_IGNORED},
	{"*battery*", "state of the battery", ROLE_IGNORED},
	{"hsi_*", "fit of the electrodes", ROLE_IGNORED},
	{"headbandon", "fit of the electrodes", ROLE_IGNORED},
	{"*.rawcq", "fit of the electrodes", ROLE_IGNORED},
	{"cq.*", "fit of the electrodes", ROLE_IGNORED},
	{"eq.*", "fit of the electrodes", ROLE_IGNORED},
	{"impedance*", "fit of the electrodes", ROLE_IGNORED},
	{"resistance*", "fit of the electrodes", ROLE_IGNORED},
	{"delta_*", "power of a band", ROLE_IGNORED},
	{"theta_*", "power of a band", ROLE_IGNORED},
	{"alpha_*", "power of a band", ROLE_IGNORED},
	{"beta_*", "power of a band", ROLE_IGNORED},
	{"gamma_*", "power of a band", ROLE_IGNORED},
	{"pow.*", "power of a band", ROLE_IGNORED},
	{"pm.*", "an index of the recorder", ROLE_IGNORED},
	{"fe.*", "an index of the recorder", ROLE_IGNORED},
	{"mellow", "an index of the recorder", ROLE_IGNORED},
	{"concentration", "an index of the recorder", ROLE_IGNORED},
	{"ppg*", "pulse, no signal of the brain", ROLE_IGNORED},
	{"optics*", "pulse, no signal of the brain", ROLE_IGNORED},
	{"heart[ _]rate", "pulse, no signal of the brain", ROLE_IGNORED},
	{"aux", "an auxiliary input; --channels takes it", ROLE_IGNORED},
	{"aux[0-9 _.]*", "an auxiliary input; --channels takes it", ROLE_IGNORED},
	{"* aux", "an auxiliary input; --channels takes it", ROLE_IGNORED},
	{"*_aux", "an auxiliary input; --channels takes it", ROLE_IGNORED},
	{"analog channel*", "an auxiliary input; --channels takes it", ROLE_IGNORED},
	{"digital channel*", "an auxiliary input; --channels takes it", ROLE_IGNORED},
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
	{"epoch", "numbers of epochs", ROLE_IGNORED},
	{"sampling rate", "the sampling rate", ROLE_IGNORED},
	{"timestamp (formatted)", "times as text", ROLE_IGNORED},
	{"originaltimestamp", "a further time column", ROLE_IGNORED},
	{"id", "keys", ROLE_IGNORED},
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
